/** Indices of special places, and the way between indices along axes and places in the flattened array. */
import type { NDArray } from "../core/array.js";
import { describe, type Shape, sizeOf, stridesOf } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { add, max, min, rem } from "../primitives/arithmetic.js";
import { showParam } from "../primitives/checks.js";
import { lt } from "../primitives/comparison.js";
import { div, mul } from "../primitives/field.js";
import { select } from "../primitives/select.js";
import { iota } from "../primitives/shape.js";
import { plainOptions, shapeOf, wholeNumber } from "./axes.js";
import { integers } from "./constants.js";
import { mod } from "./division.js";
import type { Indices } from "./indexing.js";
import { indexArray } from "./indexParts.js";
import { toInt32 } from "./indexPlan.js";
import { type ArrayLike, asArray, broadcastOperands } from "./operands.js";

/**
 * The indices of the main diagonal of an array with `ndim` axes (default 2) of length `n`.
 * @example
 * np.diagIndices(3)[1]; // [0, 1, 2]
 */
export function diagIndices(n: number, ndim = 2): NDArray[] {
  const places = iota("int32", [wholeNumber("diagIndices", "n", n, 0)], 0);
  return new Array<NDArray>(wholeNumber("diagIndices", "ndim", ndim, 0)).fill(places);
}

/**
 * The indices of the main diagonal of an array whose axes have one length.
 * @throws ShapeError if their lengths differ, or there are fewer than two.
 * @example
 * np.diagIndicesFrom(np.zeros([2, 2]))[0]; // [0, 1]
 */
export function diagIndicesFrom(x: ArrayLike): NDArray[] {
  const a = asArray(x, "diagIndicesFrom");
  if (a.ndim < 2 || a.shape.some((n) => n !== a.shape[0]))
    throw new ShapeError(`diagIndicesFrom needs at least two axes of one length, got ${describe(a.aval)}`);
  return diagIndices(a.shape[0], a.ndim);
}

export interface TriangleOptions {
  /** The diagonal at which the triangle ends: positive to the right of the main one. Default: 0. */
  readonly k?: number;
  /** The number of columns. Default: `n`, as many as rows. */
  readonly m?: number;
}

function triangle(
  name: string,
  n: number,
  options: number | TriangleOptions,
  holds: (i: number, j: number, k: number) => boolean,
): [rows: NDArray, columns: NDArray] {
  const given = typeof options === "number" ? { k: options } : options;
  const { k = 0, m = n } = plainOptions<TriangleOptions>(name, given, ["k", "m"]);
  for (const [what, value] of Object.entries({ n, m })) wholeNumber(name, what, value, 0);
  wholeNumber(name, "k", k);
  const rows: number[] = [];
  const columns: number[] = [];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++)
      if (holds(i, j, k)) {
        rows.push(i);
        columns.push(j);
      }
  return [integers(rows), integers(columns)];
}

/**
 * The row and column indices of the triangle on and below the k-th diagonal of an n-by-m matrix.
 * @example
 * np.trilIndices(2)[1]; // [0, 0, 1]
 */
export const trilIndices = (
  n: number,
  options: number | TriangleOptions = {},
): [rows: NDArray, columns: NDArray] => triangle("trilIndices", n, options, (i, j, k) => j <= i + k);

/**
 * The row and column indices of the triangle on and above the k-th diagonal of an n-by-m matrix.
 * @example
 * np.triuIndices(2)[1]; // [0, 1, 1]
 */
export const triuIndices = (
  n: number,
  options: number | TriangleOptions = {},
): [rows: NDArray, columns: NDArray] => triangle("triuIndices", n, options, (i, j, k) => j >= i + k);

function matrixShape(name: string, x: ArrayLike): Shape {
  const a = asArray(x, name);
  if (a.ndim !== 2) throw new ShapeError(`${name} needs a matrix, got ${describe(a.aval)}`);
  return a.shape;
}

/**
 * `trilIndices` for a matrix of the shape of `x`.
 * @example
 * np.trilIndicesFrom(np.zeros([2, 2]))[0]; // [0, 1, 1]
 */
export function trilIndicesFrom(x: ArrayLike, k = 0): [rows: NDArray, columns: NDArray] {
  const [n, m] = matrixShape("trilIndicesFrom", x);
  return trilIndices(n, { k, m });
}

/**
 * `triuIndices` for a matrix of the shape of `x`.
 * @example
 * np.triuIndicesFrom(np.zeros([2, 2]))[0]; // [0, 0, 1]
 */
export function triuIndicesFrom(x: ArrayLike, k = 0): [rows: NDArray, columns: NDArray] {
  const [n, m] = matrixShape("triuIndicesFrom", x);
  return triuIndices(n, { k, m });
}

/**
 * For places in a flattened array of the given shape the indices along its axes. Negative places count from the end;
 * places out of range mean the nearest element.
 * @throws DtypeError for places that are not integers, ShapeError
 * @example
 * np.unravelIndex([1, 5], [2, 3])[1]; // [1, 2]
 */
export function unravelIndex(indices: Indices, shape: number | Shape): NDArray[] {
  const lengths = shapeOf("unravelIndex", shape);
  const total = sizeOf(lengths);
  const given = toInt32(indexArray("unravelIndex", indices), total);
  const inside = min(max(given, -total), total - 1);
  const flat = select(lt(inside, 0), add(inside, total), inside);
  return stridesOf(lengths).map((stride, axis) => {
    const outer = stride === 1 ? flat : div(flat, stride);
    return axis === 0 ? outer : rem(outer, Math.max(lengths[axis], 1));
  });
}

export interface RavelOptions {
  /** What indices out of range do: they are refused ("raise", the default), moved inside ("clip"), or go around ("wrap"). */
  readonly mode?: "raise" | "clip" | "wrap";
  /** Whether the last ("C", the default) or the first axis ("F") is the innermost one. */
  readonly order?: "C" | "F";
}

/**
 * The places in the flattened array of the given shape that indices along its axes mean: the inverse of `unravelIndex`.
 * @throws ArgumentError for indices out of range, unless `mode` says what they mean (under `jit` it has to).
 * @example
 * np.ravelMultiIndex([[0, 1], [1, 2]], [2, 3]); // [1, 5]
 */
export function ravelMultiIndex(
  indices: readonly Indices[],
  shape: number | Shape,
  options: RavelOptions = {},
): NDArray {
  const name = "ravelMultiIndex";
  const { mode = "raise", order = "C" } = plainOptions(name, options, ["mode", "order"]);
  if (mode !== "raise" && mode !== "clip" && mode !== "wrap")
    throw new ArgumentError(`${name}: mode must be "raise", "clip" or "wrap", got ${showParam(mode)}`);
  if (order !== "C" && order !== "F")
    throw new ArgumentError(`${name}: order must be "C" or "F", got ${showParam(order)}`);
  const lengths = shapeOf(name, shape);
  if (indices.length !== lengths.length)
    throw new ArgumentError(`${name}: ${indices.length} index arrays for ${lengths.length} axes`);
  const parts = indices.map((given, axis) => {
    const index = toInt32(indexArray(name, given), lengths[axis]);
    if (mode === "clip") return min(max(index, 0), lengths[axis] - 1);
    if (mode === "wrap") return mod(index, lengths[axis]);
    const { values } = index.concrete(`${name} with mode "raise"`);
    const wrong = values.find((i) => i < 0 || i >= lengths[axis]);
    if (wrong !== undefined)
      throw new ArgumentError(
        `${name}: index ${wrong} is out of range for axis ${axis} of length ${lengths[axis]}`,
      );
    return index;
  });
  const strides = order === "C" ? stridesOf(lengths) : stridesOf([...lengths].reverse()).reverse();
  const terms = broadcastOperands(name, parts).map((part, axis) =>
    strides[axis] === 1 ? part : mul(part, strides[axis]),
  );
  return terms.length === 0 ? integers([0], []) : terms.reduce((a, b) => add(a, b));
}
