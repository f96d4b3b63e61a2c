/** Elements turned, shifted around the ends, and repeated to fill larger arrays. */
import { isReadable, NDArray } from "../core/array.js";
import { describe, type Shape, sizeOf } from "../core/aval.js";
import { isInteger } from "../core/dtype.js";
import { AxisError, DtypeError, ShapeError } from "../core/errors.js";
import type { AxisOr } from "../core/methods.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { concatenate } from "../primitives/concatenate.js";
import { dynamicSlice } from "../primitives/dynamic.js";
import { neg } from "../primitives/field.js";
import { reshape, transpose } from "../primitives/shape.js";
import { rev } from "../primitives/slicing.js";
import { axisOptions, oneAxis, severalAxes, shapeOf, wholeNumber } from "./axes.js";
import { mod } from "./division.js";
import { ravel } from "./manipulation.js";
import { type ArrayLike, asArray } from "./operands.js";
import { counting, elementAt, join, sliceAxis } from "./rearrange.js";

/**
 * The columns in reversed order: `flip` along axis 1.
 * @example
 * np.fliplr(np.array([[1, 2], [3, 4]])); // [[2, 1], [4, 3]]
 */
export function fliplr(x: ArrayLike): NDArray {
  const a = asArray(x, "fliplr");
  return rev(a, [oneAxis("fliplr", 1, a.shape)]);
}

/**
 * The rows in reversed order: `flip` along axis 0.
 * @example
 * np.flipud(np.array([[1, 2], [3, 4]])); // [[3, 4], [1, 2]]
 */
export function flipud(x: ArrayLike): NDArray {
  const a = asArray(x, "flipud");
  return rev(a, [oneAxis("flipud", 0, a.shape)]);
}

/**
 * The array turned by 90 degrees `k` times, from the first of two axes towards the second.
 * @throws AxisError unless `axes` are two different axes.
 * @example
 * np.rot90(np.array([[1, 2], [3, 4]])); // [[2, 4], [1, 3]]
 */
export function rot90(x: ArrayLike, k = 1, axes: readonly number[] = [0, 1]): NDArray {
  const a = asArray(x, "rot90");
  const pair = severalAxes("rot90", axes, a.shape);
  if (pair.length !== 2) throw new AxisError(`rot90 turns in the plane of two axes, got [${axes}]`);
  const [from, to] = pair;
  const quarters = ((wholeNumber("rot90", "k", k) % 4) + 4) % 4;
  if (quarters === 0) return a;
  if (quarters === 2)
    return rev(
      a,
      pair.sort((i, j) => i - j),
    );
  const order = counting(a.ndim);
  [order[from], order[to]] = [to, from];
  return quarters === 1 ? transpose(rev(a, [to]), order) : rev(transpose(a, order), [to]);
}

/** As many entries as there are axes; one may stand for all. */
function paired<T>(name: string, values: readonly T[], count: number): readonly T[] {
  if (values.length === count) return values;
  if (values.length === 1) return new Array<T>(count).fill(values[0]);
  throw new AxisError(`${name}: ${values.length} shifts do not go with ${count} axes`);
}

/**
 * The elements moved along by `shift` places, those that leave at the end coming back at the beginning. Without an axis
 * the flattened array is shifted. Several shifts go with several axes. A shift may be a traced integer array.
 * @throws AxisError, DtypeError
 * @example
 * np.roll(np.array([1, 2, 3, 4]), 1); // [4, 1, 2, 3]
 */
export function roll(
  x: ArrayLike,
  shift: number | readonly number[] | NDArray,
  options?: AxisOr<{ readonly axis?: number | readonly number[] | null }>,
): NDArray {
  const { axis = null } = axisOptions<{ axis?: number | readonly number[] | null }>("roll", options, [
    "axis",
  ]);
  const a = asArray(x, "roll");
  const flat = axis === null ? ravel(a) : a;
  const shifts = shiftsOf(shift);
  const named = axis === null ? [0] : typeof axis === "number" ? [axis] : axis;
  const count = Math.max(named.length, shifts.length);
  const along = paired("roll", named, count).map((i) => oneAxis("roll", i, flat.shape));
  const rolled = paired("roll", shifts, count).reduce<NDArray>((y, s, i) => rollAxis(y, along[i], s), flat);
  return reshape(rolled, a.shape);
}

/** Shifts as numbers where they are known, else as scalars. */
function shiftsOf(shift: number | readonly number[] | NDArray): readonly (number | NDArray)[] {
  if (!(shift instanceof NDArray))
    return (Array.isArray(shift) ? shift : [shift]).map((s) => wholeNumber("roll", "a shift", s));
  if (!isInteger(shift.dtype) || shift.ndim > 1)
    throw new DtypeError(`roll: shifts must be integers, got ${describe(shift.aval)}`);
  if (isReadable(shift)) return [...shift.values];
  return shift.ndim === 0 ? [shift] : counting(shift.size).map((i) => elementAt(shift, 0, i));
}

function rollAxis(x: NDArray, axis: number, shift: number | NDArray): NDArray {
  const length = x.shape[axis];
  if (length === 0) return x;
  if (typeof shift === "number") {
    const start = ((-shift % length) + length) % length;
    return start === 0 ? x : join([sliceAxis(x, axis, start, length), sliceAxis(x, axis, 0, start)], axis);
  }
  const start = mod(neg(convertElementType(shift, "int32")), length);
  const zero = convertElementType(0, "int32");
  return dynamicSlice(
    concatenate([x, x], axis),
    x.shape.map((_, i) => (i === axis ? start : zero)),
    x.shape,
  );
}

/**
 * Copies of `x` side by side: `reps` of them along each axis (a number: along the last axis). Missing axes are added in
 * front.
 * @example
 * np.tile(np.array([1, 2]), [2, 2]); // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function tile(x: ArrayLike, reps: number | readonly number[]): NDArray {
  const a = asArray(x, "tile");
  const given = typeof reps === "number" ? [reps] : reps;
  for (const r of given) wholeNumber("tile", "reps", r, 0);
  const ndim = Math.max(a.ndim, given.length);
  const lengths = [...new Array<number>(ndim - a.ndim).fill(1), ...a.shape];
  const times = [...new Array<number>(ndim - given.length).fill(1), ...given];
  // Each axis becomes two, copies and elements; where one of them has length 1 a single axis will do.
  const target: number[] = [];
  const dims: number[] = [];
  for (let i = 0; i < ndim; i++) {
    if (times[i] !== 1 && lengths[i] !== 1) target.push(times[i]);
    if (i >= ndim - a.ndim) dims.push(target.length);
    target.push(lengths[i] === 1 ? times[i] : lengths[i]);
  }
  return reshape(
    broadcastInDim(a, target, dims),
    lengths.map((n, i) => n * times[i]),
  );
}

/**
 * The elements in row-major order under another shape: from the beginning again when they run out, and cut off at the
 * end. (NumPy's method of the same name fills with zeros; this is the function.)
 * @example
 * np.resize(np.array([1, 2, 3]), [2, 2]); // [[1, 2], [3, 1]]
 */
export function resize(x: ArrayLike, newShape: number | Shape): NDArray {
  const a = asArray(x, "resize");
  const target = shapeOf("resize", newShape);
  const size = sizeOf(target);
  if (a.size === 0) {
    if (size === 0) return reshape(a, target);
    throw new ShapeError(`resize: ${describe(a.aval)} has no elements to fill [${target.join(",")}] with`);
  }
  const copies = Math.ceil(size / a.size);
  return reshape(sliceAxis(tile(ravel(a), copies), 0, 0, size), target);
}
