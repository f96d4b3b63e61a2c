/** Elements put in and taken out along an axis. */
import { type ConcreteArray, isReadable, NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { Axis, AxisOr, Index } from "../core/methods.js";
import { add, max, min, mul } from "../primitives/arithmetic.js";
import { broadcastInDim, reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { showParam } from "../primitives/checks.js";
import { ge } from "../primitives/comparison.js";
import { concatenate } from "../primitives/concatenate.js";
import { sub } from "../primitives/field.js";
import { iota, reshape } from "../primitives/shape.js";
import { sort } from "../primitives/sort.js";
import { axisOptions, oneAxis, plainOptions, severalAxes } from "./axes.js";
import { indexArray, placesOf, wrapNegative } from "./indexParts.js";
import { toInt32 } from "./indexPlan.js";
import { moveaxis, ravel } from "./manipulation.js";
import { type ArrayLike, asArray } from "./operands.js";
import { counting, gatherAxis, pick, sliceAxis, withLength } from "./rearrange.js";
import { checkFits, fitting } from "./values.js";

/** Where along an axis: an index, a list or array of them, a slice like "1:3", or (to delete) a boolean array. */
export type Places = Exclude<Index, null>;

export interface DeleteOptions {
  /** Default: null, the flattened array. */
  readonly axis?: number | null;
  /** A promise that no index is named twice: then the indices may be traced. */
  readonly assumeUniqueIndices?: boolean;
}

/**
 * `x` without the elements (or, with an axis, the slices) at some places.
 * @throws ArgumentError for places out of range, AxisError; ConcretizationError for traced places, unless
 * `assumeUniqueIndices` promises that they differ.
 * @example
 * np.delete(np.array([10, 20, 30, 40]), [1, -1]); // [10, 30]
 */
function deletePlaces(x: ArrayLike, places: Places, options?: AxisOr<DeleteOptions>): NDArray {
  const known = ["axis", "assumeUniqueIndices"] as const;
  const { axis = null, assumeUniqueIndices = false } = axisOptions<DeleteOptions>("delete", options, known);
  const given = asArray(x, "delete");
  const a = axis === null ? ravel(given) : given;
  const along = oneAxis("delete", axis ?? 0, a.shape);
  const length = a.shape[along];
  if (assumeUniqueIndices && places instanceof NDArray && !isReadable(places) && places.dtype !== "bool")
    return deleteUnique(a, along, places);
  const gone = new Set(deleted(places, length));
  return pick(
    a,
    along,
    counting(length).filter((i) => !gone.has(i)),
  );
}

export { deletePlaces as delete };

function deleted(places: Places, length: number): readonly number[] {
  const range = placesOf("delete", places, length);
  if (range !== undefined) return range;
  if (places instanceof NDArray && places.dtype === "bool") {
    if (places.ndim !== 1 || places.size !== length)
      throw new ShapeError(
        `delete: a boolean index must have length ${length}, got ${describe(places.aval)}`,
      );
    const { values } = places.concrete("delete with a boolean array");
    return counting(length).filter((i) => values[i] !== 0);
  }
  const { values } = wrapNegative(indexArray("delete", places).concrete("delete"), length) as ConcreteArray;
  const outside = values.findIndex((i) => i < 0 || i >= length);
  if (outside >= 0)
    throw new ArgumentError(
      `delete: ${showParam([...values][outside])} is out of range for length ${length}`,
    );
  return [...values];
}

/** The i-th element that stays comes from i, plus the number of deleted ones up to there. */
function deleteUnique(a: NDArray, axis: number, places: NDArray): NDArray {
  const length = a.shape[axis];
  const flat = ravel(wrapNegative(toInt32(places, length), length));
  const gone = flat.size;
  if (gone > length) throw new ArgumentError(`delete: ${gone} unique places of ${length}`);
  const [sorted] = sort([min(max(flat, 0), length)], { dimension: 0 });
  // In the numbering of what stays, the k-th deleted place is k places further ahead.
  const shifted = sub(sorted, iota("int32", [gone], 0));
  const kept = iota("int32", [length - gone], 0);
  const shape = [gone, length - gone];
  const passed = ge(broadcastInDim(kept, shape, [1]), broadcastInDim(shifted, shape, [0]));
  return gatherAxis(a, axis, add(kept, reduceSum(convertElementType(passed, "int32"), [0])), "clip");
}

/**
 * `x` with values put in before some places of an axis (without one, of the flattened array). For one index the values
 * are a slice, for several there is one for each; they broadcast.
 * @throws ShapeError, AxisError, DtypeError if `x` cannot hold the values.
 * @example
 * np.insert(np.array([1, 2, 3]), [1, 3], np.array([10, 20])); // [1, 10, 2, 3, 20]
 */
export function insert(
  x: ArrayLike,
  places: Places,
  values: ArrayLike,
  options?: AxisOr<{ readonly axis?: number | null }>,
): NDArray {
  const { axis = null } = axisOptions<{ axis?: number | null }>("insert", options, ["axis"]);
  const given = asArray(x, "insert");
  const a = axis === null ? ravel(given) : given;
  const along = oneAxis("insert", axis ?? 0, a.shape);
  const length = a.shape[along];
  const range = placesOf("insert", places, length);
  const index = range === undefined ? indexArray("insert", places) : indexArray("insert", range);
  if (index.ndim > 1)
    throw new ShapeError(`insert: places must be a vector or a number, got ${describe(index.aval)}`);
  const inserted = insertedValues(a, along, index, values);
  const count = inserted.shape[along];
  const before = wrapNegative(toInt32(index, length), length);
  const all = concatenate([inserted, a], along);
  if (isReadable(before)) return pick(all, along, insertedOrder(before, count, length));
  // Odd numbers are elements of x, even ones come before the element of the next number; equal ones stay in order.
  const inside = broadcastInDim(reshape(min(max(before, 0), length), [index.size]), [count], [0]);
  const keys = concatenate([mul(inside, 2), add(mul(iota("int32", [length], 0), 2), 1)], 0);
  const [, order] = sort([keys, iota("int32", [length + count], 0)], { dimension: 0 });
  return gatherAxis(all, along, order, "promiseInBounds");
}

/** The same order where the places are known. */
function insertedOrder(before: ConcreteArray, count: number, length: number): number[] {
  const clamped = counting(count).map((i) =>
    Math.min(Math.max(before.values[before.size === 1 ? 0 : i], 0), length),
  );
  const keys = [...clamped.map((i) => 2 * i), ...counting(length, 1, 2)];
  return counting(keys.length).sort((i, j) => keys[i] - keys[j] || i - j);
}

/** One slice for each place: for a single one, given as a number, the values have no axis for it. */
function insertedValues(a: NDArray, axis: number, index: NDArray, values: ArrayLike): NDArray {
  const fit = fitting("insert", a, values);
  const padded = reshape(fit, [...new Array<number>(Math.max(a.ndim - fit.ndim, 0)).fill(1), ...fit.shape]);
  if (padded.ndim > a.ndim)
    throw new ShapeError(`insert: values ${describe(fit.aval)} have more axes than ${describe(a.aval)}`);
  const aligned = index.ndim === 0 ? moveaxis(padded, 0, axis) : padded;
  const own = aligned.shape[axis];
  if (index.size !== 1 && own !== 1 && own !== index.size)
    throw new ShapeError(`insert: ${own} slices of values for ${index.size} places`);
  const shape = withLength(a.shape, axis, index.size === 1 ? own : index.size);
  checkFits("insert", aligned, shape);
  return broadcastInDim(aligned, shape, counting(a.ndim));
}

/**
 * `x` without the zeros at the front ("f"), the back ("b") or both ends ("fb", the default) of its axes: the slices in
 * which everything is zero.
 * @throws ConcretizationError for a traced array whose values are not known: the shape depends on them.
 * @example
 * np.trimZeros(np.array([0, 0, 1, 0, 2, 0])); // [1, 0, 2]
 */
export function trimZeros(
  x: ArrayLike,
  options: string | { readonly trim?: string; readonly axis?: Axis } = {},
): NDArray {
  const given = typeof options === "string" ? { trim: options } : options;
  const { trim = "fb", axis } = plainOptions<{ trim?: string; axis?: Axis }>("trimZeros", given, [
    "trim",
    "axis",
  ]);
  if (!/^[fFbB]*$/.test(trim))
    throw new ArgumentError(`trimZeros: trim must be "f", "b" or "fb", got ${showParam(trim)}`);
  const a = asArray(x, "trimZeros");
  const { values } = a.concrete("trimZeros");
  const [front, back] = [/f/i.test(trim), /b/i.test(trim)];
  return severalAxes("trimZeros", axis, a.shape).reduce((y, i) => {
    const inner = a.shape.slice(i + 1).reduce((n, m) => n * m, 1);
    const used = new Array<boolean>(a.shape[i]).fill(false);
    for (let k = 0; k < values.length; k++)
      if (values[k] !== 0) used[Math.floor(k / inner) % a.shape[i]] = true;
    if (!used.includes(true)) return front || back ? sliceAxis(y, i, 0, 0) : y;
    return sliceAxis(y, i, front ? used.indexOf(true) : 0, back ? used.lastIndexOf(true) + 1 : a.shape[i]);
  }, a);
}
