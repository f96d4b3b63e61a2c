/** Rules of primitives that apply a body: each rewrites the body by a pass, and hands the result to `apply`. */
import type { NDArray } from "../core/array.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { type JvpRule, LinearInput, type Passes, type TransposeRule } from "../core/primitive.js";
import { isZero, type Tangent, Zero, zeroFor } from "../core/zero.js";

/** Binds an equation that applies a rewritten body. */
export type ApplyBody = (jaxpr: Jaxpr, inputs: readonly NDArray[]) => readonly NDArray[];

/** Pushes tangents through a call of a body. */
export function jvpOfCall(
  jaxpr: Jaxpr,
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  passes: Passes,
  apply: ApplyBody,
): ReturnType<JvpRule> {
  const pushed = passes.jvp(
    jaxpr,
    tangents.map((t) => !isZero(t)),
  );
  const live = tangents.filter((t): t is NDArray => !isZero(t));
  const results = apply(pushed.jaxpr, [...primals, ...live]);
  return splitTangents(jaxpr.outputs.length, results, pushed.activeOut);
}

/** Outputs, and tangents of the active ones, as what a tangent rule gives. */
export function splitTangents(
  count: number,
  results: readonly NDArray[],
  activeOut: readonly boolean[],
): ReturnType<JvpRule> {
  const outputs = results.slice(0, count);
  let next = count;
  return {
    outputs,
    tangents: outputs.map((y, k): Tangent => (activeOut[k] ? results[next++] : zeroFor(y.aval))),
  };
}

/** Pulls cotangents back through a call of a body that is linear in the operands that are not known. */
export function transposeOfCall(
  jaxpr: Jaxpr,
  cotangents: readonly Tangent[],
  inputs: readonly (NDArray | LinearInput)[],
  passes: Passes,
  apply: ApplyBody,
): ReturnType<TransposeRule> {
  const linear = inputs.map((x) => x instanceof LinearInput);
  const transposed = passes.transpose(jaxpr, linear, cotangents.map(isZero));
  const fixed = inputs.filter((x): x is NDArray => !(x instanceof LinearInput));
  const seeds = cotangents.filter((ct): ct is NDArray => !isZero(ct));
  const results = apply(transposed.jaxpr, [...fixed, ...seeds]);
  let nextLinear = 0;
  let nextResult = 0;
  return inputs.map((x) => {
    if (!(x instanceof LinearInput)) return null;
    return transposed.zeroOut[nextLinear++] ? new Zero(x.aval) : results[nextResult++];
  });
}
