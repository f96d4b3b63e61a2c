/** Gather and scatter: reading windows at places that an integer array gives, and combining updates into them. */
import type { NDArray } from "../core/array.js";
import { describeAll } from "../core/aval.js";
import { isInteger, isUnsigned } from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { add, rem } from "../primitives/arithmetic.js";
import { showParam } from "../primitives/checks.js";
import { lt } from "../primitives/comparison.js";
import { concatenate } from "../primitives/concatenate.js";
import * as g from "../primitives/gather.js";
import * as s from "../primitives/scatter.js";
import type { ScatterOp, ScatterOptions } from "../primitives/scatterFamily.js";
import { select } from "../primitives/select.js";
import { reshape } from "../primitives/shape.js";
import { axesOf, requiredOptions } from "./arguments.js";
import { type ArrayLike, arrayOperand, operands } from "./operands.js";

/**
 * Windows of x of lengths `sliceSizes`, one for each index vector along the last axis of `indices`. The result has the
 * axes of `indices` but the last, and those of the windows at `offsetDims`. Windows that do not lie inside x are moved
 * inside ("clip", the default), or give the fill value ("fill": by default NaN for floats); with "promiseInBounds" there
 * must be none. Linear in x.
 * @param indices int32, uint32 or uint8.
 * @throws ShapeError, AxisError, DtypeError or ArgumentError for arguments that do not fit.
 * @see https://openxla.org/xla/operation_semantics#gather
 * @example
 * const m = np.array([[1, 2], [3, 4], [5, 6]]);
 * const rows = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1, 2] };
 * lax.gather(m, np.array([[2], [0]], "int32"), rows); // [[5, 6], [1, 2]]
 */
export function gather(x: NDArray, indices: NDArray, options: g.GatherOptions): NDArray {
  const required = ["offsetDims", "collapsedSliceDims", "startIndexMap", "sliceSizes"] as const;
  const optional = ["operandBatchingDims", "startIndicesBatchingDims", "mode", "fillValue"] as const;
  return g.gather(arrayOperand("gather", x), arrayOperand("gather", indices), {
    ...requiredOptions("gather", options, [...required, ...optional], required),
    mode: options.mode ?? "clip",
  });
}

/**
 * The elements of x at indices along some axes: with `[i, j]` and `[0, 1]`, those at (i[k], j[k]). Indices are taken
 * modulo the lengths of the axes.
 * @param indices integer vectors of one length, one for each of the axes.
 * @returns an array whose first axis is that of the indices, and whose others are the axes of x that are not indexed.
 * @throws ShapeError, AxisError, DtypeError or ArgumentError for arguments that do not fit.
 * @example
 * lax.indexTake(np.array([[1, 2], [3, 4]]), [np.array([1, 0, -1], "int32")], [0]); // [[3, 4], [1, 2], [3, 4]]
 */
export function indexTake(x: NDArray, indices: readonly NDArray[], axes: readonly number[]): NDArray {
  const a = arrayOperand("indexTake", x);
  const along = axesOf("indexTake", axes, a.ndim);
  if (!Array.isArray(indices) || indices.length === 0 || indices.length !== along.length)
    throw new ArgumentError(`lax.indexTake needs an index vector for each of the axes ${showParam(axes)}`);
  const vectors = (indices as readonly NDArray[]).map((i) => arrayOperand("indexTake", i));
  const types = vectors.map((v) => v.aval);
  if (types.some((t) => !isInteger(t.dtype) || t.dtype !== types[0].dtype))
    throw new DtypeError(`lax.indexTake needs indices of one integer dtype, got ${describeAll(types)}`);
  if (types.some((t) => t.shape.length !== 1 || t.shape[0] !== types[0].shape[0]))
    throw new ShapeError(`lax.indexTake needs index vectors of one length, got ${describeAll(types)}`);
  const columns = vectors.map((v, k) => reshape(modulo(v, a.shape[along[k]]), [v.size, 1]));
  return g.gather(a, columns.length === 1 ? columns[0] : concatenate(columns, 1), {
    offsetDims: Array.from({ length: a.ndim - along.length }, (_, i) => i + 1),
    collapsedSliceDims: [...along].sort((p, q) => p - q),
    startIndexMap: along,
    sliceSizes: a.shape.map((n, i) => (along.includes(i) ? 1 : n)),
    mode: "promiseInBounds",
  });
}

/** The remainder of floor division by a length. */
function modulo(x: NDArray, n: number): NDArray {
  const r = rem(x, n);
  return isUnsigned(x.dtype) ? r : select(lt(r, 0), add(r, n), r);
}

function scattered(
  name: string,
  op: ScatterOp,
  x: NDArray,
  indices: NDArray,
  updates: ArrayLike,
  options: ScatterOptions,
): NDArray {
  const required = ["updateWindowDims", "insertedWindowDims", "scatterDimsToOperandDims"] as const;
  const optional = ["operandBatchingDims", "scatterIndicesBatchingDims", "mode"] as const;
  const numbers = requiredOptions(name, options, [...required, ...optional], required);
  const [a, u] = operands(name, [arrayOperand(name, x), updates]);
  return op(a, arrayOperand(name, indices), u, numbers);
}

/**
 * x with windows replaced by `updates`, at the places that `indices` gives (one index vector along its last axis for
 * each window). Windows that do not lie inside x are left out ("drop", the default) or moved inside ("clip"); with
 * "promiseInBounds" there must be none. Of several updates to one place the last stays.
 * @throws ShapeError, AxisError, DtypeError or ArgumentError for arguments that do not fit.
 * @see https://openxla.org/xla/operation_semantics#scatter
 * @example
 * const elements = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * lax.scatter(np.array([1, 2, 3]), np.array([[2], [0]], "int32"), np.array([8, 9]), elements); // [9, 2, 8]
 */
export const scatter = (x: NDArray, indices: NDArray, updates: ArrayLike, options: ScatterOptions): NDArray =>
  scattered("scatter", s.scatter, x, indices, updates, options);

/**
 * x with `updates` added to windows; what is added to one place several times adds up. Arguments and errors are those of
 * `scatter`.
 * @throws ShapeError, AxisError, DtypeError or ArgumentError for arguments that do not fit.
 * @example
 * const elements = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * lax.scatterAdd(np.array([1, 2, 3]), np.array([[1], [1]], "int32"), np.array([10, 20]), elements); // [1, 32, 3]
 */
export const scatterAdd = (
  x: NDArray,
  indices: NDArray,
  updates: ArrayLike,
  options: ScatterOptions,
): NDArray => scattered("scatterAdd", s.scatterAdd, x, indices, updates, options);

/**
 * x with windows multiplied by `updates`. Arguments and errors are those of `scatter`.
 * @throws ShapeError, AxisError, DtypeError or ArgumentError for arguments that do not fit.
 * @example
 * const elements = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * lax.scatterMul(np.array([1, 2, 3]), np.array([[1], [1]], "int32"), np.array([2, 5]), elements); // [1, 20, 3]
 */
export const scatterMul = (
  x: NDArray,
  indices: NDArray,
  updates: ArrayLike,
  options: ScatterOptions,
): NDArray => scattered("scatterMul", s.scatterMul, x, indices, updates, options);

/**
 * x with windows replaced by the smaller of what they hold and `updates`. Arguments and errors are those of `scatter`.
 * @throws ShapeError, AxisError, DtypeError or ArgumentError for arguments that do not fit.
 * @example
 * const elements = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * lax.scatterMin(np.array([1, 2, 3]), np.array([[1], [2]], "int32"), np.array([7, 0]), elements); // [1, 2, 0]
 */
export const scatterMin = (
  x: NDArray,
  indices: NDArray,
  updates: ArrayLike,
  options: ScatterOptions,
): NDArray => scattered("scatterMin", s.scatterMin, x, indices, updates, options);

/**
 * x with windows replaced by the larger of what they hold and `updates`. Arguments and errors are those of `scatter`.
 * @throws ShapeError, AxisError, DtypeError or ArgumentError for arguments that do not fit.
 * @example
 * const elements = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * lax.scatterMax(np.array([1, 2, 3]), np.array([[1], [2]], "int32"), np.array([7, 0]), elements); // [1, 7, 3]
 */
export const scatterMax = (
  x: NDArray,
  indices: NDArray,
  updates: ArrayLike,
  options: ScatterOptions,
): NDArray => scattered("scatterMax", s.scatterMax, x, indices, updates, options);
