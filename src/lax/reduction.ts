/** Reductions along axes, which are dropped. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { type DType, isInteger } from "../core/dtype.js";
import { DtypeError } from "../core/errors.js";
import * as a from "../primitives/argmax.js";
import { reduceSum as sum } from "../primitives/broadcast.js";
import * as p from "../primitives/reduction.js";
import { axisOf, sortedAxes } from "./arguments.js";
import { dataDType } from "./cast.js";
import { type ArrayLike, operand } from "./operands.js";

function reduced(name: string, op: p.ReductionOp, x: ArrayLike, axes: readonly number[]): NDArray {
  const array = operand(name, x);
  return op(array, sortedAxes(name, axes, array.ndim));
}

/**
 * The sum along axes. Integers wrap around; the sum of nothing is 0.
 * @throws AxisError if there is no such axis; DtypeError for booleans.
 * @example
 * lax.reduceSum(np.array([[1, 2], [3, 4]]), [0]); // [4, 6]
 */
export const reduceSum = (x: ArrayLike, axes: readonly number[]): NDArray =>
  reduced("reduceSum", sum, x, axes);

/**
 * The product along axes. Integers wrap around; the product of nothing is 1. The derivative is exact where there are
 * zeros.
 * @throws AxisError if there is no such axis; DtypeError for booleans.
 * @example
 * lax.reduceProd(np.array([[1, 2], [3, 4]]), [1]); // [2, 12]
 */
export const reduceProd = (x: ArrayLike, axes: readonly number[]): NDArray =>
  reduced("reduceProd", p.reduceProd, x, axes);

/**
 * The largest element along axes; NaN if one is. Elements that tie share the derivative evenly.
 * @throws ShapeError if there are no elements to choose from; AxisError if there is no such axis.
 * @example
 * lax.reduceMax(np.array([[1, 2], [4, 3]]), [1]); // [2, 4]
 */
export const reduceMax = (x: ArrayLike, axes: readonly number[]): NDArray =>
  reduced("reduceMax", p.reduceMax, x, axes);

/**
 * The smallest element along axes; NaN if one is. Elements that tie share the derivative evenly.
 * @throws ShapeError if there are no elements to choose from; AxisError if there is no such axis.
 * @example
 * lax.reduceMin(np.array([[1, 2], [4, 3]]), [1]); // [1, 3]
 */
export const reduceMin = (x: ArrayLike, axes: readonly number[]): NDArray =>
  reduced("reduceMin", p.reduceMin, x, axes);

/**
 * The bits that all elements along axes have; for booleans, whether all hold.
 * @throws AxisError if there is no such axis; DtypeError for floats.
 * @example
 * lax.reduceAnd(np.array([[true, true], [true, false]]), [1]); // [true, false]
 */
export const reduceAnd = (x: ArrayLike, axes: readonly number[]): NDArray =>
  reduced("reduceAnd", p.reduceAnd, x, axes);

/**
 * The bits that some element along axes has; for booleans, whether one holds.
 * @throws AxisError if there is no such axis; DtypeError for floats.
 * @example
 * lax.reduceOr(np.array([[1, 2], [4, 4]], "int32"), [1]); // [3, 4]
 */
export const reduceOr = (x: ArrayLike, axes: readonly number[]): NDArray =>
  reduced("reduceOr", p.reduceOr, x, axes);

/**
 * The bits that an odd number of elements along axes have; for booleans, whether an odd number holds.
 * @throws AxisError if there is no such axis; DtypeError for floats.
 * @example
 * lax.reduceXor(np.array([[1, 3], [4, 4]], "int32"), [1]); // [2, 0]
 */
export const reduceXor = (x: ArrayLike, axes: readonly number[]): NDArray =>
  reduced("reduceXor", p.reduceXor, x, axes);

function extremum(name: string, op: a.ArgExtremumOp, x: ArrayLike, axis: number, indexDtype: DType): NDArray {
  const array = operand(name, x);
  if (!isInteger(dataDType(name, indexDtype)))
    throw new DtypeError(`lax.${name} of ${describe(array.aval)}: indices are integers, not ${indexDtype}`);
  return op(array, axisOf(name, axis, array.ndim), indexDtype);
}

/**
 * The index of the largest element along an axis: the first of those that tie, the first NaN if there is one.
 * @throws ShapeError if there are no elements to choose from; AxisError if there is no such axis.
 * @example
 * lax.argmax(np.array([1, 3, 3]), 0); // 1
 */
export const argmax = (x: ArrayLike, axis: number, indexDtype: DType = "int32"): NDArray =>
  extremum("argmax", a.argmax, x, axis, indexDtype);

/**
 * The index of the smallest element along an axis: the first of those that tie, the first NaN if there is one.
 * @throws ShapeError if there are no elements to choose from; AxisError if there is no such axis.
 * @example
 * lax.argmin(np.array([2, 1, 1]), 0); // 1
 */
export const argmin = (x: ArrayLike, axis: number, indexDtype: DType = "int32"): NDArray =>
  extremum("argmin", a.argmin, x, axis, indexDtype);
