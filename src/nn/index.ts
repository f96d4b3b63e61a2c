/**
 * Functions that neural networks are made of, by the names of `jax.nn` in camelCase. Operands are promoted and broadcast
 * as in `numpy`.
 *
 * @packageDocumentation
 */
import "../backends/default.js";
import "../numpy/methods.js";

export * from "./attention.js";
export type { Initializer } from "./initializers.js";
export * as initializers from "./initializers.js";
export * from "./logsumexp.js";
export * from "./oneHot.js";
export * from "./rectifiers.js";
export * from "./smooth.js";
export * from "./softmax.js";
export * from "./standardize.js";
