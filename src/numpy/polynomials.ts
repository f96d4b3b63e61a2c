/** Polynomials as vectors of coefficients, that of the highest power first. */
import { concreteArray, type NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ShapeError } from "../core/errors.js";
import { div, mul, sub } from "../primitives/arithmetic.js";
import { pad } from "../primitives/slicing.js";
import { add as addArrays, multiply } from "./arithmetic.js";
import { plainOptions, wholeNumber } from "./axes.js";
import { full } from "./constants.js";
import { convolve } from "./convolution.js";
import { trimZeros } from "./editing.js";
import { concatenate } from "./joining.js";
import { broadcastTo, ravel } from "./manipulation.js";
import { type ArrayLike, promoteOperands } from "./operands.js";
import { counting, elementAt, sliceAxis } from "./rearrange.js";

function coefficients(name: string, xs: readonly ArrayLike[], inexact: boolean): NDArray[] {
  return promoteOperands(name, xs, inexact).map((p) => {
    if (p.ndim > 1) throw new ShapeError(`${name}: coefficients must be a vector, got ${describe(p.aval)}`);
    return ravel(p);
  });
}

/**
 * The value of a polynomial at `x`, by Horner's scheme.
 * @throws ShapeError unless the coefficients are a vector.
 * @example
 * np.polyval(np.array([1, 0, 2]), 3); // 11
 */
export function polyval(p: ArrayLike, x: ArrayLike): NDArray {
  const [c, at] = promoteOperands("polyval", [p, x]);
  if (c.ndim !== 1) throw new ShapeError(`polyval: coefficients must be a vector, got ${describe(c.aval)}`);
  if (c.size === 0) return full(at.shape, 0, at.dtype);
  const value = counting(c.size - 1, 1).reduce(
    (y, i) => addArrays(multiply(y, at), elementAt(c, 0, i)),
    elementAt(c, 0, 0),
  );
  return broadcastTo(value, at.shape);
}

/** Leading coefficients of 0, so that both have the same number. */
function padded(a: NDArray, b: NDArray): readonly [NDArray, NDArray] {
  const n = Math.max(a.size, b.size);
  const longer = (p: NDArray) => (p.size === n ? p : pad(p, 0, [[n - p.size, 0, 0]]));
  return [longer(a), longer(b)];
}

/**
 * The sum of two polynomials.
 * @throws ShapeError unless the coefficients are vectors.
 * @example
 * np.polyadd(np.array([1, 2, 3]), np.array([10, 20])); // [1, 12, 23]
 */
export function polyadd(p: ArrayLike, q: ArrayLike): NDArray {
  const [a, b] = coefficients("polyadd", [p, q], false);
  return addArrays(...padded(a, b));
}

/**
 * The difference of two polynomials.
 * @throws ShapeError unless the coefficients are vectors.
 * @example
 * np.polysub(np.array([1, 2, 3]), np.array([10, 20])); // [1, -8, -17]
 */
export function polysub(p: ArrayLike, q: ArrayLike): NDArray {
  const [a, b] = coefficients("polysub", [p, q], false);
  return sub(...padded(a, b));
}

/**
 * The product of two polynomials, in floats. With `trimLeadingZeros`, coefficients of 0 in front are dropped first, as
 * NumPy does; their values must then be known.
 * @throws ShapeError unless the coefficients are vectors.
 * @example
 * np.polymul(np.array([1, 1]), np.array([1, -1])); // [1, 0, -1]
 */
export function polymul(
  p: ArrayLike,
  q: ArrayLike,
  options: { readonly trimLeadingZeros?: boolean } = {},
): NDArray {
  const { trimLeadingZeros = false } = plainOptions("polymul", options, ["trimLeadingZeros"]);
  const pair = coefficients("polymul", [p, q], true);
  const [a, b] = pair.map((c) => {
    const trimmed = trimLeadingZeros ? trimZeros(c, "f") : c;
    return trimmed.size === 0 ? full([1], 0, c.dtype) : trimmed;
  });
  return convolve(a, b);
}

/** (i + m)! / i! for the powers i that are left after m derivatives, the highest first. */
const factors = (count: number, m: number): number[] =>
  counting(count, count - 1, -1).map((i) => counting(m, i + 1).reduce((product, k) => product * k, 1));

/**
 * The m-th derivative (default: the first) of a polynomial.
 * @throws ShapeError, ArgumentError
 * @example
 * np.polyder(np.array([1, 2, 3])); // [2, 2]
 */
export function polyder(p: ArrayLike, m = 1): NDArray {
  const [c] = coefficients("polyder", [p], true);
  if (wholeNumber("polyder", "m", m, 0) === 0) return c;
  const count = Math.max(c.size - m, 0);
  return mul(sliceAxis(c, 0, 0, count), concreteArray(factors(count, m), [count], c.dtype));
}

/**
 * The m-th antiderivative (default: the first) of a polynomial, with constants of integration `k` (default 0): one, or a
 * vector of m, that of the first integration first.
 * @throws ShapeError, ArgumentError
 * @example
 * np.polyint(np.array([6, 2])); // [3, 2, 0]
 */
export function polyint(p: ArrayLike, m = 1, k: ArrayLike = 0): NDArray {
  const [c, given] = coefficients("polyint", [p, k], true);
  if (wholeNumber("polyint", "m", m, 0) === 0) return c;
  if (given.size !== 1 && given.size !== m)
    throw new ShapeError(`polyint: ${given.size} constants for ${m} integrations`);
  const all = concatenate([c, broadcastTo(given, [m])]);
  // The constant of a later integration is divided by less: by 1 at the end.
  const divisors = counting(all.size, all.size - 1, -1).map((i) =>
    counting(Math.min(m, i), i, -1).reduce((product, n) => product * n, 1),
  );
  return div(all, concreteArray(divisors, [all.size], c.dtype));
}

/**
 * The polynomial with the given zeros and leading coefficient 1, in floats; without zeros the scalar 1, as in NumPy.
 * @throws ShapeError unless the zeros are a vector.
 * @example
 * np.poly(np.array([1, 2])); // [1, -3, 2]
 */
export function poly(zeros: ArrayLike): NDArray {
  const [z] = coefficients("poly", [zeros], true);
  if (z.size === 0) return full([], 1, z.dtype);
  // Multiplying by (x - z) shifts the coefficients and subtracts z times them.
  return counting(z.size).reduce<NDArray>(
    (p, i) => sub(pad(p, 0, [[0, 1, 0]]), mul(elementAt(z, 0, i), pad(p, 0, [[1, 0, 0]]))),
    full([1], 1, z.dtype),
  );
}
