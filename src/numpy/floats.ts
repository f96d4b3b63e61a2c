/** What floating-point numbers are made of: signs, neighbours, exponents, infinities and NaN. */
import type { NDArray } from "../core/array.js";
import { type FloatDType, floatLimits, isFloat } from "../core/dtype.js";
import { abs as magnitudeOf, mul, neg, sub } from "../primitives/arithmetic.js";
import { bitwiseNot } from "../primitives/bits.js";
import { bitcastConvertType, convertElementType } from "../primitives/cast.js";
import { eq, gt, lt, ne } from "../primitives/comparison.js";
import { exp2 } from "../primitives/exponential.js";
import * as p from "../primitives/rounding.js";
import { select } from "../primitives/select.js";
import { plainOptions } from "./axes.js";
import { type ArrayLike, asArray, convertTo, elementwiseOperands, inexactOperand } from "./operands.js";

/**
 * Where x is neither infinite nor NaN.
 * @example
 * np.isfinite(np.array([1, Infinity, NaN])); // [true, false, false]
 */
export function isfinite(x: ArrayLike): NDArray {
  const a = asArray(x, "isfinite");
  return isFloat(a.dtype) ? p.isFinite(a) : eq(a, a);
}

/**
 * Where x is NaN.
 * @example
 * np.isnan(np.array([1, Infinity, NaN])); // [false, false, true]
 */
export function isnan(x: ArrayLike): NDArray {
  const a = asArray(x, "isnan");
  return ne(a, a);
}

/**
 * Where x is infinite.
 * @example
 * np.isinf(np.array([1, -Infinity, NaN])); // [false, true, false]
 */
export function isinf(x: ArrayLike): NDArray {
  const a = asArray(x, "isinf");
  return isFloat(a.dtype) ? eq(magnitudeOf(a), Infinity) : ne(a, a);
}

/**
 * Where x is +∞.
 * @example
 * np.isposinf(np.array([Infinity, -Infinity])); // [true, false]
 */
export function isposinf(x: ArrayLike): NDArray {
  const a = asArray(x, "isposinf");
  return isFloat(a.dtype) ? eq(a, Infinity) : ne(a, a);
}

/**
 * Where x is -∞.
 * @example
 * np.isneginf(np.array([Infinity, -Infinity])); // [false, true]
 */
export function isneginf(x: ArrayLike): NDArray {
  const a = asArray(x, "isneginf");
  return isFloat(a.dtype) ? eq(a, -Infinity) : ne(a, a);
}

/**
 * Where x is negative, -0 included.
 * @example
 * np.signbit(np.array([-1, -0, 0])); // [true, true, false]
 */
export function signbit(x: ArrayLike): NDArray {
  const a = asArray(x, "signbit");
  if (a.dtype === "bool") return ne(a, a);
  // Other floats keep their sign when they become float32, even if they become zero or infinite.
  return lt(isFloat(a.dtype) ? bitcastConvertType(convertElementType(a, "float32"), "int32") : a, 0);
}

/**
 * The magnitude of x with the sign of y, as a float.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.copysign(3, np.array([-0.5, 2])); // [-3, 3]
 */
export function copysign(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("copysign", [x, y], true);
  const magnitude = magnitudeOf(a);
  return select(signbit(b), neg(magnitude), magnitude);
}

/**
 * The next number after x towards y that the dtype can represent.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.nextafter(1, 2).sub(1).mul(2 ** 23); // 1
 */
export function nextafter(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("nextafter", [x, y], true);
  return p.nextafter(a, b);
}

/**
 * The distance from |x| to the next larger number of the dtype, with the sign of x.
 * @example
 * np.spacing(1).mul(2 ** 23); // 1
 */
export function spacing(x: ArrayLike): NDArray {
  const a = inexactOperand("spacing", x);
  const magnitude = magnitudeOf(a);
  const gap = sub(p.nextafter(magnitude, Infinity), magnitude);
  return select(lt(a, 0), neg(gap), gap);
}

/**
 * x·2^n, element by element, exact where the result is representable.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.ldexp(np.array([1.5, 3]), np.array([3, -1])); // [12, 1.5]
 */
export function ldexp(x: ArrayLike, n: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("ldexp", [x, n], true);
  // In two steps: 2^n may be out of range although x·2^n is not.
  const half = p.floor(mul(b, 0.5));
  return mul(mul(a, exp2(half)), exp2(sub(b, half)));
}

/**
 * 0 below zero, 1 above, and y at zero; NaN for NaN.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.heaviside(np.array([-1, 0, 2]), 0.5); // [0, 0.5, 1]
 */
export function heaviside(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("heaviside", [x, y], true);
  const step = select(gt(a, 0), 1, select(eq(a, 0), b, a));
  return select(lt(a, 0), 0, step);
}

export interface NanToNumOptions {
  /** In place of NaN (default 0). */
  readonly nan?: ArrayLike;
  /** In place of +∞ (default: the largest number of the dtype). */
  readonly posinf?: ArrayLike;
  /** In place of -∞ (default: the lowest number of the dtype). */
  readonly neginf?: ArrayLike;
}

/**
 * x with finite numbers in place of NaN and infinities. Integers have none and stay as they are.
 * @example
 * np.nanToNum(np.array([1.5, NaN, -Infinity]), { neginf: -9 }); // [1.5, 0, -9]
 */
export function nanToNum(x: ArrayLike, options: NanToNumOptions = {}): NDArray {
  const { nan = 0, posinf, neginf } = plainOptions("nanToNum", options, ["nan", "posinf", "neginf"]);
  const a = asArray(x, "nanToNum");
  if (!isFloat(a.dtype)) return a;
  const { max } = floatLimits(a.dtype as FloatDType);
  const as = (y: ArrayLike): NDArray => convertTo(y, a.aval);
  const real = select(bitwiseNot(isnan(a)), a, as(nan));
  const bounded = select(eq(a, Infinity), as(posinf ?? max), real);
  return select(eq(a, -Infinity), as(neginf ?? -max), bounded);
}
