/** Integers and booleans as bits, element by element. */
import type { NDArray } from "../core/array.js";
import { describeAll } from "../core/aval.js";
import { DtypeError } from "../core/errors.js";
import { add, mul, sub } from "../primitives/arithmetic.js";
import * as p from "../primitives/bits.js";
import { convertElementType } from "../primitives/cast.js";
import { type ArrayLike, operand, operands } from "./operands.js";

const pair = (name: string, x: ArrayLike, y: ArrayLike): [NDArray, NDArray] =>
  operands(name, [x, y]) as [NDArray, NDArray];

/**
 * The bits that x and y both have; for booleans, and.
 * @throws DtypeError for floats and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.bitwiseAnd(np.array([12, 10], "int32"), 6); // [4, 2]
 */
export const bitwiseAnd = (x: ArrayLike, y: ArrayLike): NDArray => p.bitwiseAnd(...pair("bitwiseAnd", x, y));

/**
 * The bits that x or y have; for booleans, or.
 * @throws DtypeError for floats and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.bitwiseOr(np.array([12, 10], "int32"), 6); // [14, 14]
 */
export const bitwiseOr = (x: ArrayLike, y: ArrayLike): NDArray => p.bitwiseOr(...pair("bitwiseOr", x, y));

/**
 * The bits in which x and y differ; for booleans, exclusive or.
 * @throws DtypeError for floats and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.bitwiseXor(np.array([12, 10], "int32"), 6); // [10, 12]
 */
export const bitwiseXor = (x: ArrayLike, y: ArrayLike): NDArray => p.bitwiseXor(...pair("bitwiseXor", x, y));

/**
 * All bits turned over; for booleans, not.
 * @throws DtypeError for floats.
 * @example
 * lax.bitwiseNot(np.array([0, 5], "int32")); // [-1, -6]
 */
export const bitwiseNot = (x: ArrayLike): NDArray => p.bitwiseNot(operand("bitwiseNot", x));

/**
 * The bits of x moved up by y places; 0 where y is not below the width of the dtype.
 * @throws DtypeError for floats, booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.shiftLeft(np.array([1, 3], "int32"), 2); // [4, 12]
 */
export const shiftLeft = (x: ArrayLike, y: ArrayLike): NDArray => p.shiftLeft(...pair("shiftLeft", x, y));

/**
 * The bits of x moved down by y places, zeros filling up; 0 where y is not below the width of the dtype.
 * @throws DtypeError for floats, booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.shiftRightLogical(np.array([12, -1], "int32"), 28); // [0, 15]
 */
export const shiftRightLogical = (x: ArrayLike, y: ArrayLike): NDArray =>
  p.shiftRightLogical(...pair("shiftRightLogical", x, y));

/**
 * The bits of x moved down by y places, copies of the sign filling up.
 * @throws DtypeError for floats, booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.shiftRightArithmetic(np.array([12, -12], "int32"), 2); // [3, -3]
 */
export const shiftRightArithmetic = (x: ArrayLike, y: ArrayLike): NDArray =>
  p.shiftRightArithmetic(...pair("shiftRightArithmetic", x, y));

/**
 * How many bits are set.
 * @throws DtypeError for floats and booleans.
 * @example
 * lax.populationCount(np.array([0, 7, -1], "int32")); // [0, 3, 32]
 */
export const populationCount = (x: ArrayLike): NDArray => p.populationCount(operand("populationCount", x));

/**
 * How many bits stand above the highest one that is set.
 * @throws DtypeError for floats and booleans.
 * @example
 * lax.clz(np.array([0, 1, -1], "int32")); // [32, 31, 0]
 */
export const clz = (x: ArrayLike): NDArray => p.clz(operand("clz", x));

/**
 * The upper half of the product of twice the width: for 32-bit integers, x·y / 2³² rounded down.
 * @throws DtypeError for floats, booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.mulhi(np.array([65536, -1, 2147483647], "int32"), np.array([65536, 1, 2], "int32")); // [1, -1, 0]
 */
export function mulhi(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = pair("mulhi", x, y);
  if (a.dtype === b.dtype) {
    if (a.dtype === "uint8") {
      const product = mul(convertElementType(a, "uint32"), convertElementType(b, "uint32"));
      return convertElementType(p.shiftRightLogical(product, 8), "uint8");
    }
    if (a.dtype === "uint32") return upperWord(a, b);
    if (a.dtype === "int32") return signedUpperWord(a, b);
  }
  throw new DtypeError(`lax.mulhi needs integers of one dtype, got ${describeAll([a.aval, b.aval])}`);
}

/** Long multiplication in 16-bit digits. No sum overflows: (2¹⁶ - 1)² + 2 (2¹⁶ - 1) is 2³² - 1. */
function upperWord(a: NDArray, b: NDArray): NDArray {
  const [aLow, bLow] = [a, b].map((x) => p.bitwiseAnd(x, 0xffff));
  const [aHigh, bHigh] = [a, b].map((x) => p.shiftRightLogical(x, 16));
  const middle = add(mul(aHigh, bLow), p.shiftRightLogical(mul(aLow, bLow), 16));
  const other = add(mul(aLow, bHigh), p.bitwiseAnd(middle, 0xffff));
  return add(add(mul(aHigh, bHigh), p.shiftRightLogical(middle, 16)), p.shiftRightLogical(other, 16));
}

/** Read without sign, a negative number is 2³² more: the product is more by the other factor in the upper word. */
function signedUpperWord(a: NDArray, b: NDArray): NDArray {
  const product = upperWord(convertElementType(a, "uint32"), convertElementType(b, "uint32"));
  const excess = (x: NDArray, y: NDArray) => p.bitwiseAnd(p.shiftRightArithmetic(x, 31), y);
  return sub(sub(convertElementType(product, "int32"), excess(a, b)), excess(b, a));
}
