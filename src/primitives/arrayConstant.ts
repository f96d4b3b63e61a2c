/**
 * `arrayConstant`: an array that a program holds, as an equation without operands. Rules of functions that close over
 * arrays are made of it; see core/lifted.ts for how devices get them.
 */
import { left, right } from "fp-ts/lib/Either.js";
import { type ConcreteArray, concreteArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import type { Eqn, Var } from "../core/jaxpr.js";
import { heldArrays } from "../core/lifted.js";
import { definePrimitive, type Params } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { zeroFor } from "../core/zero.js";
import { showParam, typeRule } from "./checks.js";
import { noWork } from "./linear.js";

/** Params that refer to an array. */
const paramsOf = (x: ConcreteArray): Params => heldArrays.params("array", x);

/** The equation that gives an array a name in a jaxpr. */
export const constantEqn = (x: ConcreteArray, variable: Var): Eqn => ({
  primitive: arrayConstantPrimitive,
  inputs: [],
  params: paramsOf(x),
  outputs: [variable],
  source: undefined,
});

export const arrayConstantPrimitive = definePrimitive({
  name: "arrayConstant",
  // Devices run calls by what they hold, and this by the array.
  family: "call",
  summary: "an array that the program holds",
  abstractEval: typeRule("arrayConstant", 0, (_, { array }) => {
    const found = heldArrays.find(array);
    return found === undefined
      ? left(
          new ArgumentError(
            `arrayConstant: the param array refers to no array that is there, got ${showParam(array)}`,
          ),
        )
      : right([found.aval]);
  }),
  // An array of its own: whoever disposes of the result does not take it from the program.
  evaluate: (_, { array }, [type]) => [(heldArrays.find(array) as ConcreteArray).alias(type)],
  jvp: (_, __, params) => {
    const outputs = bind(arrayConstantPrimitive, [], params);
    return { outputs, tangents: outputs.map((y) => zeroFor(y.aval)) };
  },
  batch: (_, __, ___, params) => ({ outputs: bind(arrayConstantPrimitive, [], params), batched: [false] }),
  cost: noWork,
  laws: {
    differentiable: false,
    examples: () => [
      { avals: [], params: paramsOf(concreteArray([1, 2.5, -3], [3], "float64")) },
      { avals: [], params: paramsOf(concreteArray([1, 0, 1, 1], [2, 2], "bool")) },
      { avals: [], params: paramsOf(concreteArray([0.5, -0, 3], [3, 1], "float32")) },
      { avals: [], params: paramsOf(concreteArray([], [0, 2], "float32")) },
    ],
  },
});
