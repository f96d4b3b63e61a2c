/** The logarithm of the gamma function, and its derivatives. */
import { abs, add, and, div, eq, gt, le, lt, mul, nearest, neg, or, select, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { bitsOf, copySign, f32, infinity, nan, polynomial } from "./floats.js";
import { log, logOfPositive } from "./logarithm.js";
import { longHead } from "./pairs.js";
import { type Arc, arcOf, shortCosine, shortSine, shortTangent } from "./trigonometric.js";

/** log Γ(2 + t) = t p(t) on [-¾, 1.5]. */
const aroundTwo = [
  0.42278433, 0.32246703, -0.06735193, 0.020580897, -0.007389012, 0.0028913175, -0.001181218, 5.015198e-4,
  -2.3677963e-4, 1.1764409e-4, -4.6705667e-5, 1.1307192e-5, -1.2076563e-6,
];

/** What Stirling's formula leaves, times x, as a polynomial in 1/x² for x >= 3. */
const stirling = [0.083333336, -0.0027780118, 7.9424086e-4, -5.0932117e-4];

/** π/2 · f, for |f| <= ½. */
function arc(f: Expr): Arc {
  const hi = longHead(f);
  return arcOf({ f, hi, lo: sub(f, hi) });
}

/** |x - n| for the nearest whole n, and whether it is at most ¼; the distance of 2x from the nearest whole number. */
function fraction(x: Expr) {
  const signed = sub(x, nearest(x));
  const distance = abs(signed);
  const isNear = le(distance, 0.25);
  const doubled = add(distance, distance);
  return { signed, isNear, rest: select(isNear, doubled, sub(f32(1), doubled)) };
}

/** |sin πx|. */
function sineOfTurns(x: Expr): Expr {
  const { isNear, rest } = fraction(x);
  return select(isNear, shortSine(arc(rest)), shortCosine(arc(rest)));
}

/** Below this |sin πd| and |tan πd| are πd, within half a unit in the last place. */
const tiny = 2 ** -14;

/** `numerator`/tan πx. */
export function cotangentOfTurns(x: Expr, numerator: number): Expr {
  const { signed, isNear, rest } = fraction(x);
  const distance = abs(signed);
  const tangent = shortTangent(arc(rest));
  const turned = select(isNear, div(f32(numerator), tangent), mul(tangent, numerator));
  // Parts of the tangent of a number near 2^-126 are subnormal.
  return copySign(select(lt(distance, tiny), div(f32(numerator / Math.PI), distance), turned), signed);
}

/** Where the gamma function has its poles: 0, -1, -2, ...; also -∞. */
export const isPole = (x: Expr): Expr => and(le(x, 0), eq(nearest(x), x));

/**
 * log |Γ(x)|, within 4 ULP; on the negative axis, where it is a difference and has zeros, 5 units of the larger of 1
 * and log |Γ(-x)|. ∞ at 0, -1, -2, ...
 */
export function lgamma(x: Expr): Expr {
  const m = abs(x);
  const isSmall = lt(m, 0.5);
  const isFar = gt(m, 3.5);
  // Γ(m) = Γ(2 + t) divided by m(m + 1), by m, or by nothing.
  const t = sub(m, select(isSmall, f32(0), select(lt(m, 1.25), f32(1), 2)));
  const divisor = select(isSmall, mul(m, add(m, 1)), select(or(lt(m, 1.25), isFar), m, 1));
  const logarithm = logOfPositive(divisor);
  const series = mul(t, polynomial(t, aroundTwo));
  const w = div(f32(1), m);
  const rest = add(mul(w, polynomial(mul(w, w), stirling)), (Math.log(2 * Math.PI) - 1) / 2);
  const far = add(mul(sub(m, 0.5), sub(logarithm, 1)), rest);
  const positive = select(isFar, far, sub(series, logarithm));
  // Γ(-m)Γ(m) = -π/(m sin πm), and Γ(1 + m) = m·Γ(m).
  const sine = select(lt(m, tiny), m, mul(sineOfTurns(m), 1 / Math.PI));
  const mirrored = select(isSmall, div(sine, add(m, 1)), mul(sine, m));
  const negative = sub(neg(logOfPositive(mirrored)), select(isSmall, series, positive));
  return select(isPole(x), infinity, select(lt(bitsOf(x), 0), negative, positive));
}

/** The zero of digamma less 1, in two parts. */
const root = { hi: 0.46163213, lo: 1.243815e-8 } as const;

/** ψ(x) = (x - root) p(x - root) on [1, 2]. */
const aroundRoot = [
  0.9676722, -0.44276315, 0.25850204, -0.1639432, 0.10777544, -0.07222391, 0.049142398, -0.032576516,
  0.021675533, -0.019278375, 0.012531705,
];

/** ψ(x) = log x - 1/(2x) - p(1/x²)/x² for x >= 3. */
const digammaFar = [0.08333329, -0.008329464, 0.0038553877, -0.0027785713];

/**
 * The derivative of log Γ, within 4 ULP; on the negative axis, where it is a sum and has zeros, 6 units of the larger
 * of 1 and ψ(1 - x). NaN at 0, -1, -2, ...
 */
export function digamma(x: Expr): Expr {
  const m = abs(x);
  const isNegative = lt(x, 0);
  // ψ(1 + m) = ψ(-m) - π cot πm.
  const y = select(isNegative, add(m, 1), m);
  const isSmall = lt(y, 1);
  const isMiddle = and(lt(y, 3), lt(f32(2), y));
  const u = sub(y, select(isSmall, f32(0), select(isMiddle, f32(2), 1)));
  const d = sub(sub(u, root.hi), root.lo);
  const step = div(f32(1), select(isMiddle, sub(y, 1), y));
  const near = add(
    mul(d, polynomial(d, aroundRoot)),
    select(isMiddle, step, select(isSmall, neg(step), f32(0))),
  );
  const z = mul(step, step);
  const far = sub(log(y), add(mul(step, 0.5), mul(z, polynomial(z, digammaFar))));
  const value = select(lt(y, 3), near, far);
  return select(isPole(x), nan, select(isNegative, add(value, cotangentOfTurns(m, Math.PI)), value));
}
