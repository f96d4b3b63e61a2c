/**
 * Special functions of one number in double precision: the error function and its relatives, the gamma function's.
 * Accurate to a few units in the last place, except beside the zeros of lgamma, digamma and the polygammas on the
 * negative axis, where the error is that small in absolute terms.
 */

// ---------------------------------------------------------------------------------------------------------------------
// The error function
// ---------------------------------------------------------------------------------------------------------------------

/** Σ c_k x^k, with the highest coefficient first. */
function horner(coefficients: readonly number[], x: number): number {
  let sum = coefficients[0];
  for (let k = 1; k < coefficients.length; k++) sum = sum * x + coefficients[k];
  return sum;
}

/**
 * Rational approximations by W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23
 * (1969): erf on [0, 0.46875] (in x²), erfc·e^(x²) on [0.46875, 4] (in x) and beyond (in 1/x²).
 */
const cody = {
  near: {
    p: [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
    q: [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
  },
  middle: {
    p: [
      2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
      881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
    ],
    q: [
      1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
      4362.619090143247, 3439.3676741437216, 1230.3393548037495,
    ],
  },
  far: {
    p: [
      0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926,
      0.016083785148742275, 0.0006587491615298378,
    ],
    q: [
      1, 2.568520192289822, 1.8729528499234604, 0.5279051029514285, 0.06051834131244132,
      0.0023352049762686918,
    ],
  },
};

const ratio = (
  { p, q }: { readonly p: readonly number[]; readonly q: readonly number[] },
  x: number,
): number => horner(p, x) / horner(q, x);

/** e^(-x²). The square is split so that its rounding error does not get into the exponent. */
function gaussian(x: number): number {
  const coarse = Math.trunc(x * 16) / 16;
  return Math.exp(-coarse * coarse) * Math.exp(-(x - coarse) * (x + coarse));
}

const erfNear = (x: number): number => x * ratio(cody.near, x * x);

/** erfc for x ≥ 0.46875. */
function erfcTail(x: number): number {
  if (x <= 4) return gaussian(x) * ratio(cody.middle, x);
  // From here on the result is below the smallest double.
  if (x > 27.3) return 0;
  const z = 1 / (x * x);
  return (gaussian(x) * (1 / Math.sqrt(Math.PI) - z * ratio(cody.far, z))) / x;
}

/** 2/√π ∫₀ˣ e^(-t²) dt. */
export function erf(x: number): number {
  const m = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (m <= 0.46875) return erfNear(x);
  return Math.sign(x) * (1 - erfcTail(m));
}

/** 1 - erf x, without the cancellation. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x >= 0.46875) return erfcTail(x);
  return x >= -0.46875 ? 1 - erfNear(x) : 2 - erfcTail(-x);
}

/** First guess for erfInv on the middle part: M. Giles, Approximating the erfinv function, GPU Computing Gems (2011). */
const giles = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];

/** First guess for the tail: the solution of e^(-x²) / (x√π) = q, the leading term of erfc x = q, by iteration. */
function tailGuess(q: number): number {
  const goal = -Math.log(q * Math.sqrt(Math.PI));
  let x = Math.sqrt(goal);
  for (let i = 0; i < 3; i++) x = Math.sqrt(goal - Math.log(x));
  return x;
}

/** The x with erf x = y: a good guess, refined by Halley's method. ±∞ at ±1, NaN beyond. */
export function erfInv(y: number): number {
  const m = Math.abs(y);
  if (!(m < 1)) return m === 1 ? y * Infinity : NaN;
  if (m === 0) return y;
  // Near 1 the distance to it, which is exact, stands for y: what is sought is where erfc is that small.
  const q = 1 - m;
  const inTail = m > 0.5;
  const w = -Math.log(q * (1 + m));
  let x = w < 5 ? m * horner(giles, w - 2.5) : tailGuess(q);
  for (let i = 0; i < 3; i++) {
    const error = inTail ? q - erfc(x) : erf(x) - m;
    const step = ((error * Math.sqrt(Math.PI)) / 2) * Math.exp(x * x);
    x -= step / (1 + step * x);
  }
  return y < 0 ? -x : x;
}

// ---------------------------------------------------------------------------------------------------------------------
// The Hurwitz zeta function, of which the others are made
// ---------------------------------------------------------------------------------------------------------------------

/** B₂, B₄, ..., B₂₀: the Bernoulli numbers of even order. */
const bernoulli = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2730,
  7 / 6,
  -3617 / 510,
  43867 / 798,
  -174611 / 330,
];

/**
 * ζ(s, q) = Σ (q + k)^-s over k ≥ 0, for a whole number s ≥ 2 and q > 0, by the Euler-Maclaurin formula (NIST Digital
 * Library of Mathematical Functions, 25.11.5): the first terms are added up, the others integrated and corrected.
 */
export function hurwitzZeta(s: number, q: number): number {
  // The corrections shrink by the square of (s + 2j) / (2π·a): this a keeps that well below one.
  const n = Math.max(0, Math.ceil(10 + s / 2 - q));
  const a = q + n;
  let corrections = 0;
  // s(s+1)...(s+2j-2) / (2j)! · a^(-s-2j+1)
  let factor = (s * a ** (-s - 1)) / 2;
  for (const [j, b] of bernoulli.entries()) {
    corrections += b * factor;
    const k = s + 2 * j;
    factor *= ((k + 1) * (k + 2)) / ((2 * j + 3) * (2 * j + 4) * a * a);
  }
  let sum = corrections + a ** -s / 2 + a ** (1 - s) / (s - 1);
  // From the smallest to the largest, so that rounding errors stay small.
  for (let k = n - 1; k >= 0; k--) sum += (q + k) ** -s;
  return sum;
}

// ---------------------------------------------------------------------------------------------------------------------
// The gamma function's relatives
// ---------------------------------------------------------------------------------------------------------------------

/** A table that is computed when it is first looked at, and not by every program that starts. */
function later<T>(compute: () => T): () => T {
  let table: T | undefined;
  return () => {
    table ??= compute();
    return table;
  };
}

const eulerGamma = 0.5772156649015329;

/**
 * lgamma(2 + w) = (1 - γ)w + Σ (ζ(k) - 1)(-w)^k / k (Abramowitz and Stegun, 6.1.33), where ζ(k) - 1 = ζ(k, 2). Highest
 * coefficient first; 30 terms reach 2^-60 on |w| ≤ ½.
 */
const aroundTwo = later(() => [
  ...Array.from({ length: 28 }, (_, i) => {
    const k = 29 - i;
    return ((-1) ** k * hurwitzZeta(k, 2)) / k;
  }),
  1 - eulerGamma,
  0,
]);

/** Stirling's series (Abramowitz and Stegun, 6.1.41), for x ≥ 10. */
function stirling(x: number): number {
  let series = 0;
  for (let k = 7; k >= 0; k--) series = series / (x * x) + bernoulli[k] / ((2 * k + 2) * (2 * k + 1));
  return (x - 0.5) * (Math.log(x) - 1) + (Math.log(2 * Math.PI) - 1) / 2 + series / x;
}

function lgammaPositive(x: number): number {
  if (x < 0.5) return horner(aroundTwo(), x) - Math.log1p(x) - Math.log(x);
  if (x < 1.5) return horner(aroundTwo(), x - 1) - Math.log1p(x - 1);
  if (x >= 10) return x === Infinity ? x : stirling(x);
  let product = 1;
  let rest = x;
  while (rest > 2.5) {
    rest -= 1;
    product *= rest;
  }
  return Math.log(product) + horner(aroundTwo(), rest - 2);
}

/** The distance of x from the nearest whole number, with its sign: exact. */
const fraction = (x: number): number => x - Math.round(x);

/** log |Γ(x)|: infinite at 0, -1, -2, ... and at ±∞. */
export function lgamma(x: number): number {
  if (x > 0) return lgammaPositive(x);
  if (Number.isNaN(x)) return NaN;
  if (x === -Infinity || Number.isInteger(x)) return Infinity;
  // Γ(x)Γ(-x) = -π / (x sin πx).
  return Math.log(Math.PI / Math.abs(x * Math.sin(Math.PI * fraction(x)))) - lgammaPositive(-x);
}

/** The zero of digamma on the positive axis, in two parts. */
const root = 1.4616321449683622;
const rootRest = 9.549995429965697e-17;

/** Taylor's series of digamma at that zero, highest coefficient first: what is left of it beside a zero keeps its digits. */
const aroundRoot = later(() => [
  ...Array.from({ length: 40 }, (_, i) => {
    const k = 40 - i;
    return (-1) ** (k + 1) * hurwitzZeta(k + 1, root);
  }),
  0,
]);

function digammaPositive(x: number): number {
  if (x >= 10) {
    // Abramowitz and Stegun, 6.3.18.
    let series = 0;
    for (let k = 7; k >= 0; k--) series = series / (x * x) + bernoulli[k] / (2 * k + 2);
    return Math.log(x) - 0.5 / x - series / (x * x);
  }
  if (x < 1) return digammaPositive(x + 1) - 1 / x;
  let sum = 0;
  let rest = x;
  while (rest > 2) {
    rest -= 1;
    sum += 1 / rest;
  }
  return sum + horner(aroundRoot(), rest - root - rootRest);
}

/** The derivative of lgamma: NaN at 0, -1, -2, ..., where it jumps between infinities. */
export function digamma(x: number): number {
  if (x > 0) return x === Infinity ? x : digammaPositive(x);
  if (Number.isNaN(x) || x === -Infinity || Number.isInteger(x)) return NaN;
  // ψ(1 - x) - ψ(x) = π cot πx.
  return digammaPositive(1 - x) - Math.PI / Math.tan(Math.PI * fraction(x));
}

/** dⁿ/duⁿ cot u as a polynomial in cot u: coefficients from the lowest. P₀ = c, and P' comes with the factor -(1 + c²). */
function cotangentDerivative(n: number): number[] {
  let p = [0, 1];
  for (let i = 0; i < n; i++) {
    const slope = p.slice(1).map((c, k) => c * (k + 1));
    p = Array.from({ length: slope.length + 2 }, (_, k) => -(slope[k] ?? 0) - (slope[k - 2] ?? 0));
  }
  return p;
}

/**
 * The n-th derivative of digamma, n ≥ 1: (-1)^(n+1) n! ζ(n + 1, x), and for negative x the derivative of the reflection
 * formula. At 0, -1, -2, ... it is infinite for odd n and NaN for even n, where it jumps between infinities.
 */
export function polygamma(n: number): (x: number) => number {
  const odd = n % 2 === 1;
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  const scale = odd ? factorial : -factorial;
  const reflection = cotangentDerivative(n).reverse();
  return (x) => {
    if (x > 0) return scale * hurwitzZeta(n + 1, x);
    if (Number.isNaN(x) || x === -Infinity) return NaN;
    if (Number.isInteger(x)) return odd ? Infinity : NaN;
    const mirrored = scale * hurwitzZeta(n + 1, 1 - x);
    const cot = 1 / Math.tan(Math.PI * fraction(x));
    return (odd ? -mirrored : mirrored) - Math.PI ** (n + 1) * horner(reflection, cot);
  };
}
