/**
 * What transforms make of the body of a loop that takes constants and a carry and gives the next carry. Each of them has to
 * find out first which carries take part: one does if it does at the start, or if a step makes it so from what does.
 */
import { aval } from "../../core/aval.js";
import { buildJaxpr, maskKey, memoize } from "../../core/build.js";
import { hasEffects, isEffectful } from "../../core/effects.js";
import { evalJaxpr } from "../../core/eval.js";
import { type Eqn, Jaxpr, Literal, subJaxprs, Var } from "../../core/jaxpr.js";
import { noParams } from "../../core/params.js";
import type { Params, ParamValue, Passes } from "../../core/primitive.js";
import { add } from "../elementwise.js";

export type Mask = readonly boolean[];

export const only = <T>(items: readonly T[], mask: Mask): T[] => items.filter((_, i) => mask[i]);
export const except = <T>(items: readonly T[], mask: Mask): T[] => items.filter((_, i) => !mask[i]);

export const count = (mask: Mask): number => mask.filter((b) => b).length;

/** The carries that take part in the end: `step` gives those of the next carry from those of this one, and never fewer. */
export function fixpoint(start: Mask, step: (carry: Mask) => Mask): Mask {
  let carry = start;
  for (;;) {
    const next = step(carry).map((b, i) => b || carry[i]);
    if (next.every((b, i) => b === carry[i])) return carry;
    carry = next;
  }
}

/** The same jaxpr with other inputs and outputs, chosen among its own. */
export const rewired = (jaxpr: Jaxpr, inputs: readonly Var[], outputs = jaxpr.outputs): Jaxpr =>
  new Jaxpr(inputs, jaxpr.eqns, outputs, jaxpr.varCount);

/** Drops outputs, and what only they need; the inputs stay. */
export const keeping = (jaxpr: Jaxpr, outputs: Mask, passes: Passes): Jaxpr =>
  rewired(passes.dce(jaxpr, outputs).jaxpr, jaxpr.inputs);

/** A body that takes constants, their tangents, the carry and its tangents, and gives the carry and its tangents. */
export const pushBody = memoize(
  (consts: number, active: Mask, _: Passes) => `${consts}/${maskKey(active)}`,
  (body: Jaxpr, consts: number, active: Mask, passes: Passes) => {
    const ofConsts = active.slice(0, consts);
    const carry = fixpoint(
      active.slice(consts),
      (moving) => passes.jvp(body, [...ofConsts, ...moving], moving).activeOut,
    );
    const pushed = passes.jvp(body, [...ofConsts, ...carry], carry).jaxpr;
    const primals = body.inputs.length;
    const tangents = primals + count(ofConsts);
    const { inputs } = pushed;
    const jaxpr = rewired(pushed, [
      ...inputs.slice(0, consts),
      ...inputs.slice(primals, tangents),
      ...inputs.slice(consts, primals),
      ...inputs.slice(tangents),
    ]);
    return { jaxpr, carry };
  },
);

/** A body for a whole batch. */
export const batchBody = memoize(
  (consts: number, size: number, batched: Mask, _: Passes) => `${consts}/${size}/${maskKey(batched)}`,
  (body: Jaxpr, consts: number, size: number, batched: Mask, passes: Passes) => {
    const ofConsts = batched.slice(0, consts);
    const carry = fixpoint(
      batched.slice(consts),
      (some) => passes.batch(body, size, [...ofConsts, ...some], some).batchedOut,
    );
    return { jaxpr: passes.batch(body, size, [...ofConsts, ...carry], carry).jaxpr, carry };
  },
);

/** A body without the carries that the used ones do not depend on, and which of the inputs and of the carries are left. */
export const pruneBody = memoize(
  (consts: number, used: Mask, _: Passes) => `${consts}/${maskKey(used)}`,
  (body: Jaxpr, consts: number, used: Mask, passes: Passes) => {
    const carry = fixpoint(used, (some) => passes.dce(body, some).usedInputs.slice(consts));
    const pruned = passes.dce(body, carry);
    const inputs = [...pruned.usedInputs.slice(0, consts), ...carry];
    return { jaxpr: rewired(pruned.jaxpr, only(body.inputs, inputs)), inputs, carry };
  },
);

/** A body in two parts, of which the second depends on the unknown inputs. */
export const splitBody = memoize(
  (consts: number, unknown: Mask, _: Passes) => `${consts}/${maskKey(unknown)}`,
  (body: Jaxpr, consts: number, unknown: Mask, passes: Passes) => {
    const ofConsts = unknown.slice(0, consts);
    const carry = fixpoint(
      unknown.slice(consts),
      (some) => passes.partialEval(body, [...ofConsts, ...some], some).unknownOut,
    );
    const inputs = [...ofConsts, ...carry];
    const split = passes.partialEval(body, inputs, carry);
    const own = split.known.outputs.length - split.residuals;
    const known = keeping(
      split.known,
      split.known.outputs.map((_, k) => k < own),
      passes,
    );
    return {
      /** Which inputs, and which carries, are unknown. */
      inputs,
      carry,
      split,
      /** From known constants and carries to the next known carries. */
      known,
      /** Both parts as one body, without the effects of the known part. */
      whole: hasEffects(split.known) ? joined(body, inputs, carry, split.known, split.unknown) : body,
    };
  },
);

function joined(body: Jaxpr, unknownIn: Mask, unknownOut: Mask, known: Jaxpr, unknown: Jaxpr): Jaxpr {
  return buildJaxpr("while", body.inAvals, (inputs) => {
    const results = evalJaxpr(withoutEffects(known), except(inputs, unknownIn));
    const own = unknownOut.filter((u) => !u).length;
    const later = evalJaxpr(unknown, [...results.slice(own), ...only(inputs, unknownIn)]);
    let [nextKnown, nextUnknown] = [0, 0];
    return unknownOut.map((u) => (u ? later[nextUnknown++] : results[nextKnown++]));
  });
}

/** The jaxpr without equations that are there for their effects alone: what runs a second time must not repeat them. */
export const withoutEffects: (jaxpr: Jaxpr) => Jaxpr = memoize(
  () => "withoutEffects",
  (jaxpr: Jaxpr): Jaxpr => {
    if (!hasEffects(jaxpr)) return jaxpr;
    const eqns = jaxpr.eqns.flatMap((eqn): Eqn[] => {
      if (!isEffectful(eqn.primitive, eqn.params)) return [eqn];
      if (subJaxprs(eqn.params).length > 0) return [{ ...eqn, params: quietParams(eqn.params) }];
      return eqn.outputs.length === 0 ? [] : [eqn];
    });
    return new Jaxpr(jaxpr.inputs, eqns, jaxpr.outputs, jaxpr.varCount);
  },
);

function quietParams(params: Params): Params {
  const quiet = (value: ParamValue): ParamValue => {
    if (value instanceof Jaxpr) return withoutEffects(value);
    return Array.isArray(value) ? value.map(quiet) : value;
  };
  // What stands under symbols comes along.
  return {
    ...params,
    ...Object.fromEntries(Object.entries(params).map(([key, value]) => [key, quiet(value)])),
  };
}

/** A body with one carry more, at the end, which counts the steps. */
export const counting: (body: Jaxpr) => Jaxpr = memoize(
  () => "counting",
  ({ inputs, eqns, outputs, varCount }: Jaxpr): Jaxpr => {
    const type = aval([], "int32");
    const [before, after] = [new Var(varCount, type), new Var(varCount + 1, type)];
    const step: Eqn = {
      primitive: add.primitive,
      inputs: [before, new Literal(1, type)],
      params: noParams,
      outputs: [after],
      source: undefined,
    };
    return new Jaxpr([...inputs, before], [...eqns, step], [...outputs, after], varCount + 2);
  },
);
