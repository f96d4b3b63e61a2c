/** Hyperbolic functions. */
import { abs, add, cast, div, type ExprLike, i32, lt, min, mul, select, shl, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { exp, reduceExponent, shortExpm1 } from "./exponential.js";
import { between, copySign, f32, polynomial, powerOfTwo, scale } from "./floats.js";

const hyperbolicSine = [0.16666667, 0.0083333105, 0.00019842894, 2.7822302e-6];
const hyperbolicCosine = [0.5, 0.04166646, 0.0013935438];
const hyperbolicTangent = [
  -0.33333328, 0.13333175, -0.053950716, 0.02177436, -0.0085711125, 0.0030482176, -0.00082130334,
  0.00011624675,
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
  const { k, r } = reduceExponent(between(0, m, 90));
  const whole = cast("i32", k);
  // Beyond 2^-60 w does not count.
  const w = powerOfTwo(sub(i32(0), shl(min(whole, 30), 1)));
  const z = mul(r, r);
  const falling = add(sub(mul(z, polynomial(z, hyperbolicCosine)), shortSinh(r)), 1);
  return scale(add(combine(shortExpm1(r), mul(w, falling)), 1), sub(whole, 1));
}

/** (e^x - e^-x)/2, within 1.5 ULP. */
export function sinh(x: Expr): Expr {
  const m = abs(x);
  return copySign(select(lt(m, 1), shortSinh(m), halfSum(m, sub)), x);
}

/** (e^x + e^-x)/2, within 1.5 ULP. */
export const cosh = (x: Expr): Expr => halfSum(abs(x), add);

/** sinh x / cosh x, within 1 ULP (quotient). */
export function tanh(x: Expr): Expr {
  const m = abs(x);
  const far = sub(f32(1), div(f32(2), add(exp(add(m, m)), 1)));
  return copySign(select(lt(m, 1), oddSeries(m, hyperbolicTangent), far), x);
}
