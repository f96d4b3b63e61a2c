/**
 * Effects: what an equation does beside computing its outputs, such as printing. An equation that has some is kept
 * where nothing uses its outputs, stays in order with the others, and is never merged with one that looks the same.
 */
import { type Jaxpr, subJaxprs } from "./jaxpr.js";
import type { Params, Primitive } from "./primitive.js";

/** Whether an equation of this primitive with these params has effects. */
export const isEffectful = ({ effectful }: Primitive, params: Params): boolean =>
  typeof effectful === "function" ? effectful(params) : effectful === true;

/** Whether running a jaxpr has effects. */
export function hasEffects(jaxpr: Jaxpr): boolean {
  // Remembered, because bodies that call one body several times would otherwise be searched once for every path.
  jaxpr.memo ??= new Map();
  let found = jaxpr.memo.get("effects") as boolean | undefined;
  if (found === undefined) {
    found = jaxpr.eqns.some((eqn) => isEffectful(eqn.primitive, eqn.params));
    jaxpr.memo.set("effects", found);
  }
  return found;
}

/** The `effectful` field of primitives that hold jaxprs: they have the effects of their bodies. */
export const effectsOfBodies = (params: Params): boolean => subJaxprs(params).some(hasEffects);
