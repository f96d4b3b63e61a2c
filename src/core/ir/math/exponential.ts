/** e^x and its relatives. Range reduction by W. J. Cody & W. Waite, Software manual for the elementary functions (1980). */
import { abs, add, cast, div, i32, lt, min, mul, nearest, neg, select, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { between, f32, magnitudeBits, polynomial, powerOfTwo, scale } from "./floats.js";

/** log 2 in two parts; the first has 9 bits, so that its products with exponents are exact. */
export const ln2 = { hi: 0.693359375, lo: -2.1219444e-4 } as const;

/** x = k·log 2 + r with |r| <= (log 2)/2 and a whole number k (f32). */
export function reduceExponent(x: Expr): { readonly k: Expr; readonly r: Expr } {
  const k = nearest(mul(x, Math.LOG2E));
  return { k, r: sub(sub(x, mul(k, ln2.hi)), mul(k, ln2.lo)) };
}

const tail = [0.5, 0.16666667, 0.04166649, 0.008333208, 0.0013932685, 0.00019944286];

/** e^r - 1 for |r| <= (log 2)/2. */
export const shortExpm1 = (r: Expr): Expr => add(r, mul(mul(r, r), polynomial(r, tail)));

/** e^x, within 1 ULP. Overflows to ∞ and underflows to subnormal numbers and 0. */
export function exp(x: Expr): Expr {
  const { k, r } = reduceExponent(between(-104, x, 89));
  return scale(add(shortExpm1(r), 1), cast("i32", k));
}

const powersOfTwo = [Math.LN2, 0.2402265, 0.055503596, 0.0096180625, 0.0013390983, 0.00015462881];

/** 2^x, within 1.1 ULP; exact for whole numbers. */
export function exp2(x: Expr): Expr {
  const clamped = between(-151, x, 129);
  const k = nearest(clamped);
  const r = sub(clamped, k);
  return scale(add(mul(r, polynomial(r, powersOfTwo)), 1), cast("i32", k));
}

/** e^x - 1, within 1.5 ULP. */
export function expm1(x: Expr): Expr {
  const { k, r } = reduceExponent(between(-20, x, 89));
  const whole = cast("i32", k);
  // 2^k (e^r - 1 + (1 - 2^-k)). From 2^-25 on, 2^-k does not count, so that it may be made larger.
  const rest = sub(f32(1), powerOfTwo(sub(i32(0), min(whole, 100))));
  const value = scale(add(shortExpm1(r), rest), whole);
  // Keeps -0 and subnormal numbers.
  return select(lt(magnitudeBits(x), 0x33000000), x, value);
}

/** 1 / (1 + e^-x), within 2.5 ULP (quotient). */
export function logistic(x: Expr): Expr {
  const e = exp(neg(abs(x)));
  return div(select(lt(x, 0), e, 1), add(e, 1));
}
