/** Products of several matrices, powers of one, and the functions of `linalg` whose arguments differ from NumPy's own. */
import type { NDArray } from "../core/array.js";
import { describe, describeAll } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { eq } from "../primitives/comparison.js";
import { iota, reshape } from "../primitives/shape.js";
import { plainOptions, wholeNumber } from "./axes.js";
import { diagonal as anyDiagonal } from "./indexing.js";
import { trace as anyTrace, matmul } from "./linalg.js";
import { type ArrayLike, asArray, promoteOperands } from "./operands.js";

/**
 * The product of several matrices in the order of multiplication that costs least; the first and last may be vectors.
 * Source: the matrix chain algorithm, Cormen et al., Introduction to Algorithms, 15.2.
 * @throws ShapeError, ArgumentError for fewer than two arrays.
 * @example
 * np.linalg.multiDot([np.ones([2, 3]), np.ones([3, 4]), np.ones([4])]); // [12, 12]
 */
export function multiDot(arrays: readonly ArrayLike[]): NDArray {
  const xs = promoteOperands("multiDot", arrays);
  const last = xs.length - 1;
  if (last < 1) throw new ArgumentError(`multiDot needs at least two arrays, got ${xs.length}`);
  const matrices = xs.map((x, i) => {
    if (x.ndim === 1 && (i === 0 || i === last)) return reshape(x, i === 0 ? [1, x.size] : [x.size, 1]);
    if (x.ndim !== 2)
      throw new ShapeError(
        `multiDot needs matrices (or vectors at the ends), got ${describeAll(xs.map((y) => y.aval))}`,
      );
    return x;
  });
  const sizes = [matrices[0].shape[0], ...matrices.map((m) => m.shape[1])];
  if (matrices.some((m, i) => m.shape[0] !== sizes[i]))
    throw new ShapeError(`multiDot: shapes do not fit, got ${describeAll(xs.map((y) => y.aval))}`);
  const splits = cheapestSplits(sizes);
  const multiply = (i: number, j: number): NDArray =>
    i === j ? matrices[i] : matmul(multiply(i, splits[i][j]), multiply(splits[i][j] + 1, j));
  const out = multiply(0, last);
  return reshape(
    out,
    [0, last].flatMap((i, end) => (xs[i].ndim === 1 ? [] : [out.shape[end]])),
  );
}

/** For each chain from i to j the place after which to split it; matrix i has sizes[i] rows and sizes[i + 1] columns. */
function cheapestSplits(sizes: readonly number[]): number[][] {
  const n = sizes.length - 1;
  const cost = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const splits = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let length = 2; length <= n; length++)
    for (let i = 0; i + length <= n; i++) {
      const j = i + length - 1;
      cost[i][j] = Number.POSITIVE_INFINITY;
      for (let k = i; k < j; k++) {
        const total = cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1];
        if (total < cost[i][j]) [cost[i][j], splits[i][j]] = [total, k];
      }
    }
  return splits;
}

/**
 * The n-th power of square matrices (along the last two axes), by squaring; n = 0 gives the identity.
 * @throws ShapeError unless the matrices are square; ArgumentError for a negative power, which needs the inverse.
 * @example
 * np.linalg.matrixPower(np.array([[1, 1], [0, 1]]), 5); // [[1, 5], [0, 1]]
 */
export function matrixPower(x: ArrayLike, n: number): NDArray {
  const a = asArray(x, "matrixPower");
  const size = a.shape.at(-1);
  if (a.ndim < 2 || size === undefined || a.shape.at(-2) !== size)
    throw new ShapeError(`matrixPower needs square matrices, got ${describe(a.aval)}`);
  if (wholeNumber("matrixPower", "n", n) < 0)
    throw new ArgumentError("matrixPower: a negative power needs the inverse, which is not available yet");
  if (n === 0) {
    const one = eq(iota("int32", [size, size], 0), iota("int32", [size, size], 1));
    return broadcastInDim(convertElementType(one, a.dtype), a.shape, [a.ndim - 2, a.ndim - 1]);
  }
  let result: NDArray | undefined;
  for (let rest = n, square = a; ; square = matmul(square, square)) {
    if (rest % 2 === 1) result = result === undefined ? square : matmul(result, square);
    rest = Math.floor(rest / 2);
    if (rest === 0) return result as NDArray;
  }
}

/**
 * The sum along a diagonal of the matrices along the last two axes.
 * @throws AxisError for fewer than two axes.
 * @example
 * np.linalg.trace(np.array([[1, 2], [3, 4]])); // 5
 */
export function trace(
  x: ArrayLike,
  options: { readonly offset?: number; readonly dtype?: DType } = {},
): NDArray {
  const given = plainOptions("linalg.trace", options, ["offset", "dtype"]);
  return anyTrace(x, { ...given, axis1: -2, axis2: -1 });
}

/**
 * A diagonal of the matrices along the last two axes.
 * @throws AxisError for fewer than two axes.
 * @example
 * np.linalg.diagonal(np.array([[1, 2], [3, 4]])); // [1, 4]
 */
export function diagonal(x: ArrayLike, options: { readonly offset?: number } = {}): NDArray {
  return anyDiagonal(x, { ...plainOptions("linalg.diagonal", options, ["offset"]), axis1: -2, axis2: -1 });
}
