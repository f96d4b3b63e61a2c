/** Arrays as sets: which different elements there are, and which are among others. */
import type { NDArray } from "../core/array.js";
import { describe, sizeOf } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { ShapeError } from "../core/errors.js";
import { sub } from "../primitives/arithmetic.js";
import { bitwiseAnd, bitwiseNot, bitwiseOr } from "../primitives/bits.js";
import { broadcastInDim, reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { eq, lt, ne } from "../primitives/comparison.js";
import { cumsum } from "../primitives/cumulative.js";
import { reduceOr } from "../primitives/reduction.js";
import { scatter } from "../primitives/scatter.js";
import { select } from "../primitives/select.js";
import { iota, reshape } from "../primitives/shape.js";
import { sort } from "../primitives/sort.js";
import { oneAxis, plainOptions, wholeNumber } from "./axes.js";
import { full } from "./constants.js";
import { concatenate } from "./joining.js";
import { moveaxis, ravel } from "./manipulation.js";
import { nonzero } from "./nonzero.js";
import { type ArrayLike, asArray, promoteOperands, stretch } from "./operands.js";
import { counting, elementAt, gatherAxis, sliceAxis } from "./rearrange.js";
import { countBefore } from "./searching.js";
import { fitting } from "./values.js";

export interface UniqueOptions {
  /** The slices along this axis are compared. Default: null, the elements. */
  readonly axis?: number | null;
  /** How many to give: further ones are left out, missing ones filled in. Default: as many as there are. */
  readonly size?: number;
  /** What missing ones are filled with. Default: the smallest. */
  readonly fillValue?: number;
  /** Whether NaN equals NaN. Default: true. */
  readonly equalNan?: boolean;
  /** Also give the places where they first occur; for each element the number of its value; how often each occurs. */
  readonly returnIndex?: boolean;
  readonly returnInverse?: boolean;
  readonly returnCounts?: boolean;
}

/** Slices along axis 0 in lexicographic order, where they come from, and which of them differ from the one before. */
function sortedSlices(
  a: NDArray,
  equalNan: boolean,
): { sorted: NDArray; origins: NDArray; isFirst: NDArray } {
  const [n] = a.shape;
  const width = sizeOf(a.shape.slice(1));
  const numbers = iota("int32", [n], 0);
  const columns = a.ndim === 1 ? [a] : counting(width).map((i) => elementAt(reshape(a, [n, width]), 1, i));
  const results = sort([...columns, numbers], { dimension: 0, numKeys: Math.max(width, 1) });
  const origins = results[columns.length];
  const sorted = a.ndim === 1 ? results[0] : gatherAxis(a, 0, origins, "promiseInBounds");
  if (n === 0) return { sorted, origins, isFirst: full([0], 1, "bool") };
  const [previous, next] = [sliceAxis(sorted, 0, 0, n - 1), sliceAxis(sorted, 0, 1, n)];
  const differs = ne(previous, next);
  const isNumber =
    isFloat(a.dtype) && equalNan ? bitwiseOr(eq(previous, previous), eq(next, next)) : undefined;
  const changes = reduceOr(
    isNumber === undefined ? differs : bitwiseAnd(differs, isNumber),
    counting(a.ndim - 1, 1),
  );
  return { sorted, origins, isFirst: concatenate([full([1], 1, "bool"), changes]) };
}

interface Unique {
  readonly values: NDArray;
  readonly indices: () => NDArray;
  readonly inverse: () => NDArray;
  readonly counts: () => NDArray;
}

function findUnique(name: string, x: ArrayLike, options: UniqueOptions): Unique {
  const { axis = null, size, fillValue, equalNan = true } = options;
  const given = asArray(x, name);
  const along = axis === null ? 0 : oneAxis(name, axis, given.shape);
  const a = axis === null ? ravel(given) : moveaxis(given, along, 0);
  const [n] = a.shape;
  if (size !== undefined) wholeNumber(name, "size", size, 0);
  if (n === 0 && size !== undefined && size > 0 && fillValue === undefined)
    throw new ShapeError(
      `${name}: ${describe(given.aval)} has nothing to fill size ${size} with; give fillValue`,
    );
  const { sorted, origins, isFirst } = sortedSlices(a, equalNan);
  // Without a size the number of values decides about the shape, so the values must be known.
  const mask = size === undefined ? isFirst.concrete(`${name} (without the option size)`) : isFirst;
  const first = nonzero(mask, size === undefined ? {} : { size })[0];
  const taken = (from: NDArray): NDArray =>
    n === 0
      ? full([...first.shape, ...from.shape.slice(1)], 0, from.dtype)
      : gatherAxis(from, 0, first, "clip");
  const found = taken(sorted);
  const isMissing = (): NDArray => {
    const count = reduceSum(convertElementType(isFirst, "int32"), [0]);
    return bitwiseNot(lt(iota("int32", first.shape, 0), count));
  };
  const values =
    size === undefined || fillValue === undefined
      ? found
      : select(broadcastInDim(isMissing(), found.shape, [0]), fitting(name, found, fillValue), found);
  // The places where values begin, and one more: where the last one ends.
  const bounds = (): NDArray =>
    size === undefined
      ? concatenate([first, full([1], n, "int32")])
      : nonzero(mask, { size: size + 1, fillValue: n })[0];
  return {
    values: moveaxis(values, 0, along),
    indices: () => taken(origins),
    inverse: () => {
      const numbers = sub(cumsum(convertElementType(isFirst, "int32"), { axis: 0, reverse: false }), 1);
      const inverse = scatter(full([n], 0, "int32"), reshape(origins, [n, 1]), numbers, {
        updateWindowDims: [],
        insertedWindowDims: [0],
        scatterDimsToOperandDims: [0],
        mode: "promiseInBounds",
      });
      return axis === null ? reshape(inverse, given.shape) : inverse;
    },
    counts: () => {
      const places = bounds();
      return sub(sliceAxis(places, 0, 1, places.size), sliceAxis(places, 0, 0, places.size - 1));
    },
  };
}

const uniqueKeys = [
  "axis",
  "size",
  "fillValue",
  "equalNan",
  "returnIndex",
  "returnInverse",
  "returnCounts",
] as const;

/**
 * The different elements, in ascending order (NaN last). With `returnIndex`, `returnInverse` or `returnCounts` a list of
 * the elements and what these ask for, in this order. How many elements there are depends on values, so under `jit` the
 * option `size` is needed.
 * @throws ConcretizationError for a traced array whose values are not known, without `size`; AxisError
 * @example
 * np.unique(np.array([3, 1, 3, 2])); // [1, 2, 3]
 */
export function unique(
  x: ArrayLike,
  options?: UniqueOptions & {
    readonly returnIndex?: false;
    readonly returnInverse?: false;
    readonly returnCounts?: false;
  },
): NDArray;
export function unique(x: ArrayLike, options: UniqueOptions): NDArray[];
export function unique(x: ArrayLike, options: UniqueOptions = {}): NDArray | NDArray[] {
  const given = plainOptions("unique", options, uniqueKeys);
  const { values, indices, inverse, counts } = findUnique("unique", x, given);
  const more = [
    ...(given.returnIndex ? [indices()] : []),
    ...(given.returnInverse ? [inverse()] : []),
    ...(given.returnCounts ? [counts()] : []),
  ];
  return more.length === 0 ? values : [values, ...more];
}

export type SetOptions = Pick<UniqueOptions, "size" | "fillValue">;

const setKeys = ["size", "fillValue"] as const;

/** The array API counts each NaN as a value of its own. */
const distinct = (name: string, x: ArrayLike, options: SetOptions): Unique =>
  findUnique(name, x, { ...plainOptions(name, options, setKeys), equalNan: false });

/**
 * The different elements in ascending order; NaNs all differ.
 * @throws ConcretizationError as `unique`.
 * @example
 * np.uniqueValues(np.array([3, 1, 3])); // [1, 3]
 */
export const uniqueValues = (x: ArrayLike, options: SetOptions = {}): NDArray =>
  distinct("uniqueValues", x, options).values;

/**
 * The different elements, and how often each occurs.
 * @throws ConcretizationError as `unique`.
 * @example
 * np.uniqueCounts(np.array([3, 1, 3])).counts; // [1, 2]
 */
export function uniqueCounts(x: ArrayLike, options: SetOptions = {}): { values: NDArray; counts: NDArray } {
  const { values, counts } = distinct("uniqueCounts", x, options);
  return { values, counts: counts() };
}

/**
 * The different elements, and for each element of `x` the number of its value.
 * @throws ConcretizationError as `unique`.
 * @example
 * np.uniqueInverse(np.array([3, 1, 3])).inverseIndices; // [1, 0, 1]
 */
export function uniqueInverse(
  x: ArrayLike,
  options: SetOptions = {},
): { values: NDArray; inverseIndices: NDArray } {
  const { values, inverse } = distinct("uniqueInverse", x, options);
  return { values, inverseIndices: inverse() };
}

/**
 * The different elements, where each first occurs, for each element of `x` the number of its value, and how often each
 * occurs.
 * @throws ConcretizationError as `unique`.
 * @example
 * np.uniqueAll(np.array([3, 1, 3])).indices; // [1, 0]
 */
export function uniqueAll(
  x: ArrayLike,
  options: SetOptions = {},
): { values: NDArray; indices: NDArray; inverseIndices: NDArray; counts: NDArray } {
  const { values, indices, inverse, counts } = distinct("uniqueAll", x, options);
  return { values, indices: indices(), inverseIndices: inverse(), counts: counts() };
}

/** Up to this many comparisons are made at once; more are left to a search. */
const mostComparisons = 2 ** 14;

/**
 * For each element whether it is among those of another array; with `invert`, whether it is not. NaN never is.
 * @example
 * np.isin(np.array([1, 2, 3]), np.array([3, 1])); // [true, false, true]
 */
export function isin(
  x: ArrayLike,
  elements: ArrayLike,
  options: { readonly invert?: boolean } = {},
): NDArray {
  const { invert = false } = plainOptions<{ invert?: boolean }>("isin", options, ["invert"]);
  const [a, others] = promoteOperands("isin", [x, elements]);
  const list = ravel(others);
  const found = isAmong(a, list);
  return invert ? bitwiseNot(found) : found;
}

function isAmong(a: NDArray, list: NDArray): NDArray {
  if (list.size === 0) return full(a.shape, 0, "bool");
  if (list.size === 1) return eq(a, elementAt(list, 0, 0));
  if (a.size * list.size <= mostComparisons) {
    const shape = [...a.shape, list.size];
    return reduceOr(eq(broadcastInDim(a, shape, counting(a.ndim)), stretch(list, shape)), [a.ndim]);
  }
  const [sorted] = sort([list], { dimension: 0 });
  return eq(gatherAxis(sorted, 0, countBefore(sorted, a, "left"), "clip"), a);
}
