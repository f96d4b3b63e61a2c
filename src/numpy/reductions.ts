/** Sums, products, extremes and their places, all and any. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { type DType, integerRange, isFloat } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { AxisOr, ReduceOptions } from "../core/methods.js";
import * as primitive from "../primitives/argmax.js";
import { add, max as larger, mul, min as smaller, sub } from "../primitives/arithmetic.js";
import { reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { filled } from "../primitives/filled.js";
import {
  type ReductionOp,
  reduceAnd,
  reduceMax,
  reduceMin,
  reduceOr,
  reduceProd,
} from "../primitives/reduction.js";
import { select } from "../primitives/select.js";
import { axisOptions } from "./axes.js";
import { type ArrayLike, asArray, asCondition, convertTo, sumType } from "./operands.js";
import { type DTypeOption, dataDType } from "./options.js";
import {
  axesOf,
  type InitialOption,
  keepAxes,
  type MaskOption,
  maskOf,
  otherAxes,
  type PlaceOptions,
  placeOf,
} from "./reducing.js";

export interface SumOptions extends ReduceOptions, MaskOption, InitialOption, DTypeOption {}

const sumKeys = ["axis", "keepdims", "dtype", "where", "initial"] as const;

/** A fold with a neutral element, which stands for what `where` leaves out. */
interface Fold {
  readonly reduce: ReductionOp;
  readonly combine: (x: NDArray, y: NDArray) => NDArray;
  readonly neutral: number;
}

function fold(
  name: string,
  x: ArrayLike,
  given: AxisOr<SumOptions> | undefined,
  { reduce, combine, neutral }: Fold,
): NDArray {
  const options = axisOptions<SumOptions>(name, given, sumKeys);
  const a = asArray(x, name);
  const axes = axesOf(name, a, options);
  const dtype = options.dtype === undefined ? sumType(a.dtype) : dataDType(name, options.dtype);
  // Half precision has neither the range nor the digits for many terms.
  const inner: DType = dtype === "float16" ? "float32" : dtype;
  let terms = convertElementType(a, inner);
  if (options.where !== undefined) terms = select(maskOf(name, options.where, a.shape), terms, neutral);
  const total = axes.length === 0 ? terms : reduce(terms, axes);
  const { initial } = options;
  const whole =
    initial === undefined ? total : combine(total, convertTo(initial, { dtype: inner, weakType: false }));
  return keepAxes(convertElementType(whole, dtype), a.shape, axes, options);
}

/**
 * The sum along axes (default: of all elements). Booleans and small integers are summed in 32 bits, float16 in float32;
 * integers wrap around. `dtype` converts the elements first, `initial` is added, `where` leaves elements out.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * np.sum(np.array([1, 2, 3])); // 6
 * np.sum(np.array([[1, 2], [3, 4]]), 0); // [4, 6]
 * np.sum(np.array([[1, 2], [3, 4]]), { axis: 1, keepdims: true }); // [[3], [7]]
 */
export const sum = (x: ArrayLike, options?: AxisOr<SumOptions>): NDArray =>
  fold("sum", x, options, { reduce: reduceSum, combine: add, neutral: 0 });

/**
 * The product along axes (default: of all elements). Options and dtypes are those of `sum`. The derivative is exact
 * where elements are zero.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * np.prod(np.array([[1, 2], [3, 4]]), 1); // [2, 12]
 */
export const prod = (x: ArrayLike, options?: AxisOr<SumOptions>): NDArray =>
  fold("prod", x, options, { reduce: reduceProd, combine: mul, neutral: 1 });

export interface ExtremumOptions extends ReduceOptions, MaskOption, InitialOption {}

const extremumKeys = ["axis", "keepdims", "where", "initial"] as const;

interface Extremum {
  readonly reduce: ReductionOp;
  readonly combine: (x: NDArray, y: NDArray) => NDArray;
  /** Loses against everything. */
  readonly loser: (dtype: DType) => number;
}

/** Reductions of weak-typed arrays are not weak. */
const notWeak = (x: NDArray): NDArray => convertElementType(x, x.dtype);

function extremum(
  name: string,
  x: ArrayLike,
  given: AxisOr<ExtremumOptions> | undefined,
  { reduce, combine, loser }: Extremum,
): NDArray {
  const options = axisOptions<ExtremumOptions>(name, given, extremumKeys);
  const { where, initial } = options;
  const a = notWeak(asArray(x, name));
  const axes = axesOf(name, a, options);
  if (where !== undefined && initial === undefined)
    throw new ArgumentError(`${name}: where needs initial, the result where no element takes part`);
  const elements = where === undefined ? a : select(maskOf(name, where, a.shape), a, loser(a.dtype));
  const start = initial === undefined ? undefined : convertTo(initial, { dtype: a.dtype, weakType: false });
  if (axes.some((i) => a.shape[i] === 0)) {
    if (start === undefined)
      throw new ShapeError(
        `${name} of no elements does not exist (${describe(a.aval)}); see the option initial`,
      );
    const shape = otherAxes(a.shape, axes).map((i) => a.shape[i]);
    return keepAxes(filled(shape, start), a.shape, axes, options);
  }
  const best = axes.length === 0 ? elements : reduce(elements, axes);
  return keepAxes(start === undefined ? best : combine(best, start), a.shape, axes, options);
}

const lowest = (dtype: DType): number => (isFloat(dtype) ? -Infinity : integerRange(dtype)[0]);
const highest = (dtype: DType): number => (isFloat(dtype) ? Infinity : integerRange(dtype)[1]);

/**
 * The largest element along axes (default: of all); NaN wins. Elements that tie share the derivative. `initial` takes
 * part too, and is the result where there are no elements; `where` leaves elements out and needs `initial`. Also called
 * `amax`.
 * @throws ShapeError if there is no element; AxisError for an axis that does not exist; ArgumentError for unknown
 * options.
 * @example
 * np.max(np.array([[1, 5], [4, 2]]), 1); // [5, 4]
 * np.max(np.zeros(0), { initial: -1 }); // -1
 */
export const max = (x: ArrayLike, options?: AxisOr<ExtremumOptions>): NDArray =>
  extremum("max", x, options, { reduce: reduceMax, combine: larger, loser: lowest });

export { max as amax };

/**
 * The smallest element along axes (default: of all); NaN wins. Options and errors are those of `max`. Also called
 * `amin`.
 * @example
 * np.min(np.array([[1, 5], [4, 2]]), 1); // [1, 2]
 */
export const min = (x: ArrayLike, options?: AxisOr<ExtremumOptions>): NDArray =>
  extremum("min", x, options, { reduce: reduceMin, combine: smaller, loser: highest });

export { min as amin };

/**
 * The distance from the smallest to the largest element along axes (default: of all).
 * @throws ShapeError if there is no element; AxisError for an axis that does not exist.
 * @example
 * np.ptp(np.array([3, 1, 8])); // 7
 */
export function ptp(x: ArrayLike, options?: AxisOr<ReduceOptions>): NDArray {
  const given = axisOptions<ReduceOptions>("ptp", options, ["axis", "keepdims"]);
  return sub(max(x, given), min(x, given));
}

export interface ConditionOptions extends ReduceOptions, MaskOption {}

function quantify(
  name: string,
  x: ArrayLike,
  given: AxisOr<ConditionOptions> | undefined,
  reduce: ReductionOp,
  neutral: number,
): NDArray {
  const options = axisOptions<ConditionOptions>(name, given, ["axis", "keepdims", "where"]);
  const a = asCondition(asArray(x, name));
  const axes = axesOf(name, a, options);
  const elements = options.where === undefined ? a : select(maskOf(name, options.where, a.shape), a, neutral);
  return keepAxes(axes.length === 0 ? elements : reduce(elements, axes), a.shape, axes, options);
}

/**
 * Whether all elements along axes (default: all there are) are not zero; true for no elements. NaN is not zero.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * np.all(np.array([[true, false], [true, true]]), 1); // [false, true]
 */
export const all = (x: ArrayLike, options?: AxisOr<ConditionOptions>): NDArray =>
  quantify("all", x, options, reduceAnd, 1);

/**
 * Whether any element along axes (default: of all) is not zero; false for no elements. NaN is not zero.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * np.any(np.array([[true, false], [false, false]]), 1); // [true, false]
 */
export const any = (x: ArrayLike, options?: AxisOr<ConditionOptions>): NDArray =>
  quantify("any", x, options, reduceOr, 0);

/**
 * How many elements along axes (default: of all) are not zero: int32.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * np.countNonzero(np.array([[1, 0], [2, 3]]), 1); // [1, 2]
 */
export function countNonzero(x: ArrayLike, options?: AxisOr<ReduceOptions>): NDArray {
  const given = axisOptions<ReduceOptions>("countNonzero", options, ["axis", "keepdims"]);
  return sum(asCondition(asArray(x, "countNonzero")), given);
}

/**
 * The index (int32) of the largest element along an axis, or without one in the flattened array. The first of several
 * is taken; the first NaN is largest of all.
 * @throws ShapeError if there is no element; AxisError for an axis that does not exist.
 * @example
 * np.argmax(np.array([3, 7, 7])); // 1
 * np.argmax(np.array([[1, 5], [4, 2]]), 0); // [1, 0]
 */
export const argmax = (x: ArrayLike, options?: AxisOr<PlaceOptions>): NDArray =>
  placeOf("argmax", x, options, primitive.argmax);

/**
 * The index (int32) of the smallest element along an axis, or without one in the flattened array. The first of several
 * is taken, or the first NaN.
 * @throws ShapeError if there is no element; AxisError for an axis that does not exist.
 * @example
 * np.argmin(np.array([3, 1, 1])); // 1
 */
export const argmin = (x: ArrayLike, options?: AxisOr<PlaceOptions>): NDArray =>
  placeOf("argmin", x, options, primitive.argmin);
