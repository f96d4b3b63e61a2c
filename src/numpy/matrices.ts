/** Matrices with something on or beside a diagonal. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { ShapeError } from "../core/errors.js";
import { add } from "../primitives/arithmetic.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { eq, ge } from "../primitives/comparison.js";
import { select } from "../primitives/select.js";
import { expandDims, iota } from "../primitives/shape.js";
import { pad, rev } from "../primitives/slicing.js";
import { plainOptions, wholeNumber } from "./axes.js";
import { diagonal } from "./indexing.js";
import { ravel } from "./manipulation.js";
import { type ArrayLike, asArray } from "./operands.js";
import { type DTypeOption, dataDType, dtypeOption, isOptions, shortOptions } from "./options.js";
import { power } from "./power.js";

export interface DiagonalOption {
  /** The diagonal: 0 for the main one (the default), above it positive, below negative. */
  readonly k?: number;
}

/** The numbers of rows and columns, counted from the k-th diagonal: i + k and j for each element (i, j). */
function coordinates(n: number, m: number, k: number): [row: NDArray, column: NDArray] {
  const rows = iota("int32", [n, m], 0);
  return [k === 0 ? rows : add(rows, k), iota("int32", [n, m], 1)];
}

const offset = (name: string, k: number | undefined): number => wholeNumber(name, "the diagonal k", k ?? 0);

export interface MatrixOptions extends DiagonalOption, DTypeOption {}

/** A matrix that is one where a relation between row and column holds, as `eye` and `tri` take their arguments. */
function indicator(
  name: string,
  holds: (row: NDArray, column: NDArray) => NDArray,
  n: number,
  m: number | MatrixOptions | undefined,
  given: MatrixOptions | undefined,
): NDArray {
  const options = plainOptions<MatrixOptions>(name, (isOptions(m) ? m : given) ?? {}, ["k", "dtype"]);
  const rows = wholeNumber(name, "the number of rows", n, 0);
  const columns = isOptions(m) || m === undefined ? rows : wholeNumber(name, "the number of columns", m, 0);
  const dtype = options.dtype === undefined ? "float32" : dataDType(name, options.dtype);
  return convertElementType(holds(...coordinates(rows, columns, offset(name, options.k))), dtype);
}

/**
 * A matrix of n rows and m columns (default n), with ones on the k-th diagonal and zeros elsewhere; float32 unless
 * `dtype` says otherwise.
 * @throws ArgumentError for sizes that are no counts.
 * @example
 * np.eye(2); // [[1, 0], [0, 1]]
 * np.eye(2, 3, { k: 1, dtype: "int32" }); // [[0, 1, 0], [0, 0, 1]]
 */
export function eye(n: number, options?: MatrixOptions): NDArray;
export function eye(n: number, m?: number, options?: MatrixOptions): NDArray;
export function eye(n: number, m?: number | MatrixOptions, options?: MatrixOptions): NDArray {
  return indicator("eye", eq, n, m, options);
}

/**
 * The identity matrix of n rows and columns; float32 unless `dtype` says otherwise.
 * @throws ArgumentError if n is not a count.
 * @example
 * np.identity(2); // [[1, 0], [0, 1]]
 */
export const identity = (n: number, options?: DType | DTypeOption): NDArray =>
  indicator("identity", eq, n, undefined, { dtype: dtypeOption("identity", options) });

/**
 * A matrix of n rows and m columns (default n), with ones on and below the k-th diagonal and zeros above; float32
 * unless `dtype` says otherwise.
 * @throws ArgumentError for sizes that are no counts.
 * @example
 * np.tri(3); // [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
 */
export function tri(n: number, options?: MatrixOptions): NDArray;
export function tri(n: number, m?: number, options?: MatrixOptions): NDArray;
export function tri(n: number, m?: number | MatrixOptions, options?: MatrixOptions): NDArray {
  return indicator("tri", ge, n, m, options);
}

/** Where the last two axes of x are on or below the k-th diagonal, and x itself. */
function lowerPart(name: string, x: ArrayLike, k: number): [isLower: NDArray, a: NDArray] {
  const a = asArray(x, name);
  if (a.ndim < 2)
    throw new ShapeError(`${name} needs an array with at least two axes, got ${describe(a.aval)}`);
  const [n, m] = a.shape.slice(-2);
  return [broadcastInDim(ge(...coordinates(n, m, k)), a.shape, [a.ndim - 2, a.ndim - 1]), a];
}

/**
 * x with zeros above the k-th diagonal of its last two axes.
 * @throws ShapeError for fewer than two axes.
 * @example
 * np.tril(np.array([[1, 2], [3, 4]])); // [[1, 0], [3, 4]]
 */
export function tril(x: ArrayLike, options?: number | DiagonalOption): NDArray {
  const { k } = shortOptions<DiagonalOption>("tril", options, "k", ["k"]);
  const [isLower, a] = lowerPart("tril", x, offset("tril", k));
  return select(isLower, a, 0);
}

/**
 * x with zeros below the k-th diagonal of its last two axes.
 * @throws ShapeError for fewer than two axes.
 * @example
 * np.triu(np.array([[1, 2], [3, 4]])); // [[1, 2], [0, 4]]
 */
export function triu(x: ArrayLike, options?: number | DiagonalOption): NDArray {
  const { k } = shortOptions<DiagonalOption>("triu", options, "k", ["k"]);
  const [isBelow, a] = lowerPart("triu", x, offset("triu", k) - 1);
  return select(isBelow, 0, a);
}

/**
 * The matrix with a vector on its k-th diagonal and zeros elsewhere; or the k-th diagonal of a matrix.
 * @throws ShapeError for other numbers of axes.
 * @example
 * np.diag(np.array([1, 2])); // [[1, 0], [0, 2]]
 * np.diag(np.array([[1, 2], [3, 4]]), 1); // [2]
 */
export function diag(x: ArrayLike, options?: number | DiagonalOption): NDArray {
  const k = offset("diag", shortOptions<DiagonalOption>("diag", options, "k", ["k"]).k);
  const a = asArray(x, "diag");
  if (a.ndim === 2) return diagonal(a, { offset: k });
  if (a.ndim !== 1) throw new ShapeError(`diag needs a vector or a matrix, got ${describe(a.aval)}`);
  const n = a.shape[0] + Math.abs(k);
  // Each row repeats the element that stands in it.
  const column = pad(a, 0, [k > 0 ? [0, k, 0] : [-k, 0, 0]]);
  return select(eq(...coordinates(n, n, k)), broadcastInDim(column, [n, n], [0]), 0);
}

/**
 * The matrix with the elements of x, read in row-major order, on its k-th diagonal and zeros elsewhere.
 * @example
 * np.diagflat(np.array([[1, 2], [3, 4]])); // shape [4,4]
 */
export const diagflat = (x: ArrayLike, options?: number | DiagonalOption): NDArray =>
  diag(ravel(asArray(x, "diagflat")), shortOptions<DiagonalOption>("diagflat", options, "k", ["k"]));

export interface VanderOptions {
  /** The number of columns (default: that of rows). */
  readonly n?: number;
  /** Whether the powers grow from left to right (default false). */
  readonly increasing?: boolean;
}

/**
 * The Vandermonde matrix of a vector: its columns are the powers x^(n-1), ..., x, 1.
 * @throws ShapeError if x is not a vector.
 * @example
 * np.vander(np.array([2, 3]), 3); // [[4, 2, 1], [9, 3, 1]]
 */
export function vander(x: ArrayLike, options?: number | VanderOptions): NDArray {
  const { n, increasing = false } = shortOptions<VanderOptions>("vander", options, "n", ["n", "increasing"]);
  const a = asArray(x, "vander");
  if (a.ndim !== 1) throw new ShapeError(`vander needs a vector, got ${describe(a.aval)}`);
  const columns = wholeNumber("vander", "the number of columns", n ?? a.shape[0], 0);
  const powers = iota("int32", [columns], 0);
  return power(expandDims(a, [1]), increasing ? powers : rev(powers, [0]));
}
