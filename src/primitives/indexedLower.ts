/** Places that are only known when the program runs, as expressions: what gather, scatter and dynamic slices share. */
import type { Aval } from "../core/aval.js";
import { indexAdd } from "../core/ir/affine.js";
import { and, cast, ge, i32, le, max, min, truth } from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";
import { type AxisNumbers, windowAxes } from "./indexed.js";

/** An element of an integer array as a place from 0 to `limit`; what lies outside is moved inside. */
export function clampedPlace(x: Expr, limit: number): Expr {
  if (limit <= 0) return i32(0);
  // Unsigned numbers are compared as such: those beyond 2^31 would be negative as i32.
  return x.type === "u32" ? cast("i32", min(x, limit)) : min(max(x, 0), limit);
}

/** Whether an element of an integer array is a place from 0 to `limit`, which is not negative. */
const isPlace = (x: Expr, limit: number): Expr =>
  x.type === "u32" ? le(x, limit) : and(ge(x, 0), le(x, limit));

/** Where a window stands. */
export interface WindowPlace {
  /** Along each axis of the operand the place of its first element; anything, if it does not lie inside. */
  readonly start: readonly Expr[];
  /** Whether it lies inside; always, if windows are moved. */
  readonly inside: Expr;
}

/**
 * Where the window with number `count` (one for each axis of the indices but the last) stands. `component` gives the
 * components of its index vector. The operand must have room for it.
 */
export function placeOfWindow(
  operand: Aval,
  lengths: readonly number[],
  numbers: AxisNumbers,
  count: readonly Expr[],
  component: (k: number) => Expr,
  clip: boolean,
): WindowPlace {
  const { start, operandBatching, indicesBatching } = numbers;
  let inside: Expr = truth(true);
  const places = operand.shape.map((n, a): Expr => {
    const k = start.indexOf(a);
    if (k >= 0) {
      const limit = n - lengths[a];
      const x = component(k);
      if (clip) return clampedPlace(x, limit);
      inside = and(inside, isPlace(x, limit));
      return cast("i32", x);
    }
    const batching = operandBatching.indexOf(a);
    return batching < 0 ? i32(0) : count[indicesBatching[batching]];
  });
  return { start: places, inside };
}

/** The length of a window along each axis of the operand. */
export const windowLengths = (rank: number, windowed: Aval, numbers: AxisNumbers): number[] =>
  windowAxes(rank, numbers).map((a) => (a === undefined ? 1 : windowed.shape[a]));

/** The place of an element of a window, given its index in the windowed array. */
export const placeInWindow = (start: readonly Expr[], numbers: AxisNumbers, index: readonly Expr[]): Expr[] =>
  windowAxes(start.length, numbers).map((a, i) =>
    a === undefined ? start[i] : indexAdd(start[i], index[a]),
  );
