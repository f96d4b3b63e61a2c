/** Logarithms. */
import { add, and, cast, eq, gt, i32, lt, min, mul, not, select, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { ln2 } from "./exponential.js";
import {
  bitsOf,
  f32,
  infiniteBits,
  infinity,
  magnitudeBits,
  nan,
  polynomial,
  powerOfTwo,
  type Split,
  split,
} from "./floats.js";

const tail = [
  0.33333313, -0.2500001, 0.20002072, -0.16667989, 0.1422036, -0.124062404, 0.118835375, -0.11670014,
  0.067491755,
];

/** k·log 2 + log(1 + f) + rest, for √½ <= 1 + f <= √2 and a rest that is small beside them. */
export function logOfParts(k: Expr, f: Expr, rest: Expr): Expr {
  const square = mul(f, f);
  const small = add(mul(mul(square, f), polynomial(f, tail)), add(mul(k, ln2.lo), rest));
  return add(mul(k, ln2.hi), sub(f, sub(mul(square, 0.5), small)));
}

/** The logarithm of m·2^k, times 1 + rest. */
export const logOfSplit = ({ m, k }: Split, rest: Expr = f32(0)): Expr =>
  logOfParts(cast("f32", k), sub(m, 1), rest);

/** The logarithm of what is known to be positive and finite, times 1 + rest. */
export const logOfPositive = (x: Expr, rest: Expr = f32(0)): Expr => logOfSplit(split(x), rest);

/** The natural logarithm, within 1 ULP: -∞ at 0, NaN below. */
export function log(x: Expr): Expr {
  const bits = bitsOf(x);
  const finite = select(lt(bits, infiniteBits), logOfPositive(x), x);
  return select(eq(magnitudeBits(x), 0), f32(-Infinity), select(lt(bits, 0), nan, finite));
}

/** log(1 + x), within 1 ULP: -∞ at -1, NaN below. */
export function log1p(x: Expr): Expr {
  const { m, k } = split(add(x, 1));
  // 1 + x and x in units of 2^k. What rounding took from the sum m·2^k is found from m, whose origin compilers do not see:
  // they take (1 + x) - 1 for x.
  const one = powerOfTwo(sub(i32(0), min(k, 100)));
  const part = mul(x, one);
  const lost = select(gt(x, 1), sub(one, sub(m, part)), sub(part, sub(m, one)));
  const isNear = eq(k, 0);
  // Where 1 + x lies between √½ and √2 there is no need for the sum; beyond 2^24 it is x.
  const f = select(isNear, x, sub(m, 1));
  const hasRest = and(not(isNear), lt(k, 25));
  // 1/m, roughly.
  const slope = add(mul(f, sub(f, 1)), 1);
  const value = logOfParts(cast("f32", k), f, select(hasRest, mul(lost, slope), 0));
  const size = magnitudeBits(x);
  const isTiny = lt(size, 0x33000000);
  const inside = select(and(gt(x, -1), lt(size, infiniteBits)), select(isTiny, x, value), infinityOrNaN(x));
  return select(eq(x, -1), f32(-Infinity), inside);
}

/** ∞ for ∞, NaN for NaN and all that is below. */
const infinityOrNaN = (x: Expr): Expr => select(eq(bitsOf(x), infiniteBits), infinity, nan);
