/** Arithmetic of arrays, with NumPy's promotion and broadcasting. */
import type { NDArray } from "../core/array.js";
import { isFloat, isInteger, isUnsigned } from "../core/dtype.js";
import { DtypeError } from "../core/errors.js";
import * as p from "../primitives/arithmetic.js";
import * as bits from "../primitives/bits.js";
import { eq, lt, ne } from "../primitives/comparison.js";
import { exp, exp2, log1p } from "../primitives/exponential.js";
import { floor } from "../primitives/rounding.js";
import { select } from "../primitives/select.js";
import { type ArrayLike, asArray, elementwiseOperands } from "./operands.js";

/** One operand of a function that only makes sense for floats. */
export const inexactOperand = (name: string, x: ArrayLike): NDArray => elementwiseOperands(name, [x], true)[0];

/**
 * x + y; for booleans, or.
 * @example
 * np.add(np.array([1, 2]), 10); // [11, 12]
 */
export function add(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("add", [x, y]);
  return a.dtype === "bool" ? bits.bitwiseOr(a, b) : p.add(a, b);
}

/**
 * x - y. Unsigned integers wrap around.
 * @throws DtypeError for booleans, as NumPy does: use `logicalXor`.
 * @example
 * np.subtract(np.array([1, 2]), 10); // [-9, -8]
 */
export function subtract(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("subtract", [x, y]);
  if (a.dtype === "bool") throw new DtypeError("subtract is not defined for bool; use np.logicalXor or np.bitwiseXor");
  return p.sub(a, b);
}

/**
 * x · y; for booleans, and.
 * @example
 * np.multiply(np.array([1, 2]), 10); // [10, 20]
 */
export function multiply(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("multiply", [x, y]);
  return a.dtype === "bool" ? bits.bitwiseAnd(a, b) : p.mul(a, b);
}

/**
 * x / y; integers are divided as floats.
 * @example
 * np.divide(np.array([1, 2]), 2); // [0.5, 1]
 */
export function divide(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("divide", [x, y], true);
  return p.div(a, b);
}

export { divide as trueDivide };

/**
 * The quotient rounded down.
 * @example
 * np.floorDivide(np.array([-7, 7]), 2); // [-4, 3]
 */
export function floorDivide(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("floorDivide", [x, y]);
  if (isFloat(a.dtype)) {
    // The remainder is exact, so x - mod(x, y) is a multiple of y up to one rounding, which `round` takes away.
    const quotient = p.div(p.sub(a, mod(a, b)), b);
    const down = floor(quotient);
    const corrected = select(lt(0.5, p.sub(quotient, down)), p.add(down, 1), down);
    return select(eq(b, 0), p.div(a, b), corrected);
  }
  const [m, n] = asIntegers(a, b);
  const quotient = p.div(m, n);
  if (isUnsigned(m.dtype)) return quotient;
  const inexact = ne(p.rem(m, n), 0);
  const apart = ne(p.sign(m), p.sign(n));
  return select(bits.bitwiseAnd(inexact, apart), p.sub(quotient, 1), quotient);
}

const asIntegers = (a: NDArray, b: NDArray): NDArray[] =>
  a.dtype === "bool" ? elementwiseOperands("floorDivide", [a.astype("int32"), b.astype("int32")]) : [a, b];

/**
 * The remainder of floor division: it has the sign of y.
 * @example
 * np.mod(np.array([-7, 7]), 3); // [2, 1]
 */
export function mod(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = asIntegers(...(elementwiseOperands("mod", [x, y]) as [NDArray, NDArray]));
  const truncated = p.rem(a, b);
  if (isUnsigned(a.dtype)) return truncated;
  const apart = ne(lt(truncated, 0), lt(b, 0));
  return select(bits.bitwiseAnd(apart, ne(truncated, 0)), p.add(truncated, b), truncated);
}

export { mod as remainder };

/**
 * The remainder of division rounded towards zero: it has the sign of x.
 * @example
 * np.fmod(np.array([-7, 7]), 3); // [-1, 1]
 */
export function fmod(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = asIntegers(...(elementwiseOperands("fmod", [x, y]) as [NDArray, NDArray]));
  return p.rem(a, b);
}

/**
 * [floorDivide(x, y), mod(x, y)].
 * @example
 * np.divmod(7, 2)[0]; // 3
 */
export const divmod = (x: ArrayLike, y: ArrayLike): [NDArray, NDArray] => [floorDivide(x, y), mod(x, y)];

/**
 * x to the power y. A whole JavaScript number as exponent of a float array multiplies instead of calling pow, so that
 * derivatives at 0 are exact. Integers stay integers; a negative exponent then rounds towards zero.
 * @example
 * np.power(np.array([1, 2, 3]), 2); // [1, 4, 9]
 */
export function power(x: ArrayLike, y: ArrayLike): NDArray {
  if (typeof y === "number" && Number.isInteger(y) && Math.abs(y) < 2 ** 31) {
    const base = asArray(x, "power");
    if (isFloat(base.dtype) || (y >= 0 && isInteger(base.dtype))) return p.integerPow(base, y);
  }
  const [a, b] = elementwiseOperands("power", [x, y]);
  if (isFloat(a.dtype)) return p.pow(a, b);
  return integerPower(...(asIntegers(a, b) as [NDArray, NDArray]));
}

export { power as pow };

/** Square and multiply: 32 steps cover every 32-bit exponent. */
function integerPower(base: NDArray, exponent: NDArray): NDArray {
  let result = p.add(p.mul(base, 0), 1);
  let square = base;
  let left = isUnsigned(exponent.dtype) ? exponent : p.max(exponent, 0);
  for (let bit = 0; bit < 6; bit++) {
    result = select(eq(bits.bitwiseAnd(left, 1), 1), p.mul(result, square), p.add(result, p.mul(square, 0)));
    square = p.mul(square, square);
    left = bits.shiftRightLogical(left, 1);
  }
  if (isUnsigned(exponent.dtype)) return result;
  const odd = eq(bits.bitwiseAnd(exponent, 1), 1);
  const inverse = select(eq(base, 1), p.add(p.mul(result, 0), 1), select(eq(base, -1), select(odd, p.add(p.mul(result, 0), -1), p.add(p.mul(result, 0), 1)), p.mul(result, 0)));
  return select(lt(exponent, 0), inverse, result);
}

/**
 * x to the power y, in floats.
 * @example
 * np.floatPower(2, -1); // 0.5
 */
export function floatPower(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("floatPower", [x, y], true);
  return p.pow(a, b);
}

/**
 * -x.
 * @example
 * np.negative(np.array([1, -2])); // [-1, 2]
 */
export function negative(x: ArrayLike): NDArray {
  const a = asArray(x, "negative");
  if (a.dtype === "bool") throw new DtypeError("negative is not defined for bool; use np.logicalNot");
  return p.neg(a);
}

/** x itself, as an array. */
export const positive = (x: ArrayLike): NDArray => asArray(x, "positive");

/**
 * The absolute value. Its derivative at 0 is 1.
 * @example
 * np.abs(np.array([-1, 2])); // [1, 2]
 */
export function abs(x: ArrayLike): NDArray {
  const a = asArray(x, "abs");
  return a.dtype === "bool" || isUnsigned(a.dtype) ? a : p.abs(a);
}

export { abs as absolute, abs as fabs };

/**
 * -1, 0 or 1; NaN for NaN.
 * @example
 * np.sign(np.array([-3, 0, 3])); // [-1, 0, 1]
 */
export const sign = (x: ArrayLike): NDArray => p.sign(asArray(x, "sign"));

/**
 * x².
 * @example
 * np.square(np.array([1, -2])); // [1, 4]
 */
export function square(x: ArrayLike): NDArray {
  const a = asArray(x, "square");
  return a.dtype === "bool" ? a : p.square(a);
}

/**
 * √x. Its derivative at 0 is infinite.
 * @example
 * np.sqrt(np.array([4, 9])); // [2, 3]
 */
export const sqrt = (x: ArrayLike): NDArray => p.sqrt(inexactOperand("sqrt", x));

/**
 * ∛x.
 * @example
 * np.cbrt(27); // 3
 */
export const cbrt = (x: ArrayLike): NDArray => p.cbrt(inexactOperand("cbrt", x));

/**
 * 1/x.
 * @example
 * np.reciprocal(4); // 0.25
 */
export const reciprocal = (x: ArrayLike): NDArray => p.div(1, inexactOperand("reciprocal", x));

/**
 * The larger of x and y, element by element; NaN if either is. Where they are equal the derivative is shared evenly.
 * @example
 * np.maximum(np.array([1, 5]), 3); // [3, 5]
 */
export function maximum(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("maximum", [x, y]);
  return a.dtype === "bool" ? bits.bitwiseOr(a, b) : p.max(a, b);
}

/**
 * The smaller of x and y, element by element; NaN if either is.
 * @example
 * np.minimum(np.array([1, 5]), 3); // [1, 3]
 */
export function minimum(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("minimum", [x, y]);
  return a.dtype === "bool" ? bits.bitwiseAnd(a, b) : p.min(a, b);
}

/**
 * √(x² + y²) without overflow.
 * @example
 * np.hypot(3, 4); // 5
 */
export function hypot(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("hypot", [x, y], true).map((z) => p.abs(z));
  const large = p.max(a, b);
  const small = p.min(a, b);
  // Where both are 0, or one infinite, the ratio has no meaning: divide by 1 there (twice a where keeps gradients clean).
  const plain = bits.bitwiseOr(eq(large, 0), eq(large, Infinity));
  const safe = select(plain, p.add(p.mul(large, 0), 1).isFinite?.() ?? large, large);
  const ratio = p.div(small, safe);
  return select(plain, large, p.mul(large, p.sqrt(p.add(1, p.square(ratio)))));
}

/**
 * log(exp(x) + exp(y)) without overflow; -inf and inf are handled exactly.
 * @example
 * np.logaddexp(1000, -1000); // 1000
 */
export function logaddexp(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("logaddexp", [x, y], true);
  return logAddExp(a, b, (d) => log1p(exp(d)));
}

/** log2(2^x + 2^y). */
export function logaddexp2(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("logaddexp2", [x, y], true);
  return logAddExp(a, b, (d) => p.div(log1p(exp2(d)), Math.LN2));
}

/** max + f(-|x - y|); where the difference is NaN (equal infinities, NaN) the plain sum is right. */
function logAddExp(a: NDArray, b: NDArray, f: (d: NDArray) => NDArray): NDArray {
  const difference = p.sub(a, b);
  const undefinedDifference = ne(difference, difference);
  const safe = select(undefinedDifference, p.sub(0, p.mul(0, a)), difference);
  return select(undefinedDifference, p.add(a, b), p.add(p.max(a, b), f(p.neg(p.abs(safe)))));
}
