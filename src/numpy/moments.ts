/** Means, variances and weighted averages. */
import type { NDArray } from "../core/array.js";
import { describe, sameShape } from "../core/aval.js";
import { type DType, isFloat } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { AxisOr, ReduceOptions } from "../core/methods.js";
import { div, mul, sqrt, square, sub } from "../primitives/arithmetic.js";
import { broadcastInDim, reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { gt } from "../primitives/comparison.js";
import { filled } from "../primitives/filled.js";
import { select } from "../primitives/select.js";
import { axisOptions } from "./axes.js";
import { type ArrayLike, asArray, promoteOperands } from "./operands.js";
import { type DTypeOption, dataDType } from "./options.js";
import { axesOf, countAlong, keepAxes, type MaskOption, maskOf, otherAxes } from "./reducing.js";

export interface MeanOptions extends ReduceOptions, MaskOption, DTypeOption {}

/** What means and variances start from: the elements as floats that bear many of them, and who takes part. */
interface Sample {
  readonly a: NDArray;
  readonly axes: readonly number[];
  readonly mask: NDArray | undefined;
  readonly count: NDArray | number;
  /** The dtype of the result. */
  readonly dtype: DType;
}

function sample(name: string, x: ArrayLike, options: MeanOptions): Sample {
  const given = asArray(x, name);
  const own: DType = isFloat(given.dtype) ? given.dtype : "float32";
  const dtype = options.dtype === undefined ? own : dataDType(name, options.dtype);
  const wide: DType = isFloat(dtype) ? dtype : own;
  const a = convertElementType(given, wide === "float16" ? "float32" : wide);
  const axes = axesOf(name, a, options);
  const mask = options.where === undefined ? undefined : maskOf(name, options.where, a.shape);
  return { a, axes, mask, count: countAlong(mask, a.shape, axes), dtype };
}

const total = (x: NDArray, { axes, mask }: Sample): NDArray =>
  reduceSum(mask === undefined ? x : select(mask, x, 0), axes);

/** A count, less some, as a divisor; NaN unless something is left. */
function divisor({ count, a }: Sample, less: number): NDArray | number {
  if (typeof count === "number") return count > less ? count - less : Number.NaN;
  const left = sub(convertElementType(count, a.dtype), less);
  return select(gt(left, 0), left, Number.NaN);
}

const meanOf = (s: Sample): NDArray => div(total(s.a, s), divisor(s, 0));

/**
 * The mean along axes (default: of all elements). Integers and booleans give float32; float16 is summed in float32. NaN
 * for no elements. `where` leaves elements out.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * np.mean(np.array([1, 2, 4, 5])); // 3
 * np.mean(np.array([[1, 2], [3, 4]]), 0); // [2, 3]
 */
export function mean(x: ArrayLike, options?: AxisOr<MeanOptions>): NDArray {
  const given = axisOptions<MeanOptions>("mean", options, ["axis", "keepdims", "dtype", "where"]);
  const s = sample("mean", x, given);
  return keepAxes(convertElementType(meanOf(s), s.dtype), s.a.shape, s.axes, given);
}

export interface VarianceOptions extends MeanOptions {
  /** What is subtracted from the number of elements before it divides (default 0). */
  readonly ddof?: number;
  /** Another name of `ddof`. */
  readonly correction?: number;
}

const varianceKeys = ["axis", "keepdims", "dtype", "where", "ddof", "correction"] as const;

function varianceOf(name: string, x: ArrayLike, options: VarianceOptions): { result: NDArray; s: Sample } {
  const { ddof, correction } = options;
  if (ddof !== undefined && correction !== undefined)
    throw new ArgumentError(`${name}: ddof and correction are two names of one option`);
  const s = sample(name, x, options);
  const means = meanOf(s);
  const kept = otherAxes(s.a.shape, s.axes);
  const centred = sub(s.a, means.ndim === 0 ? means : broadcastInDim(means, s.a.shape, kept));
  return { result: div(total(square(centred), s), divisor(s, ddof ?? correction ?? 0)), s };
}

/**
 * The variance along axes (default: of all elements): the mean of |x - mean|², or with `ddof` their sum divided by
 * n - ddof. NaN unless n > ddof. Exported as `np.var`.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * np.var(np.array([1, 2, 3, 4])); // 1.25
 * np.var(np.array([1, 2, 3]), { ddof: 1 }); // 1
 */
export function variance(x: ArrayLike, options?: AxisOr<VarianceOptions>): NDArray {
  const given = axisOptions<VarianceOptions>("var", options, varianceKeys);
  const { result, s } = varianceOf("var", x, given);
  return keepAxes(convertElementType(result, s.dtype), s.a.shape, s.axes, given);
}

/**
 * The standard deviation along axes: the square root of the variance. Options and errors are those of `var`.
 * @example
 * np.std(np.array([1, 3, 5, 7])); // 2.236068
 */
export function std(x: ArrayLike, options?: AxisOr<VarianceOptions>): NDArray {
  const given = axisOptions<VarianceOptions>("std", options, varianceKeys);
  const { result, s } = varianceOf("std", x, given);
  return keepAxes(convertElementType(sqrt(result), s.dtype), s.a.shape, s.axes, given);
}

export interface AverageOptions extends ReduceOptions {
  /** The weight of each element: of the shape of the array, or a vector along the one axis. */
  readonly weights?: ArrayLike;
  /** Whether to return the sum of the weights too: `[average, sumOfWeights]`. */
  readonly returned?: boolean;
}

/**
 * The average along axes (default: of all elements), weighted if `weights` are given.
 * @throws ShapeError for weights that do not fit; AxisError for an axis that does not exist.
 * @example
 * np.average(np.array([1, 2, 3]), { weights: np.array([1, 1, 2]) }); // 2.25
 */
export function average(
  x: ArrayLike,
  options: AverageOptions & { readonly returned: true },
): [average: NDArray, sumOfWeights: NDArray];
export function average(x: ArrayLike, options?: AxisOr<AverageOptions>): NDArray;
export function average(x: ArrayLike, options?: AxisOr<AverageOptions>): NDArray | [NDArray, NDArray] {
  const given = axisOptions<AverageOptions>("average", options, ["axis", "keepdims", "weights", "returned"]);
  const { axis, keepdims, weights } = given;
  const [a, w] = promoteOperands("average", [x, weights ?? 1], true);
  const axes = axesOf("average", a, given);
  const spread = weightsOver(a, w, axes);
  const sumOfWeights = reduceSum(spread, axes);
  const result =
    weights === undefined ? mean(a, { axis }) : div(reduceSum(mul(a, spread), axes), sumOfWeights);
  const [kept, keptWeights] = [result, sumOfWeights].map((r) => keepAxes(r, a.shape, axes, { keepdims }));
  return given.returned ? [kept, keptWeights] : kept;
}

/** Weights for every element. */
function weightsOver(a: NDArray, w: NDArray, axes: readonly number[]): NDArray {
  if (w.ndim === 0) return filled(a.shape, w);
  if (sameShape(w.shape, a.shape)) return w;
  if (w.ndim === 1 && axes.length === 1 && w.shape[0] === a.shape[axes[0]])
    return broadcastInDim(w, a.shape, axes);
  throw new ShapeError(
    `average: the weights must have the shape of the array, or be a vector along the one axis; got ${describe(w.aval)} for ${describe(a.aval)}`,
  );
}
