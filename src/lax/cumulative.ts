/** Running sums and the like along an axis: each element combined with all before it. */
import type { NDArray } from "../core/array.js";
import * as p from "../primitives/cumulative.js";
import { axisOf, optionsOf } from "./arguments.js";
import { type ArrayLike, operand } from "./operands.js";

export interface CumulativeOptions {
  /** Default: 0. */
  readonly axis?: number;
  /** From the last element to the first. Default: false. */
  readonly reverse?: boolean;
}

function running(
  name: string,
  op: p.CumulativeOp,
  x: ArrayLike,
  options: CumulativeOptions | undefined,
): NDArray {
  const a = operand(name, x);
  const { axis = 0, reverse = false } = optionsOf(name, options, ["axis", "reverse"]);
  return op(a, { axis: axisOf(name, axis, a.ndim), reverse });
}

/**
 * Running sums. Integers wrap around.
 * @throws AxisError if there is no such axis; DtypeError for booleans.
 * @example
 * lax.cumsum(np.array([1, 2, 3])); // [1, 3, 6]
 * lax.cumsum(np.array([1, 2, 3]), { reverse: true }); // [6, 5, 3]
 */
export const cumsum = (x: ArrayLike, options?: CumulativeOptions): NDArray =>
  running("cumsum", p.cumsum, x, options);

/**
 * Running products. Integers wrap around. Derivatives are exact where there are zeros.
 * @throws AxisError if there is no such axis; DtypeError for booleans.
 * @example
 * lax.cumprod(np.array([1, 2, 3])); // [1, 2, 6]
 */
export const cumprod = (x: ArrayLike, options?: CumulativeOptions): NDArray =>
  running("cumprod", p.cumprod, x, options);

/**
 * The largest element so far; NaN from the first NaN on.
 * @throws AxisError if there is no such axis; DtypeError for booleans.
 * @example
 * lax.cummax(np.array([1, 3, 2])); // [1, 3, 3]
 */
export const cummax = (x: ArrayLike, options?: CumulativeOptions): NDArray =>
  running("cummax", p.cummax, x, options);

/**
 * The smallest element so far; NaN from the first NaN on.
 * @throws AxisError if there is no such axis; DtypeError for booleans.
 * @example
 * lax.cummin(np.array([2, 3, 1])); // [2, 2, 1]
 */
export const cummin = (x: ArrayLike, options?: CumulativeOptions): NDArray =>
  running("cummin", p.cummin, x, options);

/**
 * The logarithm of running sums of exponentials, without overflow.
 * @throws AxisError if there is no such axis; DtypeError for integers and booleans.
 * @example
 * lax.cumlogsumexp(np.array([1000.5, 1000.5])); // [1000.5, 1001.193]
 */
export const cumlogsumexp = (x: ArrayLike, options?: CumulativeOptions): NDArray =>
  running("cumlogsumexp", p.cumlogsumexp, x, options);
