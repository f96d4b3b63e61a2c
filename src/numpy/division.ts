/** Division with a remainder: rounded down (`mod`, `floorDivide`) or towards zero (`fmod`). */
import type { NDArray } from "../core/array.js";
import { isFloat, isUnsigned } from "../core/dtype.js";
import { add, div, rem, sub } from "../primitives/arithmetic.js";
import { bitwiseAnd } from "../primitives/bits.js";
import { eq, lt, ne } from "../primitives/comparison.js";
import { round } from "../primitives/rounding.js";
import { select } from "../primitives/select.js";
import { type ArrayLike, asNumber, elementwiseOperands } from "./operands.js";

const numbers = (name: string, x: ArrayLike, y: ArrayLike): NDArray[] =>
  elementwiseOperands(name, [x, y]).map(asNumber);

/** Where the remainder of truncated division has not the sign of the divisor: floor division is one step further. */
const isShort = (remainder: NDArray, divisor: NDArray): NDArray =>
  bitwiseAnd(ne(remainder, 0), ne(lt(remainder, 0), lt(divisor, 0)));

/**
 * The quotient rounded down, in the common dtype. Its derivative is zero.
 *
 * Division by zero gives ±∞ (NaN for 0 / 0); among integers no particular number.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.floorDivide(np.array([-7, 7]), 2); // [-4, 3]
 */
export function floorDivide(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = numbers("floorDivide", x, y);
  if (isUnsigned(a.dtype)) return div(a, b);
  const remainder = rem(a, b);
  // The remainder is exact (but for a zero divisor, where there is none), so without it a multiple of b is left to
  // divide, but for one rounding.
  const quotient = isFloat(a.dtype) ? div(select(eq(b, 0), a, sub(a, remainder)), b) : div(a, b);
  const down = select(isShort(remainder, b), sub(quotient, 1), quotient);
  return isFloat(a.dtype) ? round(down) : down;
}

/**
 * The remainder of floor division: x - y·floor(x / y), with the sign of y. Also called `remainder`.
 *
 * Division by zero gives NaN, or x among integers.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.mod(np.array([-7, 7]), 3); // [2, 1]
 */
export function mod(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = numbers("mod", x, y);
  const remainder = rem(a, b);
  return isUnsigned(a.dtype) ? remainder : select(isShort(remainder, b), add(remainder, b), remainder);
}

export { mod as remainder };

/**
 * The remainder of division rounded towards zero: it has the sign of x.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.fmod(np.array([-7, 7]), 3); // [-1, 1]
 */
export function fmod(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = numbers("fmod", x, y);
  return rem(a, b);
}

/**
 * Quotient and remainder of floor division: `[floorDivide(x, y), mod(x, y)]`.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.divmod(-7, 2)[0]; // -4
 * np.divmod(-7, 2)[1]; // 1
 */
export const divmod = (x: ArrayLike, y: ArrayLike): [quotient: NDArray, remainder: NDArray] => [
  floorDivide(x, y),
  mod(x, y),
];
