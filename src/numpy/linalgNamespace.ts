/** What `numpy.linalg` holds. */
export { cross } from "./cross.js";
export { det } from "./determinants.js";
export { matmul, outer, tensordot, vecdot } from "./linalg.js";
export { matrixTranspose } from "./manipulation.js";
export { diagonal, matrixPower, multiDot, trace } from "./matrixProducts.js";
export { matrixNorm, type NormOptions, type NormOrder, norm, vectorNorm } from "./norms.js";
