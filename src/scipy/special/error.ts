/** The error function and its relatives. */
import type { NDArray } from "../../core/array.js";
import { type ArrayLike, inexactOperand } from "../../numpy/operands.js";
import * as p from "../../primitives/special.js";

/**
 * The error function 2/√π ∫₀ˣ e^(-t²) dt.
 * @example
 * scipy.special.erf(np.array([0, 0.5])); // [0, 0.5205]
 */
export const erf = (x: ArrayLike): NDArray => p.erf(inexactOperand("special.erf", x));

/**
 * 1 - erf x, exact where that is tiny too.
 * @example
 * scipy.special.erfc(np.array([0, 0.5])); // [1, 0.4795]
 */
export const erfc = (x: ArrayLike): NDArray => p.erfc(inexactOperand("special.erfc", x));

/**
 * The inverse of erf: infinite at ±1, NaN beyond.
 * @example
 * scipy.special.erfinv(np.array([0, 0.5, 1])); // [0, 0.4769, inf]
 */
export const erfinv = (x: ArrayLike): NDArray => p.erfInv(inexactOperand("special.erfinv", x));
