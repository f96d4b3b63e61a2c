/**
 * Parts of arrays at places that are only known when the program runs. A part always lies inside: what would stick out is
 * moved. Negative places count from the end.
 */
import { NDArray } from "../core/array.js";
import { describe, type Shape } from "../core/aval.js";
import { isInteger, isUnsigned } from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { add } from "../primitives/arithmetic.js";
import { showParam } from "../primitives/checks.js";
import { lt } from "../primitives/comparison.js";
import * as p from "../primitives/dynamic.js";
import { select } from "../primitives/select.js";
import { expandDims, reshape, squeeze } from "../primitives/shape.js";
import { slice } from "../primitives/slicing.js";
import { axisOf, optionsOf, shapeOf, wholeNumber } from "./arguments.js";
import { type ArrayLike, arrayOperand, operands } from "./operands.js";
import type { IndexInDimOptions } from "./slicing.js";

/** Where a part begins: a number or integer scalar for each axis, or all of them in one integer vector. */
export type Starts = NDArray | readonly ArrayLike[];

/** The starts as a list, one for each axis. */
function listed(name: string, x: NDArray, starts: Starts): readonly ArrayLike[] {
  let list: readonly ArrayLike[];
  if (starts instanceof NDArray) {
    if (starts.ndim !== 1)
      throw new ShapeError(`lax.${name}: starts must be a vector or a list, got ${describe(starts.aval)}`);
    const n = starts.size;
    list = Array.from({ length: n }, (_, i) => (n === 1 ? starts : slice(starts, [i], [i + 1]))).map((s) =>
      reshape(s, []),
    );
  } else if (Array.isArray(starts)) list = starts;
  else
    throw new ArgumentError(
      `lax.${name}: starts must be a list or an integer vector, got ${showParam(starts)}`,
    );
  if (list.length !== x.ndim)
    throw new ShapeError(
      `lax.${name} needs a start for each axis of ${describe(x.aval)}, got ${list.length}`,
    );
  return list;
}

/** Starts of one integer dtype, from 0 on. */
function startsOf(name: string, x: NDArray, starts: Starts): NDArray[] {
  const given = listed(name, x, starts).map((s, i) =>
    typeof s !== "number"
      ? s
      : s < 0
        ? wholeNumber(name, "a start", s) + x.shape[i]
        : wholeNumber(name, "a start", s),
  );
  return operands(name, given).map((s, i) => {
    if (!isInteger(s.dtype))
      throw new DtypeError(`lax.${name}: starts must be integers, got ${describe(s.aval)}`);
    if (!(given[i] instanceof NDArray) || isUnsigned(s.dtype)) return s;
    return select(lt(s, 0), add(s, x.shape[i]), s);
  });
}

/**
 * The part of x with the given sizes that begins at `starts`.
 * @param starts a number or integer scalar for each axis, or one integer vector.
 * @throws ShapeError if there is no part of such sizes; DtypeError for starts that are not integers.
 * @example
 * lax.dynamicSlice(np.array([1, 2, 3, 4]), [1], [2]); // [2, 3]
 * lax.dynamicSlice(np.array([1, 2, 3, 4]), np.array([9], "int32"), [2]); // [3, 4]
 */
export function dynamicSlice(x: NDArray, starts: Starts, sizes: Shape): NDArray {
  const a = arrayOperand("dynamicSlice", x);
  return p.dynamicSlice(a, startsOf("dynamicSlice", a, starts), shapeOf("dynamicSlice", sizes));
}

/**
 * x with the part that begins at `starts` overwritten by `update`.
 * @param starts a number or integer scalar for each axis, or one integer vector.
 * @throws ShapeError if the update is larger than x; DtypeError for another dtype, or starts that are not integers.
 * @example
 * lax.dynamicUpdateSlice(np.array([1, 2, 3, 4]), np.array([8, 9]), [1]); // [1, 8, 9, 4]
 */
export function dynamicUpdateSlice(x: NDArray, update: NDArray, starts: Starts): NDArray {
  const a = arrayOperand("dynamicUpdateSlice", x);
  const [, part] = operands("dynamicUpdateSlice", [a, update]);
  return p.dynamicUpdateSlice(a, part, startsOf("dynamicUpdateSlice", a, starts));
}

/** Starts that are 0 except along one axis. */
const along = (x: NDArray, axis: number, start: ArrayLike): ArrayLike[] =>
  x.shape.map((_, i) => (i === axis ? start : 0));

export interface InDimOptions {
  /** Default: 0. */
  readonly axis?: number;
}

/**
 * The part of length `size` that begins at `start` along one axis.
 * @throws ShapeError if the axis is shorter; AxisError if there is no such axis; DtypeError for a start that is no integer.
 * @example
 * lax.dynamicSliceInDim(np.array([1, 2, 3, 4]), -2, 2); // [3, 4]
 */
export function dynamicSliceInDim(
  x: NDArray,
  start: ArrayLike,
  size: number,
  options?: InDimOptions,
): NDArray {
  const name = "dynamicSliceInDim";
  const a = arrayOperand(name, x);
  const axis = axisOf(name, optionsOf(name, options, ["axis"]).axis ?? 0, a.ndim);
  const length = wholeNumber(name, "the size", size, 0);
  return p.dynamicSlice(
    a,
    startsOf(name, a, along(a, axis, start)),
    a.shape.map((n, i) => (i === axis ? length : n)),
  );
}

/**
 * x with the part that begins at `start` along one axis overwritten by `update`.
 * @throws ShapeError if the update is larger than x; AxisError if there is no such axis; DtypeError for another dtype.
 * @example
 * lax.dynamicUpdateSliceInDim(np.array([1, 2, 3]), np.array([8, 9]), 1, 0); // [1, 8, 9]
 */
export function dynamicUpdateSliceInDim(
  x: NDArray,
  update: NDArray,
  start: ArrayLike,
  axis: number,
): NDArray {
  const name = "dynamicUpdateSliceInDim";
  const a = arrayOperand(name, x);
  const [, part] = operands(name, [a, update]);
  return p.dynamicUpdateSlice(a, part, startsOf(name, a, along(a, axisOf(name, axis, a.ndim), start)));
}

/**
 * The elements at one index of an axis.
 * @throws AxisError if there is no such axis; DtypeError for an index that is no integer.
 * @example
 * lax.dynamicIndexInDim(np.array([[1, 2], [3, 4]]), np.array(1)); // [[3, 4]]
 * lax.dynamicIndexInDim(np.array([[1, 2], [3, 4]]), 0, { axis: 1, keepdims: false }); // [1, 3]
 */
export function dynamicIndexInDim(x: NDArray, index: ArrayLike, options?: IndexInDimOptions): NDArray {
  const name = "dynamicIndexInDim";
  const a = arrayOperand(name, x);
  const { axis = 0, keepdims = true } = optionsOf(name, options, ["axis", "keepdims"]);
  const own = axisOf(name, axis, a.ndim);
  const row = dynamicSliceInDim(a, index, 1, { axis: own });
  return keepdims ? row : squeeze(row, [own]);
}

/**
 * x with the elements at one index of an axis overwritten by `update`, which may lack the axis.
 * @throws ShapeError if the update does not fit; AxisError if there is no such axis; DtypeError for another dtype.
 * @example
 * lax.dynamicUpdateIndexInDim(np.array([[1, 2], [3, 4]]), np.array([8, 9]), 0, 0); // [[8, 9], [3, 4]]
 */
export function dynamicUpdateIndexInDim(
  x: NDArray,
  update: ArrayLike,
  index: ArrayLike,
  axis: number,
): NDArray {
  const name = "dynamicUpdateIndexInDim";
  const a = arrayOperand(name, x);
  const own = axisOf(name, axis, a.ndim);
  const [, part] = operands(name, [a, update]);
  const row = part.ndim === a.ndim ? part : expandDims(part, [own]);
  return dynamicUpdateSliceInDim(a, row, index, own);
}
