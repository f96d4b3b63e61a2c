/** x^y, of which the logarithm is computed to about 34 bits, and the cube root. */
import {
  abs,
  add,
  and,
  cast,
  constant,
  div,
  eq,
  ge,
  gt,
  isNaNOf,
  lt,
  mul,
  ne,
  nearest,
  neg,
  not,
  or,
  select,
  sqrt,
  sub,
  trunc,
  truth,
} from "../ops.js";
import type { Expr } from "../types.js";
import {
  between,
  bitsOf,
  copySign,
  f32,
  fromBits,
  infiniteBits,
  infinity,
  magnitudeBits,
  nan,
  normalBits,
  polynomial,
  scaleByWhole,
  split,
} from "./floats.js";
import { head, type Pair, pairOf, pairProduct, remainderOf, restOfProduct } from "./pairs.js";

/** A constant as a pair. */
function constantPair(value: number): Pair {
  const hi = Math.round(value * 1024) / 1024;
  return { hi: f32(hi), lo: f32(value - hi) };
}

const twoOverLn2 = constantPair(2 / Math.LN2);
const oneThird = constantPair(1 / 3);
const ln2 = constantPair(Math.LN2);

const log2Tail = [0.19999999, 0.14285986, 0.11089865, 0.097781725];

/** log2 x for positive finite x: 2/log 2 · artanh s for s = (m - 1)/(m + 1), of x = m·2^k. */
function log2Pair(x: Expr): Pair {
  const { m, k } = split(x);
  const n = sub(m, 1);
  const dHead = head(add(m, 1));
  const d: Pair = { hi: dHead, lo: sub(n, sub(dHead, 2)) };
  const reciprocal = div(f32(1), add(m, 1));
  const q = head(mul(n, reciprocal));
  const s: Pair = {
    hi: q,
    lo: mul(sub(sub(n, mul(q, d.hi)), mul(q, d.lo)), reciprocal),
  };
  // artanh s = s + s·(z/3 + z² p(z)), z = s².
  const z = pairProduct(s, s);
  const third = pairProduct(z, oneThird);
  const zRounded = add(z.hi, z.lo);
  const series: Pair = {
    hi: third.hi,
    lo: add(third.lo, mul(mul(zRounded, zRounded), polynomial(zRounded, log2Tail))),
  };
  const product = mul(s.hi, series.hi);
  const sum = head(add(s.hi, product));
  const artanh: Pair = {
    hi: sum,
    lo: add(add(sub(s.hi, sum), product), add(s.lo, restOfProduct(s, series))),
  };
  const fraction = pairProduct(artanh, twoOverLn2);
  const whole = cast("f32", k);
  const total = head(add(whole, fraction.hi));
  return { hi: total, lo: add(add(sub(whole, total), fraction.hi), fraction.lo) };
}

const expTail = [0.16666667, 0.041666463, 0.008333206, 0.0013935115, 0.00019946344];

/** 2^(hi + lo) for an exact hi and a much smaller lo: error below 0.52 ULP. */
function exp2Pair(hi: Expr, lo: Expr): Expr {
  const sum = add(hi, lo);
  const k = nearest(between(-160, sum, 130));
  // The rest r in whole 2^-12, and what is left of it.
  const r = sub(hi, k);
  const rHead = mul(nearest(mul(add(r, lo), 4096)), 2 ** -12);
  const rRest = add(sub(r, rHead), lo);
  // 2^r = e^w, and w again in whole 2^-12.
  const product = mul(rHead, ln2.hi);
  const wHead = mul(nearest(mul(product, 4096)), 2 ** -12);
  const wRest = add(sub(product, wHead), add(mul(rHead, ln2.lo), mul(rRest, Math.LN2)));
  const w = add(wHead, wRest);
  // e^w = 1 + w + w²/2 + w³ p(w).
  const cube = mul(mul(mul(w, w), w), polynomial(w, expTail));
  const rest = add(add(wRest, mul(wRest, add(wHead, mul(wRest, 0.5)))), cube);
  const value = add(add(wHead, 1), add(mul(mul(wHead, wHead), 0.5), rest));
  const scaled = scaleByWhole(value, k);
  return select(gt(sum, 129), infinity, select(lt(sum, -152), f32(0), scaled));
}

/** |x|^y, where x is neither 0 nor infinite and y finite. */
function positivePower(x: Expr, y: Pair): Expr {
  const log2 = log2Pair(abs(x));
  return exp2Pair(mul(y.hi, log2.hi), restOfProduct(y, log2));
}

/** What x^y is at 0 and at ±∞, in magnitude. */
const atEnds = (x: Expr, positive: Expr, otherwise: Expr): Expr => {
  const size = magnitudeBits(x);
  const grows = select(positive, infinity, f32(0));
  const shrinks = select(positive, f32(0), infinity);
  return select(eq(size, 0), shrinks, select(eq(size, infiniteBits), grows, otherwise));
};

/**
 * x^y, within 0.6 ULP (0.8 for subnormal powers); powers that are float32 are exact. x^0 and 1^y are 1, also of NaN, and (-1)^±∞ is 1; a negative base
 * with a fraction as exponent gives NaN; else as IEEE 754 has it.
 */
export function pow(x: Expr, y: Expr): Expr {
  // Exponents beyond 2^40 do what 2^40 does. They are all even.
  const exponent = between(-(2 ** 40), y, 2 ** 40);
  const size = abs(exponent);
  const isWhole = or(ge(size, 2 ** 23), eq(trunc(exponent), exponent));
  const half = mul(exponent, 0.5);
  const isOdd = and(and(isWhole, lt(size, 2 ** 24)), ne(trunc(half), half));
  // By its sign bit: a subnormal exponent may be taken for 0, which is not above 0.
  const magnitude = atEnds(x, ge(bitsOf(y), 0), positivePower(x, pairOf(exponent)));
  const isNegative = lt(bitsOf(x), 0);
  const signed = select(and(isNegative, isOdd), neg(magnitude), magnitude);
  const bits = magnitudeBits(x);
  const isOrdinary = and(ne(bits, 0), lt(bits, infiniteBits));
  const isUndefined = and(and(isNegative, isOrdinary), not(isWhole));
  const value = select(or(isUndefined, or(isNaNOf(x), isNaNOf(y))), nan, signed);
  return select(or(eq(x, 1), eq(magnitudeBits(y), 0)), f32(1), value);
}

/** x^n for 0 < n <= 4, by squaring. */
function shortPower(x: Expr, n: number): Expr {
  if (n === 1) return x;
  const square = mul(x, x);
  return n === 2 ? square : n === 3 ? mul(square, x) : mul(square, square);
}

/** x^-n for 0 < n <= 4: a power of the reciprocal, which is corrected by what rounding took from it. */
function shortReciprocal(x: Expr, n: number): Expr {
  const r = div(f32(1), x);
  if (n === 1) return r;
  const lost = remainderOf(f32(1), pairOf(r), pairOf(x));
  const bits = magnitudeBits(r);
  const isOrdinary = and(ne(bits, 0), lt(bits, infiniteBits));
  const corrected = select(isOrdinary, add(r, mul(mul(r, lost), n)), r);
  const square = mul(r, corrected);
  return n === 2 ? square : n === 3 ? mul(r, square) : mul(mul(r, r), square);
}

/** x^n for a whole number n: products up to |n| = 4, within |n|/2 ULP; beyond that within 0.8 ULP. */
export function integerPow(x: Expr, n: number): Expr {
  if (n === 0) return f32(1);
  if (Math.abs(n) <= 4) return n > 0 ? shortPower(x, n) : shortReciprocal(x, -n);
  // Larger ones do the same to every x but ±1.
  const exponent = Math.sign(n) * Math.min(Math.abs(n), 2 ** 40);
  const unit = 2 ** Math.max(0, Math.floor(Math.log2(Math.abs(exponent))) - 10);
  const hi = Math.trunc(exponent / unit) * unit;
  const power = positivePower(x, { hi: f32(hi), lo: f32(exponent - hi) });
  const magnitude = atEnds(x, truth(n > 0), power);
  return select(isNaNOf(x), x, n % 2 === 0 ? magnitude : copySign(magnitude, x));
}

/** 1/√x, within 1.5 ULP (quotient): ±∞ at ±0, NaN below. Of any float type. */
export const rsqrt = (x: Expr): Expr => div(constant(x.type, 1), sqrt(x));

/** The bits of the cube root of 1, times 3, less those of 1; with -3 % to +3 % error a third of the bits is the root. */
const cubeRootBits = 709_958_130;

/** The cube root, negative for negative x, within 1 ULP (quotient). First guess by W. Kahan, Computing a real cube root (1991). */
export function cbrt(x: Expr): Expr {
  const bits = magnitudeBits(x);
  const isSmall = lt(bits, normalBits);
  // Subnormal numbers, which count units of 2^-149, are made 2^150 times larger.
  const v = select(isSmall, mul(cast("f32", bits), 2), abs(x));
  const third = cast("i32", mul(cast("f32", bitsOf(v)), 1 / 3));
  const guess = fromBits(add(third, cubeRootBits));
  // Halley's method: from 5 bits to 12, and of those to all.
  const improve = (t: Expr): Expr => {
    const r = div(v, mul(t, t));
    return mul(t, div(sub(r, t), add(add(t, t), r)));
  };
  const near = head(add(guess, improve(guess)));
  const root = add(near, improve(near));
  const value = copySign(select(isSmall, mul(root, 2 ** -50), root), x);
  return select(and(ne(bits, 0), lt(bits, infiniteBits)), value, x);
}
