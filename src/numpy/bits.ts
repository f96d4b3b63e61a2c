/** Operations on the bits of integers; on booleans the logical ones. Floats have none: they give a `DtypeError`. */
import type { NDArray } from "../core/array.js";
import { isFloat, isUnsigned } from "../core/dtype.js";
import { DtypeError } from "../core/errors.js";
import { abs } from "../primitives/arithmetic.js";
import * as p from "../primitives/bits.js";
import { convertElementType } from "../primitives/cast.js";
import { type ArrayLike, asArray, asNumber, elementwiseOperands } from "./operands.js";

/**
 * Bits set in both x and y; for booleans, and.
 * @throws DtypeError for floats.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.bitwiseAnd(np.array([12, 5], "int32"), 6); // [4, 4]
 */
export function bitwiseAnd(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("bitwiseAnd", [x, y]);
  return p.bitwiseAnd(a, b);
}

/**
 * Bits set in x or y or both; for booleans, or.
 * @throws DtypeError for floats.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.bitwiseOr(np.array([12, 5], "int32"), 6); // [14, 7]
 */
export function bitwiseOr(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("bitwiseOr", [x, y]);
  return p.bitwiseOr(a, b);
}

/**
 * Bits set in one of x and y alone; for booleans, where they differ.
 * @throws DtypeError for floats.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.bitwiseXor(np.array([12, 5], "int32"), 6); // [10, 3]
 */
export function bitwiseXor(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("bitwiseXor", [x, y]);
  return p.bitwiseXor(a, b);
}

/**
 * Every bit inverted; for booleans, not. Also called `invert` and `bitwiseInvert`.
 * @throws DtypeError for floats.
 * @example
 * np.bitwiseNot(np.array([0, 12], "int32")); // [-1, -13]
 */
export const bitwiseNot = (x: ArrayLike): NDArray => p.bitwiseNot(asArray(x, "bitwiseNot"));

export { bitwiseNot as bitwiseInvert, bitwiseNot as invert };

/** Operands that count with all their bits: booleans as 0 and 1. */
function integers(name: string, xs: readonly ArrayLike[]): NDArray[] {
  const operands = elementwiseOperands(name, xs).map(asNumber);
  if (isFloat(operands[0].dtype)) throw new DtypeError(`${name} is not defined for ${operands[0].dtype}`);
  return operands;
}

/**
 * How many bits of |x| are set, as uint8.
 * @throws DtypeError for floats.
 * @example
 * np.bitwiseCount(np.array([7, -1], "int32")); // [3, 1]
 */
export function bitwiseCount(x: ArrayLike): NDArray {
  const [a] = integers("bitwiseCount", [x]);
  const count = p.populationCount(a.dtype === "int32" ? abs(a) : a);
  return convertElementType(count, "uint8");
}

/**
 * x·2^n, by moving the bits of x to the left; 0 where n is at least the width of the dtype. Also called
 * `bitwiseLeftShift`.
 * @throws DtypeError for floats.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.leftShift(np.array([1, 3], "int32"), 4); // [16, 48]
 */
export function leftShift(x: ArrayLike, n: ArrayLike): NDArray {
  const [a, b] = integers("leftShift", [x, n]);
  return p.shiftLeft(a, b);
}

export { leftShift as bitwiseLeftShift };

/**
 * x / 2^n rounded down, by moving the bits of x to the right; signed integers keep their sign. Also called
 * `bitwiseRightShift`.
 * @throws DtypeError for floats.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.rightShift(np.array([16, -16], "int32"), 2); // [4, -4]
 */
export function rightShift(x: ArrayLike, n: ArrayLike): NDArray {
  const [a, b] = integers("rightShift", [x, n]);
  return isUnsigned(a.dtype) ? p.shiftRightLogical(a, b) : p.shiftRightArithmetic(a, b);
}

export { rightShift as bitwiseRightShift };
