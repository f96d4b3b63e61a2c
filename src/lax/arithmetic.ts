/** Arithmetic, element by element. Operands have one dtype, and one shape or none (scalars); numbers adapt. */
import type { NDArray } from "../core/array.js";
import { isFloat, isInteger } from "../core/dtype.js";
import * as p from "../primitives/arithmetic.js";
import { convertElementType } from "../primitives/cast.js";
import { type ArrayLike, operand, operands } from "./operands.js";

/** Two operands, in the order that a binary primitive takes them. */
const pair = (name: string, x: ArrayLike, y: ArrayLike): [NDArray, NDArray] =>
  operands(name, [x, y]) as [NDArray, NDArray];

/**
 * x + y. Integers wrap around.
 * @throws DtypeError for booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.add(np.array([1, 2]), 10); // [11, 12]
 */
export const add = (x: ArrayLike, y: ArrayLike): NDArray => p.add(...pair("add", x, y));

/**
 * x - y. Integers wrap around.
 * @throws DtypeError for booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.sub(np.array([1, 2]), 10); // [-9, -8]
 */
export const sub = (x: ArrayLike, y: ArrayLike): NDArray => p.sub(...pair("sub", x, y));

/**
 * x · y. Integers wrap around.
 * @throws DtypeError for booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.mul(np.array([1, 2]), 10); // [10, 20]
 */
export const mul = (x: ArrayLike, y: ArrayLike): NDArray => p.mul(...pair("mul", x, y));

/**
 * x / y. The quotient of integers is an integer, rounded towards zero; divided by zero they give -1.
 * @throws DtypeError for booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.div(np.array([-7, 7], "int32"), 2); // [-3, 3]
 * lax.div(np.array([-7.0, 7.5]), 2); // [-3.5, 3.75]
 */
export const div = (x: ArrayLike, y: ArrayLike): NDArray => p.div(...pair("div", x, y));

/**
 * The remainder of division rounded towards zero: it has the sign of x.
 * @throws DtypeError for booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.rem(np.array([-7, 7]), 3); // [-1, 1]
 */
export const rem = (x: ArrayLike, y: ArrayLike): NDArray => p.rem(...pair("rem", x, y));

/**
 * -x. Unsigned integers wrap around.
 * @throws DtypeError for booleans.
 * @example
 * lax.neg(np.array([1, -2])); // [-1, 2]
 */
export const neg = (x: ArrayLike): NDArray => p.neg(operand("neg", x));

/**
 * The absolute value. Its derivative at 0 is 1.
 * @throws DtypeError for booleans.
 * @example
 * lax.abs(np.array([1, -2])); // [1, 2]
 */
export const abs = (x: ArrayLike): NDArray => p.abs(operand("abs", x));

/**
 * -1, 0 or 1; NaN for NaN, and a zero keeps its sign.
 * @throws DtypeError for booleans.
 * @example
 * lax.sign(np.array([-3, 0, 5])); // [-1, 0, 1]
 */
export const sign = (x: ArrayLike): NDArray => p.sign(operand("sign", x));

/**
 * The larger of x and y; NaN if one is. Where they are equal each gets half of the derivative.
 * @throws DtypeError for mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.max(np.array([1, 5]), 3); // [3, 5]
 */
export const max = (x: ArrayLike, y: ArrayLike): NDArray => p.max(...pair("max", x, y));

/**
 * The smaller of x and y; NaN if one is. Where they are equal each gets half of the derivative.
 * @throws DtypeError for mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.min(np.array([1, 5]), 3); // [1, 3]
 */
export const min = (x: ArrayLike, y: ArrayLike): NDArray => p.min(...pair("min", x, y));

/**
 * x to the power y, for floats x. The exponents may be integers. x⁰ is 1, and derivatives at 0 are finite where the
 * limits are.
 * @throws DtypeError for integers x (see `integerPow`); ShapeError for shapes that differ.
 * @example
 * lax.pow(np.array([1.5, 2.5]), 2); // [2.25, 6.25]
 */
export function pow(x: ArrayLike, y: ArrayLike): NDArray {
  const base = operand("pow", x, true);
  const [a, b] = typeof y === "number" ? pair("pow", base, y) : [base, operand("pow", y)];
  return p.pow(a, isFloat(a.dtype) && isInteger(b.dtype) ? convertElementType(b, a.dtype) : b);
}

/**
 * x to the power of a whole number, which is part of the program. Derivatives of every order are right at 0. Integers
 * wrap around.
 * @throws ArgumentError if `y` is not whole; DtypeError for a negative power of integers.
 * @example
 * lax.integerPow(np.array([1, 2, 3]), 3); // [1, 8, 27]
 */
export const integerPow = (x: ArrayLike, y: number): NDArray => p.integerPow(operand("integerPow", x), y);

/**
 * x². Integers wrap around.
 * @throws DtypeError for booleans.
 * @example
 * lax.square(np.array([1, -3])); // [1, 9]
 */
export const square = (x: ArrayLike): NDArray => p.square(operand("square", x));

/**
 * √x of floats; NaN below 0. Its derivative at 0 is infinite.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.sqrt(np.array([4.0, 2.25])); // [2, 1.5]
 */
export const sqrt = (x: ArrayLike): NDArray => p.sqrt(operand("sqrt", x, true));

/**
 * 1/√x of floats; infinite at 0, NaN below.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.rsqrt(0.25); // 2
 */
export const rsqrt = (x: ArrayLike): NDArray => p.rsqrt(operand("rsqrt", x, true));

/**
 * The real cube root of floats.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.cbrt(-0.125); // -0.5
 */
export const cbrt = (x: ArrayLike): NDArray => p.cbrt(operand("cbrt", x, true));

/**
 * 1/x of floats.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.reciprocal(0.25); // 4
 */
export const reciprocal = (x: ArrayLike): NDArray => p.integerPow(operand("reciprocal", x, true), -1);
