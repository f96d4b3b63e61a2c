/**
 * `while`: a loop that goes on as long as a condition holds. Both modes go through it: forwards tangents are carries of the same
 * loop; backwards the steps have been counted, and a loop over them runs from the last to the first (whileAdjoint.ts).
 */
import { type ConcreteArray, type NDArray, scalar } from "../../core/array.js";
import type { Relation } from "../../core/dependence.js";
import { effectsOfBodies } from "../../core/effects.js";
import { NotDifferentiableError } from "../../core/errors.js";
import { evalJaxpr } from "../../core/eval.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { definePrimitive, LinearInput, type Passes, type TransposeRule } from "../../core/primitive.js";
import { bind, withTrace } from "../../core/trace.js";
import type { Tangent } from "../../core/zero.js";
import { eachItsOwn, jaxprCost } from "../call.js";
import { loopRelations } from "./loopDependence.js";
import { except } from "./whileBody.js";
import { whileDce } from "./whileDce.js";
import { whileExamples } from "./whileExamples.js";
import { inlineWhile } from "./whileInline.js";
import { defineIterate, transposeIterate } from "./whileIterate.js";
import { type IterateParams, type Loops, type WhileParams, whileParts, whileTypes } from "./whileParams.js";
import { batchWhile, pushWhile } from "./whileRules.js";
import { countSteps, splitWhile } from "./whileSplit.js";

export const whilePrimitive = definePrimitive({
  name: "while",
  family: "control",
  summary: "a loop that carries values from step to step as long as a condition holds",
  abstractEval: whileTypes,
  evaluate: (inputs, p, types) => {
    const params = p as WhileParams;
    const { condConsts, bodyConsts, carry: first } = whileParts(inputs, params);
    let carry: readonly ConcreteArray[] = first;
    withTrace(undefined, () => {
      for (;;) {
        const [more] = evalJaxpr(params.cond, [...condConsts, ...carry]) as ConcreteArray[];
        if (more.values[0] === 0) return;
        carry = evalJaxpr(params.body, [...bodyConsts, ...carry]) as ConcreteArray[];
      }
    });
    return eachItsOwn(params.body, inputs, carry, types);
  },
  jvp: (primals, tangents, params, passes) =>
    pushWhile(bindWhile, primals, tangents, params as WhileParams, passes),
  partialEval: (eqn, unknown, passes, fresh) => splitWhile(iteratePrimitive, eqn, unknown, passes, fresh),
  transpose: (cotangents, inputs, params, passes) =>
    transposeWhile(cotangents, inputs, params as WhileParams, passes),
  batch: (size, inputs, batched, params, passes) =>
    batchWhile(bindWhile, size, inputs, batched, params as WhileParams, passes),
  dce: whileDce,
  inline: (params) => inlineWhile(bindWhile, params as WhileParams),
  lower: {
    kind: "control",
    parts: (params) => {
      const { cond, body, condConsts, bodyConsts } = params as WhileParams;
      return { flow: "while", cond, body, condConsts, bodyConsts };
    },
  },
  // Of one step: how many there are is known when it runs.
  cost: (_, params) => {
    const [cond, body] = [params.cond, params.body].map((jaxpr) => jaxprCost(jaxpr as Jaxpr));
    return {
      operations: cond.operations + body.operations,
      multiplications: cond.multiplications + body.multiplications,
      transcendentals: cond.transcendentals + body.transcendentals,
    };
  },
  dependence: (operands, p, _, passes, limit) => {
    const params = p as WhileParams;
    const { condConsts, bodyConsts, carry } = whileParts(operands, params);
    const loop = { body: params.body, consts: bodyConsts, carry, xs: [], length: undefined, reverse: false };
    const unseen = condConsts.map((): Relation => "none");
    return loopRelations(loop, passes, limit).map((row) => [...unseen, ...row]);
  },
  effectful: effectsOfBodies,
  laws: {
    differentiable: true,
    examples: () => whileExamples(loops),
  },
});

/** Applies a loop: constants of the condition, constants of the body and the first carry in; the last carry out. */
export function bindWhile(params: WhileParams, inputs: readonly NDArray[]): readonly NDArray[] {
  return bind(whilePrimitive, inputs, params);
}

export const iteratePrimitive = defineIterate(bindWhile);

/** Applies a loop of a given number of steps: that number, constants and the first carry in; the last carry out. */
export function bindIterate(params: IterateParams, inputs: readonly NDArray[]): readonly NDArray[] {
  return bind(iteratePrimitive, inputs, params);
}

const loops: Loops = { while: bindWhile, iterate: bindIterate };

/** A loop that is linear in some of its operands: the steps are counted first. */
function transposeWhile(
  cotangents: readonly Tangent[],
  inputs: readonly (NDArray | LinearInput)[],
  params: WhileParams,
  passes: Passes,
): ReturnType<TransposeRule> {
  const { condConsts, bodyConsts, carry } = whileParts(inputs, params);
  const isLinear = (x: NDArray | LinearInput): boolean => x instanceof LinearInput;
  const linear = [...bodyConsts, ...carry].map(isLinear);
  const counted = condConsts.some(isLinear) ? undefined : countSteps(params, linear, passes);
  if (counted === undefined)
    throw new NotDifferentiableError(
      "a while loop whose condition looks at linear values cannot be transposed: the number of steps is not linear",
    );
  const known = bindWhile(counted.known, [
    ...(condConsts as NDArray[]),
    ...(bodyConsts.filter((x) => !isLinear(x)) as NDArray[]),
    ...(except(carry, counted.carry) as NDArray[]),
    scalar(0, "int32"),
  ]);
  const [, ...pulled] = transposeIterate(
    loops,
    cotangents,
    [known[known.length - 1], ...bodyConsts, ...carry],
    counted.unknown,
    passes,
  );
  return [...condConsts.map(() => null), ...pulled];
}
