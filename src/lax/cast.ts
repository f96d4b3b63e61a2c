/** Changing what elements are made of, and hiding a value from differentiation. */
import { type NDArray, scalar } from "../core/array.js";
import { type DType, isFloat, requireDType } from "../core/dtype.js";
import { DtypeError } from "../core/errors.js";
import * as p from "../primitives/cast.js";
import { requiredOptions } from "./arguments.js";
import { type ArrayLike, operand } from "./operands.js";

/** A dtype with data, from outside. */
export function dataDType(name: string, dtype: unknown): DType {
  const found = requireDType(dtype, `lax.${name}`);
  if (found === "float0")
    throw new DtypeError(`lax.${name}: there are no arrays of dtype float0, which has no data`);
  return found;
}

/**
 * The same numbers in another dtype. Floats become integers by dropping the fraction, clamped to the range of the dtype
 * (NaN gives 0); integers wrap around; to bool is x ≠ 0. Between floats it is linear, to and from others it has no
 * derivative.
 * @throws DtypeError for a dtype that is none.
 * @example
 * lax.convertElementType(np.array([-1.5, 300.5]), "uint8"); // [0, 255]
 */
export function convertElementType(x: ArrayLike, dtype: DType): NDArray {
  const type = dataDType("convertElementType", dtype);
  // A number goes straight to its dtype: by way of float32 it would be rounded twice.
  if (typeof x === "number" && isFloat(type)) return scalar(x, type);
  return p.convertElementType(operand("convertElementType", x), type);
}

/**
 * The same bytes read as another dtype, lowest byte first. A narrower dtype adds a last axis, a wider one uses it up.
 * It has no derivative.
 * @throws DtypeError for bool; ShapeError if the last axis does not fit.
 * @example
 * lax.bitcastConvertType(np.array([1.5, -0.0]), "uint32"); // [1069547520, 2147483648]
 * lax.bitcastConvertType(np.array([1.5, 0.0]), "uint8"); // shape [2,4]
 */
export const bitcastConvertType = (x: ArrayLike, dtype: DType): NDArray =>
  p.bitcastConvertType(operand("bitcastConvertType", x), dataDType("bitcastConvertType", dtype));

/**
 * Floats rounded to a format with so many bits of exponent and fraction, in their own dtype: ties to even, overflow to
 * infinity, underflow to zero. Tangents and cotangents are rounded as well.
 * @throws DtypeError for integers and booleans; ArgumentError for bits that are not counts.
 * @example
 * lax.reducePrecision(np.array([1.2345, 1e10]), { exponentBits: 5, mantissaBits: 2 }); // [1.25, inf]
 */
export function reducePrecision(x: ArrayLike, options: p.Precision): NDArray {
  const keys = ["exponentBits", "mantissaBits"] as const;
  return p.reducePrecision(
    operand("reducePrecision", x, true),
    requiredOptions("reducePrecision", options, keys, keys),
  );
}
