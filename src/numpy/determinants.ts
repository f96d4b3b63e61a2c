/** Determinants. */
import type { NDArray } from "../core/array.js";
import { det as detOp } from "../primitives/det.js";
import { type ArrayLike, inexactOperand } from "./operands.js";

/**
 * The determinants of square matrices along the last two axes, which are dropped; 1 for matrices without elements.
 * Integers count as float32. The gradient is the matrix of cofactors, at singular matrices as at all others. For
 * matrices up to 3 by 3 all further derivatives are exact, too. For larger ones they are so at invertible matrices only: at
 * singular ones they are NaN, or without meaning where rounding leaves a determinant that is not quite zero.
 * Source: Jacobi's formula, Magnus and Neudecker, Matrix Differential Calculus, 8.3.
 * @throws ShapeError unless the matrices are square.
 * @example
 * np.linalg.det(np.array([[1, 2], [3, 4]])); // -2
 * grad((x) => np.linalg.det(x))(np.array([[1, 2], [2, 4]])); // [[4, -2], [-2, 1]]
 */
export const det = (x: ArrayLike): NDArray => detOp(inexactOperand("det", x));
