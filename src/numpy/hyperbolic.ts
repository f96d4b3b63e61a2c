/** Hyperbolic functions and their inverses. Integers and booleans are taken as float32. */
import type { NDArray } from "../core/array.js";
import * as p from "../primitives/hyperbolic.js";
import { type ArrayLike, inexactOperand } from "./operands.js";

/**
 * The hyperbolic sine.
 * @example
 * np.sinh(np.array([0, 1])); // [0, 1.1752012]
 */
export const sinh = (x: ArrayLike): NDArray => p.sinh(inexactOperand("sinh", x));

/**
 * The hyperbolic cosine.
 * @example
 * np.cosh(np.array([0, 1])); // [1, 1.5430806]
 */
export const cosh = (x: ArrayLike): NDArray => p.cosh(inexactOperand("cosh", x));

/**
 * The hyperbolic tangent.
 * @example
 * np.tanh(np.array([0, 1])); // [0, 0.7615942]
 */
export const tanh = (x: ArrayLike): NDArray => p.tanh(inexactOperand("tanh", x));

/**
 * The inverse of sinh. Also called `arcsinh`.
 * @example
 * np.asinh(np.array([0, 1])); // [0, 0.8813736]
 */
export const asinh = (x: ArrayLike): NDArray => p.asinh(inexactOperand("asinh", x));

export { asinh as arcsinh };

/**
 * The inverse of cosh; NaN below 1. Also called `arccosh`.
 * @example
 * np.acosh(np.array([1, 2])); // [0, 1.316958]
 */
export const acosh = (x: ArrayLike): NDArray => p.acosh(inexactOperand("acosh", x));

export { acosh as arccosh };

/**
 * The inverse of tanh: infinite at ±1, NaN outside. Also called `arctanh`.
 * @example
 * np.atanh(np.array([0, 0.5])); // [0, 0.5493061]
 */
export const atanh = (x: ArrayLike): NDArray => p.atanh(inexactOperand("atanh", x));

export { atanh as arctanh };
