/**
 * What the functions of this folder are built from. They compute in single precision with basic operations alone, without
 * branches, loops or tables, so that one description vectorizes on the CPU and compiles to a shader.
 *
 * Error bounds are in units in the last place of the exact result, and hold for rounded additions, products and quotients
 * (fused multiply-add may replace any product and sum). A GPU whose division is off by 2.5 units adds about that where the
 * bound says "quotient"; one that flushes subnormal numbers to zero may lose results below 2^-120. What rounding takes
 * from a sum is found by way of bits where it matters, since shader compilers take (a + b) - a for b.
 *
 * Polynomials are minimax fits, made with test/tools/minimax.py unless a source is named.
 */
import {
  abs,
  add,
  and,
  bitcast,
  cast,
  constant,
  gt,
  i32,
  lt,
  mul,
  or,
  select,
  shl,
  shr,
  sub,
  xor,
} from "../ops.js";
import type { Expr } from "../types.js";

export const f32 = (value: number): Expr => constant("f32", value);

export const infinity = f32(Infinity);
export const nan = f32(NaN);

/** The bits as an i32: those of floats that are not negative are in the order of the floats. */
export const bitsOf = (x: Expr): Expr => bitcast("i32", x);
export const fromBits = (bits: Expr): Expr => bitcast("f32", bits);

/** The bits without the sign. They tell zeros, subnormal numbers, infinities and NaN apart whatever a GPU does to them. */
export const magnitudeBits = (x: Expr): Expr => and(bitsOf(x), 0x7fffffff);

/** The highest bit is the sign bit of the float. */
const signBit = -0x80000000;

export const infiniteBits = 0x7f800000;

/** Neither infinite nor NaN; for f64 too. */
export const isFinite = (x: Expr): Expr =>
  x.type === "f64" ? lt(abs(x), Infinity) : lt(magnitudeBits(x), infiniteBits);

/** The bits of the smallest normal number. */
export const normalBits = 0x00800000;

/** |m| with the sign of s. */
export const copySign = (m: Expr, s: Expr): Expr => fromBits(or(magnitudeBits(m), and(bitsOf(s), signBit)));

/** m, which has no sign bit, with the sign of s. */
export const withSign = (m: Expr, s: Expr): Expr => fromBits(or(bitsOf(m), and(bitsOf(s), signBit)));

/** x, negated where bit 31 of `bits` is set. */
export const flipSign = (x: Expr, bits: Expr): Expr => fromBits(xor(bitsOf(x), and(bits, signBit)));

/** Σ c_k x^k by Horner's rule; the coefficients from the lowest. */
function nested(x: Expr, coefficients: readonly number[]): Expr {
  let sum = f32(coefficients[coefficients.length - 1]);
  for (let k = coefficients.length - 2; k >= 0; k--) sum = add(mul(sum, x), coefficients[k]);
  return sum;
}

/** Shorter polynomials have nothing to do beside each other. */
const shortest = 5;

/**
 * Σ c_k x^k; the coefficients from the lowest. Long ones are polynomials of x², whose coefficients are pairs of terms (G. Estrin,
 * 1960): a product more, but half as many operations that wait for each other, of which a processor can hold only so many.
 */
export function polynomial(x: Expr, coefficients: readonly number[]): Expr {
  if (coefficients.length < shortest) return nested(x, coefficients);
  const square = mul(x, x);
  const pair = (k: number): Expr => nested(x, coefficients.slice(k, k + 2));
  const last = (coefficients.length - 1) & -2;
  let sum = pair(last);
  for (let k = last - 2; k >= 0; k -= 2) sum = add(mul(sum, square), pair(k));
  return sum;
}

/** x between two numbers; NaN stays. (`min` and `max` would do the same, but cost more where NaN must be kept.) */
export function between(low: number, x: Expr, high: number): Expr {
  const bounded = select(gt(x, high), high, x);
  return select(lt(bounded, low), low, bounded);
}

/** 2^k for a whole number k (i32) from -126 to 127. */
export const powerOfTwo = (k: Expr): Expr => fromBits(shl(add(k, 127), 23));

/** x·2^k for a whole number k (i32) from -252 to 254, without overflow on the way; rounded once for x about 1. */
export function scale(x: Expr, k: Expr): Expr {
  const half = shr(k, 1);
  return mul(mul(x, powerOfTwo(half)), powerOfTwo(sub(k, half)));
}

/** Added to a whole number of no more than 22 bits, it leaves it in the lowest bits of the sum. */
export const wholeInBits = 1.5 * 2 ** 23;

/** A whole number of no more than 22 bits as an i32: quicker than a conversion, which has to saturate. */
export const wholeOf = (k: Expr): Expr => sub(bitsOf(add(k, wholeInBits)), bitsOf(f32(wholeInBits)));

/** 2^(k + more), from 2^-126 to 2^127, for a whole number k (f32). What is above the last bits is shifted out. */
export const powerOfWhole = (k: Expr, more = 0): Expr =>
  fromBits(shl(bitsOf(add(k, wholeInBits + 127 + more)), 23));

/** x·2^k for a whole number k (f32) from -252 to 254, as `scale`; NaN if x is NaN. */
export function scaleByWhole(x: Expr, k: Expr): Expr {
  const biased = bitsOf(add(k, wholeInBits + 2 * 127));
  const half = shr(biased, 1);
  return mul(mul(x, fromBits(shl(half, 23))), fromBits(shl(sub(biased, half), 23)));
}

/** x > 0 as m·2^k. */
export interface Split {
  /** From √½ to √2. */
  readonly m: Expr;
  /** i32. */
  readonly k: Expr;
}

const rootHalfBits = 0x3f3504f3;

/** Takes a positive finite number apart, exactly; subnormal ones by their bits. */
export function split(x: Expr): Split {
  const bits = bitsOf(x);
  const isSmall = lt(bits, normalBits);
  // The bits of a subnormal number count units of 2^-149.
  const normal = select(isSmall, bitsOf(cast("f32", bits)), bits);
  const k = shr(sub(normal, rootHalfBits), 23);
  return { m: fromBits(sub(normal, shl(k, 23))), k: sub(k, select(isSmall, i32(149), 0)) };
}
