/** Products with logarithms as information theory has them: 0 · log 0 is 0. */
import type { NDArray } from "../../core/array.js";
import { type ArrayLike, elementwiseOperands, inexactOperand } from "../../numpy/operands.js";
import { add, div, mul, neg, sub } from "../../primitives/arithmetic.js";
import { bitwiseAnd } from "../../primitives/bits.js";
import { eq, ge, gt, lt } from "../../primitives/comparison.js";
import { scalarLike } from "../../primitives/elementwise.js";
import { timesLog, timesLog1p } from "../../primitives/entropy.js";
import { log } from "../../primitives/exponential.js";
import { select } from "../../primitives/select.js";

const pair = (name: string, x: ArrayLike, y: ArrayLike): [NDArray, NDArray] =>
  elementwiseOperands(name, [x, y], true) as [NDArray, NDArray];

/**
 * x · log y; 0 where x is 0, whatever number y is. The derivatives are log y and x / y.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * scipy.special.xlogy(np.array([0, 2]), np.array([0, 3])); // [0, 2.1972]
 */
export const xlogy = (x: ArrayLike, y: ArrayLike): NDArray => timesLog(...pair("special.xlogy", x, y));

/**
 * x · log(1 + y), exact also for small y; 0 where x is 0, whatever number y is. The derivatives are log(1 + y) and
 * x / (1 + y).
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * scipy.special.xlog1py(np.array([0, 2]), np.array([-1, 1e-9])); // [0, 2e-9]
 */
export const xlog1py = (x: ArrayLike, y: ArrayLike): NDArray => timesLog1p(...pair("special.xlog1py", x, y));

/**
 * -x · log x; 0 at 0, -∞ below.
 * @example
 * scipy.special.entr(np.array([0, 0.5, 1])); // [0, 0.3466, 0]
 */
export function entr(x: ArrayLike): NDArray {
  const a = inexactOperand("special.entr", x);
  return select(lt(a, 0), -Infinity, neg(timesLog(a, a)));
}

/**
 * x · log(x / y) for positive x and y; 0 where x is 0 and y is not negative, ∞ elsewhere.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * scipy.special.relEntr(np.array([0, 1]), np.array([1, 2])); // [0, -0.6931]
 */
export function relEntr(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = pair("special.relEntr", x, y);
  return relativeEntropy(a, b);
}

function relativeEntropy(a: NDArray, b: NDArray): NDArray {
  const both = bitwiseAnd(gt(a, 0), gt(b, 0));
  const nothing = bitwiseAnd(eq(a, 0), ge(b, 0));
  const ratio = div(select(both, a, 1), select(both, b, 1));
  return select(both, mul(a, log(ratio)), select(nothing, scalarLike(a, 0), Infinity));
}

/**
 * x · log(x / y) - x + y for positive x and y, the Kullback-Leibler divergence of unnormalised weights; y where x is 0
 * and y is not negative, ∞ elsewhere.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * scipy.special.klDiv(np.array([0, 1]), np.array([1, 2])); // [1, 0.3069]
 */
export function klDiv(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = pair("special.klDiv", x, y);
  return add(sub(relativeEntropy(a, b), a), b);
}
