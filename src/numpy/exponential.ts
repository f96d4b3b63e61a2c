/** Exponentials and logarithms. Integers and booleans are taken as float32. */
import type { NDArray } from "../core/array.js";
import { add, div, sub } from "../primitives/arithmetic.js";
import { ge, ne } from "../primitives/comparison.js";
import * as p from "../primitives/exponential.js";
import { select } from "../primitives/select.js";
import { type ArrayLike, elementwiseOperands, inexactOperand } from "./operands.js";

/**
 * e^x.
 * @example
 * np.exp(np.array([0, 1])); // [1, 2.7182817]
 */
export const exp = (x: ArrayLike): NDArray => p.exp(inexactOperand("exp", x));

/**
 * 2^x.
 * @example
 * np.exp2(np.array([3, -1])); // [8, 0.5]
 */
export const exp2 = (x: ArrayLike): NDArray => p.exp2(inexactOperand("exp2", x));

/**
 * e^x - 1, exact also where x is small.
 * @example
 * np.expm1(1e-8); // 1e-8
 */
export const expm1 = (x: ArrayLike): NDArray => p.expm1(inexactOperand("expm1", x));

/**
 * The natural logarithm: -∞ at 0, NaN below.
 * @example
 * np.log(np.array([1, 10])); // [0, 2.3025851]
 */
export const log = (x: ArrayLike): NDArray => p.log(inexactOperand("log", x));

/**
 * log(1 + x), exact also where x is small.
 * @example
 * np.log1p(1e-8); // 1e-8
 */
export const log1p = (x: ArrayLike): NDArray => p.log1p(inexactOperand("log1p", x));

/**
 * The logarithm to base 2.
 * @example
 * np.log2(np.array([8, 0.5])); // [3, -1]
 */
export const log2 = (x: ArrayLike): NDArray => div(p.log(inexactOperand("log2", x)), Math.LN2);

/**
 * The logarithm to base 10.
 * @example
 * np.log10(np.array([100, 0.1])); // [2, -1]
 */
export const log10 = (x: ArrayLike): NDArray => div(p.log(inexactOperand("log10", x)), Math.LN10);

/**
 * Adds `excess(small - large)` to the larger operand. Choosing a branch instead of taking max and |x - y| leaves in each
 * branch the same smooth function, so that derivatives of all orders are right also where the operands are equal.
 * Equal infinities, whose difference is not a number, are added.
 */
function addLogs(a: NDArray, b: NDArray, excess: (difference: NDArray) => NDArray): NDArray {
  const ordered = ge(a, b);
  const large = select(ordered, a, b);
  const difference = sub(select(ordered, b, a), large);
  const isUndefined = ne(difference, difference);
  return select(isUndefined, add(a, b), add(large, excess(select(isUndefined, 0, difference))));
}

/**
 * log(e^x + e^y) without overflow, element by element: exact where one is far smaller, and at infinities.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.logaddexp(np.array([0, 1000]), np.array([0, -1000])); // [0.6931472, 1000]
 */
export function logaddexp(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("logaddexp", [x, y], true);
  return addLogs(a, b, (d) => p.log1p(p.exp(d)));
}

/**
 * log2(2^x + 2^y) without overflow, element by element.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.logaddexp2(np.array([3, 1000]), np.array([3, -1000])); // [4, 1000]
 */
export function logaddexp2(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("logaddexp2", [x, y], true);
  return addLogs(a, b, (d) => div(p.log1p(p.exp2(d)), Math.LN2));
}
