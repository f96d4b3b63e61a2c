/**
 * fluxion for those who want to see: what both modes of differentiation cost, which one a Jacobian should be made by, what a
 * program keeps in memory, and its graph.
 *
 * @packageDocumentation
 */
import "../numpy/methods.js";
import "../backends/default.js";

export { SparsityPattern } from "../core/pattern.js";
export {
  type Drawable,
  drawGraph,
  drawJaxpr,
  drawTransform,
  type GraphArgs,
  type TransformOptions,
} from "./graph/drawGraph.js";
export { arrangeDrawings, GraphDrawing, TransformDrawing } from "./graph/drawing.js";
export type { GraphOptions } from "./graph/options.js";
export type { PathSum } from "./graph/paths.js";
export {
  type JacobianBlock,
  type JacobianCandidate,
  type JacobianModeOrAuto,
  JacobianPlan,
} from "./jacobian/explanation.js";
export { type JacobianOptions, type JacobianResult, jacobian, type SparseTree } from "./jacobian/jacobian.js";
export { SparseArray } from "./jacobian/sparseArray.js";
export { HessianPlan, type SparseHessianOptions, sparseHessian } from "./jacobian/sparseHessian.js";
export { type SparsityOptions, type SparsityTree, sparsity } from "./jacobian/sparsity.js";
export { type MemoryOptions, memoryFootprint } from "./memory/memoryFootprint.js";
export type { ArrayBytes, MemoryFigures, MemoryFootprint, MemoryUse } from "./memory/report.js";
export {
  type MemoryScaling,
  type MemoryScalingRow,
  type MemorySlope,
  type ScalingOptions,
  scaleMemory,
} from "./memory/scaling.js";
export { type CompareModesOptions, compareModes } from "./modes/compareModes.js";
export type { JacobianMode, MissingRow, ModeComparison, ModeRow, ModeVerdict } from "./modes/comparison.js";
export { type ModeScaling, scaleModes } from "./modes/scaling.js";
export { type ProgramCost, programCost } from "./programCost.js";
