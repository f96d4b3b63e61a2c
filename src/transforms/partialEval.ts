/**
 * Partial evaluation: splits a jaxpr by what is known.
 *
 * Equations that depend on known inputs alone go into `known`; the others into `unknown`. What the unknown part needs of
 * the known part are the *residuals*: outputs of the first, inputs of the second. Reverse mode is this split applied to
 * the result of `jvp`, with the tangents unknown: `known` is then the forward pass, `unknown` is linear in the tangents,
 * and the residuals are the intermediate values that training has to store.
 *
 * Effects of known values belong to the known part, those inside calls too, so that what is run later does not repeat
 * them.
 */
import type { Aval } from "../core/aval.js";
import { masksKey, memoize } from "../core/build.js";
import { isEffectful } from "../core/effects.js";
import { type Atom, type Eqn, Jaxpr, Var } from "../core/jaxpr.js";
import type { PartialEvalResult } from "../core/primitive.js";
import { dceJaxpr } from "./dce.js";
import { passes, providePasses } from "./passes.js";

/** `force` marks outputs that the unknown part must give even if they are known. */
export const partialEvalJaxpr = memoize(
  masksKey,
  (jaxpr: Jaxpr, unknownIn: readonly boolean[], force: readonly boolean[] = []): PartialEvalResult => {
    const unknown: number[] = [];
    const isUnknown = (a: Atom): boolean => a instanceof Var && unknown[a.id] === 1;
    let varCount = jaxpr.varCount;
    const fresh = (type: Aval): Var => new Var(varCount++, type);
    for (const [i, v] of jaxpr.inputs.entries()) if (unknownIn[i]) unknown[v.id] = 1;

    const knownEqns: Eqn[] = [];
    const unknownEqns: Eqn[] = [];
    for (const eqn of jaxpr.eqns) {
      if (!eqn.inputs.some(isUnknown)) {
        knownEqns.push(eqn);
        continue;
      }
      const rule = eqn.primitive.partialEval;
      const whole = eqn.inputs.every(isUnknown) && !isEffectful(eqn.primitive, eqn.params);
      const split = whole ? undefined : rule?.(eqn, eqn.inputs.map(isUnknown), passes, fresh);
      knownEqns.push(...(split?.known ?? []));
      for (const later of split?.unknown ?? [eqn]) {
        unknownEqns.push(later);
        for (const v of later.outputs) unknown[v.id] = 1;
      }
    }

    const unknownOut = jaxpr.outputs.map((a, i) => isUnknown(a) || force[i] === true);
    const [knownOutputs, unknownOutputs] = partition(jaxpr.outputs, unknownOut);
    const [knownInputs, unknownInputs] = partition(jaxpr.inputs, unknownIn);

    // Only what the unknown part really uses becomes a residual, each once.
    const open = new Jaxpr(unknownInputs, unknownEqns, unknownOutputs, varCount);
    const needed = dceJaxpr(
      open,
      unknownOutputs.map(() => true),
    ).jaxpr;
    const residuals = freeVariables(needed, unknownInputs);
    const unknownJaxpr = new Jaxpr([...residuals, ...unknownInputs], needed.eqns, unknownOutputs, varCount);
    const forward = new Jaxpr(knownInputs, knownEqns, [...knownOutputs, ...residuals], varCount);
    const known = dceJaxpr(
      forward,
      forward.outputs.map(() => true),
    ).jaxpr;
    return {
      known: new Jaxpr(knownInputs, known.eqns, forward.outputs, varCount),
      unknown: unknownJaxpr,
      unknownOut,
      residuals: residuals.length,
    };
  },
  "partialEval",
);

/** The variables that a jaxpr uses and neither takes nor makes, in the order of their first use. */
function freeVariables(jaxpr: Jaxpr, bound: readonly Var[]): Var[] {
  const seen = new Uint8Array(jaxpr.varCount);
  for (const v of bound) seen[v.id] = 1;
  const free: Var[] = [];
  const visit = (a: Atom): void => {
    if (!(a instanceof Var) || seen[a.id] === 1) return;
    seen[a.id] = 1;
    free.push(a);
  };
  for (const eqn of jaxpr.eqns) {
    eqn.inputs.forEach(visit);
    for (const v of eqn.outputs) seen[v.id] = 1;
  }
  jaxpr.outputs.forEach(visit);
  return free;
}

/** Splits a list by a mask: first those where it is false. */
export function partition<T>(items: readonly T[], mask: readonly boolean[]): [T[], T[]] {
  const no: T[] = [];
  const yes: T[] = [];
  for (let i = 0; i < items.length; i++) (mask[i] ? yes : no).push(items[i]);
  return [no, yes];
}

providePasses({ partialEval: partialEvalJaxpr });
