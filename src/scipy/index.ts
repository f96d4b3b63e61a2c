/**
 * Parts of SciPy: so far its special functions.
 *
 * @packageDocumentation
 */
import "../backends/default.js";
import "../numpy/methods.js";

export * as special from "./special/index.js";
