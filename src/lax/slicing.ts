/** Parts of arrays at places that the program fixes, and padding. */
import type { NDArray } from "../core/array.js";
import { describe, sameShape } from "../core/aval.js";
import { ShapeError } from "../core/errors.js";
import { squeeze } from "../primitives/shape.js";
import * as p from "../primitives/slicing.js";
import { axisOf, optionsOf, wholeNumber } from "./arguments.js";
import { type ArrayLike, arrayOperand, operands } from "./operands.js";

/**
 * The part from index `start[i]` to `limit[i]` (exclusive) along each axis i, in steps of `strides[i]`.
 * @param strides from 1 on; default: 1 for each axis.
 * @throws ShapeError if the part does not lie inside x.
 * @example
 * lax.slice(np.array([10, 20, 30, 40]), [1], [4], [2]); // [20, 40]
 */
export function slice(
  x: NDArray,
  start: readonly number[],
  limit: readonly number[],
  strides?: readonly number[],
): NDArray {
  const a = arrayOperand("slice", x);
  const isWhole =
    sameShape(limit, a.shape) &&
    start.length === a.ndim &&
    start.every((n) => n === 0) &&
    (strides === undefined || (strides.length === a.ndim && strides.every((n) => n === 1)));
  return isWhole ? a : p.slice(a, start, limit, strides);
}

export interface SliceInDimOptions {
  /** Default: 0. */
  readonly axis?: number;
  /** Default: 1. */
  readonly stride?: number;
}

/** A bound of a slice: negative ones count from the end. */
const bound = (name: string, x: unknown, length: number): number => {
  const at = wholeNumber(name, "a bound", x);
  return at < 0 ? at + length : at;
};

/**
 * The part from `start` to `limit` (exclusive) along one axis. Negative bounds count from the end; null is the end itself.
 * @throws ShapeError if the part does not lie inside x; AxisError if there is no such axis.
 * @example
 * lax.sliceInDim(np.array([10, 20, 30, 40]), 1, -1); // [20, 30]
 * lax.sliceInDim(np.array([10, 20, 30, 40]), null, null, { stride: 2 }); // [10, 30]
 */
export function sliceInDim(
  x: NDArray,
  start: number | null,
  limit: number | null,
  options?: SliceInDimOptions,
): NDArray {
  const a = arrayOperand("sliceInDim", x);
  const { axis = 0, stride = 1 } = optionsOf("sliceInDim", options, ["axis", "stride"]);
  const along = axisOf("sliceInDim", axis, a.ndim);
  const length = a.shape[along];
  const [lo, hi] = [start ?? 0, limit ?? length].map((b) => bound("sliceInDim", b, length));
  const at = (own: number, other: (n: number) => number) =>
    a.shape.map((n, i) => (i === along ? own : other(n)));
  return slice(
    a,
    at(lo, () => 0),
    at(hi, (n) => n),
    at(stride, () => 1),
  );
}

export interface IndexInDimOptions {
  /** Default: 0. */
  readonly axis?: number;
  /** Whether the axis stays, with length 1. Default: true. */
  readonly keepdims?: boolean;
}

/**
 * The elements at one index of an axis. A negative index counts from the end.
 * @throws ShapeError if there is no such index; AxisError if there is no such axis.
 * @example
 * lax.indexInDim(np.array([[1, 2], [3, 4]]), -1); // [[3, 4]]
 * lax.indexInDim(np.array([[1, 2], [3, 4]]), 0, { axis: 1, keepdims: false }); // [1, 3]
 */
export function indexInDim(x: NDArray, index: number, options?: IndexInDimOptions): NDArray {
  const a = arrayOperand("indexInDim", x);
  const { axis = 0, keepdims = true } = optionsOf("indexInDim", options, ["axis", "keepdims"]);
  const along = axisOf("indexInDim", axis, a.ndim);
  const at = bound("indexInDim", index, a.shape[along]);
  if (at < 0 || at >= a.shape[along])
    throw new ShapeError(
      `lax.indexInDim: there is no index ${index} on axis ${along} of ${describe(a.aval)}`,
    );
  const row = sliceInDim(a, at, at + 1, { axis: along });
  return keepdims ? row : squeeze(row, [along]);
}

const isPaddingOf = (x: NDArray, config: unknown): boolean =>
  Array.isArray(config) &&
  config.length === x.ndim &&
  config.every((c) => Array.isArray(c) && c.length === 3);

/**
 * Puts the scalar `value` around the elements of x and between them.
 * @param config `[low, high, interior]` for each axis: how many to put in front, behind, and between each two elements.
 *   Negative `low` and `high` cut off.
 * @throws ShapeError if `config` does not fit x, or `value` is not a scalar; DtypeError for another dtype.
 * @example
 * lax.pad(np.array([1, 2]), 0, [[1, 2, 1]]); // [0, 1, 0, 2, 0, 0]
 * lax.pad(np.array([1, 2, 3]), 0, [[-1, 1, 0]]); // [2, 3, 0]
 */
export function pad(x: ArrayLike, value: ArrayLike, config: p.PadConfig): NDArray {
  const [a, fill] = operands("pad", [x, value]);
  const isPlain =
    isPaddingOf(a, config) &&
    config.every((c) => c.every((n) => n === 0)) &&
    fill.ndim === 0 &&
    fill.dtype === a.dtype;
  return isPlain ? a : p.pad(a, fill, config);
}
