/** The same elements under another shape, order of axes or direction, and repeated. */
import { concreteArray, type NDArray } from "../core/array.js";
import { describe, type Shape, sizeOf } from "../core/aval.js";
import { ArgumentError, AxisError, DtypeError, ShapeError } from "../core/errors.js";
import type { Axis, AxisOr } from "../core/methods.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { showParam } from "../primitives/checks.js";
import { cumsum } from "../primitives/cumulative.js";
import { scatterAdd } from "../primitives/gather.js";
import * as shape from "../primitives/shape.js";
import { rev } from "../primitives/slicing.js";
import { axisOptions, oneAxis, plainOptions, severalAxes, shapeOf, wholeNumber } from "./axes.js";
import { full } from "./constants.js";
import { type ArrayLike, asArray, commonShape, stretch } from "./operands.js";
import { counting, gatherAxis, pick } from "./rearrange.js";

export interface OrderOption {
  /** Which axis is the innermost one, in reading and writing: the last ("C", the default) or the first ("F"). */
  readonly order?: "C" | "F";
}

const reversed = (a: NDArray): NDArray => shape.transpose(a, counting(a.ndim, a.ndim - 1, -1));

/**
 * The elements of `x`, read in row-major order, under another shape. One length may be -1: it is computed. With `order`
 * "F" they are read and written in column-major order.
 * @throws ShapeError if the numbers of elements differ.
 * @example
 * np.reshape(np.arange(6), [2, -1]); // [[0, 1, 2], [3, 4, 5]]
 */
export function reshape(x: ArrayLike, newShape: number | Shape, options: OrderOption = {}): NDArray {
  const a = asArray(x, "reshape");
  const target = completed(a, newShape);
  const { order = "C" } = plainOptions<OrderOption>("reshape", options, ["order"]);
  if (order !== "C" && order !== "F")
    throw new ArgumentError(`reshape: order must be "C" or "F", got ${showParam(order)}`);
  if (order === "F") return reversed(shape.reshape(reversed(a), [...target].reverse()));
  return shape.reshape(a, target);
}

/** The shape with the length that is -1 computed from the others. */
function completed(a: NDArray, newShape: number | Shape): Shape {
  const wanted = typeof newShape === "number" ? [newShape] : newShape;
  if (!Array.isArray(wanted) || wanted.some((n) => !Number.isSafeInteger(n) || n < -1))
    throw new ShapeError(
      `reshape: ${showParam(newShape)} is not a shape (a list of lengths, one of which may be -1)`,
    );
  const open = wanted.indexOf(-1);
  if (open < 0) return wanted;
  const length = a.size / sizeOf(wanted.filter((_, i) => i !== open));
  if (!Number.isInteger(length) || wanted.indexOf(-1, open + 1) >= 0)
    throw new ShapeError(`reshape: ${describe(a.aval)} does not fit shape [${wanted.join(",")}]`);
  return wanted.map((n, i) => (i === open ? length : n));
}

/**
 * All elements in row-major order as a vector. (For column-major order see `reshape`.)
 * @example
 * np.ravel(np.array([[1, 2], [3, 4]])); // [1, 2, 3, 4]
 */
export function ravel(x: ArrayLike): NDArray {
  const a = asArray(x, "ravel");
  return shape.reshape(a, [a.size]);
}

/**
 * The axes in another order: axis i of the result is axis `axes[i]` of `x`. Without `axes` they are reversed.
 * @throws AxisError if `axes` does not name each axis once.
 * @example
 * np.transpose(np.array([[1, 2], [3, 4]])); // [[1, 3], [2, 4]]
 */
export function transpose(x: ArrayLike, axes: readonly number[] | null = null): NDArray {
  const a = asArray(x, "transpose");
  if (axes === null) return reversed(a);
  if (!Array.isArray(axes) || axes.length !== a.ndim)
    throw new AxisError(`transpose: ${showParam(axes)} does not name each axis of ${describe(a.aval)} once`);
  return shape.transpose(a, severalAxes("transpose", axes, a.shape));
}

/**
 * The axes in another order; as `transpose`, but the order must be given.
 * @example
 * np.permuteDims(np.zeros([2, 3, 4]), [2, 0, 1]); // shape [4, 2, 3]
 */
export const permuteDims = (x: ArrayLike, axes: readonly number[]): NDArray => transpose(x, axes);

/**
 * Each matrix (along the last two axes) transposed.
 * @throws ShapeError if there are fewer than two axes.
 * @example
 * np.matrixTranspose(np.zeros([5, 2, 3])); // shape [5, 3, 2]
 */
export function matrixTranspose(x: ArrayLike): NDArray {
  const a = asArray(x, "matrixTranspose");
  if (a.ndim < 2) throw new ShapeError(`matrixTranspose needs at least two axes, got ${describe(a.aval)}`);
  return swapaxes(a, -1, -2);
}

/**
 * Two axes exchanged.
 * @example
 * np.swapaxes(np.zeros([2, 3, 4]), 0, -1); // shape [4, 3, 2]
 */
export function swapaxes(x: ArrayLike, axis1: number, axis2: number): NDArray {
  const a = asArray(x, "swapaxes");
  const order = counting(a.ndim);
  const [i, j] = [oneAxis("swapaxes", axis1, a.shape), oneAxis("swapaxes", axis2, a.shape)];
  [order[i], order[j]] = [j, i];
  return shape.transpose(a, order);
}

/**
 * Axes moved to other places, the others staying in order.
 * @throws AxisError if an axis does not exist or is named twice.
 * @example
 * np.moveaxis(np.zeros([2, 3, 4]), 0, -1); // shape [3, 4, 2]
 */
export function moveaxis(
  x: ArrayLike,
  source: number | readonly number[],
  destination: number | readonly number[],
): NDArray {
  const a = asArray(x, "moveaxis");
  const from = severalAxes("moveaxis", source, a.shape);
  const to = severalAxes("moveaxis", destination, a.shape);
  if (from.length !== to.length)
    throw new AxisError(
      `moveaxis: ${showParam(source)} and ${showParam(destination)} name different numbers of axes`,
    );
  const rest = counting(a.ndim).filter((i) => !from.includes(i));
  const order = counting(a.ndim).map((i) =>
    to.includes(i) ? from[to.indexOf(i)] : (rest.shift() as number),
  );
  return shape.transpose(a, order);
}

/**
 * One axis moved to stand before the axis `start` (0 by default). Kept for NumPy's sake; `moveaxis` is easier to read.
 * @example
 * np.rollaxis(np.zeros([2, 3, 4]), 2); // shape [4, 2, 3]
 */
export function rollaxis(x: ArrayLike, axis: number, start = 0): NDArray {
  const a = asArray(x, "rollaxis");
  const from = oneAxis("rollaxis", axis, a.shape);
  const before = start === a.ndim ? start : oneAxis("rollaxis", start, a.shape);
  return moveaxis(a, from, before > from ? before - 1 : before);
}

/**
 * Axes of length 1 dropped: those given, or all of them.
 * @throws AxisError if a given axis has another length.
 * @example
 * np.squeeze(np.zeros([1, 3, 1])); // shape [3]
 */
export function squeeze(x: ArrayLike, options?: AxisOr<{ readonly axis?: Axis }>): NDArray {
  const a = asArray(x, "squeeze");
  const { axis } = axisOptions("squeeze", options, ["axis"]);
  const all = axis === undefined || axis === null;
  const axes = all ? counting(a.ndim).filter((i) => a.shape[i] === 1) : severalAxes("squeeze", axis, a.shape);
  return shape.squeeze(a, axes);
}

/**
 * New axes of length 1, which stand at the given places of the result.
 * @throws AxisError if there is no such place.
 * @example
 * np.expandDims(np.zeros([2, 3]), [0, -1]); // shape [1, 2, 3, 1]
 */
export function expandDims(x: ArrayLike, axis: number | readonly number[]): NDArray {
  const a = asArray(x, "expandDims");
  const count = typeof axis === "number" ? 1 : axis.length;
  const axes = severalAxes("expandDims", axis, [...a.shape, ...new Array<number>(count).fill(1)]);
  return shape.expandDims(
    a,
    axes.sort((i, j) => i - j),
  );
}

/**
 * `x` repeated along new leading axes and along its axes of length 1.
 * @throws ShapeError if `x` does not broadcast to that shape.
 * @example
 * np.broadcastTo(np.array([1, 2]), [2, 2]); // [[1, 2], [1, 2]]
 */
export function broadcastTo(x: ArrayLike, newShape: number | Shape): NDArray {
  const a = asArray(x, "broadcastTo");
  const target = shapeOf("broadcastTo", newShape);
  const common = a.ndim > target.length ? undefined : commonShape([a.shape, target]);
  if (common === undefined || common.some((n, i) => n !== target[i]))
    throw new ShapeError(`broadcastTo: ${describe(a.aval)} does not broadcast to [${target.join(",")}]`);
  return stretch(a, target);
}

/**
 * The arrays, each repeated to the shape that all of them broadcast to.
 * @throws ShapeError if there is no such shape.
 * @example
 * np.broadcastArrays(np.zeros([2, 1]), np.zeros([3]))[1]; // shape [2, 3]
 */
export function broadcastArrays(...xs: readonly ArrayLike[]): NDArray[] {
  const arrays = xs.map((x) => asArray(x, "broadcastArrays"));
  const common = commonShape(arrays.map((a) => a.shape));
  if (common === undefined)
    throw new ShapeError(
      `broadcastArrays: shapes of ${arrays.map((a) => describe(a.aval)).join(", ")} do not broadcast together`,
    );
  return arrays.map((a) => stretch(a, common));
}

const atLeast = (
  name: string,
  xs: readonly ArrayLike[],
  change: (a: NDArray) => NDArray,
): NDArray | NDArray[] => {
  const results = xs.map((x) => change(asArray(x, name)));
  return results.length === 1 ? results[0] : results;
};

/**
 * A scalar as a vector of one element; other arrays as they are. Several arrays give a list.
 * @example
 * np.atleast1d(3); // [3]
 */
export function atleast1d(x: ArrayLike): NDArray;
export function atleast1d(...xs: readonly ArrayLike[]): NDArray[];
export function atleast1d(...xs: readonly ArrayLike[]): NDArray | NDArray[] {
  return atLeast("atleast1d", xs, (a) => (a.ndim === 0 ? shape.reshape(a, [1]) : a));
}

/**
 * A scalar or vector as a matrix of one row; other arrays as they are. Several arrays give a list.
 * @example
 * np.atleast2d(np.array([1, 2])); // [[1, 2]]
 */
export function atleast2d(x: ArrayLike): NDArray;
export function atleast2d(...xs: readonly ArrayLike[]): NDArray[];
export function atleast2d(...xs: readonly ArrayLike[]): NDArray | NDArray[] {
  return atLeast("atleast2d", xs, (a) => (a.ndim < 2 ? shape.reshape(a, [1, a.size]) : a));
}

/**
 * Arrays with fewer than three axes with axes of length 1 added: [n] becomes [1, n, 1], [m, n] becomes [m, n, 1].
 * Several arrays give a list.
 * @example
 * np.atleast3d(np.zeros([2])); // shape [1, 2, 1]
 */
export function atleast3d(x: ArrayLike): NDArray;
export function atleast3d(...xs: readonly ArrayLike[]): NDArray[];
export function atleast3d(...xs: readonly ArrayLike[]): NDArray | NDArray[] {
  return atLeast("atleast3d", xs, (a) => {
    if (a.ndim >= 3) return a;
    return shape.reshape(a, a.ndim === 2 ? [...a.shape, 1] : [1, a.size, 1]);
  });
}

/**
 * The elements in reversed order along the given axes, or along all.
 * @example
 * np.flip(np.array([1, 2, 3])); // [3, 2, 1]
 */
export function flip(x: ArrayLike, options?: AxisOr<{ readonly axis?: Axis }>): NDArray {
  const a = asArray(x, "flip");
  const { axis } = axisOptions("flip", options, ["axis"]);
  const axes = severalAxes("flip", axis, a.shape).sort((i, j) => i - j);
  return axes.length === 0 ? a : rev(a, axes);
}

interface RepeatOptions {
  /** Default: null, the elements of the flattened array. */
  readonly axis?: number | null;
  /** The length of the result, where it cannot depend on the values of `repeats` (under `jit`). */
  readonly totalRepeatLength?: number;
}

/**
 * Each element repeated: all of them `repeats` times, or each as often as an integer array says. With
 * `totalRepeatLength` the result is cut off there, or filled up with the last element, and `repeats` may be traced.
 * @throws ConcretizationError for a traced `repeats` without `totalRepeatLength`.
 * @example
 * np.repeat(np.array([1, 2, 3]), [0, 2, 1]); // [2, 2, 3]
 */
export function repeat(
  x: ArrayLike,
  repeats: number | NDArray | readonly number[],
  options?: AxisOr<RepeatOptions>,
): NDArray {
  const { axis = null, totalRepeatLength: total } = axisOptions<RepeatOptions>("repeat", options, [
    "axis",
    "totalRepeatLength",
  ]);
  const given = asArray(x, "repeat");
  const a = axis === null || given.ndim === 0 ? ravel(given) : given;
  const along = axis === null ? 0 : oneAxis("repeat", axis, a.shape);
  if (total !== undefined) wholeNumber("repeat", "totalRepeatLength", total, 0);
  if (typeof repeats === "number" && total === undefined) return repeatEach(a, along, repeats);
  const counts = repeatCounts(repeats, a.shape[along]);
  if (total !== undefined && a.shape[along] > 0) return repeatTo(a, along, counts, total);
  const numbers = [...counts.concrete("repeat (without totalRepeatLength)").values];
  const places = numbers.flatMap((n, i) => new Array<number>(wholeNumber("repeat", "repeats", n, 0)).fill(i));
  return pick(a, along, places);
}

function repeatEach(a: NDArray, axis: number, times: number): NDArray {
  wholeNumber("repeat", "repeats", times, 0);
  const split = [...a.shape.slice(0, axis + 1), times, ...a.shape.slice(axis + 1)];
  const repeated = broadcastInDim(
    a,
    split,
    a.shape.map((_, i) => (i <= axis ? i : i + 1)),
  );
  return shape.reshape(
    repeated,
    a.shape.map((n, i) => (i === axis ? n * times : n)),
  );
}

function repeatCounts(repeats: number | NDArray | readonly number[], length: number): NDArray {
  const list = Array.isArray(repeats)
    ? (repeats as number[]).map((n) => wholeNumber("repeat", "repeats", n, 0))
    : null;
  const counts =
    list === null ? asArray(repeats as ArrayLike, "repeat") : concreteArray(list, [list.length], "int32");
  if (
    counts.dtype !== "int32" &&
    counts.dtype !== "uint32" &&
    counts.dtype !== "uint8" &&
    counts.dtype !== "bool"
  )
    throw new DtypeError(`repeat: repeats must be integers, got ${describe(counts.aval)}`);
  if (counts.ndim > 1 || (counts.size !== 1 && counts.size !== length))
    throw new ShapeError(
      `repeat: repeats ${describe(counts.aval)} is not a count for each of ${length} elements`,
    );
  return broadcastTo(shape.reshape(convertElementType(counts, "int32"), [counts.size]), [length]);
}

/** Marks where one element ends and counts the marks: element j of the result is after so many ends. */
function repeatTo(a: NDArray, axis: number, counts: NDArray, total: number): NDArray {
  const ends = cumsum(counts, { axis: 0, reverse: false });
  const marks = scatterAdd(
    full([total], 0, "int32"),
    shape.reshape(ends, [counts.size, 1]),
    full(counts.shape, 1, "int32"),
    {
      updateWindowDims: [],
      insertedWindowDims: [0],
      scatterDimsToOperandDims: [0],
      mode: "drop",
    },
  );
  return gatherAxis(a, axis, cumsum(marks, { axis: 0, reverse: false }), "clip");
}
