/** Whole programs on a GPU: random kernels against the interpreter, every primitive against its `evaluate` rule. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { type CompileOptions, compile, webgpuOptions } from "../../src/compiler/compile.js";
import { runKernel } from "../../src/compiler/interpret.js";
import { eachStmt, exprsOf, nodesOf } from "../../src/compiler/walk.js";
import { concreteArray } from "../../src/core/array.js";
import { type DType, settle, type TypedArray } from "../../src/core/dtype.js";
import { DtypeError, MissingRuleError } from "../../src/core/errors.js";
import { i32, letIn, load, store } from "../../src/core/ir/ops.js";
import { Buffer, type Kernel, Local, type Range } from "../../src/core/ir/types.js";
import type { Example, Primitive } from "../../src/core/primitive.js";
import { equation } from "../unit/compiler/lowerEquation.js";
import { variants } from "../unit/compiler/lowered.js";
import { randomKernel } from "../unit/compiler/randomKernel.js";
import { chosen, drawAll, generator } from "../unit/examples.js";
import { itemKernel, programOf, runOnGpu } from "./kernels.js";
import { narrowed } from "./narrowed.js";
import { openTestDevice } from "./swiftshader.js";

let device: GpuDevice;
let options: CompileOptions;
beforeAll(async () => {
  device = await openTestDevice();
  options = { ...webgpuOptions, ...device.limits };
});
afterAll(() => device.destroy());

const isTiny = (x: number): boolean => Math.abs(x) < 2 ** -126;

/** Whether a kernel calls functions of JavaScript, which a GPU cannot. */
function callsHost(kernel: Kernel): boolean {
  let found = false;
  eachStmt(kernel.body, (s) => {
    found ||= nodesOf(...exprsOf(s)).some((e) => e.op === "host");
  });
  return found;
}

/** One workgroup of one thread that does the whole range. */
function asGrid(kernel: Kernel): Kernel {
  const { extent, begin, end } = kernel.launch as Range;
  const launch = {
    kind: "grid",
    groups: 1,
    threads: 1,
    group: new Local("g", "i32"),
    thread: new Local("t", "i32"),
  };
  return {
    ...kernel,
    launch: launch as Kernel["launch"],
    body: [letIn(begin, i32(0)), letIn(end, i32(extent)), ...kernel.body],
  };
}

test("random kernels leave in memory what the interpreter does", async () => {
  await fc.assert(
    fc.asyncProperty(randomKernel({ wild: false }), async ({ kernel, cells }) => {
      fc.pre(!callsHost(kernel));
      for (const { buffer, array } of cells)
        if (buffer.dtype === "bool") array.set([...array].map((x) => (x === 0 ? 0 : 1)));
      const memory = new Map(cells.map(({ buffer, array }) => [buffer, array.slice()] as const));
      runKernel(kernel, memory);
      // Memory that a kernel writes to is filled by a kernel first.
      const starts = cells.map(({ buffer }) => new Buffer(`${buffer.name}0`, buffer.dtype, buffer.size));
      const copies = cells.map(({ buffer }, k) =>
        itemKernel(buffer.size, [starts[k], buffer], (i) => [store(buffer, i, load(starts[k], i))]),
      );
      const outputs = cells.map((c) => c.buffer);
      const used = { ...asGrid(kernel), buffers: outputs };
      const got = await runOnGpu(
        device,
        programOf([...copies, used], outputs),
        cells.map((c) => c.array),
      );
      for (const [k, { buffer }] of cells.entries()) {
        const wanted = [...(memory.get(buffer) as TypedArray)].map((x) => (isTiny(x) ? 0 : x));
        expect(
          [...got[k]].map((x) => (isTiny(x) ? 0 : x)),
          buffer.name,
        ).toEqual(wanted);
      }
    }),
    { numRuns: 60 },
  );
});

const tolerances: Partial<Record<DType, number>> = { float32: 2e-5, float16: 4e-3 };

function expectNear(got: TypedArray, wanted: TypedArray, tolerance: number, what: string): void {
  expect(got.length, what).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const [g, w] = [got[i], wanted[i]];
    if (Object.is(g, w)) continue;
    const error = Math.abs(g - w) / Math.max(1, Math.abs(w));
    expect(error <= tolerance, `${what}: element ${i} is ${g}, not ${w}`).toBe(true);
  }
}

async function runExample(primitive: Primitive, example: Example, random: () => number): Promise<void> {
  const inputs = drawAll(example, random).map((x) =>
    concreteArray(settle(x.dtype, x.values), x.shape, x.dtype),
  );
  const jaxpr = equation(
    primitive,
    inputs.map((x) => x.aval),
    example.params,
  );
  const program = compile(jaxpr, options);
  const got = await runOnGpu(
    device,
    program,
    inputs.map((x) => x.values),
  );
  const wanted = primitive.evaluate(inputs, example.params, jaxpr.outAvals);
  const types = inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`);
  for (const [k, x] of wanted.entries()) {
    const settled = settle(x.dtype, x.values.slice());
    expectNear(got[k], settled, tolerances[x.dtype] ?? 0, `${primitive.name} of ${types}`);
  }
}

const compiled = chosen.filter((p) => p.lower !== undefined);

describe("primitives agree with their evaluate rules", () => {
  test.each(compiled.map((p) => [p.name, p] as const))("%s", async (_, primitive) => {
    const random = generator(primitive.name.length);
    let ran = 0;
    const { family } = primitive;
    for (const example of primitive.laws.examples)
      for (const variant of family === "control" ? [narrowed(example)] : variants(primitive, example)) {
        try {
          await runExample(primitive, variant, random);
          ran++;
        } catch (error) {
          // Some take or give float64; some are not for the GPU in every dtype.
          if (!(error instanceof MissingRuleError || error instanceof DtypeError)) throw error;
        }
      }
    expect(ran).toBeGreaterThan(0);
  });
});
