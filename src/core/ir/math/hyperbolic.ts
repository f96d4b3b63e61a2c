/** Hyperbolic functions. */
import { abs, add, div, type ExprLike, gt, lt, min, mul, select, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { reduceExponent, roughRest, shortExpm1 } from "./exponential.js";
import { f32, polynomial, powerOfWhole, scaleByWhole, withSign } from "./floats.js";

const hyperbolicSine = [0.16666667, 0.0083333105, 0.00019842894, 2.7822302e-6];
const hyperbolicCosine = [0.5, 0.04166646, 0.0013935438];
/** For |x| <= 0.85. */
const hyperbolicTangent = [
  -0.33333328, 0.13333145, -0.05394451, 0.02172732, -0.008399374, 0.0027224342, -0.0005119365,
];

/** x + x³ p(x²). */
export function oddSeries(x: Expr, coefficients: readonly number[]): Expr {
  const z = mul(x, x);
  return add(x, mul(mul(x, z), polynomial(z, coefficients)));
}

const shortSinh = (r: Expr): Expr => oddSeries(r, hyperbolicSine);

/**
 * e^m ± e^-m, halved. With m = k·log 2 + r and w = 2^-2k that is 2^(k-1)·(1 + (e^r - 1 ± w·e^-r)), where nothing
 * overflows before the result does.
 */
function halfSum(m: Expr, combine: (x: ExprLike, y: ExprLike) => Expr): Expr {
  const { k, r } = reduceExponent(select(gt(m, 90), 90, m));
  // Beyond 2^-60 w does not count.
  const w = powerOfWhole(mul(min(k, 30), -2));
  const z = mul(r, r);
  const falling = add(sub(mul(z, polynomial(z, hyperbolicCosine)), shortSinh(r)), 1);
  return scaleByWhole(add(combine(shortExpm1(r), mul(w, falling)), 1), sub(k, 1));
}

/** (e^x - e^-x)/2, within 1.5 ULP. */
export function sinh(x: Expr): Expr {
  const m = abs(x);
  return withSign(select(lt(m, 1), shortSinh(m), halfSum(m, sub)), x);
}

/** (e^x + e^-x)/2, within 1.5 ULP. */
export const cosh = (x: Expr): Expr => halfSum(abs(x), add);

/** sinh x / cosh x, within 1 ULP (quotient). */
export function tanh(x: Expr): Expr {
  const m = abs(x);
  const z = mul(m, m);
  const near = add(m, mul(m, mul(z, polynomial(z, hyperbolicTangent))));
  // 1 - 1/((e^2m + 1)/2), which from 9.02 on is 1. With half = 2^(k-1) that is a sum of which only a small part is rounded
  // twice: (half·exact + half + ½) + half·(e^r - 1 - exact).
  const bounded = select(gt(m, 10), 10, m);
  const { k, r, exact, small } = reduceExponent(add(bounded, bounded));
  const half = powerOfWhole(k, -1);
  const large = add(mul(half, exact), add(half, 0.5));
  const far = sub(f32(1), div(f32(1), add(large, mul(half, sub(roughRest(r), small)))));
  return withSign(select(lt(m, 0.85), near, far), x);
}
