/** The same elements under another shape, or with their axes in another order. */
import type { NDArray } from "../core/array.js";
import { describe, type Shape } from "../core/aval.js";
import { AxisError } from "../core/errors.js";
import { showParam } from "../primitives/checks.js";
import * as p from "../primitives/shape.js";
import { rev as reverse } from "../primitives/slicing.js";
import { axesOf, axisOf, shapeOf, sortedAxes } from "./arguments.js";
import { type ArrayLike, operand } from "./operands.js";

/**
 * The elements in row-major order under another shape, with as many of them.
 * @throws ShapeError if the numbers of elements differ.
 * @example
 * lax.reshape(np.array([1, 2, 3, 4]), [2, 2]); // [[1, 2], [3, 4]]
 */
export const reshape = (x: ArrayLike, shape: Shape): NDArray =>
  p.reshape(operand("reshape", x), shapeOf("reshape", shape));

/**
 * The axes in another order: axis i of the result is axis `permutation[i]` of x.
 * @throws AxisError if `permutation` does not name each axis once.
 * @example
 * lax.transpose(np.array([[1, 2], [3, 4]]), [1, 0]); // [[1, 3], [2, 4]]
 */
export function transpose(x: ArrayLike, permutation: readonly number[]): NDArray {
  const a = operand("transpose", x);
  const axes = axesOf("transpose", permutation, a.ndim);
  if (axes.length !== a.ndim)
    throw new AxisError(
      `lax.transpose: ${showParam(permutation)} does not name each axis of ${describe(a.aval)} once`,
    );
  return p.transpose(a, axes);
}

/**
 * Drops axes of length 1.
 * @throws AxisError if an axis does not exist or has another length.
 * @example
 * lax.squeeze(np.array([[[1], [2]]]), [0, -1]); // [1, 2]
 */
export function squeeze(x: ArrayLike, axes: readonly number[]): NDArray {
  const a = operand("squeeze", x);
  return p.squeeze(a, sortedAxes("squeeze", axes, a.ndim));
}

/**
 * Inserts axes of length 1, so that they stand at the given places of the result.
 * @throws AxisError if a place is beyond the end, or named twice.
 * @example
 * lax.expandDims(np.array([1, 2]), [0, -1]); // [[[1], [2]]]
 */
export function expandDims(x: ArrayLike, axes: readonly number[]): NDArray {
  const a = operand("expandDims", x);
  return p.expandDims(a, sortedAxes("expandDims", axes, a.ndim + axes.length));
}

/**
 * Makes one axis of the axes from `start` to `stop` (exclusive; default: to the end).
 * @throws AxisError if an axis does not exist, or `stop` comes before `start`.
 * @example
 * lax.collapse(np.array([[[1, 2], [3, 4]]]), 0, 2); // [[1, 2], [3, 4]]
 */
export function collapse(x: ArrayLike, start: number, stop?: number): NDArray {
  const a = operand("collapse", x);
  const at = (axis: number): number => (axis === a.ndim ? axis : axisOf("collapse", axis, a.ndim));
  const [lo, hi] = [at(start), stop === undefined ? a.ndim : at(stop)];
  if (hi < lo)
    throw new AxisError(`lax.collapse: ${describe(a.aval)} has no axes from ${start} to ${showParam(stop)}`);
  const length = a.shape.slice(lo, hi).reduce((n, m) => n * m, 1);
  return p.reshape(a, [...a.shape.slice(0, lo), length, ...a.shape.slice(hi)]);
}

/**
 * The elements in reversed order along some axes.
 * @throws AxisError if an axis does not exist, or is named twice.
 * @example
 * lax.rev(np.array([[1, 2], [3, 4]]), [1]); // [[2, 1], [4, 3]]
 */
export function rev(x: ArrayLike, axes: readonly number[]): NDArray {
  const a = operand("rev", x);
  const reversed = sortedAxes("rev", axes, a.ndim);
  return reversed.length === 0 ? a : reverse(a, reversed);
}
