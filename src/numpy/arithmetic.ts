/** Sums, products, quotients, signs, roots and extremes, with NumPy's promotion and broadcasting. */
import type { NDArray } from "../core/array.js";
import { isFloat, isUnsigned } from "../core/dtype.js";
import { DtypeError } from "../core/errors.js";
import * as p from "../primitives/arithmetic.js";
import { bitwiseAnd, bitwiseOr } from "../primitives/bits.js";
import { ne } from "../primitives/comparison.js";
import { select } from "../primitives/select.js";
import { type ArrayLike, asArray, elementwiseOperands, inexactOperand, numericOperand } from "./operands.js";

const refuseBool = (name: string, x: NDArray, instead: string): void => {
  if (x.dtype === "bool") throw new DtypeError(`${name} is not defined for bool; use ${instead}`);
};

/**
 * x + y, element by element; for booleans, or.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.add(np.array([1, 2]), 10); // [11, 12]
 */
export function add(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("add", [x, y]);
  return a.dtype === "bool" ? bitwiseOr(a, b) : p.add(a, b);
}

/**
 * x - y, element by element. Unsigned integers wrap around.
 * @throws DtypeError for booleans, as NumPy does: use `logicalXor`.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.subtract(np.array([1, 2]), 10); // [-9, -8]
 */
export function subtract(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("subtract", [x, y]);
  refuseBool("subtract", a, "np.logicalXor");
  return p.sub(a, b);
}

/**
 * x · y, element by element; for booleans, and.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.multiply(np.array([1, 2]), 10); // [10, 20]
 */
export function multiply(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("multiply", [x, y]);
  return a.dtype === "bool" ? bitwiseAnd(a, b) : p.mul(a, b);
}

/**
 * x / y, element by element; integers are divided as floats. Also called `trueDivide`.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.divide(np.array([1, 2]), 2); // [0.5, 1]
 */
export function divide(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("divide", [x, y], true);
  return p.div(a, b);
}

export { divide as trueDivide };

/**
 * -x. Unsigned integers wrap around.
 * @throws DtypeError for booleans: use `logicalNot`.
 * @example
 * np.negative(np.array([1, -2])); // [-1, 2]
 */
export function negative(x: ArrayLike): NDArray {
  const a = asArray(x, "negative");
  refuseBool("negative", a, "np.logicalNot");
  return p.neg(a);
}

/**
 * x itself, as an array.
 * @example
 * np.positive(-3); // -3
 */
export const positive = (x: ArrayLike): NDArray => asArray(x, "positive");

/**
 * The absolute value, of the dtype of x. Its derivative at 0 is 1. Also called `absolute`.
 * @example
 * np.abs(np.array([-1, 2])); // [1, 2]
 */
export function abs(x: ArrayLike): NDArray {
  const a = asArray(x, "abs");
  return a.dtype === "bool" || isUnsigned(a.dtype) ? a : p.abs(a);
}

export { abs as absolute };

/**
 * The absolute value as a float.
 * @example
 * np.fabs(np.array([-1, 2])).dtype; // "float32"
 */
export const fabs = (x: ArrayLike): NDArray => p.abs(inexactOperand("fabs", x));

/**
 * -1, 0 or 1; NaN for NaN.
 * @throws DtypeError for booleans.
 * @example
 * np.sign(np.array([-3, 0, 3])); // [-1, 0, 1]
 */
export const sign = (x: ArrayLike): NDArray => p.sign(asArray(x, "sign"));

/**
 * x².
 * @example
 * np.square(np.array([1, -2])); // [1, 4]
 */
export const square = (x: ArrayLike): NDArray => p.square(numericOperand("square", x));

/**
 * √x; NaN below 0. Its derivative at 0 is infinite.
 * @example
 * np.sqrt(np.array([4, 9])); // [2, 3]
 */
export const sqrt = (x: ArrayLike): NDArray => p.sqrt(inexactOperand("sqrt", x));

/**
 * ∛x, also of negative numbers.
 * @example
 * np.cbrt(-27); // -3
 */
export const cbrt = (x: ArrayLike): NDArray => p.cbrt(inexactOperand("cbrt", x));

/**
 * 1 / x, as a float.
 * @example
 * np.reciprocal(4); // 0.25
 */
export const reciprocal = (x: ArrayLike): NDArray => p.div(1, inexactOperand("reciprocal", x));

/**
 * The larger of x and y, element by element; NaN if either is. Where they are equal each has half of the derivative.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.maximum(np.array([1, 5]), 3); // [3, 5]
 */
export function maximum(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("maximum", [x, y]);
  return p.max(a, b);
}

/**
 * The smaller of x and y, element by element; NaN if either is. Where they are equal each has half of the derivative.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.minimum(np.array([1, 5]), 3); // [1, 3]
 */
export function minimum(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("minimum", [x, y]);
  return p.min(a, b);
}

/** Takes the other operand where one is NaN. */
function ignoringNaN(a: NDArray, b: NDArray, extreme: (a: NDArray, b: NDArray) => NDArray): NDArray {
  const result = extreme(a, b);
  return isFloat(a.dtype) ? select(ne(a, a), b, select(ne(b, b), a, result)) : result;
}

/**
 * The larger of x and y, element by element; where one is NaN, the other.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.fmax(np.array([1, NaN]), np.array([2, 3])); // [2, 3]
 */
export function fmax(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("fmax", [x, y]);
  return ignoringNaN(a, b, p.max);
}

/**
 * The smaller of x and y, element by element; where one is NaN, the other.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.fmin(np.array([1, NaN]), np.array([2, 3])); // [1, 3]
 */
export function fmin(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("fmin", [x, y]);
  return ignoringNaN(a, b, p.min);
}
