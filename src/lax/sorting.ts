/** Sorting. Derivatives follow the permutation. */
import type { NDArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import { transpose } from "../primitives/shape.js";
import * as p from "../primitives/sort.js";
import { axisOf, optionsOf } from "./arguments.js";
import { arrayOperand } from "./operands.js";

export interface SortOptions {
  /** The axis to sort along. Default: the last. */
  readonly dimension?: number;
  /** How many of the operands decide: the second where the first ties, and so on. Default: 1. */
  readonly numKeys?: number;
  /** Whether elements that tie must stay in their order (here they always do). Default: true. */
  readonly isStable?: boolean;
}

/**
 * Ascending order along an axis; NaN comes last. Several arrays of one shape are sorted together, by the first
 * `numKeys` of them.
 * @throws ShapeError or ArgumentError for arrays that do not fit; AxisError if there is no such axis.
 * @example
 * lax.sort(np.array([3, 1, 2])); // [1, 2, 3]
 * lax.sort([np.array([3, 1, 2]), np.array([10, 20, 30])])[1]; // [20, 30, 10]
 */
export function sort(x: NDArray, options?: SortOptions): NDArray;
export function sort(xs: readonly NDArray[], options?: SortOptions): NDArray[];
export function sort(given: NDArray | readonly NDArray[], options?: SortOptions): NDArray | NDArray[] {
  const several = Array.isArray(given);
  const arrays = (several ? (given as readonly NDArray[]) : [given]).map((x) => arrayOperand("sort", x));
  if (arrays.length === 0) throw new ArgumentError("lax.sort needs at least one array");
  const {
    dimension = -1,
    numKeys = 1,
    isStable = true,
  } = optionsOf("sort", options, ["dimension", "numKeys", "isStable"]);
  const along = axisOf("sort", dimension, arrays[0].ndim);
  const sorted = p.sort(arrays, { dimension: along, numKeys, isStable });
  return several ? [...sorted] : sorted[0];
}

export type SortKeyValOptions = Omit<SortOptions, "numKeys">;

/**
 * Keys in ascending order along an axis, and values moved along with them.
 * @throws ShapeError if the shapes differ; AxisError if there is no such axis.
 * @example
 * lax.sortKeyVal(np.array([3, 1, 2]), np.array([10, 20, 30]))[1]; // [20, 30, 10]
 */
export function sortKeyVal(
  keys: NDArray,
  values: NDArray,
  options?: SortKeyValOptions,
): [keys: NDArray, values: NDArray] {
  const known = optionsOf("sortKeyVal", options, ["dimension", "isStable"]);
  return sort([keys, values], known) as [NDArray, NDArray];
}

export interface TopKOptions {
  /** Default: the last. */
  readonly axis?: number;
}

/**
 * The k largest elements along an axis in descending order, and their int32 indices. Of elements that tie the first
 * comes first; NaN is largest.
 * @throws ArgumentError if there are not k elements; AxisError if there is no such axis.
 * @example
 * lax.topK(np.array([1, 9, 4]), 2)[0]; // [9, 4]
 * lax.topK(np.array([1, 9, 4]), 2)[1]; // [1, 2]
 */
export function topK(x: NDArray, k: number, options?: TopKOptions): [values: NDArray, indices: NDArray] {
  const a = arrayOperand("topK", x);
  const axis = axisOf("topK", optionsOf("topK", options, ["axis"]).axis ?? -1, a.ndim);
  const last = a.ndim - 1;
  // Swapping two axes is its own inverse.
  const swap = a.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  const [values, indices] = p.topK(transpose(a, swap), k);
  return [transpose(values, swap), transpose(indices, swap)];
}
