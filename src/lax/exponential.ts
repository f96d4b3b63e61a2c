/** Exponentials and logarithms of floats, element by element. */
import type { NDArray } from "../core/array.js";
import * as p from "../primitives/exponential.js";
import { type ArrayLike, operand } from "./operands.js";

/**
 * eˣ.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.exp(np.array([0.0, 0.5])); // [1, 1.6487]
 */
export const exp = (x: ArrayLike): NDArray => p.exp(operand("exp", x, true));

/**
 * 2ˣ.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.exp2(np.array([0.5, 3.0])); // [1.4142, 8]
 */
export const exp2 = (x: ArrayLike): NDArray => p.exp2(operand("exp2", x, true));

/**
 * eˣ - 1, exact also for small x.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.expm1(1e-9); // 1e-9
 */
export const expm1 = (x: ArrayLike): NDArray => p.expm1(operand("expm1", x, true));

/**
 * The natural logarithm: -∞ at 0, NaN below.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.log(np.array([0.0, 1.0, 2.5])); // [-inf, 0, 0.9163]
 */
export const log = (x: ArrayLike): NDArray => p.log(operand("log", x, true));

/**
 * log(1 + x), exact also for small x.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.log1p(1e-9); // 1e-9
 */
export const log1p = (x: ArrayLike): NDArray => p.log1p(operand("log1p", x, true));

/**
 * 1 / (1 + e⁻ˣ), without overflow.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.logistic(np.array([-1000.0, 0.0, 1.5])); // [0, 0.5, 0.8176]
 */
export const logistic = (x: ArrayLike): NDArray => p.logistic(operand("logistic", x, true));
