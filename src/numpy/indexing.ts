/** Elements by index: what `x.slice(...)` reads, and NumPy's functions that take elements from given places. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ArgumentError, AxisError, ShapeError } from "../core/errors.js";
import type { AxisOr } from "../core/methods.js";
import { convertElementType } from "../primitives/cast.js";
import { showParam } from "../primitives/checks.js";
import type { GatherMode } from "../primitives/gather.js";
import { reshape, transpose } from "../primitives/shape.js";
import { slice } from "../primitives/slicing.js";
import { axisOptions, oneAxis, plainOptions, wholeNumber } from "./axes.js";
import { mod } from "./division.js";
import { type IndexList, type Indices, indexArray, wrapNegative } from "./indexParts.js";
import { ravel } from "./manipulation.js";
import { type ArrayLike, asArray } from "./operands.js";
import { counting, elementAt, gatherAxis } from "./rearrange.js";

export { at } from "./at.js";
export { index } from "./indexRead.js";
export type { IndexList, Indices };

export type TakeMode = "clip" | "fill" | "wrap";

interface TakeOptions {
  /** Default: null, the flattened array. */
  readonly axis?: number | null;
  /** Default: "fill". */
  readonly mode?: TakeMode;
  /** What "fill" fills with. Default: NaN for floats, the smallest int32, the largest unsigned integer, true. */
  readonly fillValue?: number | null;
}

/** Indices as a gather wants them: "wrap" goes around, "fill" counts negative ones from the end, "clip" does not. */
export function placed(
  name: string,
  indices: NDArray,
  length: number,
  mode: TakeMode,
): { places: NDArray; mode: GatherMode } {
  if (mode === "clip") return { places: indices, mode };
  if (mode === "fill") return { places: wrapNegative(indices, length), mode };
  if (mode !== "wrap")
    throw new ArgumentError(`${name}: mode must be "fill", "clip" or "wrap", got ${showParam(mode)}`);
  const wide = indices.dtype === "uint32" ? indices : convertElementType(indices, "int32");
  return { places: mod(wide, Math.max(length, 1)), mode: "clip" };
}

/**
 * The elements (or, with an axis, the slices) at the given integer places. Indices out of range give the fill value
 * ("fill", the default; negative indices count from the end), the nearest element ("clip"; also for negative ones) or
 * go around ("wrap").
 * @throws DtypeError for indices that are not integers, AxisError, ArgumentError
 * @example
 * np.take(np.array([10, 20, 30]), [2, 0, -1]); // [30, 10, 30]
 */
export function take(x: ArrayLike, indices: Indices, options?: AxisOr<TakeOptions>): NDArray {
  const {
    axis = null,
    mode = "fill",
    fillValue = null,
  } = axisOptions<TakeOptions>("take", options, ["axis", "mode", "fillValue"]);
  const given = asArray(x, "take");
  const a = axis === null ? ravel(given) : given;
  const along = axis === null ? 0 : oneAxis("take", axis, a.shape);
  const length = a.shape[along];
  const array = indexArray("take", indices);
  if (length === 0 && array.size > 0 && mode !== "fill")
    throw new ShapeError(`take: axis ${along} of ${describe(a.aval)} has no elements to take`);
  const { places, mode: outside } = placed("take", array, length, mode);
  // A number within the array needs no gather.
  if (typeof indices === "number") {
    const place = Number(places.dataSync()[0]);
    if (place >= 0 && place < length) return elementAt(a, along, place);
  }
  return gatherAxis(a, along, places, outside, fillValue);
}

export interface DiagonalOptions {
  /** How far the diagonal lies to the right of the main one. Default: 0. */
  readonly offset?: number;
  /** The two axes of the matrices. Default: 0 and 1. */
  readonly axis1?: number;
  readonly axis2?: number;
}

/**
 * The elements (i, i + offset) of the matrices along two axes, as a new last axis.
 * @throws AxisError unless `axis1` and `axis2` are two axes.
 * @example
 * np.diagonal(np.array([[1, 2], [3, 4]])); // [1, 4]
 */
export function diagonal(x: ArrayLike, options: DiagonalOptions = {}): NDArray {
  const known = ["offset", "axis1", "axis2"] as const;
  const { offset = 0, axis1 = 0, axis2 = 1 } = plainOptions("diagonal", options, known);
  return diagonalOf("diagonal", asArray(x, "diagonal"), offset, axis1, axis2);
}

/** A diagonal of a matrix is a slice of its elements in row-major order, in steps of a row and one. */
export function diagonalOf(name: string, a: NDArray, offset: number, axis1: number, axis2: number): NDArray {
  const [rows, columns] = [oneAxis(name, axis1, a.shape), oneAxis(name, axis2, a.shape)];
  if (rows === columns)
    throw new AxisError(`${name}: axis1 and axis2 are both axis ${rows} of ${describe(a.aval)}`);
  const others = counting(a.ndim).filter((i) => i !== rows && i !== columns);
  const lengths = others.map((i) => a.shape[i]);
  const [m, n] = [a.shape[rows], a.shape[columns]];
  wholeNumber(name, "offset", offset);
  const length = Math.max(0, offset < 0 ? Math.min(m + offset, n) : Math.min(m, n - offset));
  const flat = reshape(transpose(a, [...others, rows, columns]), [...lengths, m * n]);
  const first = length === 0 ? 0 : offset < 0 ? -offset * n : offset;
  return slice(
    flat,
    [...lengths.map(() => 0), first],
    [...lengths, length === 0 ? 0 : first + (length - 1) * (n + 1) + 1],
    [...lengths.map(() => 1), n + 1],
  );
}
