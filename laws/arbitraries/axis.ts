/** Axes of an array. */
import * as fc from "fast-check";
import type { Shape } from "fluxion";

export interface AxisOptions {
  /** Whether axes may be counted from the end, as negative numbers. Default: true. */
  readonly negative?: boolean;
}

/**
 * Axes of arrays of a shape; they shrink towards axis 0.
 *
 * @throws Error if the shape has no axes.
 * @example
 * fc.sample(axis([2, 3]), 50).every((a) => a >= -2 && a < 2); // true
 */
export function axis(shape: Shape, { negative = true }: AxisOptions = {}): fc.Arbitrary<number> {
  const rank = shape.length;
  if (rank === 0) throw new Error("axis: an array without dimensions has no axes");
  return fc.integer({ min: negative ? -rank : 0, max: rank - 1 });
}
