/** Running sums and products. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { type DType, isFloat } from "../core/dtype.js";
import { AxisError } from "../core/errors.js";
import type { AxisOr } from "../core/methods.js";
import { convertElementType } from "../primitives/cast.js";
import { ne } from "../primitives/comparison.js";
import * as primitive from "../primitives/cumulative.js";
import { select } from "../primitives/select.js";
import { reshape } from "../primitives/shape.js";
import { pad } from "../primitives/slicing.js";
import { axisOptions, oneAxis } from "./axes.js";
import { type ArrayLike, asArray } from "./operands.js";
import { type DTypeOption, dataDType } from "./options.js";

export interface CumulativeOptions extends DTypeOption {
  /** Without an axis the array is flattened first. */
  readonly axis?: number | null;
}

interface Running {
  readonly op: primitive.CumulativeOp;
  readonly neutral: number;
}

const sums: Running = { op: primitive.cumsum, neutral: 0 };
const products: Running = { op: primitive.cumprod, neutral: 1 };

/** The elements in the dtype of the result: booleans are counted in int32. */
function terms(name: string, x: ArrayLike, dtype: DType | undefined): NDArray {
  const a = asArray(x, name);
  const own: DType = a.dtype === "bool" ? "int32" : a.dtype;
  return convertElementType(a, dtype === undefined ? own : dataDType(name, dtype));
}

function running(
  name: string,
  x: ArrayLike,
  given: AxisOr<CumulativeOptions> | undefined,
  { op }: Running,
): NDArray {
  const { axis = null, dtype } = axisOptions<CumulativeOptions>(name, given, ["axis", "dtype"]);
  const a = terms(name, x, dtype);
  if (axis === null) return op(reshape(a, [a.size]), { axis: 0, reverse: false });
  return op(a, { axis: oneAxis(name, axis, a.shape), reverse: false });
}

/**
 * Running sums along an axis, or without one over the flattened array. Booleans give int32, all others their dtype;
 * `dtype` converts the elements first.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * np.cumsum(np.array([1, 2, 3])); // [1, 3, 6]
 * np.cumsum(np.array([[1, 2], [3, 4]]), 0); // [[1, 2], [4, 6]]
 */
export const cumsum = (x: ArrayLike, options?: AxisOr<CumulativeOptions>): NDArray =>
  running("cumsum", x, options, sums);

/**
 * Running products along an axis, or without one over the flattened array. Options and dtypes are those of `cumsum`. The
 * derivative is exact where elements are zero.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * np.cumprod(np.array([1, 2, 3])); // [1, 2, 6]
 */
export const cumprod = (x: ArrayLike, options?: AxisOr<CumulativeOptions>): NDArray =>
  running("cumprod", x, options, products);

/** x with a number in place of NaN. */
function withoutNaN(name: string, x: ArrayLike, value: number): NDArray {
  const a = asArray(x, name);
  return isFloat(a.dtype) ? select(ne(a, a), value, a) : a;
}

/**
 * Running sums that pass over NaN. Options and errors are those of `cumsum`.
 * @example
 * np.nancumsum(np.array([1, NaN, 3])); // [1, 1, 4]
 */
export const nancumsum = (x: ArrayLike, options?: AxisOr<CumulativeOptions>): NDArray =>
  running("nancumsum", withoutNaN("nancumsum", x, 0), options, sums);

/**
 * Running products that pass over NaN. Options and errors are those of `cumprod`.
 * @example
 * np.nancumprod(np.array([2, NaN, 3])); // [2, 2, 6]
 */
export const nancumprod = (x: ArrayLike, options?: AxisOr<CumulativeOptions>): NDArray =>
  running("nancumprod", withoutNaN("nancumprod", x, 1), options, products);

export interface CumulativeSumOptions extends DTypeOption {
  /** May be left out for a vector alone. */
  readonly axis?: number;
  /** Whether to start with the empty sum or product, so that the axis is longer by one (default false). */
  readonly includeInitial?: boolean;
}

function runningAlong(
  name: string,
  x: ArrayLike,
  given: AxisOr<CumulativeSumOptions> | undefined,
  { op, neutral }: Running,
): NDArray {
  const options = axisOptions<CumulativeSumOptions>(name, given, ["axis", "dtype", "includeInitial"]);
  const a = terms(name, x, options.dtype);
  if (a.ndim !== 1 && (options.axis === undefined || options.axis === null))
    throw new AxisError(`${name}: ${describe(a.aval)} is not a vector, so it needs an axis`);
  const axis = oneAxis(name, options.axis ?? 0, a.shape);
  const result = op(a, { axis, reverse: false });
  if (!options.includeInitial) return result;
  return pad(
    result,
    neutral,
    a.shape.map((_, i) => [i === axis ? 1 : 0, 0, 0]),
  );
}

/**
 * Running sums along an axis, which only a vector may leave out.
 * @throws AxisError without an axis, or for one that does not exist; ArgumentError for unknown options.
 * @example
 * np.cumulativeSum(np.array([1, 2, 3]), { includeInitial: true }); // [0, 1, 3, 6]
 */
export const cumulativeSum = (x: ArrayLike, options?: AxisOr<CumulativeSumOptions>): NDArray =>
  runningAlong("cumulativeSum", x, options, sums);

/**
 * Running products along an axis, which only a vector may leave out.
 * @throws AxisError without an axis, or for one that does not exist; ArgumentError for unknown options.
 * @example
 * np.cumulativeProd(np.array([1, 2, 3]), { includeInitial: true }); // [1, 1, 2, 6]
 */
export const cumulativeProd = (x: ArrayLike, options?: AxisOr<CumulativeSumOptions>): NDArray =>
  runningAlong("cumulativeProd", x, options, products);
