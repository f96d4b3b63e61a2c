/** Rounding to whole numbers and to decimals. Integers and booleans are whole already and keep their dtype. */
import type { NDArray } from "../core/array.js";
import { integerRange, isFloat } from "../core/dtype.js";
import { add, div, mul, sub } from "../primitives/arithmetic.js";
import { bitwiseAnd, bitwiseOr } from "../primitives/bits.js";
import { eq, gt, lt, ne } from "../primitives/comparison.js";
import * as p from "../primitives/rounding.js";
import { select } from "../primitives/select.js";
import { wholeNumber } from "./axes.js";
import { mod } from "./division.js";
import { type ArrayLike, asArray, inexactOperand } from "./operands.js";
import { shortOptions } from "./options.js";

/**
 * The largest whole number not above x. Its derivative is zero.
 * @example
 * np.floor(np.array([1.5, -1.5])); // [1, -2]
 */
export function floor(x: ArrayLike): NDArray {
  const a = asArray(x, "floor");
  return isFloat(a.dtype) ? p.floor(a) : a;
}

/**
 * The smallest whole number not below x. Its derivative is zero.
 * @example
 * np.ceil(np.array([1.5, -1.5])); // [2, -1]
 */
export function ceil(x: ArrayLike): NDArray {
  const a = asArray(x, "ceil");
  return isFloat(a.dtype) ? p.ceil(a) : a;
}

/** Rounds floats towards zero. */
const towardsZero = (a: NDArray): NDArray => select(lt(a, 0), p.ceil(a), p.floor(a));

/**
 * x without its fraction: rounded towards zero. Its derivative is zero. Also called `fix`.
 * @example
 * np.trunc(np.array([1.5, -1.5])); // [1, -1]
 */
export function trunc(x: ArrayLike): NDArray {
  const a = asArray(x, "trunc");
  return isFloat(a.dtype) ? towardsZero(a) : a;
}

export { trunc as fix };

/**
 * The nearest whole number, as a float; the even one half-way between two.
 * @example
 * np.rint(np.array([0.5, 1.5, 2.4])); // [0, 2, 2]
 */
export const rint = (x: ArrayLike): NDArray => p.round(inexactOperand("rint", x), "toNearestEven");

export interface RoundOptions {
  /** How many digits to keep behind the point; a negative number rounds to tens, hundreds, ... */
  readonly decimals?: number;
}

/**
 * x rounded to a number of decimals (default 0), in its dtype; to the even digit half-way between two. Its derivative
 * is zero. Also called `around`.
 * @throws ArgumentError if `decimals` is not a whole number.
 * @example
 * np.round(np.array([0.5, 1.5, 2.4])); // [0, 2, 2]
 * np.round(np.array([15, 25, 249]), -1); // [20, 20, 250]
 */
export function round(x: ArrayLike, options?: number | RoundOptions): NDArray {
  const given = shortOptions<RoundOptions>("round", options, "decimals", ["decimals"]);
  const decimals = wholeNumber("round", "decimals", given.decimals ?? 0);
  const a = asArray(x, "round");
  if (!isFloat(a.dtype)) return decimals < 0 && a.dtype !== "bool" ? roundInteger(a, 10 ** -decimals) : a;
  if (decimals === 0) return p.round(a, "toNearestEven");
  const factor = 10 ** Math.abs(decimals);
  const scaled = decimals > 0 ? mul(a, factor) : div(a, factor);
  const whole = p.round(scaled, "toNearestEven");
  if (decimals < 0) return mul(whole, factor);
  // What is too large to be scaled has no decimals; it is rounded only to have the derivative that all others have.
  return select(p.isFinite(scaled), div(whole, factor), p.round(a, "toNearestEven"));
}

export { round as around };

/** Integers rounded to a multiple of `unit`, a power of ten. */
function roundInteger(a: NDArray, unit: number): NDArray {
  if (unit / 2 > integerRange(a.dtype)[1]) return mul(a, 0);
  const rest = mod(a, unit);
  const down = sub(a, rest);
  const isOdd = ne(bitwiseAnd(div(down, unit), 1), 0);
  const up = bitwiseOr(gt(rest, unit / 2), bitwiseAnd(eq(rest, unit / 2), isOdd));
  return select(up, add(down, unit), down);
}

/**
 * The fraction and the whole part of x: `[x - trunc(x), trunc(x)]`. The fraction of an infinity is 0.
 * @example
 * np.modf(np.array([1.5, -2.25]))[0]; // [0.5, -0.25]
 * np.modf(np.array([1.5, -2.25]))[1]; // [1, -2]
 */
export function modf(x: ArrayLike): [fraction: NDArray, whole: NDArray] {
  const a = inexactOperand("modf", x);
  const whole = towardsZero(a);
  // Equal at infinities too, where the difference would be NaN.
  return [select(eq(a, whole), 0, sub(a, whole)), whole];
}
