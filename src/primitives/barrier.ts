/**
 * `optimizationBarrier`: gives its operands, and keeps apart what stands before it from what stands behind it. What is computed
 * from its outputs is never merged with what is computed from its operands, and in a compiled program it starts only once
 * all operands are there (compiler/barriers.ts).
 */
import { left, right } from "fp-ts/lib/Either.js";
import type { NDArray } from "../core/array.js";
import { type Aval, aval } from "../core/aval.js";
import { ArgumentError } from "../core/errors.js";
import { definePrimitive, LinearInput, type Params } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, type Tangent } from "../core/zero.js";
import type { TypeResult } from "./checks.js";
import { eachItsOwnOperand } from "./dependence.js";
import { noWork } from "./linear.js";

/** The same arrays, each there only once all are there. */
export const bindBarrier = (inputs: readonly NDArray[]): readonly NDArray[] =>
  inputs.length === 0 ? [] : bind(barrierPrimitive, inputs, {});

/** Tangents, or cotangents, behind a barrier of their own; symbolic zeros need none. */
function barred(tangents: readonly Tangent[]): Tangent[] {
  const live = bindBarrier(tangents.filter((t): t is NDArray => !isZero(t)));
  let next = 0;
  return tangents.map((t) => (isZero(t) ? t : live[next++]));
}

/** It takes any arrays, of which there must be one, and no params. */
function typesOf(inputs: readonly Aval[], params: Params): TypeResult {
  const wrong = (message: string): TypeResult => left(new ArgumentError(`optimizationBarrier ${message}`));
  if (inputs.length === 0) return wrong("needs an operand, got none");
  return Object.keys(params).length > 0
    ? wrong(`takes no params, got ${Object.keys(params)}`)
    : right(inputs);
}

export const barrierPrimitive = definePrimitive({
  name: "optimizationBarrier",
  family: "call",
  summary: "its operands, each there only once all are there",
  abstractEval: typesOf,
  // Arrays are immutable, so both may share the storage.
  evaluate: (inputs, _, outputs) => inputs.map((x, i) => x.alias(outputs[i])),
  jvp: (primals, tangents) => ({ outputs: bindBarrier(primals), tangents: barred(tangents) }),
  // What is known cannot wait for what is not.
  partialEval: (eqn, unknown) => {
    const part = (wanted: boolean) => ({
      ...eqn,
      inputs: eqn.inputs.filter((_, i) => unknown[i] === wanted),
      outputs: eqn.outputs.filter((_, i) => unknown[i] === wanted),
    });
    return { known: unknown.includes(false) ? [part(false)] : [], unknown: [part(true)] };
  },
  transpose: (cotangents, inputs) => {
    const pulled = barred(cotangents);
    return inputs.map((x, i) => (x instanceof LinearInput ? pulled[i] : null));
  },
  batch: (_, inputs, batched) => ({ outputs: bindBarrier(inputs), batched }),
  cost: noWork,
  dependence: eachItsOwnOperand,
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([2, 3], "float64")], params: {} },
      { avals: [aval([2], "float64"), aval([], "float64"), aval([3], "int32")], params: {} },
    ],
  },
});
