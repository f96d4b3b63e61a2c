/**
 * `checkpoint`: an equation that holds a jaxpr and is forgetful. Going forward it is a call. When it is split for reverse mode,
 * the values inside are not handed on but computed again where the backward pass needs them, from the arguments and from
 * what a policy, or a budget, chose to store.
 */
import { left } from "fp-ts/lib/Either.js";
import type { NDArray } from "../core/array.js";
import { buildJaxpr, memoize } from "../core/build.js";
import { relationsOf } from "../core/dependence.js";
import { effectsOfBodies, hasEffects } from "../core/effects.js";
import { ArgumentError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import type { Atom, Eqn, Jaxpr, Var } from "../core/jaxpr.js";
import { definePrimitive, type Params, type PartialEvalRule } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { bindBarrier } from "./barrier.js";
import { jaxprCost } from "./call.js";
import { jvpOfCall, transposeOfCall } from "./callRules.js";
import { checkpointExamples } from "./checkpointExamples.js";
import { type CheckpointPolicy, policies } from "./checkpointPolicies.js";
import { type StorageRule, splitCheckpoint } from "./checkpointSplit.js";
import { showParam } from "./checks.js";
import { bodyOf, bodyType, dceBody, evaluateBody } from "./customCall.js";

export interface CheckpointParams extends StorageRule {
  /** False: what is computed again may be merged with the forward pass. */
  readonly preventCse?: boolean | undefined;
}

/** Params of the equation beside its body: `again` marks one that computes values for the second time. */
export const checkpointParams = ({ policy, budget, preventCse }: CheckpointParams): Params => ({
  ...(policy === undefined ? {} : policies.params("policy", policy)),
  ...(budget === undefined ? {} : { budget }),
  ...(preventCse === false ? { preventCse } : {}),
});

/** Applies a jaxpr as one equation, of which reverse mode stores what `policy` says: nothing, if there is none. */
export const bindCheckpoint = (
  jaxpr: Jaxpr,
  name: string,
  inputs: readonly NDArray[],
  policy?: CheckpointPolicy,
): readonly NDArray[] => bind(checkpointPrimitive, inputs, { jaxpr, name, ...checkpointParams({ policy }) });

/** What the params say is to be stored. */
export const storageRule = ({ policy, budget }: Params): StorageRule => ({
  policy: policies.find(policy),
  budget: budget as number | undefined,
});

export const checkpointPrimitive = definePrimitive({
  name: "checkpoint",
  family: "call",
  summary: "applies a jaxpr, of which reverse mode stores only what a policy says",
  abstractEval: (inputs, params) => {
    const fault = paramFault(params);
    return fault === undefined
      ? bodyType("checkpoint", inputs, params)
      : left(new ArgumentError(`checkpoint: ${fault}`));
  },
  evaluate: (inputs, params) => evaluateBody(bodyOf(params).jaxpr, inputs),
  jvp: (primals, tangents, params, passes) =>
    jvpOfCall(bodyOf(params).jaxpr, primals, tangents, passes, (pushed, inputs) =>
      bind(checkpointPrimitive, inputs, { ...params, jaxpr: pushed }),
    ),
  partialEval: (...args) => split(...args),
  transpose: (cotangents, inputs, params, passes) =>
    transposeOfCall(bodyOf(params).jaxpr, cotangents, inputs, passes, (transposed, operands) =>
      bind(checkpointPrimitive, operands, { ...params, jaxpr: transposed, again: true }),
    ),
  batch: (size, inputs, batched, params, passes) => {
    const vectorised = passes.batch(bodyOf(params).jaxpr, size, batched);
    return {
      outputs: bind(checkpointPrimitive, inputs, { ...params, jaxpr: vectorised.jaxpr }),
      batched: vectorised.batchedOut,
    };
  },
  dce: dceBody,
  inline: (params) => {
    const { jaxpr } = bodyOf(params);
    return params.again === true && params.preventCse !== false ? behindBarrier(jaxpr) : jaxpr;
  },
  cost: (_, params) => jaxprCost(bodyOf(params).jaxpr),
  // Not by `inline`: what is behind a barrier is not known.
  dependence: (operands, params, _, passes, limit) =>
    relationsOf(passes.dependence(bodyOf(params).jaxpr, operands, limit)),
  effectful: effectsOfBodies,
  laws: {
    differentiable: true,
    examples: () => checkpointExamples(bindCheckpoint, (policy) => checkpointParams({ policy })),
  },
});

/** Params that say nothing are left out: equal equations have equal params. */
function paramFault(params: Params): string | undefined {
  const { policy, budget } = params;
  if ("policy" in params && policies.find(policy) === undefined)
    return `the param policy refers to no policy that is there, got ${showParam(policy)}`;
  if ("budget" in params && !(typeof budget === "number" && budget >= 0))
    return `the param budget must be a number of bytes, got ${showParam(budget)}`;
  for (const name of ["again", "preventCse"])
    if (name in params && typeof params[name] !== "boolean")
      return `the param ${name} must be a boolean, got ${showParam(params[name])}`;
  return undefined;
}

/** What runs for the second time: not before its operands, the cotangents among them, are there. */
const behindBarrier = memoize(
  () => "behindBarrier",
  (jaxpr: Jaxpr): Jaxpr =>
    buildJaxpr("checkpoint", jaxpr.inAvals, (inputs) => evalJaxpr(jaxpr, bindBarrier(inputs))),
);

const split: PartialEvalRule = (eqn, unknown, passes, fresh) => {
  const { params, inputs, outputs } = eqn;
  const parts = splitCheckpoint(bodyOf(params).jaxpr, unknown, storageRule(params), passes);
  const knownOutputs = outputs.filter((_, k) => !parts.unknownOut[k]);
  const made: Var[] = [];
  const stored = parts.stored.map(({ output, aval }): Atom => {
    if (output !== undefined) return knownOutputs[output];
    const v = fresh(aval);
    made.push(v);
    return v;
  });
  const known: Eqn = {
    ...eqn,
    params: { ...params, jaxpr: parts.known },
    inputs: inputs.filter((_, i) => !unknown[i]),
    outputs: [...knownOutputs, ...made],
  };
  const again: Eqn = {
    ...eqn,
    params: { ...params, jaxpr: parts.again, again: true },
    inputs: [...stored, ...inputs].filter((_, i) => parts.needs[i]),
    outputs: outputs.filter((_, k) => parts.unknownOut[k]),
  };
  const isEmpty = known.outputs.length === 0 && !hasEffects(parts.known);
  return { known: isEmpty ? [] : [known], unknown: [again] };
};
