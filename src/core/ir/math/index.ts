/** Functions in kernel IR: of float32 unless the file says otherwise. Each states how exact it is. */

export { erf, erfc, erfInv } from "./errorFunction.js";
export { exp, exp2, expm1, logistic } from "./exponential.js";
export { isFinite } from "./floats.js";
export { digamma, lgamma } from "./gamma.js";
export { fromHalfBits, halfBits } from "./halves.js";
export { cosh, sinh, tanh } from "./hyperbolic.js";
export * as integers from "./integers.js";
export { acosh, asinh, atanh } from "./inverseHyperbolic.js";
export { acos, asin, atan, atan2 } from "./inverseTrigonometric.js";
export { log, log1p } from "./logarithm.js";
export { polygamma } from "./polygamma.js";
export { cbrt, integerPow, pow, rsqrt } from "./power.js";
export { remainder } from "./remainder.js";
export { nextafter, reducePrecision, roundAway } from "./rounding.js";
export { cos, sin, tan } from "./trigonometric.js";
