/** Arrays put together along an axis that they have, or along a new one. */
import { NDArray } from "../core/array.js";
import { describeAll, type Shape, sameShape } from "../core/aval.js";
import { type DType, requireDType } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { AxisOr } from "../core/methods.js";
import * as primitive from "../primitives/concatenate.js";
import { expandDims as insertAxes, reshape } from "../primitives/shape.js";
import { axisOptions, oneAxis } from "./axes.js";
import { atleast1d, atleast2d, atleast3d, ravel } from "./manipulation.js";
import { type ArrayLike, asArray, convertTo, promoteOperands } from "./operands.js";
import { unstack } from "./splitting.js";

/** Arrays in a list, or those along the first axis of one array. */
export type Arrays = readonly ArrayLike[] | NDArray;

function listOf(name: string, xs: Arrays): readonly ArrayLike[] {
  if (xs instanceof NDArray) return unstack(xs);
  if (!Array.isArray(xs)) throw new ArgumentError(`${name} takes a list of arrays, got a ${typeof xs}`);
  if (xs.length === 0) throw new ArgumentError(`${name} needs at least one array, got an empty list`);
  return xs;
}

const promoted = (name: string, xs: readonly ArrayLike[], dtype: DType | undefined): NDArray[] => {
  if (dtype === undefined) return promoteOperands(name, xs);
  const type = { dtype: requireDType(dtype, name), weakType: false };
  return xs.map((x) => convertTo(asArray(x, name), type));
};

function joinAlong(name: string, xs: readonly NDArray[], axis: number): NDArray {
  const [first] = xs;
  if (first.ndim === 0)
    throw new ShapeError(`${name}: scalars have no axis to be joined along; use np.stack`);
  const along = oneAxis(name, axis, first.shape);
  const fits = (s: Shape) =>
    s.length === first.ndim && s.every((n, i) => i === along || n === first.shape[i]);
  if (!xs.every((x) => fits(x.shape)))
    throw new ShapeError(
      `${name} needs arrays that differ in length only along axis ${along}, got ${describeAll(xs.map((x) => x.aval))}`,
    );
  return xs.length === 1 ? first : primitive.concatenate(xs, along);
}

interface JoinOptions {
  /** Default: 0; null joins the flattened arrays. */
  readonly axis?: number | null;
  /** Default: the dtype that the arrays promote to. */
  readonly dtype?: DType;
}

/**
 * The arrays one after the other along an axis.
 * @throws ShapeError unless they differ only along that axis.
 * @example
 * np.concatenate([np.array([1, 2]), np.array([3])]); // [1, 2, 3]
 */
export function concatenate(arrays: Arrays, options?: AxisOr<JoinOptions>): NDArray {
  const { axis = 0, dtype } = axisOptions<JoinOptions>("concatenate", options, ["axis", "dtype"]);
  const xs = promoted("concatenate", listOf("concatenate", arrays), dtype);
  return axis === null ? joinAlong("concatenate", xs.map(ravel), 0) : joinAlong("concatenate", xs, axis);
}

export { concatenate as concat };

/**
 * Arrays of one shape as the slices of an array with one more axis, at place `axis` (default 0).
 * @throws ShapeError if the shapes differ.
 * @example
 * np.stack([np.array([1, 2]), np.array([3, 4])], 1); // [[1, 3], [2, 4]]
 */
export function stack(
  arrays: Arrays,
  options?: AxisOr<{ readonly axis?: number; readonly dtype?: DType }>,
): NDArray {
  const { axis = 0, dtype } = axisOptions<{ axis?: number; dtype?: DType }>("stack", options, [
    "axis",
    "dtype",
  ]);
  const xs = promoted("stack", listOf("stack", arrays), dtype);
  if (!xs.every((x) => sameShape(x.shape, xs[0].shape)))
    throw new ShapeError(`stack needs arrays of one shape, got ${describeAll(xs.map((x) => x.aval))}`);
  const place = oneAxis("stack", axis, [...xs[0].shape, 1]);
  return joinAlong(
    "stack",
    xs.map((x) => insertAxes(x, [place])),
    place,
  );
}

/**
 * Arrays below each other: along axis 0, vectors being rows.
 * @example
 * np.vstack([np.array([1, 2]), np.array([3, 4])]); // [[1, 2], [3, 4]]
 */
export const vstack = (arrays: Arrays): NDArray =>
  concatenate(
    listOf("vstack", arrays).map((x) => atleast2d(x)),
    0,
  );

/**
 * Arrays beside each other: along axis 1, or axis 0 for vectors.
 * @example
 * np.hstack([np.array([1, 2]), np.array([3])]); // [1, 2, 3]
 */
export function hstack(arrays: Arrays): NDArray {
  const xs = listOf("hstack", arrays).map((x) => atleast1d(x));
  return concatenate(xs, xs[0].ndim === 1 ? 0 : 1);
}

/**
 * Arrays behind each other: along axis 2, a vector of length n having shape [1, n, 1].
 * @example
 * np.dstack([np.array([1, 2]), np.array([3, 4])]); // [[[1, 3], [2, 4]]]
 */
export const dstack = (arrays: Arrays): NDArray =>
  concatenate(
    listOf("dstack", arrays).map((x) => atleast3d(x)),
    2,
  );

/**
 * Vectors as the columns of a matrix; matrices are put beside them.
 * @example
 * np.columnStack([np.array([1, 2]), np.array([3, 4])]); // [[1, 3], [2, 4]]
 */
export const columnStack = (arrays: Arrays): NDArray =>
  concatenate(
    listOf("columnStack", arrays).map((x) => {
      const a = asArray(x, "columnStack");
      return a.ndim < 2 ? reshape(a, [a.size, 1]) : a;
    }),
    1,
  );

/**
 * `x` followed by `values` along an axis; without one, both flattened.
 * @example
 * np.append(np.array([[1, 2]]), np.array([[3, 4]]), 0); // [[1, 2], [3, 4]]
 */
export function append(
  x: ArrayLike,
  values: ArrayLike,
  options?: AxisOr<{ readonly axis?: number | null }>,
): NDArray {
  const { axis = null } = axisOptions<{ axis?: number | null }>("append", options, ["axis"]);
  return concatenate([x, values], axis);
}

/** Arrays in nested lists, as they are to lie beside each other. */
export type Blocks = ArrayLike | readonly Blocks[];

/**
 * Arrays put together as blocks: the innermost lists along the last axis, the lists around them along the axis before,
 * and so on. Axes that blocks lack are added in front.
 * @throws ShapeError if the blocks do not fit, ArgumentError if lists are empty or nested to different depths.
 * @example
 * np.block([[np.ones([1, 1]), np.zeros([1, 2])], [np.zeros([1, 3])]]); // [[1, 0, 0], [0, 0, 0]]
 */
export function block(blocks: Blocks): NDArray {
  const depth = depthOf(blocks);
  const leaves = (b: Blocks): NDArray[] => (isList(b) ? b.flatMap(leaves) : [asArray(b, "block")]);
  const ndim = Math.max(depth, ...leaves(blocks).map((a) => a.ndim));
  const join = (b: Blocks, level: number): NDArray => {
    if (!isList(b)) {
      const a = asArray(b, "block");
      return reshape(a, [...new Array<number>(ndim - a.ndim).fill(1), ...a.shape]);
    }
    const parts = promoteOperands(
      "block",
      b.map((inner) => join(inner, level - 1)),
    );
    return joinAlong("block", parts, ndim - level);
  };
  return join(blocks, depth);
}

const isList = (b: Blocks): b is readonly Blocks[] => Array.isArray(b);

function depthOf(blocks: Blocks): number {
  if (!isList(blocks)) return 0;
  const depths = new Set(blocks.map(depthOf));
  if (depths.size !== 1)
    throw new ArgumentError(
      depths.size === 0
        ? "block: a list is empty"
        : `block: lists are nested to different depths (${[...depths].join(", ")})`,
    );
  return depths.values().next().value! + 1;
}
