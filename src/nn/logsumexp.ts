/** Logarithms of sums of exponentials, without overflow. */
import type { NDArray } from "../core/array.js";
import type { Shape } from "../core/aval.js";
import type { AxisOr, ReduceOptions } from "../core/methods.js";
import { axisOptions } from "../numpy/axes.js";
import { broadcastArrays } from "../numpy/manipulation.js";
import { type ArrayLike, inexactOperand, promoteOperands } from "../numpy/operands.js";
import { axesOf, countAlong, keepAxes, type MaskOption, maskOf } from "../numpy/reducing.js";
import { abs, add, mul, neg, sign, sub } from "../primitives/arithmetic.js";
import { reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { lt, ne } from "../primitives/comparison.js";
import { exp, expm1, log, log1p } from "../primitives/exponential.js";
import { isFinite as finite } from "../primitives/rounding.js";
import { select } from "../primitives/select.js";
import { alongside, largest } from "./sums.js";

export interface LogMeanExpOptions extends ReduceOptions, MaskOption {}

export interface LogSumExpOptions extends LogMeanExpOptions {
  /** Factors of the exponentials, of any sign; they broadcast with x. */
  readonly b?: ArrayLike;
  /** Give the sign of the sum as well, and the logarithm of its absolute value. Default: false. */
  readonly returnSign?: boolean;
}

/** The operand and its factors. What does not take part is -∞, whose exponential adds nothing. */
function terms(name: string, x: ArrayLike, { b, where }: LogSumExpOptions): [a: NDArray, factors?: NDArray] {
  const [given, factors] =
    b === undefined ? [inexactOperand(name, x)] : broadcastArrays(...promoteOperands(name, [x, b], true));
  const weighted = factors === undefined ? given : select(ne(factors, 0), given, -Infinity);
  return [
    where === undefined ? weighted : select(maskOf(name, where, given.shape), weighted, -Infinity),
    factors,
  ];
}

interface LogSum {
  /** log |Σ b eˣ|, with the reduced axes dropped. */
  readonly logarithm: NDArray;
  /** The sum, up to a positive factor. */
  readonly sum: NDArray;
  readonly shape: Shape;
  readonly axes: readonly number[];
}

function logSum(name: string, x: ArrayLike, options: LogSumExpOptions): LogSum {
  const [a, factors] = terms(name, x, options);
  const axes = axesOf(name, a, options);
  const top = largest(a, axes);
  // Infinities cannot be subtracted from themselves; without that they come out right.
  const shift = top === undefined ? undefined : select(finite(top), top, 0);
  const scaled = exp(shift === undefined ? a : sub(a, alongside(shift, a, axes)));
  const sum = reduceSum(factors === undefined ? scaled : mul(factors, scaled), axes);
  const own = log(factors === undefined ? sum : abs(sum));
  return { logarithm: shift === undefined ? own : add(own, shift), sum, shape: a.shape, axes };
}

/**
 * log Σ b eˣ along axes (default: of all elements), without overflow: -∞ for a sum of nothing or of e^-∞ alone, NaN for
 * a negative sum. With `returnSign` the answer is a pair, log |Σ b eˣ| and the sign of the sum.
 * @throws AxisError for an axis that does not exist; ShapeError if `b` or `where` do not broadcast; ArgumentError for
 *   unknown options.
 * @example
 * nn.logsumexp(np.array([1000, 1000])); // 1000.6931
 * nn.logsumexp(np.array([0, 0]), { b: np.array([1, -3]), returnSign: true }); // [0.6931, -1]
 */
export function logsumexp(
  x: ArrayLike,
  options: LogSumExpOptions & { readonly returnSign: true },
): [logarithm: NDArray, sign: NDArray];
export function logsumexp(
  x: ArrayLike,
  options?: AxisOr<LogSumExpOptions & { readonly returnSign?: false }>,
): NDArray;
export function logsumexp(x: ArrayLike, options?: AxisOr<LogSumExpOptions>): NDArray | [NDArray, NDArray] {
  const name = "nn.logsumexp";
  const given = axisOptions<LogSumExpOptions>(name, options, [
    "axis",
    "keepdims",
    "b",
    "returnSign",
    "where",
  ]);
  const { logarithm, sum, shape, axes } = logSum(name, x, given);
  const kept = (result: NDArray) => keepAxes(result, shape, axes, given);
  if (given.returnSign) return [kept(logarithm), kept(sign(sum))];
  return kept(given.b === undefined ? logarithm : select(lt(sum, 0), Number.NaN, logarithm));
}

/**
 * The logarithm of the mean of exponentials along axes (default: of all elements), without overflow.
 * @throws AxisError for an axis that does not exist; ShapeError if `where` does not broadcast; ArgumentError for unknown
 *   options.
 * @example
 * nn.logmeanexp(np.array([1000, 1000])); // 1000
 */
export function logmeanexp(x: ArrayLike, options?: AxisOr<LogMeanExpOptions>): NDArray {
  const name = "nn.logmeanexp";
  const given = axisOptions<LogMeanExpOptions>(name, options, ["axis", "keepdims", "where"]);
  const { logarithm, shape, axes } = logSum(name, x, given);
  const mask = given.where === undefined ? undefined : maskOf(name, given.where, shape);
  const count = countAlong(mask, shape, axes);
  const logCount =
    typeof count === "number" ? Math.log(count) : log(convertElementType(count, logarithm.dtype));
  return keepAxes(sub(logarithm, logCount), shape, axes, given);
}

/**
 * log(1 - e⁻ˣ) for x > 0, exact for small and for large x. NaN below 0.
 * @see Mächler, Accurately computing log(1 - exp(-|a|)), https://cran.r-project.org/package=Rmpfr
 * @example
 * nn.log1mexp(np.array([1e-9, 1, 50])); // [-20.7233, -0.4587, -1.929e-22]
 */
export function log1mexp(x: ArrayLike): NDArray {
  const a = inexactOperand("nn.log1mexp", x);
  const small = lt(a, Math.LN2);
  // Each side gets an operand from its own range, so that the other's derivative is never 0 · ∞.
  const near = log(neg(expm1(neg(select(small, a, Math.LN2)))));
  const far = log1p(neg(exp(neg(select(small, Math.LN2, a)))));
  return select(small, near, far);
}
