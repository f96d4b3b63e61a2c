/**
 * The operations that programs are made of. Unlike those of `numpy` they take what they are given: no promotion, no
 * broadcasting but of scalars, axes and options spelt out.
 *
 * @packageDocumentation
 */
import "../backends/default.js";
import "../numpy/methods.js";

export type { ArrayLike } from "../core/methods.js";
export type { ScanCheckpoint } from "../primitives/control/scanCheckpoint.js";
export type { ConvDimensionNumbers } from "../primitives/conv.js";
export type { AxisPairs, DotOptions } from "../primitives/dot.js";
export type { GatherMode, GatherOptions } from "../primitives/gather.js";
export type { RoundingMethod } from "../primitives/rounding.js";
export type { ScatterMode, ScatterOptions } from "../primitives/scatterFamily.js";
export type { PadConfig } from "../primitives/slicing.js";
export { stopGradient } from "../transforms/stopGradient.js";
export * from "./arithmetic.js";
export * from "./associativeScan.js";
export * from "./barrier.js";
export * from "./bits.js";
export * from "./broadcast.js";
export { bitcastConvertType, convertElementType, reducePrecision } from "./cast.js";
export * from "./comparison.js";
export * from "./cond.js";
export * from "./conv.js";
export type { ConvLayout } from "./convNumbers.js";
export * from "./creation.js";
export * from "./cumulative.js";
export {
  customLinearSolve,
  type LinearFunction,
  type LinearSolveOptions,
  type LinearSolver,
} from "./customLinearSolve.js";
export { customRoot } from "./customRoot.js";
export * from "./dot.js";
export * from "./dynamic.js";
export * from "./exponential.js";
export * from "./indexing.js";
export * from "./joining.js";
export * from "./loops.js";
export type { Padding, PaddingPairs } from "./padding.js";
export * from "./reduction.js";
export * from "./rounding.js";
export * from "./scan.js";
export * from "./select.js";
export * from "./shape.js";
export * from "./slicing.js";
export * from "./sorting.js";
export * from "./special.js";
export * from "./trigonometric.js";
export * from "./whileLoop.js";
export * from "./window.js";
