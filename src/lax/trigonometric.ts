/** Trigonometric and hyperbolic functions of floats and their inverses, element by element. */
import type { NDArray } from "../core/array.js";
import * as h from "../primitives/hyperbolic.js";
import * as p from "../primitives/trigonometric.js";
import { type ArrayLike, operand, operands } from "./operands.js";

/**
 * The sine; x in radians.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.sin(np.array([0.0, 0.5])); // [0, 0.4794]
 */
export const sin = (x: ArrayLike): NDArray => p.sin(operand("sin", x, true));

/**
 * The cosine; x in radians.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.cos(np.array([0.0, 0.5])); // [1, 0.8776]
 */
export const cos = (x: ArrayLike): NDArray => p.cos(operand("cos", x, true));

/**
 * The tangent; x in radians.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.tan(np.array([0.0, 0.5])); // [0, 0.5463]
 */
export const tan = (x: ArrayLike): NDArray => p.tan(operand("tan", x, true));

/**
 * The inverse sine, from -π/2 to π/2; NaN outside of [-1, 1].
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.asin(np.array([0.5, 1.0])); // [0.5236, 1.5708]
 */
export const asin = (x: ArrayLike): NDArray => p.asin(operand("asin", x, true));

/**
 * The inverse cosine, from 0 to π; NaN outside of [-1, 1].
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.acos(np.array([0.5, 1.0])); // [1.0472, 0]
 */
export const acos = (x: ArrayLike): NDArray => p.acos(operand("acos", x, true));

/**
 * The inverse tangent, from -π/2 to π/2.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.atan(np.array([0.5, Infinity])); // [0.4636, 1.5708]
 */
export const atan = (x: ArrayLike): NDArray => p.atan(operand("atan", x, true));

/**
 * The angle of the point (x, y), from -π to π. The first argument is y.
 * @throws DtypeError for integers, booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.atan2(np.array([1.5, -1.5]), np.array([1.5, -1.5])); // [0.7854, -2.3562]
 */
export function atan2(y: ArrayLike, x: ArrayLike): NDArray {
  const [a, b] = operands("atan2", [y, x], true);
  return p.atan2(a, b);
}

/**
 * The hyperbolic sine.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.sinh(np.array([0.0, 0.5])); // [0, 0.5211]
 */
export const sinh = (x: ArrayLike): NDArray => h.sinh(operand("sinh", x, true));

/**
 * The hyperbolic cosine.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.cosh(np.array([0.0, 0.5])); // [1, 1.1276]
 */
export const cosh = (x: ArrayLike): NDArray => h.cosh(operand("cosh", x, true));

/**
 * The hyperbolic tangent.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.tanh(np.array([0.5, 100.0])); // [0.4621, 1]
 */
export const tanh = (x: ArrayLike): NDArray => h.tanh(operand("tanh", x, true));

/**
 * The inverse hyperbolic sine.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.asinh(np.array([0.0, 0.5])); // [0, 0.4812]
 */
export const asinh = (x: ArrayLike): NDArray => h.asinh(operand("asinh", x, true));

/**
 * The inverse hyperbolic cosine; NaN below 1.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.acosh(np.array([1.0, 1.5])); // [0, 0.9624]
 */
export const acosh = (x: ArrayLike): NDArray => h.acosh(operand("acosh", x, true));

/**
 * The inverse hyperbolic tangent: infinite at ±1, NaN beyond.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.atanh(np.array([0.5, 1.0])); // [0.5493, inf]
 */
export const atanh = (x: ArrayLike): NDArray => h.atanh(operand("atanh", x, true));
