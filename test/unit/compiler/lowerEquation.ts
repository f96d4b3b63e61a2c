/** One equation as a program, and its results through the interpreter: how lowering rules are tested. */
import { isLeft } from "fp-ts/lib/Either.js";
import { type CompileOptions, compile, wasmOptions, webgpuOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import type { Program } from "../../../src/compiler/program.js";
import { ConcreteArray } from "../../../src/core/array.js";
import type { Aval } from "../../../src/core/aval.js";
import type { Target } from "../../../src/core/ir/lower.js";
import { Jaxpr, Var } from "../../../src/core/jaxpr.js";
import type { Params, Primitive } from "../../../src/core/primitive.js";

export const optionsFor = (target: Target): CompileOptions =>
  target === "wasm" ? wasmOptions : webgpuOptions;

/** The jaxpr with this one equation. */
export function equation(primitive: Primitive, avals: readonly Aval[], params: Params): Jaxpr {
  const inputs = avals.map((type, i) => new Var(i, type));
  const types = primitive.abstractEval(avals, params);
  if (isLeft(types)) throw types.left;
  const outputs = types.right.map((type, i) => new Var(avals.length + i, type));
  const eqn = { primitive, inputs, params, outputs, source: undefined };
  return new Jaxpr(inputs, [eqn], outputs, avals.length + outputs.length);
}

export const lowerEquation = (
  primitive: Primitive,
  avals: readonly Aval[],
  params: Params,
  target: Target,
): Program => compile(equation(primitive, avals, params), optionsFor(target));

/** Lowers a primitive and interprets the kernels. */
export function runLowered(
  primitive: Primitive,
  inputs: readonly ConcreteArray[],
  params: Params,
  target: Target,
): ConcreteArray[] {
  const avals = inputs.map((x) => x.aval);
  const jaxpr = equation(primitive, avals, params);
  const outputs = runProgram(
    compile(jaxpr, optionsFor(target)),
    inputs.map((x) => x.values),
  );
  return outputs.map((values, k) => new ConcreteArray(values, jaxpr.outAvals[k]));
}
