/** Order: sorted arrays, and the permutations that sort them. NaN comes last; elements that tie keep their order. */
import { NDArray } from "../core/array.js";
import { describe, describeAll, sameShape } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { AxisOr } from "../core/methods.js";
import { iota } from "../primitives/shape.js";
import { rev } from "../primitives/slicing.js";
import * as p from "../primitives/sort.js";
import { axisOptions, oneAxis, wholeNumber } from "./axes.js";
import { moveaxis, ravel } from "./manipulation.js";
import { type ArrayLike, asArray } from "./operands.js";
import { unstack } from "./splitting.js";

export { digitize, type SearchOptions, type Side, searchsorted } from "./searching.js";

export interface SortOptions {
  /** Default: -1, the last axis; null sorts the flattened array. */
  readonly axis?: number | null;
  /** From the largest to the smallest; NaN then comes first. Default: false. */
  readonly descending?: boolean;
  /** Whether elements that tie must keep their order. They always do here. */
  readonly stable?: boolean;
}

function sortOperand(name: string, x: ArrayLike, options: AxisOr<SortOptions> | undefined) {
  const known = ["axis", "descending", "stable"] as const;
  const { axis = -1, descending = false } = axisOptions<SortOptions>(name, options, known);
  const given = asArray(x, name);
  const a = axis === null ? ravel(given) : given;
  return { a, dimension: oneAxis(name, axis ?? 0, a.shape), descending };
}

/**
 * The elements along an axis in ascending order. The derivative follows the permutation.
 * @throws AxisError for an axis that does not exist.
 * @example
 * np.sort(np.array([3, 1, 2])); // [1, 2, 3]
 */
export function sort(x: ArrayLike, options?: AxisOr<SortOptions>): NDArray {
  const { a, dimension, descending } = sortOperand("sort", x, options);
  const [sorted] = p.sort([a], { dimension });
  return descending ? rev(sorted, [dimension]) : sorted;
}

/**
 * The places, as int32, from which the elements of the sorted array come.
 * @throws AxisError for an axis that does not exist.
 * @example
 * np.argsort(np.array([3, 1, 2])); // [1, 2, 0]
 */
export function argsort(x: ArrayLike, options?: AxisOr<SortOptions>): NDArray {
  const { a, dimension, descending } = sortOperand("argsort", x, options);
  const numbers = iota("int32", a.shape, dimension);
  if (!descending) return p.sort([a, numbers], { dimension })[1];
  // Turned around before and after, so that elements that tie keep their order.
  const turned = p.sort([rev(a, [dimension]), rev(numbers, [dimension])], { dimension });
  return rev(turned[1], [dimension]);
}

/**
 * The permutation that sorts by several keys: by the last one, where it ties by the one before, and so on.
 * @throws ShapeError if the keys have different shapes, ArgumentError without keys.
 * @example
 * np.lexsort([np.array([9, 1, 5]), np.array([1, 0, 0])]); // [1, 2, 0]
 */
export function lexsort(
  keys: readonly ArrayLike[] | NDArray,
  options?: AxisOr<{ readonly axis?: number }>,
): NDArray {
  const { axis = -1 } = axisOptions<{ axis?: number }>("lexsort", options, ["axis"]);
  const list = keys instanceof NDArray ? unstack(keys) : keys.map((key) => asArray(key, "lexsort"));
  if (list.length === 0) throw new ArgumentError("lexsort needs at least one key");
  const [{ shape }] = list;
  if (!list.every((key) => sameShape(key.shape, shape)))
    throw new ShapeError(`lexsort needs keys of one shape, got ${describeAll(list.map((key) => key.aval))}`);
  const dimension = oneAxis("lexsort", axis, shape);
  const operands = [...[...list].reverse(), iota("int32", shape, dimension)];
  return p.sort(operands, { dimension, numKeys: list.length })[list.length];
}

/**
 * The elements along an axis so ordered that the one at place `kth` is where sorting would put it, smaller ones before
 * and larger ones behind it. (Here all of them are sorted.)
 * @throws AxisError, ArgumentError if there is no such place.
 * @example
 * np.partition(np.array([3, 1, 2]), 1); // [1, 2, 3]
 */
export function partition(
  x: ArrayLike,
  kth: number,
  options?: AxisOr<{ readonly axis?: number | null }>,
): NDArray {
  checkPlace("partition", x, kth, options);
  return sort(x, options);
}

/**
 * The places from which the elements of a partition come: see `partition`.
 * @throws AxisError, ArgumentError if there is no such place.
 * @example
 * np.argpartition(np.array([3, 1, 2]), 1); // [1, 2, 0]
 */
export function argpartition(
  x: ArrayLike,
  kth: number,
  options?: AxisOr<{ readonly axis?: number | null }>,
): NDArray {
  checkPlace("argpartition", x, kth, options);
  return argsort(x, options);
}

function checkPlace(
  name: string,
  x: ArrayLike,
  kth: number,
  options: AxisOr<{ readonly axis?: number | null }> | undefined,
): void {
  const { axis = -1 } = axisOptions<{ axis?: number | null }>(name, options, ["axis"]);
  const a = asArray(x, name);
  const length = axis === null ? a.size : a.shape[oneAxis(name, axis, a.shape)];
  const place = wholeNumber(name, "kth", kth);
  if (place < -length || place >= length)
    throw new ArgumentError(
      `${name}: there is no place ${kth} among ${length} elements of ${describe(a.aval)}`,
    );
}

/**
 * The `k` largest elements along an axis (default: the last) in descending order, and their int32 places. Of elements
 * that tie the first comes first; NaN is largest.
 * @throws AxisError, ArgumentError if there are not that many.
 * @example
 * np.topK(np.array([1, 9, 4]), 2)[0]; // [9, 4]
 */
export function topK(
  x: ArrayLike,
  k: number,
  options?: AxisOr<{ readonly axis?: number }>,
): [values: NDArray, indices: NDArray] {
  const { axis = -1 } = axisOptions<{ axis?: number }>("topK", options, ["axis"]);
  const a = asArray(x, "topK");
  const along = oneAxis("topK", axis, a.shape);
  const [values, indices] = p.topK(moveaxis(a, along, -1), wholeNumber("topK", "k", k, 0));
  return [moveaxis(values, -1, along), moveaxis(indices, -1, along)];
}
