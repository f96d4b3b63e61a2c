/** Laws of values that are no functions, each with what it is tried on. */
import type * as fc from "fast-check";
import type { Law } from "./law.js";

/** A law and where its cases come from. `fc.assert(fc.property(given, (x) => law.check(x).kind === "holds"))` tries it. */
export interface ValueLaw<T = unknown> {
  readonly law: Law<T>;
  readonly given: fc.Arbitrary<T>;
}

/** A law with its arbitrary, in a form that lists of laws of several types of values can hold. */
export const valueLaw = <T>(law: Law<T>, given: fc.Arbitrary<T>): ValueLaw =>
  ({ law, given }) as unknown as ValueLaw;
