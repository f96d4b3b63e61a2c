/** The passes over kernels, on the kernels of every primitive: the same results as without them. */
import { describe, expect, it, vi } from "vitest";
import { compile, wasmOptions, webgpuOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import type * as optimising from "../../../src/compiler/optimise.js";
import type { Program } from "../../../src/compiler/program.js";
import { kernelText } from "../../../src/compiler/text.js";
import type { TypedArray } from "../../../src/core/dtype.js";
import type { Target } from "../../../src/core/ir/lower.js";
import { chosen, drawAll, generator } from "../examples.js";
import { equation } from "./lowerEquation.js";

// The compiler leaves kernels as they are emitted: here the passes are run afterwards.
vi.mock("../../../src/compiler/optimise.js", () => ({ optimise: <K>(kernel: K): K => kernel }));
const { optimise } = await vi.importActual<typeof optimising>("../../../src/compiler/optimise.js");

const optimised = (program: Program, target: Target): Program => ({
  ...program,
  steps: program.steps.map((s) => (s.kind === "kernel" ? { ...s, kernel: optimise(s.kernel, target) } : s)),
});

const textOf = ({ steps }: Program): string =>
  steps.map((s) => (s.kind === "kernel" ? kernelText(s.kernel) : "")).join("\n");

/** Float sums may be added up in another order. */
function expectClose(actual: TypedArray, wanted: TypedArray, what: string): void {
  const isFloat = wanted instanceof Float32Array || wanted instanceof Float64Array;
  let scale = 1;
  for (const x of wanted) if (isFloat && Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  const tolerance = isFloat ? scale * (wanted instanceof Float64Array ? 1e-12 : 1e-5) : 0;
  for (let k = 0; k < wanted.length; k++)
    if (!Object.is(actual[k], wanted[k]) && !(Math.abs(actual[k] - wanted[k]) <= tolerance))
      expect.fail(`${what}: element ${k} is ${actual[k]}, not ${wanted[k]}`);
}

const lowered = chosen.filter((p) => p.lower !== undefined);

describe.each(lowered.map((p) => [p.name, p] as const))("%s", (_, primitive) => {
  it.each([wasmOptions, webgpuOptions])("computes its examples on $target", (options) => {
    for (const [i, example] of primitive.laws.examples.entries()) {
      const { avals, params } = example;
      const jaxpr = equation(primitive, avals, params);
      if (options.target === "webgpu" && [...avals, ...jaxpr.outAvals].some((a) => a.dtype === "float64"))
        continue;
      const inputs = drawAll(example, generator(i + 1)).map((x) => x.values);
      const program = compile(jaxpr, options);
      const wanted = runProgram(program, inputs);
      const after = optimised(program, options.target);
      for (const parts of options.target === "wasm" ? [1, 3] : [1])
        for (const [k, actual] of runProgram(after, inputs, { parts }).entries())
          expectClose(actual, wanted[k], `example ${i}, output ${k} of ${textOf(after)}`);
    }
  });
});

it("the passes change many of them", () => {
  const changed = lowered.filter((primitive) => {
    const [{ avals, params }] = primitive.laws.examples;
    const program = compile(equation(primitive, avals, params), wasmOptions);
    return textOf(program) !== textOf(optimised(program, "wasm"));
  });
  expect(changed.length).toBeGreaterThan(lowered.length / 4);
});
