/** The gamma function and its relatives. */
import type { NDArray } from "../../core/array.js";
import { wholeNumber } from "../../numpy/axes.js";
import { signbit } from "../../numpy/floats.js";
import { type ArrayLike, inexactOperand } from "../../numpy/operands.js";
import { add, mul, sub } from "../../primitives/arithmetic.js";
import { bitwiseAnd, bitwiseOr } from "../../primitives/bits.js";
import { broadcastInDim, reduceSum } from "../../primitives/broadcast.js";
import { eq, lt, ne } from "../../primitives/comparison.js";
import { scalarLike } from "../../primitives/elementwise.js";
import { exp } from "../../primitives/exponential.js";
import { floor } from "../../primitives/rounding.js";
import { select } from "../../primitives/select.js";
import { iota } from "../../primitives/shape.js";
import * as p from "../../primitives/special.js";

/**
 * log |Γ(x)|: infinite at 0, -1, -2, ...
 * @example
 * scipy.special.gammaln(np.array([0.5, 5])); // [0.5724, 3.1781]
 */
export const gammaln = (x: ArrayLike): NDArray => p.lgamma(inexactOperand("special.gammaln", x));

export { gammaln as lgamma };

/** -1 where the floor of a negative number is odd, and at -0; no sign at poles below 0. */
function signOf(a: NDArray): NDArray {
  const whole = floor(a);
  const negative = lt(a, 0);
  const half = mul(whole, 0.5);
  const odd = bitwiseAnd(negative, ne(half, floor(half)));
  const below = bitwiseOr(odd, bitwiseAnd(eq(a, 0), signbit(a)));
  const unsigned = bitwiseOr(bitwiseAnd(negative, eq(a, whole)), ne(a, a));
  return select(unsigned, Number.NaN, select(below, scalarLike(a, -1), 1));
}

/**
 * The sign of Γ(x), 1 or -1; NaN at -1, -2, ... and -∞.
 * @example
 * scipy.special.gammasgn(np.array([0.5, -0.5, -1.5])); // [1, -1, 1]
 */
export const gammasgn = (x: ArrayLike): NDArray => signOf(inexactOperand("special.gammasgn", x));

/**
 * The gamma function, as the exponential of its logarithm: its relative error grows with that, to 5e-6 in float32 where
 * the result is largest. Infinite at 0, NaN at -1, -2, ...
 * @example
 * scipy.special.gamma(np.array([0.5, 5])); // [1.7725, 24]
 */
export function gamma(x: ArrayLike): NDArray {
  const a = inexactOperand("special.gamma", x);
  return mul(signOf(a), exp(p.lgamma(a)));
}

/**
 * n!, as Γ(n + 1) (see `gamma` for its accuracy); 0 below 0.
 * @example
 * scipy.special.factorial(np.array([0, 3, 5])); // [1, 6, 120]
 */
export function factorial(n: ArrayLike): NDArray {
  const a = inexactOperand("special.factorial", n);
  const negative = lt(a, 0);
  return select(negative, 0, exp(p.lgamma(add(select(negative, 0, a), 1))));
}

/**
 * The derivative of gammaln; NaN at 0, -1, -2, ...
 * @example
 * scipy.special.digamma(np.array([0.5, 5])); // [-1.9635, 1.5061]
 */
export const digamma = (x: ArrayLike): NDArray => p.digamma(inexactOperand("special.digamma", x));

/**
 * The n-th derivative of digamma. The order, a whole number from 0 on, is part of the program.
 * @throws ArgumentError for another order.
 * @example
 * scipy.special.polygamma(1, np.array([0.5, 1])); // [4.9348, 1.6449]
 */
export function polygamma(n: number, x: ArrayLike): NDArray {
  const order = wholeNumber("special.polygamma", "the order", n, 0);
  const a = inexactOperand("special.polygamma", x);
  return order === 0 ? p.digamma(a) : p.polygamma(a, order);
}

/**
 * The logarithm of the multivariate gamma function of dimension d, a whole number that is part of the program:
 * d (d - 1)/4 · log π + Σ log Γ(x - i/2) over i from 0 to d - 1.
 * @throws ArgumentError for another dimension.
 * @example
 * scipy.special.multigammaln(np.array([5]), 2); // [6.2042]
 */
export function multigammaln(x: ArrayLike, d: number): NDArray {
  const dimension = wholeNumber("special.multigammaln", "the dimension", d, 1);
  const a = inexactOperand("special.multigammaln", x);
  const shape = [...a.shape, dimension];
  const wide = broadcastInDim(
    a,
    shape,
    a.shape.map((_, i) => i),
  );
  const logs = p.lgamma(sub(wide, mul(iota(a.dtype, shape, a.ndim), 0.5)));
  return add(reduceSum(logs, [a.ndim]), ((dimension * (dimension - 1)) / 4) * Math.log(Math.PI));
}
