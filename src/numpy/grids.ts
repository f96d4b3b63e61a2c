/** Coordinates of grids. */
import type { NDArray } from "../core/array.js";
import { describe, type Shape } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { iota, reshape } from "../primitives/shape.js";
import { plainOptions, shapeOf } from "./axes.js";
import { stack } from "./joining.js";
import { nonzero } from "./nonzero.js";
import { type ArrayLike, asArray } from "./operands.js";
import { type DTypeOption, dataDType, isOptions } from "./options.js";

export interface MeshgridOptions {
  /** "xy" (the default): the first vector runs along the second axis, as in pictures; "ij": axes in order. */
  readonly indexing?: "xy" | "ij";
  /** Leave axes of length 1 instead of repeating (default false). */
  readonly sparse?: boolean;
}

/** Puts a vector along one of several axes; the others have length 1. */
const along = (x: NDArray, axis: number, ndim: number): NDArray =>
  reshape(
    x,
    Array.from({ length: ndim }, (_, i) => (i === axis ? x.size : 1)),
  );

/**
 * For each vector the array of its values over the grid that they span. Options come last.
 * @throws ShapeError if an array has more than one axis; ArgumentError for another indexing.
 * @example
 * np.meshgrid(np.array([1, 2, 3]), np.array([4, 5]))[0]; // [[1, 2, 3], [1, 2, 3]]
 * np.meshgrid(np.array([1, 2, 3]), np.array([4, 5]))[1]; // [[4, 4, 4], [5, 5, 5]]
 */
export function meshgrid(...given: readonly (ArrayLike | MeshgridOptions)[]): NDArray[] {
  const last = given.at(-1);
  const { indexing = "xy", sparse = false } = isOptions(last)
    ? plainOptions<MeshgridOptions>("meshgrid", last, ["indexing", "sparse"])
    : {};
  if (indexing !== "xy" && indexing !== "ij")
    throw new ArgumentError(`meshgrid: indexing must be "xy" or "ij", got ${JSON.stringify(indexing)}`);
  const xs = (isOptions(last) ? given.slice(0, -1) : given).map((x) => asArray(x as ArrayLike, "meshgrid"));
  const wrong = xs.find((x) => x.ndim > 1);
  if (wrong !== undefined) throw new ShapeError(`meshgrid needs vectors, got ${describe(wrong.aval)}`);
  const axes = xs.map((_, i) => (indexing === "xy" && i < 2 && xs.length > 1 ? 1 - i : i));
  const shape = new Array<number>(xs.length);
  for (const [i, x] of xs.entries()) shape[axes[i]] = x.size;
  return xs.map((x, i) =>
    sparse ? along(x, axes[i], xs.length) : broadcastInDim(reshape(x, [x.size]), shape, [axes[i]]),
  );
}

export interface IndicesOptions extends DTypeOption {
  /** Give a list with one array for each axis, which has length 1 along the other axes (default false). */
  readonly sparse?: boolean;
}

/**
 * The index along each axis, for every element of an array of the given shape: an array with one more axis, in front.
 * @throws ShapeError for a shape that is none; DtypeError for a dtype without numbers.
 * @example
 * np.indices([2, 2]); // [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
 */
export function indices(shape: Shape, options: IndicesOptions & { readonly sparse: true }): NDArray[];
export function indices(shape: Shape, options?: IndicesOptions): NDArray;
export function indices(shape: Shape, options: IndicesOptions = {}): NDArray | NDArray[] {
  const { dtype: given = "int32", sparse = false } = plainOptions("indices", options, ["dtype", "sparse"]);
  const dtype = dataDType("indices", given);
  const dims = shapeOf("indices", shape);
  if (sparse) return dims.map((n, axis) => along(iota(dtype, [n], 0), axis, dims.length));
  if (dims.length === 0) return broadcastInDim(iota(dtype, [0], 0), [0], [0]);
  return stack(dims.map((_, axis) => iota(dtype, dims, axis)));
}

/**
 * Vectors as an open mesh: the i-th along axis i, the other axes of length 1, so that they index together every
 * combination. Boolean vectors stand for the indices where they hold.
 * @throws ShapeError if an array is not a vector.
 * @throws ConcretizationError for traced boolean vectors.
 * @example
 * np.ix_(np.array([0, 2], "int32"), np.array([1], "int32"))[0]; // [[0], [2]]
 */
export function ix_(...xs: readonly ArrayLike[]): NDArray[] {
  return xs.map((given, i) => {
    const x = asArray(given, "ix_");
    if (x.ndim !== 1) throw new ShapeError(`ix_ needs vectors, got ${describe(x.aval)}`);
    return along(x.dtype === "bool" ? nonzero(x)[0] : x, i, xs.length);
  });
}
