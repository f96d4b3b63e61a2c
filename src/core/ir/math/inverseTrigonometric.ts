/** Inverse trigonometric functions. */
import { abs, add, div, eq, gt, isNaNOf, lt, mul, nearest, neg, or, select, sqrt, sub, xor } from "../ops.js";
import type { Expr } from "../types.js";
import { bitsOf, copySign, f32, magnitudeBits, nan, polynomial } from "./floats.js";
import { head, type Pair, pairOf, remainderOf } from "./pairs.js";

/** π/2 and π in two parts, and π/4, half of the first. */
const halfPi = { hi: Math.fround(Math.PI / 2), lo: -4.371139e-8 } as const;
const pi = { hi: Math.fround(Math.PI), lo: -8.742278e-8 } as const;
const quarterPi = Math.fround(Math.PI / 4);

const arcSine = [0.1666666, 0.07500522, 0.044513352, 0.03183952, 0.014312211, 0.037702028];

/** What asin and acos are made of: near 0 the argument, near 1 the sine of half of the angle from there. */
function arc(m: Expr) {
  const isNear = lt(m, 0.5);
  // 1 - m is exact.
  const z = select(isNear, mul(m, m), mul(sub(f32(1), m), 0.5));
  const root = sqrt(z);
  const rootHead = head(root);
  // The small number keeps 0/0 away.
  const rest = div(sub(z, mul(rootHead, rootHead)), add(add(root, rootHead), 1e-30));
  const series = mul(z, polynomial(z, arcSine));
  return { isNear, root, rootHead, rest, series };
}

/** Outside of [-1, 1], where a root was taken of a negative number: GPUs have various answers. */
const withinOne = (x: Expr, value: Expr): Expr => select(gt(magnitudeBits(x), 0x3f800000), nan, value);

/** The angle in [-π/2, π/2] with sine x, within 1 ULP; NaN outside of [-1, 1]. */
export function asin(x: Expr): Expr {
  const m = abs(x);
  const { isNear, root, rootHead, rest, series } = arc(m);
  const near = add(m, mul(m, series));
  // π/2 - 2·(root + root·series), summed up around π/4.
  const small = sub(mul(mul(root, 2), series), sub(f32(halfPi.lo), mul(rest, 2)));
  const far = sub(f32(quarterPi), sub(small, sub(f32(quarterPi), mul(rootHead, 2))));
  return withinOne(x, copySign(select(isNear, near, far), x));
}

/** The angle in [0, π] with cosine x, within 1 ULP; NaN outside of [-1, 1]. */
export function acos(x: Expr): Expr {
  const m = abs(x);
  const { isNear, root, rootHead, rest, series } = arc(m);
  const near = sub(f32(halfPi.hi), sub(x, sub(f32(halfPi.lo), mul(x, series))));
  const half = add(mul(root, series), rest);
  const right = mul(add(rootHead, half), 2);
  const left = sub(f32(pi.hi), mul(add(rootHead, sub(half, pi.lo / 2)), 2));
  return withinOne(x, select(isNear, near, select(lt(x, 0), left, right)));
}

/** The second and the fourth are some units in the last place off the fit, so that atan 1 is π/4. */
const arcTangent = [
  -0.33333328, 0.19999714, -0.14280343, 0.110612355, -0.08821462, 0.06763649, -0.04498326, 0.02277763,
  -0.0074253785, 0.0011345282,
];

/** 1/(1 + z) for 0 <= z <= 1, roughly: what a correction of the argument of atan is multiplied by. */
const slope = [0.9997, -0.9736, 0.7816, -0.3077] as const;

/**
 * base ± atan(n/d), minus where `negative` holds, for 0 <= n <= d, 0 < d < ∞. The quotient is corrected by what is left
 * of the division.
 */
function arcOfRatio(n: Expr, d: Expr, base: Pair, negative: Expr): Expr {
  const q = div(n, d);
  const lost = div(remainderOf(n, pairOf(q), pairOf(d)), d);
  const z = mul(q, q);
  const rest = add(mul(mul(q, z), polynomial(z, arcTangent)), mul(lost, polynomial(z, slope)));
  const signed = (v: Expr): Expr => select(negative, neg(v), v);
  // A multiple of 2^-12 and the first part of π add up exactly.
  const whole = mul(nearest(mul(add(q, rest), 4096)), 2 ** -12);
  return add(add(base.hi, signed(whole)), add(base.lo, signed(add(sub(q, whole), rest))));
}

/** One of two pairs of constants. */
const choose = (cond: Expr, x: { hi: number; lo: number }, y: Pair): Pair => ({
  hi: select(cond, x.hi, y.hi),
  lo: select(cond, x.lo, y.lo),
});

const zero: Pair = { hi: f32(0), lo: f32(0) };

/** The angle in [-π/2, π/2] with tangent x, within 1.1 ULP. */
export function atan(x: Expr): Expr {
  const m = abs(x);
  const isLarge = gt(m, 1);
  // From 2^60 on the angle is π/2; ∞ would make NaN.
  const d = select(gt(m, 2 ** 60), 2 ** 60, select(isLarge, m, 1));
  const angle = arcOfRatio(select(isLarge, f32(1), m), d, choose(isLarge, halfPi, zero), isLarge);
  return copySign(angle, x);
}

/** The angle in [-π, π] of the point (x, y): atan(y/x) in the right quadrant, within 1.2 ULP. */
export function atan2(y: Expr, x: Expr): Expr {
  const [ay, ax] = [abs(y), abs(x)];
  const isSteep = gt(ay, ax);
  const isLeft = lt(bitsOf(x), 0);
  const [n, d] = [select(isSteep, ax, ay), select(isSteep, ay, ax)];
  // Ratios of zeros and infinities are 0 or 1; numbers are made larger, so that what is left of a division is normal.
  const isInfinite = eq(d, Infinity);
  const up = select(lt(d, 2 ** 40), f32(2 ** 80), 1);
  const ratioOf = select(isInfinite, select(eq(n, Infinity), f32(1), 0), mul(n, up));
  const to = select(or(isInfinite, eq(d, 0)), f32(1), mul(d, up));
  const base = choose(isSteep, halfPi, choose(isLeft, pi, zero));
  const angle = copySign(arcOfRatio(ratioOf, to, base, xor(isSteep, isLeft)), y);
  return select(or(isNaNOf(y), isNaNOf(x)), nan, angle);
}
