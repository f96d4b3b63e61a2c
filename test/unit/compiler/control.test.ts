/** Branches and loops as steps of programs: what the compiler makes of them means the same, for both targets. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile, donationOf, wasmOptions, webgpuOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import { concreteArray } from "../../../src/core/array.js";
import { type DType, settle } from "../../../src/core/dtype.js";
import { primitives } from "../../../src/core/primitive.js";
import { drawAll, generator } from "../examples.js";
import { Maker, seen } from "./controlPrograms.js";
import { evaluatedSteps } from "./controlTools.js";
import { equation } from "./lowerEquation.js";
import { variants } from "./lowered.js";

const dtypes: readonly DType[] = ["float32", "int32", "float16", "uint8", "bool", "float64"];

describe("random programs with branches and loops", () => {
  it.each([wasmOptions, webgpuOptions])("mean the same when they are compiled for $target", (options) => {
    const habits =
      options.target === "wasm"
        ? { dtypes, host: true }
        : { dtypes: dtypes.filter((t) => t !== "float64"), host: false };
    let steps = 0;
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), (seed, donates) => {
        const maker = new Maker(generator(seed), habits);
        const avals = maker.types(4);
        const jaxpr = maker.program(avals, 2);
        const inputs = avals.map((type) => maker.array(type));
        const wanted = evaluatedSteps(jaxpr, inputs);
        const donation = donationOf(avals.map(() => donates));
        const program = compile(jaxpr, options, donation);
        seen.length = 0;
        const results = runProgram(
          program,
          inputs.map((x) => x.values),
        );
        expect(results).toEqual(wanted.values);
        expect(seen).toEqual(wanted.seen);
        steps += program.steps.filter((s) => s.kind === "control").length;
      }),
      { numRuns: 120 },
    );
    expect(steps).toBeGreaterThan(60);
  });
});

describe("updates of donated arrays, for all examples of the records", () => {
  const updating = primitives().filter(
    ({ name }) => name === "dynamicUpdateSlice" || name.startsWith("scatter"),
  );

  it.each(updating.map((p) => [p.name, p] as const))("%s", (_, primitive) => {
    let inPlace = 0;
    for (const [seed, example] of primitive.laws.examples.entries())
      for (const variant of variants(primitive, example)) {
        const random = generator(seed);
        const inputs = drawAll(variant, random).map((x) =>
          concreteArray(settle(x.dtype, x.values), x.shape, x.dtype),
        );
        const jaxpr = equation(primitive, variant.avals, variant.params);
        const values = inputs.map((x) => x.values);
        for (const options of [wasmOptions, webgpuOptions]) {
          if (options.target === "webgpu" && variant.avals.some((a) => a.dtype === "float64")) continue;
          const program = compile(jaxpr, options, donationOf(variant.avals.map((_a, i) => i === 0)));
          // Sums are added up in the same order, so that they are the very same.
          expect(runProgram(program, values)).toEqual(runProgram(compile(jaxpr, options), values));
          if (program.steps.some((s) => s.kind === "kernel" && s.inPlace !== undefined)) inPlace++;
        }
      }
    expect(inPlace).toBeGreaterThan(0);
  });
});
