/** WebAssembly computes what the interpreter of the kernel IR does: to the last bit, but for the bits of NaN. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heap } from "../../../src/backends/wasm/memory.js";
import { compileProgram } from "../../../src/backends/wasm/run.js";
import { compile, wasmOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import { optimise } from "../../../src/compiler/optimise.js";
import { shareKernel } from "../../../src/compiler/share.js";
import { concreteArray } from "../../../src/core/array.js";
import { settle } from "../../../src/core/dtype.js";
import type { Kernel } from "../../../src/core/ir/types.js";
import { primitives } from "../../../src/core/primitive.js";
import "../../../src/index.js";
import { type Cell, run } from "../compiler/kernels.js";
import { equation } from "../compiler/lowerEquation.js";
import { variants } from "../compiler/lowered.js";
import { randomKernel } from "../compiler/randomKernel.js";
import { randomNest } from "../compiler/randomNest.js";
import { drawAll, generator } from "../examples.js";
import { runWasm } from "./wasmKernels.js";

/** Memory of a bool array holds 0 and 1, whatever the cells start with: the machine relies on it. */
function settleBools(cells: readonly Cell[]): void {
  for (const { buffer, array } of cells)
    if (buffer.dtype === "bool") for (let i = 0; i < array.length; i++) array[i] &= 1;
}

describe("random kernels", () => {
  it.each([true, false])("of all statements (%s) or as fusion makes them", (wild) => {
    fc.assert(
      fc.property(randomKernel({ wild }), ({ kernel, cells }) => {
        settleBools(cells);
        // Without sharing, expressions that meet again would be printed as trees of any size.
        for (const pass of [shareKernel, (k: Kernel) => optimise(k, "wasm")])
          expect(runWasm(pass(kernel), cells)).toEqual(run(kernel, cells));
      }),
      { numRuns: 100, interruptAfterTimeLimit: 30_000 },
    );
  });

  it("nests of loops, in parts", () => {
    fc.assert(
      fc.property(randomNest, fc.constantFrom(1, 3, 7), ({ kernel, cells }, parts) => {
        const optimised = optimise(kernel, "wasm");
        expect(runWasm(optimised, cells, { parts })).toEqual(run(optimised, cells, { parts }));
      }),
      { numRuns: 100, interruptAfterTimeLimit: 30_000 },
    );
  });
});

describe("programs of one primitive", () => {
  const heap = new Heap();

  for (const primitive of primitives().filter((p) => p.lower !== undefined && p.laws.examples.length > 0))
    it(primitive.name, () => {
      const random = generator(primitive.name.length);
      for (const example of primitive.laws.examples)
        for (const variant of variants(primitive, example)) {
          const inputs = drawAll(variant, random).map((x) =>
            concreteArray(settle(x.dtype, x.values), x.shape, x.dtype),
          );
          const program = compile(equation(primitive, variant.avals, variant.params), wasmOptions);
          const values = inputs.map((x) => x.values);
          const actual = compileProgram(program, { heap }).run(values);
          expect(actual).toEqual(runProgram(program, values));
        }
    });
});
