/** Sine, cosine and tangent, of every float32. */
import { add, and, bitcast, div, lt, mul, ne, nearest, neg, select, shl, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { type Angle, reduceAngle } from "./angle.js";
import { bitsOf, f32, flipSign, infiniteBits, magnitudeBits, nan, polynomial } from "./floats.js";

/** π/2; the first part has 8 bits, so that its products with 16 bits are exact. */
const quarter = { hi: 1.5703125, lo: 4.838268e-4 } as const;

const sine = [-0.6459641, 0.079692334, -0.004679543, 0.00015461617];
/** -π²/8; the first part has 7 bits. */
const curvature = { hi: -1.234375, lo: 6.7448866e-4 } as const;
const cosine = [0.25366855, -0.020855596, 0.0008944864];
const tangent = [1.2919289, 1.2750131, 1.2757393, 1.2372483, 1.5685304, -0.0063968557, 3.8748016];

type Turn = Pick<Angle, "f" | "hi" | "lo">;

/** f·(π/2 + f² p(f²)), where the largest part is exact. */
function oddPart({ f, hi, lo }: Turn, coefficients: readonly number[]): Expr {
  const z = mul(f, f);
  const rest = mul(f, add(mul(z, polynomial(z, coefficients)), quarter.lo));
  return add(mul(hi, quarter.hi), add(mul(lo, quarter.hi), rest));
}

/** sin(π/2 f) for |f| <= ½. */
export const shortSine = (turn: Turn): Expr => oddPart(turn, sine);

/** cos(π/2 f) for |f| <= ½. */
export function shortCosine(f: Expr): Expr {
  const z = mul(f, f);
  // The largest part is computed exactly, of a z in whole 2^-18.
  const whole = mul(nearest(mul(z, 2 ** 18)), 2 ** -18);
  const rest = mul(z, add(mul(z, polynomial(z, cosine)), curvature.lo));
  return add(add(mul(whole, curvature.hi), 1), add(mul(sub(z, whole), curvature.hi), rest));
}

/** tan(π/2 f) for |f| <= ½. */
export const shortTangent = (turn: Turn): Expr => oddPart(turn, tangent);

/** Bits of floats below 2^-16. */
const isTiny = (x: Expr): Expr => lt(magnitudeBits(x), 0x37800000);

const finiteOrNaN = (x: Expr, value: Expr): Expr => select(lt(magnitudeBits(x), infiniteBits), value, nan);

/** Bit 31 is bit 1 of the quadrant. */
const halfTurn = (quadrant: Expr): Expr => shl(bitcast("i32", quadrant), 30);

const isOdd = (quadrant: Expr): Expr => ne(and(quadrant, 1), 0);

/** sin x, within 1 ULP; NaN at ±∞. */
export function sin(x: Expr): Expr {
  const angle = reduceAngle(x);
  const value = select(isOdd(angle.quadrant), shortCosine(angle.f), shortSine(angle));
  const signed = flipSign(flipSign(value, halfTurn(angle.quadrant)), bitsOf(x));
  return finiteOrNaN(x, select(isTiny(x), x, signed));
}

/** cos x, within 1 ULP; NaN at ±∞. */
export function cos(x: Expr): Expr {
  const angle = reduceAngle(x);
  const value = select(isOdd(angle.quadrant), neg(shortSine(angle)), shortCosine(angle.f));
  return finiteOrNaN(x, select(isTiny(x), f32(1), flipSign(value, halfTurn(angle.quadrant))));
}

/** tan x, within 2 ULP (quotient); NaN at ±∞. */
export function tan(x: Expr): Expr {
  const angle = reduceAngle(x);
  const value = shortTangent(angle);
  const turned = select(isOdd(angle.quadrant), div(f32(-1), value), value);
  return finiteOrNaN(x, select(isTiny(x), x, flipSign(turned, bitsOf(x))));
}
