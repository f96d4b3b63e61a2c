/** Normalisation to mean 0 and variance 1. */
import type { NDArray } from "../core/array.js";
import type { Axis, AxisOr } from "../core/methods.js";
import { multiply, add as plus, subtract } from "../numpy/arithmetic.js";
import { axisOptions } from "../numpy/axes.js";
import { mean as meanOf } from "../numpy/moments.js";
import { type ArrayLike, inexactOperand } from "../numpy/operands.js";
import { axesOf, type MaskOption } from "../numpy/reducing.js";
import { rsqrt, square } from "../primitives/arithmetic.js";
import { alongside } from "./sums.js";

export interface StandardizeOptions extends MaskOption {
  /** Default: the last. */
  readonly axis?: Axis;
  /** A mean known from elsewhere; it broadcasts to x. */
  readonly mean?: ArrayLike;
  /** A variance known from elsewhere; it broadcasts to x. Default: the mean square of x - mean. */
  readonly variance?: ArrayLike;
  /** Added to the variance, so that nothing is divided by 0. Default: 1e-5. */
  readonly epsilon?: ArrayLike;
}

/**
 * (x - mean) / √(variance + ε), with mean and variance along axes. Elements that `where` leaves out do not count for
 * them, but are transformed too.
 * @throws AxisError for an axis that does not exist; ShapeError if options do not broadcast; ArgumentError for unknown
 *   options.
 * @example
 * nn.standardize(np.array([1, 3])); // [-0.999995, 0.999995]
 */
export function standardize(x: ArrayLike, options?: AxisOr<StandardizeOptions>): NDArray {
  const name = "nn.standardize";
  const known = ["axis", "mean", "variance", "epsilon", "where"] as const;
  const given = axisOptions<StandardizeOptions>(name, options, known);
  const { axis = -1, mean, variance, epsilon = 1e-5, where } = given;
  const a = inexactOperand(name, x);
  const axes = axesOf(name, a, { axis });
  const wide = (reduced: NDArray) => alongside(reduced, a, axes);
  const centred = subtract(a, mean ?? wide(meanOf(a, { axis, where })));
  // Of the centred elements: the mean of squares less the square of the mean would cancel, and might be negative.
  const scale = (spread: ArrayLike) => rsqrt(inexactOperand(name, plus(spread, epsilon)));
  const own = () => wide(scale(meanOf(square(centred), { axis, where })));
  return multiply(centred, variance === undefined ? own() : scale(variance));
}
