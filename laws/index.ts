/**
 * The laws of differentiation as values, and what tries them: on functions with `checkLaws`, on records of primitives with
 * `checkPrimitive` and `lawsFor`, on anything else through fast-check, with the arbitraries.
 *
 * @packageDocumentation
 */
export * as arbitraries from "./arbitraries/index.js";
export { program } from "./arbitraries/program.js";
export type { LinearCase, Pair, PrimitiveCase } from "./cases.js";
export { type CheckOptions, checkLaws } from "./check/checkLaws.js";
export { type DrawOptions, type Interval, points } from "./check/draw.js";
export type { AnyFunction, Precision } from "./check/functions.js";
export { laws } from "./check/laws.js";
export {
  checkPrimitive,
  lawsFor,
  type PrimitiveLaw,
  type PrimitiveOptions,
} from "./check/lawsFor.js";
export { checkRegistry, type PrimitiveOutcome, type RegistryOptions } from "./check/registry.js";
export { type LawReport, LawsReport } from "./check/report.js";
export { LawViolation, type Named, type Others, type Replay } from "./check/violation.js";
export { type CloseOptions, close, toleranceOf } from "./close.js";
export {
  Differences,
  double,
  type Estimate,
  type Line,
  type Precision as DifferencePrecision,
  single,
} from "./differences.js";
export type { ValueLaw } from "./given.js";
export {
  type Abstains,
  type ArrayFunction,
  abstains,
  every,
  type Fails,
  fails,
  type Holds,
  holds,
  type Law,
  law,
  type Side,
  type Subject,
  type Verdict,
} from "./law.js";
export { makePoint, type Point, type SmoothPoint, smoothPart } from "./point.js";
export { type ProgramOptions, randomProgram } from "./programs/generate.js";
export { Program } from "./programs/program.js";
