/** Special functions, by the names of `scipy.special`. Operands are promoted and broadcast as in `numpy`. */
export * from "./entropy.js";
export * from "./error.js";
export * from "./gamma.js";
export * from "./logistic.js";
export * from "./normal.js";
export * from "./softmax.js";
