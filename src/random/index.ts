/**
 * Random numbers from keys, bit for bit those of `jax.random`.
 *
 * @packageDocumentation
 */
import "../backends/default.js";
import "../numpy/methods.js";

export * from "./choice.js";
export * from "./distributions.js";
export * from "./keys.js";
export * from "./uniform.js";
