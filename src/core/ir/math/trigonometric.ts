/** Sine, cosine and tangent, of every float32. */
import { add, bitcast, cast, div, gt, lt, mul, rarely, select, shl, shr, sub, xor } from "../ops.js";
import type { Expr } from "../types.js";
import { type Angle, reduceAngle } from "./angle.js";
import {
  bitsOf,
  f32,
  flipSign,
  fromBits,
  infiniteBits,
  magnitudeBits,
  nan,
  polynomial,
  wholeInBits,
} from "./floats.js";

/** An angle of at most π/4, or a little more: `r - excess`, where the excess is what rounding has added. */
export interface Arc {
  readonly r: Expr;
  readonly excess: Expr;
}

/** π/2; the first part has 8 bits, so that its products with 16 bits are exact. */
const quarter = { hi: 1.5703125, lo: 4.838268e-4 } as const;

/** π/2 · f. */
export function arcOf({ f, hi, lo }: Pick<Angle, "f" | "hi" | "lo">): Arc {
  const large = mul(hi, quarter.hi);
  const small = add(mul(lo, quarter.hi), mul(f, quarter.lo));
  const r = add(large, small);
  return { r, excess: sub(sub(r, large), small) };
}

/**
 * Sums of them are functions of an arc. Signs are such that the sine and the tangent of -0 are -0: where r is ±0, the excess
 * is 0, and so is what is subtracted from it.
 */
const sine = [-0.16666655, 0.008332187, -0.00019517897];
const cosine = [0.041666646, -0.001388731, 2.4432327e-5];
const tangent = [0.3333335, 0.13332672, 0.054059446, 0.02128277, 0.010837704, 8.385919e-5, 0.004380369];

/** r³ p(r²). */
function cubic(r: Expr, coefficients: readonly number[]): Expr {
  const z = mul(r, r);
  return mul(mul(r, z), polynomial(z, coefficients));
}

export const shortSine = ({ r, excess }: Arc): Expr => sub(r, sub(excess, cubic(r, sine)));

export function shortCosine({ r, excess }: Arc): Expr {
  const z = mul(r, r);
  const half = mul(z, 0.5);
  const largest = sub(f32(1), half);
  const rest = add(mul(mul(z, z), polynomial(z, cosine)), mul(r, excess));
  return add(largest, add(sub(sub(f32(1), largest), half), rest));
}

export function shortTangent({ r, excess }: Arc): Expr {
  // The slope of the tangent is 1 + r², roughly.
  const lost = add(excess, mul(excess, mul(r, r)));
  return sub(r, sub(lost, cubic(r, tangent)));
}

/** π/2 = a - b + c: products of the first two parts with whole numbers below 2^11 are exact. */
const parts = { a: 1.57080078125, b: 4.454515874385834e-6, c: 6.07710062827671e-11 } as const;

/** The bits of 804, up to where the parts of π/2 suffice for an error below 1 ULP. */
const largeBits = 0x44490000;

interface Turned extends Arc {
  /** The quadrant in the last two bits, i32. */
  readonly quadrant: Expr;
}

/** x = quadrant · π/2 + arc. The method is that of W. J. Cody & W. Waite; for what is large there is angle.ts. */
function reduce(x: Expr): Turned {
  const quadrant = bitsOf(add(mul(x, 2 / Math.PI), wholeInBits));
  // By way of bits it is never -0, which would make 0 of -0.
  const n = cast("f32", sub(quadrant, bitsOf(f32(wholeInBits))));
  const difference = sub(x, mul(n, parts.a));
  // From -0 only 0 may be subtracted, and nothing added.
  const second = sub(f32(0), mul(n, parts.b));
  const r = sub(difference, second);
  const excess = add(add(sub(r, difference), second), mul(n, parts.c));
  const isLarge = gt(magnitudeBits(x), largeBits);
  const large = reduceLarge(x);
  return {
    quadrant: rarely(isLarge, large.quadrant, quadrant),
    r: rarely(isLarge, large.r, r),
    excess: rarely(isLarge, large.excess, excess),
  };
}

function reduceLarge(x: Expr): Turned {
  const angle = reduceAngle(x);
  const { r, excess } = arcOf(angle);
  const bits = bitsOf(x);
  const sign = shr(bits, 31);
  return {
    quadrant: sub(xor(bitcast("i32", angle.quadrant), sign), sign),
    r: select(lt(magnitudeBits(x), infiniteBits), flipSign(r, bits), nan),
    excess: flipSign(excess, bits),
  };
}

/** The last bit, as a sign: a shift makes a mask of it. */
const isOdd = (quadrant: Expr): Expr => lt(shl(quadrant, 31), 0);

/** Negates in the quadrants 2 and 3, whose bit 1 is set. */
const turnHalf = (value: Expr, quadrant: Expr): Expr =>
  fromBits(xor(bitsOf(value), shl(shr(quadrant, 1), 31)));

/** sin x, within 1 ULP; NaN at ±∞. */
export function sin(x: Expr): Expr {
  const { quadrant, ...arc } = reduce(x);
  return turnHalf(select(isOdd(quadrant), shortCosine(arc), shortSine(arc)), quadrant);
}

/** cos x, within 1 ULP; NaN at ±∞. */
export function cos(x: Expr): Expr {
  const { quadrant, ...arc } = reduce(x);
  return turnHalf(select(isOdd(quadrant), shortSine(arc), shortCosine(arc)), add(quadrant, 1));
}

/** tan x, within 2 ULP (quotient); NaN at ±∞. */
export function tan(x: Expr): Expr {
  const { quadrant, ...arc } = reduce(x);
  const value = shortTangent(arc);
  return select(isOdd(quadrant), div(f32(-1), value), value);
}
