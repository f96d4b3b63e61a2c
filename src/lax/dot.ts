/** Products of matrices and their generalisation. */
import type { NDArray } from "../core/array.js";
import { describeAll } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { ShapeError } from "../core/errors.js";
import * as p from "../primitives/dot.js";
import { optionsOf, requiredOptions } from "./arguments.js";
import { arrayOperand } from "./operands.js";

/**
 * The sum over the contracting axes of x · y, for each index of the batch axes (which x and y share) and of the other,
 * free axes. Axes of the result: batch axes, free axes of x, free axes of y.
 *
 * Operands have one dtype; integers wrap around. Sums of floats are made in double precision and rounded once, to
 * `preferredElementType` if it is given.
 * @throws DtypeError, AxisError or ShapeError for operands and axes that do not fit.
 * @example
 * const a = np.array([[1, 2], [3, 4]]);
 * lax.dotGeneral(a, a, { contracting: [[1], [0]] }); // [[7, 10], [15, 22]]
 * lax.dotGeneral(a, a, { contracting: [[1], [1]], batch: [[0], [0]] }); // [5, 25]
 */
export function dotGeneral(x: NDArray, y: NDArray, options: p.DotOptions): NDArray {
  const known = ["contracting", "batch", "preferredElementType"] as const;
  return p.dotGeneral(
    arrayOperand("dotGeneral", x),
    arrayOperand("dotGeneral", y),
    requiredOptions("dotGeneral", options, known, ["contracting"]),
  );
}

export interface DotResultOptions {
  /** Dtype of the result. Default: that of the operands. */
  readonly preferredElementType?: DType;
}

/**
 * The product of vectors and matrices: the sum over the last axis of x and the first of y.
 * @throws ShapeError if an operand is not a vector or matrix, or the lengths differ; DtypeError for mixed dtypes.
 * @example
 * lax.dot(np.array([1, 2]), np.array([3, 4])); // 11
 * lax.dot(np.array([[1, 2], [3, 4]]), np.array([1, 1])); // [3, 7]
 */
export function dot(x: NDArray, y: NDArray, options?: DotResultOptions): NDArray {
  const [a, b] = [arrayOperand("dot", x), arrayOperand("dot", y)];
  if (![1, 2].includes(a.ndim) || ![1, 2].includes(b.ndim))
    throw new ShapeError(`lax.dot takes vectors and matrices, got ${describeAll([a.aval, b.aval])}`);
  return p.dotGeneral(a, b, {
    ...optionsOf("dot", options, ["preferredElementType"]),
    contracting: [[a.ndim - 1], [0]],
  });
}

/**
 * Products of matrices side by side: along all axes but the last two.
 * @throws ShapeError if the operands do not have the same number of axes, two at least; DtypeError for mixed dtypes.
 * @example
 * lax.batchMatmul(np.array([[[1, 2]], [[3, 4]]]), np.array([[[1], [1]], [[2], [2]]])); // [[[3]], [[14]]]
 */
export function batchMatmul(x: NDArray, y: NDArray, options?: DotResultOptions): NDArray {
  const [a, b] = [arrayOperand("batchMatmul", x), arrayOperand("batchMatmul", y)];
  if (a.ndim < 2 || a.ndim !== b.ndim)
    throw new ShapeError(
      `lax.batchMatmul takes matrices with the same batch axes, got ${describeAll([a.aval, b.aval])}`,
    );
  const batch = a.shape.slice(0, -2).map((_, i) => i);
  return p.dotGeneral(a, b, {
    ...optionsOf("batchMatmul", options, ["preferredElementType"]),
    contracting: [[a.ndim - 1], [a.ndim - 2]],
    batch: [batch, batch],
  });
}
