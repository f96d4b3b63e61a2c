/**
 * fluxion: composable function transformations for TypeScript.
 *
 * @packageDocumentation
 */
export {
  blockUntilReady,
  closeGpu,
  type DeviceInfo,
  defaultDevice,
  deviceGet,
  deviceOf,
  devicePut,
  devices,
  type InitOptions,
  init,
  type MemoryStats,
  memoryStats,
  setDefaultDevice,
  tune,
  tuning,
} from "./backends/devices.js";
export { checkLeaks, type LeakOptions } from "./backends/leaks.js";
export type { TuneOptions } from "./backends/webgpu/tune.js";
export type { TuningFile, TuningRecord, TuningResult } from "./backends/webgpu/tuning.js";
export { ConcreteArray, NDArray, type NestedNumbers } from "./core/array.js";
export { type Aval, aval, type Shape, tangentAval } from "./core/aval.js";
export { checkJaxpr } from "./core/check.js";
export { debugNans } from "./core/debugNans.js";
export type { DeviceName } from "./core/device.js";
export type { DType, FloatDType, TypedArray } from "./core/dtype.js";
export {
  ArgumentError,
  AxisError,
  ConcretizationError,
  DeviceError,
  DtypeError,
  type ErrorCode,
  FluxionError,
  type HeldArray,
  ImpureFunctionError,
  InternalError,
  JaxprParseError,
  JaxprTypeError,
  LeakedTracerError,
  MemoryLeakError,
  MissingPackageError,
  MissingRuleError,
  NanError,
  NonScalarOutputError,
  NotDifferentiableError,
  ShapeError,
  TreeMismatchError,
} from "./core/errors.js";
export { equalJaxprs, hashJaxpr } from "./core/hash.js";
export { ClosedJaxpr, countEqns, type Eqn, Jaxpr, Literal, Var } from "./core/jaxpr.js";
export type {
  Boundary,
  LoweredBuffer,
  LoweredHostStep,
  LoweredKernel,
  LoweredStep,
  MemoryAnalysis,
} from "./core/lowered.js";
export type { ArrayLike, Index } from "./core/methods.js";
export {
  type Cost,
  type DependenceRule,
  definePrimitive,
  type Example,
  LinearInput,
  type Params,
  type Primitive,
  type PrimitiveRecord,
} from "./core/primitive.js";
export { printJaxpr } from "./core/print.js";
export { bind } from "./core/trace.js";
export * as tree from "./core/tree.js";
export { isZero, type Tangent, Zero, zeroFor } from "./core/zero.js";
export * as lax from "./lax/index.js";
export * as nn from "./nn/index.js";
export * as numpy from "./numpy/index.js";
export { jaxprCost } from "./primitives/call.js";
export {
  type CheckpointCandidate,
  type CheckpointPolicy,
  checkpointPolicies,
} from "./primitives/checkpointPolicies.js";
export { binary, elementwise, unary } from "./primitives/elementwise.js";
export { findPrimitive, parseJaxpr, primitives } from "./primitives/registry.js";
export type { ChromeTrace, CompleteEvent, NameEvent } from "./profile/chromeTrace.js";
export { type ProfileOptions, profile } from "./profile/profile.js";
export type { KernelClock, KernelRow, ProfilePhase, ProfileReport, ProfileRow } from "./profile/report.js";
export * as random from "./random/index.js";
export * as scipy from "./scipy/index.js";
export { batchJaxpr } from "./transforms/batch.js";
export {
  type CheckpointOptions,
  checkpoint,
  checkpointName,
  type StorageOptions,
} from "./transforms/checkpoint.js";
export { CheckpointReport, checkpointReport, type StorageCost } from "./transforms/checkpointReport.js";
export { closureConvert } from "./transforms/closureConvert.js";
export { customGradient } from "./transforms/customGradient.js";
export { type CustomJvp, customJvp } from "./transforms/customJvp.js";
export { type CustomVjp, customVjp, type Perturbable } from "./transforms/customVjp.js";
export { dceJaxpr } from "./transforms/dce.js";
export * as debug from "./transforms/debug.js";
export { evalJaxpr } from "./transforms/evalJaxpr.js";
export { FusionExplanation, JitExplanation, type TraceExplanation } from "./transforms/explain.js";
export { jvp } from "./transforms/forward.js";
export { grad, valueAndGrad } from "./transforms/grad.js";
export { hessian, hvp, jacfwd, jacrev } from "./transforms/jacobian.js";
export { type JitOptions, type Jitted, jit } from "./transforms/jit.js";
export { type JvpResult, jvpJaxpr } from "./transforms/jvp.js";
export { linearize, linearizeWithAux, linearTranspose, vjp, vjpWithAux } from "./transforms/linearize.js";
export { type Compiled, type CostAnalysis, Lowered } from "./transforms/lowered.js";
export { evalShape, makeJaxpr, ShapeDtype } from "./transforms/makeJaxpr.js";
export { partialEvalJaxpr } from "./transforms/partialEval.js";
export { type CallbackResults, type PureCallbackOptions, pureCallback } from "./transforms/pureCallback.js";
export { type SavedResidual, SavedResiduals, savedResiduals } from "./transforms/residuals.js";
export { stopGradient } from "./transforms/stopGradient.js";
export { tidy } from "./transforms/tidy.js";
export type { Change } from "./transforms/traces.js";
export { transposeJaxpr } from "./transforms/transpose.js";
export type { ArrayTree, TangentTree } from "./transforms/types.js";
export { type VmapOptions, vmap } from "./transforms/vmap.js";
