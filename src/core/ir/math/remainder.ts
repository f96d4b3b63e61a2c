/**
 * The remainder of floats, exactly. x - trunc(x/y)·y is right only while the quotient fits a float; here both are taken
 * apart into whole numbers of 24 bits and powers of two, and 22 bits of the quotient are divided off at a time, in
 * arithmetic modulo 2^32. Thirteen steps reach from the largest number to the smallest; those that an element does
 * not need are computed all the same, and not taken.
 */
import { add, and, cast, div, eq, ge, gt, i32, lt, mul, nearest, or, select, shr, sub } from "../ops.js";
import type { Expr } from "../types.js";
import {
  bitsOf,
  f32,
  flipSign,
  infiniteBits,
  magnitudeBits,
  nan,
  normalBits,
  powerOfTwo,
  scale,
} from "./floats.js";

/** Bits of the quotient in a step: few enough that an estimate in single precision is off by less than 1. */
const bitsInStep = 22;

/** Steps after the first: the exponents of floats, subnormal ones included, differ by at most 276. */
const steps = 12;

/** |x| = m·2^e with a whole m from 2^23 on, for x neither 0 nor infinite; both i32. */
function apart(x: Expr): { readonly m: Expr; readonly e: Expr } {
  const bits = magnitudeBits(x);
  const isSmall = lt(bits, normalBits);
  // A subnormal number counts units of 2^-149.
  const normal = select(isSmall, bitsOf(cast("f32", bits)), bits);
  const e = sub(shr(normal, 23), select(isSmall, i32(150 + 149), 150));
  return { m: add(and(normal, normalBits - 1), normalBits), e };
}

/** x - trunc(x/y)·y, exact, with the sign of x; NaN for infinite x and for y = 0; x for infinite y. */
export function remainder(x: Expr, y: Expr): Expr {
  const [px, py] = [apart(x), apart(y)];
  const distance = sub(px.e, py.e);
  const [modulus, inverse] = [py.m, div(f32(1), cast("f32", py.m))];
  // r·2^k less a multiple of the modulus: between -modulus and modulus, or little beyond.
  const step = (r: Expr, factor: Expr, factorOf: Expr): Expr => {
    const quotient = cast("i32", nearest(mul(mul(cast("f32", r), inverse), factorOf)));
    return sub(mul(r, factor), mul(quotient, modulus));
  };
  // What is left over of the distance comes first.
  const wholeSteps = cast("i32", nearest(sub(mul(cast("f32", distance), 1 / bitsInStep), 0.49)));
  const first = powerOfTwo(sub(distance, mul(wholeSteps, bitsInStep)));
  let r = step(px.m, cast("i32", first), first);
  const [whole, wholeOf] = [i32(2 ** bitsInStep), f32(2 ** bitsInStep)];
  for (let i = 0; i < steps; i++) r = select(gt(wholeSteps, i), step(r, whole, wholeOf), r);
  // Now add or subtract what is still too much or too little.
  for (let i = 0; i < 2; i++) r = select(lt(r, 0), add(r, modulus), r);
  for (let i = 0; i < 2; i++) r = select(ge(r, modulus), sub(r, modulus), r);
  const value = flipSign(scale(cast("f32", r), py.e), bitsOf(x));
  const isLess = lt(magnitudeBits(x), magnitudeBits(y));
  const [bx, by] = [magnitudeBits(x), magnitudeBits(y)];
  const isUndefined = or(or(ge(bx, infiniteBits), gt(by, infiniteBits)), eq(by, 0));
  return select(isUndefined, nan, select(isLess, x, value));
}
