/** e^x and its relatives. Range reduction by W. J. Cody & W. Waite, Software manual for the elementary functions (1980). */
import { abs, add, div, gt, lt, min, mul, nearest, neg, rarely, select, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { between, f32, magnitudeBits, polynomial, powerOfWhole, scaleByWhole } from "./floats.js";

/** log 2 in two parts; the first has 9 bits, so that its products with exponents are exact. */
export const ln2 = { hi: 0.693359375, lo: -2.1219444e-4 } as const;

/** x = k·log 2 + r with a whole number k (f32) and |r| <= (log 2)/2. */
export interface Reduced {
  readonly k: Expr;
  readonly r: Expr;
  /** r before it is rounded: `exact - small`. */
  readonly exact: Expr;
  readonly small: Expr;
}

export function reduceExponent(x: Expr): Reduced {
  const k = nearest(mul(x, Math.LOG2E));
  const exact = sub(x, mul(k, ln2.hi));
  const small = mul(k, ln2.lo);
  return { k, r: sub(exact, small), exact, small };
}

const tail = [0.5, 0.16666667, 0.04166649, 0.008333208, 0.0013932685, 0.00019944286];

/** e^r - 1 for |r| <= (log 2)/2. */
export const shortExpm1 = (r: Expr): Expr => add(r, mul(mul(r, r), polynomial(r, tail)));

/** The same, less exact where r is small: to be added to 1. */
const roughTail = [0.49999994, 0.16666521, 0.041668274, 0.008368683, 0.0013820049];

/** e^r - 1 - r for |r| <= (log 2)/2, with an error that is small beside 1. */
export const roughRest = (r: Expr): Expr => mul(mul(r, r), polynomial(r, roughTail));

/**
 * 2^k·(1 + slope·r + r²·p(r)), rounded once more, for a whole number k from -150 to 103. The sum is computed as 2^-24 of what it is, so
 * that the power of two beside it is a normal number where the result is not. At k = -151 that power is 0, and so is the
 * product: no multiplication has a subnormal result, which takes long, where all is far below.
 */
function timesPower(k: Expr, r: Expr, { slope, rest }: Series, isLarge?: Expr): Expr {
  const small = 2 ** -24;
  const smallRest = rest.map((c) => c * small);
  const sum = add(add(mul(r, slope * small), mul(mul(r, r), polynomial(r, smallRest))), small);
  const product = mul(sum, powerOfWhole(k, 24));
  if (isLarge === undefined) return product;
  return rarely(isLarge, mul(mul(sum, powerOfWhole(k, 24 - 50)), 2 ** 50), product);
}

interface Series {
  readonly slope: number;
  readonly rest: readonly number[];
}

/** The operand of an exponential where it lies between two numbers. */
const within = (low: number, x: Expr, high: number, isLarge: Expr): Expr =>
  rarely(isLarge, select(gt(x, high), high, x), atLeast(low, x));

const atLeast = (low: number, x: Expr): Expr => select(lt(x, low), low, x);

const exponential: Series = { slope: 1, rest: roughTail };

/** Here k is -151, and e^x far below all numbers. */
const zeroFrom = -104.6;

/** e^x, within 1 ULP. Overflows to ∞ and underflows to subnormal numbers and 0. */
export function exp(x: Expr): Expr {
  const isLarge = gt(x, 71);
  const { k, r } = reduceExponent(within(zeroFrom, x, 89, isLarge));
  return timesPower(k, r, exponential, isLarge);
}

/** e^x for x <= 0, within 1 ULP. */
export function expOfNegative(x: Expr): Expr {
  const { k, r } = reduceExponent(atLeast(zeroFrom, x));
  return timesPower(k, r, exponential);
}

const powerOfTwo: Series = {
  slope: Math.LN2,
  rest: [0.2402265, 0.055503596, 0.0096180625, 0.0013390983, 0.00015462881],
};

/** 2^x, within 1.1 ULP; exact for whole numbers. */
export function exp2(x: Expr): Expr {
  const isLarge = gt(x, 103);
  const bounded = within(-151, x, 129, isLarge);
  const k = nearest(bounded);
  return timesPower(k, sub(bounded, k), powerOfTwo, isLarge);
}

/** e^x - 1, within 1.5 ULP. */
export function expm1(x: Expr): Expr {
  const { k, r } = reduceExponent(between(-20, x, 89));
  // 2^k (e^r - 1 + (1 - 2^-k)). From 2^-25 on, 2^-k does not count, so that it may be made larger.
  const rest = sub(f32(1), powerOfWhole(neg(min(k, 100))));
  const value = scaleByWhole(add(shortExpm1(r), rest), k);
  // Keeps -0 and subnormal numbers.
  return select(lt(magnitudeBits(x), 0x33000000), x, value);
}

/** 1 / (1 + e^-x), within 2.5 ULP (quotient). */
export function logistic(x: Expr): Expr {
  const e = expOfNegative(neg(abs(x)));
  return div(select(lt(x, 0), e, 1), add(e, 1));
}
