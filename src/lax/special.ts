/** Special functions of floats, element by element. */
import type { NDArray } from "../core/array.js";
import * as p from "../primitives/special.js";
import { type ArrayLike, operand } from "./operands.js";

/**
 * The error function 2/√π ∫₀ˣ e^(-t²) dt.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.erf(np.array([0.0, 0.5])); // [0, 0.5205]
 */
export const erf = (x: ArrayLike): NDArray => p.erf(operand("erf", x, true));

/**
 * 1 - erf x, exact where that is tiny too.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.erfc(np.array([0.0, 0.5])); // [1, 0.4795]
 */
export const erfc = (x: ArrayLike): NDArray => p.erfc(operand("erfc", x, true));

/**
 * The x whose erf is the operand: infinite at ±1, NaN beyond.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.erfInv(np.array([0.5, 1.0])); // [0.4769, inf]
 */
export const erfInv = (x: ArrayLike): NDArray => p.erfInv(operand("erfInv", x, true));

/**
 * log |Γ(x)|: infinite at 0, -1, -2, ...
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.lgamma(np.array([0.5, 5.0])); // [0.5724, 3.1781]
 */
export const lgamma = (x: ArrayLike): NDArray => p.lgamma(operand("lgamma", x, true));

/**
 * The derivative of lgamma; NaN at 0, -1, -2, ...
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.digamma(np.array([0.5, 5.0])); // [-1.9635, 1.5061]
 */
export const digamma = (x: ArrayLike): NDArray => p.digamma(operand("digamma", x, true));

/**
 * The m-th derivative of digamma. The order, a whole number from 0 on, is part of the program.
 * @throws ArgumentError for another order; DtypeError for integers and booleans.
 * @example
 * lax.polygamma(1, np.array([0.5, 1.0])); // [4.9348, 1.6449]
 */
export function polygamma(m: number, x: ArrayLike): NDArray {
  const a = operand("polygamma", x, true);
  return m === 0 ? p.digamma(a) : p.polygamma(a, m);
}
