/** Norms of vectors and matrices. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ArgumentError, AxisError, ShapeError } from "../core/errors.js";
import type { Axis } from "../core/methods.js";
import { abs, sqrt, square } from "../primitives/arithmetic.js";
import { reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { showParam } from "../primitives/checks.js";
import { ne } from "../primitives/comparison.js";
import { reduceMax, reduceMin } from "../primitives/reduction.js";
import { reshape } from "../primitives/shape.js";
import { plainOptions, severalAxes } from "./axes.js";
import { full } from "./constants.js";
import { type ArrayLike, inexactOperand } from "./operands.js";
import { power } from "./power.js";

/** Which norm: p of a p-norm (±Infinity for the extremes), or "fro" for the square root of the sum of squares. */
export type NormOrder = number | "fro" | "f" | "nuc";

export interface NormOptions {
  /** Default: the 2-norm of vectors, "fro" for matrices. */
  readonly ord?: NormOrder | null;
  /** One axis for norms of vectors, two for those of matrices. Default: all, or the array as one vector without `ord`. */
  readonly axis?: Axis;
  /** Keep the axes with length 1. Default: false. */
  readonly keepdims?: boolean;
}

/** A reduction over axes that may be kept, of an array without elements too. */
function reduced(
  x: NDArray,
  axes: readonly number[],
  keepdims: boolean,
  reduce: (y: NDArray, axes: readonly number[]) => NDArray,
): NDArray {
  const sorted = [...axes].sort((i, j) => i - j);
  const result = sorted.length === 0 ? x : reduce(x, sorted);
  return keepdims
    ? reshape(
        result,
        x.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
      )
    : result;
}

/** The largest absolute value is at least 0, also of nothing. */
function largest(x: NDArray, axes: readonly number[]): NDArray {
  if (axes.every((i) => x.shape[i] > 0)) return reduceMax(x, axes);
  return full(
    x.shape.filter((_, i) => !axes.includes(i)),
    0,
    x.dtype,
  );
}

const rootOfSquares = (x: NDArray, axes: readonly number[], keepdims: boolean): NDArray =>
  sqrt(reduced(square(x), axes, keepdims, reduceSum));

function vectorNormOf(
  name: string,
  x: NDArray,
  ord: NormOrder,
  axes: readonly number[],
  keepdims: boolean,
): NDArray {
  if (typeof ord !== "number")
    throw new ArgumentError(
      `${name}: the order of a norm of vectors must be a number, got ${showParam(ord)}`,
    );
  if (ord === 2) return rootOfSquares(x, axes, keepdims);
  if (ord === 0) return reduced(convertElementType(ne(x, 0), x.dtype), axes, keepdims, reduceSum);
  const size = abs(x);
  if (ord === 1) return reduced(size, axes, keepdims, reduceSum);
  if (ord === Infinity) return reduced(size, axes, keepdims, largest);
  if (ord === -Infinity) return reduced(size, axes, keepdims, reduceMin);
  return power(reduced(power(size, ord), axes, keepdims, reduceSum), 1 / ord);
}

function matrixNormOf(
  name: string,
  x: NDArray,
  ord: NormOrder,
  [rows, columns]: readonly number[],
  keepdims: boolean,
): NDArray {
  const axes = [rows, columns];
  if (ord === "fro" || ord === "f") return rootOfSquares(x, axes, keepdims);
  if (ord === 2 || ord === -2 || ord === "nuc")
    throw new ArgumentError(
      `${name}: the order ${showParam(ord)} needs singular values, which are not available yet`,
    );
  if (ord !== 1 && ord !== -1 && ord !== Infinity && ord !== -Infinity)
    throw new ArgumentError(
      `${name}: the order of a norm of matrices must be "fro", 1, -1, Infinity or -Infinity, got ${showParam(ord)}`,
    );
  // 1: the largest sum of a column; Infinity: of a row.
  const [summed, left] = Math.abs(ord) === 1 ? [rows, columns] : [columns, rows];
  const sums = reduced(abs(x), [summed], true, reduceSum);
  const extreme = reduced(sums, [left], true, ord > 0 ? largest : reduceMin);
  return reshape(
    extreme,
    x.shape.flatMap((n, i) => (axes.includes(i) ? (keepdims ? [1] : []) : [n])),
  );
}

const normKeys = ["ord", "axis", "keepdims"] as const;

/**
 * The norm of vectors (along one axis) or matrices (along two). `ord` is the p of the p-norm: Σ|x|^p to the power 1/p
 * for vectors, Infinity and -Infinity giving the extremes and 0 the number of elements that are not zero; the largest
 * sum of a column (1) or row (Infinity), or the smallest (-1, -Infinity) for matrices. Without `ord` it is the square
 * root of the sum of squares. Integers count as float32. The derivative at 0 is NaN.
 * @throws ArgumentError for an order that there is not (2, -2 and "nuc" of matrices need singular values), AxisError
 * @example
 * np.linalg.norm(np.array([3, 4])); // 5
 */
export function norm(x: ArrayLike, options: NormOrder | NormOptions = {}): NDArray {
  const given = typeof options === "object" ? options : { ord: options };
  const { ord = null, axis = null, keepdims = false } = plainOptions<NormOptions>("norm", given, normKeys);
  const a = inexactOperand("norm", x);
  const axes = severalAxes("norm", axis, a.shape);
  if (axis === null && ord === null) return rootOfSquares(a, axes, keepdims);
  if (axes.length === 1) return vectorNormOf("norm", a, ord ?? 2, axes, keepdims);
  if (axes.length === 2) return matrixNormOf("norm", a, ord ?? "fro", axes, keepdims);
  throw new AxisError(`norm is over one axis or two, got ${axes.length} of ${describe(a.aval)}`);
}

/**
 * The norm of vectors along one or more axes (default: all), which are taken as one. `ord` as in `norm`, default 2.
 * @throws ArgumentError, AxisError
 * @example
 * np.linalg.vectorNorm(np.array([[3, 4], [6, 8]]), { axis: 1 }); // [5, 10]
 */
export function vectorNorm(x: ArrayLike, options: NormOptions = {}): NDArray {
  const { ord, axis, keepdims = false } = plainOptions<NormOptions>("vectorNorm", options, normKeys);
  const a = inexactOperand("vectorNorm", x);
  return vectorNormOf("vectorNorm", a, ord ?? 2, severalAxes("vectorNorm", axis, a.shape), keepdims);
}

/**
 * The norm of matrices along the last two axes. `ord` as in `norm`, default "fro".
 * @throws ArgumentError, ShapeError for fewer than two axes.
 * @example
 * np.linalg.matrixNorm(np.array([[1, 2], [3, 4]]), { ord: 1 }); // 6
 */
export function matrixNorm(x: ArrayLike, options: Omit<NormOptions, "axis"> = {}): NDArray {
  const { ord, keepdims = false } = plainOptions<Omit<NormOptions, "axis">>("matrixNorm", options, [
    "ord",
    "keepdims",
  ]);
  const a = inexactOperand("matrixNorm", x);
  if (a.ndim < 2) throw new ShapeError(`matrixNorm needs at least two axes, got ${describe(a.aval)}`);
  return matrixNormOf("matrixNorm", a, ord ?? "fro", [a.ndim - 2, a.ndim - 1], keepdims);
}
