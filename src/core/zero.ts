/**
 * Symbolic zeros. A tangent or cotangent is an array or a `Zero`: the knowledge that it is zero, without an array.
 * Integers and booleans have no other tangent than this (their tangent type is `float0`).
 */

import type { NDArray } from "./array.js";
import type { Aval } from "./aval.js";
import { tangentAval } from "./aval.js";

export class Zero {
  /** Tells the type checker that an array is not a `Zero` although it has an `aval`, so that `isZero` narrows. */
  declare private readonly symbolic: true;

  /** `aval` is the type of the tangent, not of the primal. */
  constructor(readonly aval: Aval) {}
}

export type Tangent = NDArray | Zero;

export const isZero = (t: unknown): t is Zero => t instanceof Zero;

/** The zero tangent of a value of the given (primal) type. */
export const zeroFor = (primal: Aval): Zero => new Zero(tangentAval(primal));
