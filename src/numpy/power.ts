/** Powers. */
import { NDArray } from "../core/array.js";
import { isFloat, isUnsigned, itemSize } from "../core/dtype.js";
import { DtypeError } from "../core/errors.js";
import { abs, integerPow, mul, pow, square } from "../primitives/arithmetic.js";
import { bitwiseAnd } from "../primitives/bits.js";
import { lt, ne } from "../primitives/comparison.js";
import { select } from "../primitives/select.js";
import { type ArrayLike, asNumber, elementwiseOperands, numericOperand } from "./operands.js";

const isWhole = (y: ArrayLike): y is number => Number.isInteger(y) && Math.abs(y as number) < 2 ** 31;

/**
 * x to the power y, element by element.
 *
 * A whole JavaScript number as exponent is part of the program: then derivatives of all orders are right at 0, and
 * nothing is computed by logarithms. Integers stay integers (and wrap around); among them a negative exponent in an
 * array gives 1 / x^|y| rounded towards zero. 0^0 is 1. Also called `pow`.
 * @throws DtypeError for an integer x and a negative JavaScript number y: use `floatPower`.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.power(np.array([1, 2, 3]), 2); // [1, 4, 9]
 * np.power(2, np.array([0.5, -1])); // [1.4142135, 0.5]
 */
export function power(x: ArrayLike, y: ArrayLike): NDArray {
  if (isWhole(y)) {
    const base = numericOperand("power", x);
    if (y < 0 && !isFloat(base.dtype))
      throw new DtypeError(
        `power: ${base.dtype} cannot be raised to the negative power ${y}; use np.floatPower, or a float`,
      );
    return integerPow(base, y);
  }
  const [a, b] = elementwiseOperands("power", [x, y]);
  return isFloat(a.dtype) ? pow(a, b) : integerPower(asNumber(a), asNumber(b));
}

export { power as pow };

/** Square and multiply, for every bit that an exponent can have: products wrap around, so that even huge ones matter. */
function integerPower(base: NDArray, exponent: NDArray): NDArray {
  const bits = 8 * itemSize(exponent.dtype);
  let result: NDArray | undefined;
  let factor = base;
  for (let bit = 0; bit < bits; bit++) {
    // The highest bit of int32 is the sign, and has to be written as such.
    const mask = bit === 31 && !isUnsigned(exponent.dtype) ? -(2 ** 31) : 2 ** bit;
    const taken = select(ne(bitwiseAnd(exponent, mask), 0), factor, 1);
    result = result === undefined ? taken : mul(result, taken);
    if (bit < bits - 1) factor = square(factor);
  }
  const whole = result as NDArray;
  if (isUnsigned(exponent.dtype)) return whole;
  // 1 and -1 to a negative power follow the parity, as above; 0 stays 0, and of all others nothing is left.
  const vanishes = bitwiseAnd(lt(exponent, 0), ne(abs(base), 1));
  return select(vanishes, 0, whole);
}

/**
 * x to the power y, in floats.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.floatPower(2, -1); // 0.5
 */
export function floatPower(x: ArrayLike, y: ArrayLike): NDArray {
  if (isWhole(y) && x instanceof NDArray && isFloat(x.dtype)) return integerPow(x, y);
  const [a, b] = elementwiseOperands("floatPower", [x, y], true);
  return pow(a, b);
}
