/** The logistic function and its inverse. */
import type { NDArray } from "../../core/array.js";
import { type ArrayLike, inexactOperand } from "../../numpy/operands.js";
import { div, sub } from "../../primitives/arithmetic.js";
import { log, logistic } from "../../primitives/exponential.js";

/**
 * 1 / (1 + e⁻ˣ), without overflow.
 * @example
 * scipy.special.expit(np.array([-1000, 0, 1])); // [0, 0.5, 0.7311]
 */
export const expit = (x: ArrayLike): NDArray => logistic(inexactOperand("special.expit", x));

/**
 * log(x / (1 - x)), the inverse of expit: infinite at 0 and 1, NaN beyond.
 * @example
 * scipy.special.logit(np.array([0, 0.5, 0.75])); // [-inf, 0, 1.0986]
 */
export function logit(x: ArrayLike): NDArray {
  const a = inexactOperand("special.logit", x);
  return log(div(a, sub(1, a)));
}
