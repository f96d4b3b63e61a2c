/** The derivatives of digamma. */
import { abs, add, div, eq, lt, mul, neg, select, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { between, bitsOf, f32, infinity, nan, polynomial } from "./floats.js";
import { cotangentOfTurns, isPole } from "./gamma.js";

/** x^n for n >= 1, by squaring. */
function powerOf(x: Expr, n: number): Expr {
  if (n === 1) return x;
  const half = powerOf(x, Math.floor(n / 2));
  const square = mul(half, half);
  return n % 2 === 0 ? square : mul(square, x);
}

/** B₂, B₄, ..., B₁₀ over (2j)!. */
const bernoulli = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160];

function logFactorial(n: number): number {
  let sum = 0;
  for (let k = 2; k <= n; k++) sum += Math.log(k);
  return sum;
}

/**
 * n! ζ(n + 1, x) for x > 0, by the Euler-Maclaurin formula (NIST Digital Library of Mathematical Functions, 25.11.5): the
 * first terms are added up, the others integrated and corrected. The factorial is divided among the factors of a power,
 * c^(n + 1), so that neither overflows alone.
 */
function scaledZeta(n: number, x: Expr): Expr {
  const s = n + 1;
  const steps = Math.ceil(4 + s / 2);
  const c = Math.fround(Math.exp(logFactorial(n) / s));
  const correction = Math.exp(logFactorial(n) - s * Math.log(c));
  // From here on, in units of (c/a)^s: a/(s - 1) + ½ + Σ B₂ⱼ/(2j)! s(s+1)...(s+2j-2) a^(1-2j).
  const a = add(x, steps);
  const ratio = div(f32(c), a);
  const w = mul(ratio, 1 / c);
  let factor = s;
  const coefficients = bernoulli.map((b, j) => {
    const value = b * factor;
    factor *= (s + 2 * j + 1) * (s + 2 * j + 2);
    return value;
  });
  const start = powerOf(ratio, n);
  const rest = add(mul(w, polynomial(mul(w, w), coefficients)), 0.5);
  let sum = add(mul(start, c / n), mul(mul(start, ratio), rest));
  for (let k = steps - 1; k >= 0; k--) sum = add(sum, powerOf(div(f32(c), k === 0 ? x : add(x, k)), s));
  return mul(sum, correction);
}

/** dⁿ/duⁿ cot u as a polynomial in cot u: coefficients from the lowest. */
function cotangentDerivative(n: number): number[] {
  let p = [0, 1];
  for (let i = 0; i < n; i++) {
    const slope = p.slice(1).map((c, k) => c * (k + 1));
    p = Array.from({ length: slope.length + 2 }, (_, k) => -(slope[k] ?? 0) - (slope[k - 2] ?? 0));
  }
  return p;
}

/**
 * The n-th derivative of digamma, n >= 1, within 2n + 3 ULP for x > 0. On the negative axis, where it is the sum of two
 * numbers (the reflection formula), within 5n + 5 units of the larger of them. Infinite at 0, -1, -2, ... for odd n, NaN
 * there for even n.
 */
export function polygamma(x: Expr, n: number): Expr {
  const isOdd = n % 2 === 1;
  const m = abs(x);
  const isNegative = lt(x, 0);
  const zeta = scaledZeta(n, select(isNegative, add(m, 1), m));
  // π^(n + 1) times the derivative, which is an even or odd polynomial, with the large factor of its coefficients apart.
  const derivative = cotangentDerivative(n).map((c) => c * Math.PI ** (n + 1));
  const large = Math.max(...derivative.map(Math.abs));
  // From n = 8 on, what lies beyond 10⁶ overflows; it must not be multiplied by coefficients that are 0.
  const exact = cotangentOfTurns(m, 1);
  const cot = n < 8 ? exact : between(-1e6, exact, 1e6);
  const even = polynomial(
    mul(cot, cot),
    derivative.filter((_, k) => k % 2 !== n % 2).map((c) => c / large),
  );
  const reflected = mul(isOdd ? even : mul(even, cot), Math.min(large, 3e38));
  const value = isOdd
    ? select(isNegative, neg(add(zeta, reflected)), zeta)
    : select(isNegative, select(lt(abs(reflected), Infinity), sub(reflected, zeta), reflected), neg(zeta));
  const pole = isOdd ? select(eq(bitsOf(x), -0x800000), nan, infinity) : nan;
  return select(isPole(x), pole, value);
}
