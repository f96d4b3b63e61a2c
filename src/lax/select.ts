/** Choosing between arrays, element by element. */
import type { NDArray } from "../core/array.js";
import * as p from "../primitives/select.js";
import { type ArrayLike, operand, operands } from "./operands.js";

/**
 * `onTrue` where `pred` holds, `onFalse` elsewhere. The side not taken gets no derivative, but is computed: an infinite
 * derivative on it still gives NaN.
 * @param pred bool, in the shape of the cases or a scalar.
 * @throws DtypeError if `pred` is not bool or the cases have mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.select(np.array([true, false]), np.array([1, 2]), 0); // [1, 0]
 */
export function select(pred: ArrayLike, onTrue: ArrayLike, onFalse: ArrayLike): NDArray {
  const [a, b] = operands("select", [onTrue, onFalse]);
  return p.select(operand("select", pred), a, b);
}

/**
 * The element of `cases[which]`, for each element of `which`.
 * @param which int32, clamped to the cases there are; or bool, for two cases.
 * @throws ArgumentError without cases; DtypeError or ShapeError for operands that do not fit.
 * @example
 * lax.selectN(np.array([2, 0], "int32"), np.array([1, 2]), np.array([3, 4]), np.array([5, 6])); // [5, 2]
 */
export const selectN = (which: ArrayLike, ...cases: ArrayLike[]): NDArray =>
  p.selectN(operand("selectN", which), ...(cases.length === 0 ? [] : operands("selectN", cases)));

/**
 * x, but not below `lo` and not above `hi`. The derivative is 1 strictly between the bounds, and 0 on them.
 * @throws DtypeError for booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.clamp(0, np.array([-1, 3, 7]), 6); // [0, 3, 6]
 */
export function clamp(lo: ArrayLike, x: ArrayLike, hi: ArrayLike): NDArray {
  const [a, b, c] = operands("clamp", [lo, x, hi]);
  return p.clamp(a, b, c);
}
