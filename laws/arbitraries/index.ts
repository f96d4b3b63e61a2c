/** Arbitraries of fast-check for what fluxion computes with. */
export { type ArrayOptions, array } from "./array.js";
export { type AxisOptions, axis } from "./axis.js";
export { type DtypeOptions, dtype } from "./dtype.js";
export { type LinearMap, type LinearMapOptions, linearMap } from "./linearMap.js";
export { program } from "./program.js";
export { type ShapeOptions, shape } from "./shape.js";
export { type SmoothFunction, type SmoothFunctionOptions, smoothFunction } from "./smoothFunction.js";
export { type TreeOptions, tree } from "./tree.js";
