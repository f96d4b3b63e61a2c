/**
 * `iterate`: a loop whose number of steps is an operand. It is what is left of `while` where the steps have been counted
 * already: the part of it that is linear in tangents, and its transposes.
 */
import { type ConcreteArray, type NDArray, scalar } from "../../core/array.js";
import { aval } from "../../core/aval.js";
import { buildJaxpr, memoize } from "../../core/build.js";
import { effectsOfBodies } from "../../core/effects.js";
import { NotDifferentiableError } from "../../core/errors.js";
import { evalJaxpr } from "../../core/eval.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import {
  definePrimitive,
  LinearInput,
  type Passes,
  type Primitive,
  type TransposeRule,
} from "../../core/primitive.js";
import { bind, withTrace } from "../../core/trace.js";
import { isZero, type Tangent, Zero } from "../../core/zero.js";
import { eachItsOwn, jaxprCost } from "../call.js";
import { lt } from "../comparison.js";
import { instantiate } from "../filled.js";
import { loopRelations } from "./loopDependence.js";
import { adjointOf } from "./whileAdjoint.js";
import { counting, only } from "./whileBody.js";
import { iterateDce } from "./whileDce.js";
import { iterateExamples } from "./whileExamples.js";
import { type BindWhile, type IterateParams, iterateTypes, type Loops } from "./whileParams.js";
import { batchIterate, pushIterate } from "./whileRules.js";
import { splitIterate } from "./whileSplit.js";

/** Defines the primitive. @param bindWhile what it is compiled as. */
export function defineIterate(bindWhile: BindWhile): Primitive {
  const bindIterate = (params: IterateParams, inputs: readonly NDArray[]): readonly NDArray[] =>
    bind(primitive, inputs, params);
  const loops: Loops = { while: bindWhile, iterate: bindIterate };
  const primitive = definePrimitive({
    name: "iterate",
    family: "control",
    summary: "a loop that carries values from step to step, as often as an operand says",
    abstractEval: iterateTypes,
    evaluate: ([count, ...inputs], params, types) => {
      const { body, consts } = params as IterateParams;
      const fixed = inputs.slice(0, consts);
      let carry = inputs.slice(consts);
      withTrace(undefined, () => {
        for (let left = count.values[0]; left > 0; left--)
          carry = evalJaxpr(body, [...fixed, ...carry]) as ConcreteArray[];
      });
      return eachItsOwn(body, inputs, carry, types);
    },
    jvp: (primals, tangents, params, passes) =>
      pushIterate(bindIterate, primals, tangents, params as IterateParams, passes),
    partialEval: splitIterate,
    transpose: (cotangents, inputs, params, passes) =>
      transposeIterate(loops, cotangents, inputs, params as IterateParams, passes),
    batch: (size, inputs, batched, params, passes) =>
      batchIterate(bindIterate, size, inputs, batched, params as IterateParams, passes),
    dce: iterateDce,
    inline: (params) => asWhile(params.body as Jaxpr, params as IterateParams, bindWhile),
    // Of one step: how many there are is known when it runs.
    cost: (_, { body }) => jaxprCost(body as Jaxpr),
    dependence: ([count, ...operands], p, _, passes, limit) => {
      const { body, consts } = p as IterateParams;
      const [fixed, carry] = [operands.slice(0, consts), operands.slice(consts)];
      const length = count.value()?.values[0];
      const loop = { body, consts: fixed, carry, xs: [], length, reverse: false };
      return loopRelations(loop, passes, limit).map((row) => ["none", ...row]);
    },
    effectful: effectsOfBodies,
    laws: {
      differentiable: true,
      examples: () => iterateExamples(loops),
    },
  });
  return primitive;
}

/** The loop as a `while` with a counter. */
const asWhile = memoize(
  ({ consts, slots }: IterateParams, _: BindWhile) => `${consts}/${slots}`,
  (body: Jaxpr, { consts, slots }: IterateParams, bindWhile: BindWhile): Jaxpr => {
    const int = aval([], "int32");
    const carryTypes = body.inAvals.slice(consts);
    const cond = buildJaxpr("iterate", [int, ...carryTypes, int], (inputs) => [
      lt(inputs[inputs.length - 1], inputs[0]),
    ]);
    return buildJaxpr("iterate", [int, ...body.inAvals], ([count, ...inputs]) => {
      const params = { cond, body: counting(body), condConsts: 1, bodyConsts: consts, slots };
      return bindWhile(params, [count, ...inputs, scalar(0, "int32")]).slice(0, -1);
    });
  },
);

/** Cotangents of linear constants and carries: the steps backwards. */
export function transposeIterate(
  loops: Loops,
  cotangents: readonly Tangent[],
  [count, ...inputs]: readonly (NDArray | LinearInput)[],
  { body, consts, slots }: IterateParams,
  passes: Passes,
): ReturnType<TransposeRule> {
  if (count instanceof LinearInput)
    throw new NotDifferentiableError(
      "a loop whose number of steps is a linear value cannot be transposed: it is not linear",
    );
  const linear = inputs.map((x) => x instanceof LinearInput);
  const given = cotangents.map((ct) => !isZero(ct));
  const adjoint = adjointOf(body, consts, slots, linear, given, loops, passes);
  const taken = body.inputs.map((_, i) => !linear[i] && !(i >= consts && adjoint.linearCarry[i - consts]));
  const results = evalJaxpr(adjoint.jaxpr, [
    count,
    ...(only(inputs, taken) as NDArray[]),
    ...only(only(cotangents, adjoint.linearCarry), adjoint.cotangents).map(instantiate),
  ]);
  const queue = [...results];
  const next = (isGiven: boolean, type: NDArray["aval"]): Tangent =>
    isGiven ? (queue.shift() as NDArray) : new Zero(type);
  let [nextConst, nextCarry] = [0, 0];
  const pulled = inputs.map((x, i) => {
    const has =
      i < consts
        ? linear[i] && adjoint.constResults[nextConst++]
        : adjoint.linearCarry[i - consts] && adjoint.carryResults[nextCarry++];
    // A carry that becomes linear in the loop has a cotangent that nobody asks for.
    const ct = next(has, x.aval);
    return x instanceof LinearInput ? ct : null;
  });
  return [null, ...pulled];
}
