/** The standard normal distribution: its distribution function, the logarithm and the inverse of that. */
import type { NDArray } from "../../core/array.js";
import { type ArrayLike, inexactOperand } from "../../numpy/operands.js";
import { add, div, max, min, mul, neg, sqrt, square, sub } from "../../primitives/arithmetic.js";
import { bitwiseAnd } from "../../primitives/bits.js";
import { convertElementType } from "../../primitives/cast.js";
import { gt, lt } from "../../primitives/comparison.js";
import { log, log1p } from "../../primitives/exponential.js";
import { select } from "../../primitives/select.js";
import { erfc, erfInv } from "../../primitives/special.js";

/** Φ through erfc, which keeps its digits in the lower tail. */
const distribution = (a: NDArray): NDArray => mul(0.5, erfc(mul(a, -Math.SQRT1_2)));

/**
 * Φ(x): the probability that a standard normal variable is at most x.
 * @example
 * scipy.special.ndtr(np.array([-2, 0, 1])); // [0.02275, 0.5, 0.84134]
 */
export const ndtr = (x: ArrayLike): NDArray => distribution(inexactOperand("special.ndtr", x));

/** Below this the asymptotic series is exact to the dtype, and Φ itself not yet too small for it. */
const tailFrom = (x: NDArray): number => (x.dtype === "float64" ? -20 : -10);

/**
 * log Φ for large negative x: -x²/2 - log(-x √2π) + log(1 - 1/x² + 3/x⁴ - 15/x⁶ + ...), see Abramowitz & Stegun 26.2.12.
 */
function lowerTail(x: NDArray): NDArray {
  const step = div(-1, square(x));
  // Horner's scheme for Σ (2k - 1)!! (-1/x²)^k.
  let series: NDArray | number = 1;
  for (let k = 6; k >= 1; k--) series = add(1, mul(mul(2 * k - 1, step), series));
  const constant = 0.5 * Math.log(2 * Math.PI);
  return add(sub(mul(-0.5, square(x)), add(log(neg(x)), constant)), log(series));
}

/**
 * log Φ(x), exact also where Φ is too small to be told from 0, or from 1.
 * @example
 * scipy.special.logNdtr(np.array([-100, 0, 10])); // [-5005.5242, -0.6931, -7.6199e-24]
 */
export function logNdtr(x: ArrayLike): NDArray {
  const given = inexactOperand("special.logNdtr", x);
  // Half precision cannot hold the tail of Φ where the series begins.
  const a = given.dtype === "float16" ? convertElementType(given, "float32") : given;
  const from = tailFrom(a);
  const [isTail, isUpper] = [lt(a, from), gt(a, 0)];
  const tail = lowerTail(select(isTail, a, from));
  const middle = log(distribution(select(isTail, from, select(isUpper, 0, a))));
  const upper = log1p(neg(distribution(neg(select(isUpper, a, 0)))));
  const result = select(isTail, tail, select(isUpper, upper, middle));
  return convertElementType(result, given.dtype, given.weakType);
}

type Coefficients = readonly number[];

/** Highest power first. */
const polynomial = (coefficients: Coefficients, x: NDArray): NDArray =>
  coefficients
    .slice(2)
    .reduce((sum, c) => add(mul(sum, x), c), add(mul(coefficients[0], x), coefficients[1]));

/** A quotient of two polynomials in r - centre, where r = √(-log q): a tail of the inverse of Φ. */
interface Tail {
  readonly centre: number;
  readonly above: Coefficients;
  readonly below: Coefficients;
}

// Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988): the coefficients c, d and e, f.
const nearTail: Tail = {
  centre: 1.6,
  above: [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
    5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  below: [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
    1.6763848301838038, 2.053191626637759, 1,
  ],
};
const farTail: Tail = {
  centre: 5,
  above: [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
    0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  below: [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133,
    0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1,
  ],
};

function tailValue({ centre, above, below }: Tail, r: NDArray): NDArray {
  const t = sub(r, centre);
  return div(polynomial(above, t), polynomial(below, t));
}

/**
 * The inverse of Φ: the x below which a standard normal variable lies with probability p. Infinite at 0 and 1, NaN beyond.
 * @see Wichura, Algorithm AS 241, Applied Statistics 37 (1988)
 * @example
 * scipy.special.ndtri(np.array([0, 0.5, 0.975])); // [-inf, 0, 1.95996]
 */
export function ndtri(p: ArrayLike): NDArray {
  const a = inexactOperand("special.ndtri", p);
  // Half of the tails lies so close to 1 that only the distance from it tells.
  const q = min(a, sub(1, a));
  const isTail = bitwiseAnd(gt(q, 0), lt(q, 0.075));
  const central = mul(Math.SQRT2, erfInv(sub(mul(2, select(isTail, 0.5, a)), 1)));
  const r = sqrt(neg(log(select(isTail, q, 0.05))));
  const isFar = gt(r, 5);
  const size = select(isFar, tailValue(farTail, max(r, 5)), tailValue(nearTail, min(r, 5)));
  return select(isTail, select(lt(a, 0.5), neg(size), size), central);
}
