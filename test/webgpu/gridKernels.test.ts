/** On a GPU: readers of reductions in two steps, which combine the parts, and convolutions by tiles, against `evaluate`. */
import { lax, type NDArray, nn, numpy as np, ShapeDtype } from "fluxion";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { compile, webgpuOptions } from "../../src/compiler/compile.js";
import { runProgram } from "../../src/compiler/interpret.js";
import { kernelsOf } from "../../src/compiler/program.js";
import type { TypedArray } from "../../src/core/dtype.js";
import type { ProductTile, Tiling } from "../../src/core/ir/tiling.js";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.js";
import { array } from "../unit/compiler/lowered.js";
import { runOnGpu } from "./kernels.js";
import { openTestDevice } from "./swiftshader.js";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await openTestDevice();
});
afterAll(() => gpu.destroy());

const maps = { lanes: 4, threads: 256 } as const;

/** Runs a function on the GPU, and its kernels in the interpreter: the names of the kernels, and both results. */
async function both(
  f: (...xs: NDArray[]) => NDArray,
  shapes: readonly (readonly number[])[],
  tiling: Tiling,
  change: (values: TypedArray[]) => void = () => {},
): Promise<{ readonly names: readonly string[]; readonly got: TypedArray; readonly wanted: TypedArray }> {
  const { jaxpr } = makeJaxpr(f)(...shapes.map((s) => new ShapeDtype(s)));
  const program = compile(jaxpr, { ...webgpuOptions, ...gpu.limits, tiling });
  const values = shapes.map((s, i) => array(s, "float32", i + 1).values.slice());
  change(values);
  const [got] = await runOnGpu(gpu, program, values);
  const [wanted] = runProgram(program, values);
  return { names: kernelsOf(program).map((k) => k.name), got, wanted };
}

function expectClose(got: TypedArray, wanted: TypedArray, tolerance: number): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    if (Object.is(got[i], wanted[i])) continue;
    const error = Math.abs(got[i] - wanted[i]) / Math.max(1e-6, Math.abs(wanted[i]));
    expect(error <= tolerance, `element ${i} is ${got[i]}, not ${wanted[i]}`).toBe(true);
  }
}

describe("parts of a reduction are combined by those who read it", () => {
  test.each([[[100_000]], [[2, 50_001]], [[3, 20_000]]])("softmax of %j", async (shape) => {
    const { names, got, wanted } = await both((x) => nn.softmax(x), [shape], { ...maps, products: [] });
    expect(names).toEqual(["reduceMax_parts", "exp", "reduceSum_parts", "div"]);
    expectClose(got, wanted, 2e-6);
    const rows = shape.length === 1 ? 1 : shape[0];
    expect([...got].reduce((sum, p) => sum + p, 0) / rows).toBeCloseTo(1, 5);
  });

  test("what is largest, and what does not exist, is found in whichever part", async () => {
    for (const at of [0, 12_345, 29_999]) {
      const { got } = await both(
        (x) => x.sub(np.max(x)),
        [[30_000]],
        { ...maps, products: [] },
        ([x]) => {
          x[at] = 1000;
        },
      );
      expect(got[at]).toBe(0);
      expect(Math.max(...got)).toBe(0);
      const nan = await both(
        (x) => x.sub(np.max(x)),
        [[30_000]],
        { ...maps, products: [] },
        ([x]) => {
          x[at] = Number.NaN;
        },
      );
      expect(nan.got.every((x) => Number.isNaN(x))).toBe(true);
    }
  });
});

describe("convolutions by tiles of a workgroup", () => {
  const tiles: ProductTile[] = [
    { threads: [4, 2], sums: [4, 8], depth: 8, ahead: false },
    { threads: [8, 8], sums: [4, 4], depth: 16, ahead: true },
  ];
  const first = (x: NDArray, w: NDArray): NDArray =>
    lax.convGeneralDilated(x, w, {
      windowStrides: [1, 1],
      padding: [
        [1, 1],
        [1, 1],
      ],
    });

  test.each(tiles.map((tile) => [JSON.stringify(tile), tile] as const))("%s", async (_, tile) => {
    const shapes = [
      [2, 5, 22, 21],
      [33, 5, 3, 3],
    ];
    const tiling: Tiling = { ...maps, products: [{ from: 1, tile }] };
    const { names, got, wanted } = await both(first, shapes, tiling);
    expect(names).toEqual(["conv"]);
    for (let i = 0; i < got.length; i++) expect(Math.abs(got[i] - wanted[i])).toBeLessThan(2e-5);
    // An infinity in the window meets only what is there.
    const wild = await both(first, shapes, tiling, ([, w]) => {
      w[0] = Number.POSITIVE_INFINITY;
    });
    for (let i = 0; i < got.length; i++)
      if (!Number.isFinite(wild.wanted[i]) || !Number.isFinite(wild.got[i]))
        expect(wild.got[i]).toBe(wild.wanted[i]);
    // Places in the first row of the image do not meet it.
    expect([...wild.got.subarray(0, 21)].every((x) => Number.isFinite(x))).toBe(true);
    expect([...wild.got.subarray(22, 42)].some((x) => !Number.isFinite(x))).toBe(true);
  });
});
