/** Tiles on a real device, measuring them, and records that make the choice again. */
import { closeGpu, init, jit, lax, type NDArray, numpy as np, tune, tuning } from "fluxion";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { measureTiling } from "../../src/backends/webgpu/tune.js";
import { adapterKey, defaultTiling } from "../../src/backends/webgpu/tuning.js";
import { compile } from "../../src/compiler/compile.js";
import type { ProductTile, Tiling } from "../../src/core/ir/tiling.js";
import { ShapeDtype } from "../../src/index.js";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.js";
import { openTestDevice, useSwiftShader } from "./swiftshader.js";

const software = { device: "webgpu", allowSoftware: true } as const;

/** One of each kind: square and oblong, ahead or not, as large as they get. */
const some: readonly ProductTile[] = [
  { threads: [8, 8], sums: [4, 4], depth: 16, ahead: false },
  { threads: [8, 4], sums: [8, 4], depth: 8, ahead: true },
  { threads: [16, 16], sums: [8, 8], depth: 8, ahead: true },
];

/** Enough to run every candidate once; what is fastest does not matter here. */
const tiny = {
  products: [
    { from: 2 ** 14, side: 128, terms: 16 },
    { from: 2 ** 10, side: 96, terms: 8 },
  ],
  elements: 1024,
  least: 0,
  tiles: () => some.slice(0, 2),
};

describe("tiles", () => {
  let gpu: GpuDevice;
  beforeAll(async () => {
    gpu = await openTestDevice();
  });
  afterAll(() => gpu.destroy());

  /** x · y, where x is given with its terms along axis `xTerms` and y along `yTerms`. */
  async function product(
    tile: ProductTile | null,
    x: Float32Array,
    y: Float32Array,
    shapes: readonly [number[], number[]],
    axes: readonly [number, number],
  ) {
    const f = (a: NDArray, b: NDArray): NDArray =>
      lax.dotGeneral(a, b, { contracting: [[axes[0]], [axes[1]]] });
    const { jaxpr } = makeJaxpr(f)(new ShapeDtype(shapes[0]), new ShapeDtype(shapes[1]));
    const tiling: Tiling = { products: [{ from: 1, tile }], lanes: 4, threads: 64 };
    const { buffers, workgroupThreads, workgroupBytes } = gpu.limits;
    const program = compile(jaxpr, { target: "webgpu", buffers, workgroupThreads, workgroupBytes, tiling });
    const given = [gpu.upload("float32", x), gpu.upload("float32", y)];
    const [made] = gpu.run(program, given);
    const values = await gpu.read(made);
    for (const b of [...given, made]) b.release();
    return values;
  }

  const numbers = (n: number, step: number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => ((i * step) % 17) / 8 - 1);

  test.each(some.map((tile) => [JSON.stringify(tile), tile] as const))(
    "%s gives what single threads give",
    async (_, tile) => {
      for (const [m, n, k, axes] of [
        [129, 131, 13, [1, 0]],
        [128, 132, 16, [0, 1]],
      ] as const) {
        const shapes: [number[], number[]] =
          axes[0] === 1
            ? [
                [m, k],
                [k, n],
              ]
            : [
                [k, m],
                [n, k],
              ];
        const [x, y] = [numbers(m * k, 7), numbers(k * n, 5)];
        // Products and sums of these are exact, so that the order of the sums does not show.
        expect(await product(tile, x, y, shapes, axes)).toEqual(await product(null, x, y, shapes, axes));
      }
    },
  );

  test("long sums are cut: their error does not grow with their length", async () => {
    const [side, k] = [96, 2048];
    // In one accumulator, 1 + 2^-24 + 2^-24 + ... stays 1; in stretches of 256 the small ones come together first.
    const x = new Float32Array(side * k).fill(2 ** -24);
    for (let i = 0; i < side; i++) x[i * k] = 1;
    const y = new Float32Array(k * side).fill(1);
    const wanted = 1 + (k - 1) * 2 ** -24;
    for (const tile of some.slice(0, 2)) {
      const [first] = await product(
        tile,
        x,
        y,
        [
          [side, k],
          [k, side],
        ],
        [1, 0],
      );
      expect(Math.abs(first - wanted)).toBeLessThan(300 * 2 ** -24);
    }
  });

  test("every candidate is measured, and one of them chosen for each work", async () => {
    let time = 0;
    const record = await measureTiling(gpu, { rounds: 1, seconds: 1e9 }, tiny, () => time++);
    expect(record.key).toBe(adapterKey(gpu.info));
    expect(record.results).toHaveLength(3);
    for (const { seconds, baseline } of record.results) {
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(baseline);
    }
    expect(record.tiling.products.map((p) => p.from)).toEqual([2 ** 14, 2 ** 10]);
    expect([1, 4]).toContain(record.tiling.lanes);
    // What is not better by far keeps what is usual.
    const cautious = await measureTiling(gpu, { rounds: 1, margin: 1 }, tiny);
    expect(cautious.tiling.lanes).toBe(defaultTiling(gpu.info).lanes);
    expect(cautious.tiling.products.every(({ tile }) => tile === null)).toBe(true);
    // Nothing that was measured with is left.
    expect(gpu.memory.arrays).toBe(0);
  });
});

describe("the record", () => {
  beforeAll(useSwiftShader);
  afterEach(async () => {
    tuning.clear();
    await closeGpu();
  });

  const step = () => jit((x: NDArray, y: NDArray) => x.matmul(y));
  const source = (): string =>
    step()
      .lower(new ShapeDtype([128, 128]), new ShapeDtype([128, 128]))
      .kernels.map((k) => k.source)
      .join();

  const recordFor = (key: string) => ({
    format: "fluxion-tuning",
    records: [
      {
        key,
        tiling: {
          products: [{ from: 1, tile: { threads: [8, 4], sums: [4, 8], depth: 16, ahead: false } }],
          lanes: 1,
          threads: 64,
        },
        results: [],
      },
    ],
  });

  test("of this adapter gives its kernels, before and after the GPU is opened, and the same bits", async () => {
    await init(software);
    const usual = source();
    const { key } = await tune({ rounds: 1, seconds: 0, margin: 1 });
    tuning.import(recordFor(key));
    const tuned = source();
    expect(tuned).not.toBe(usual);
    expect(tuned).toContain("@workgroup_size(32)");
    const x = np.sin(np.arange(128 * 128).astype("float32")).reshape([128, 128]);
    const first = await step()(x, x).data();
    await closeGpu();
    await init(software);
    expect(source()).toBe(tuned);
    const y = np.sin(np.arange(128 * 128).astype("float32")).reshape([128, 128]);
    expect(await step()(y, y).data()).toEqual(first);
    tuning.clear();
    expect(source()).toBe(usual);
  }, 120_000);

  test("of another adapter changes nothing", async () => {
    await init(software);
    const usual = source();
    tuning.import(recordFor("kernels 1 | another | | | "));
    expect(source()).toBe(usual);
    expect(tuning.export().records).toHaveLength(1);
  });

  test("is what init measures only if there is none", async () => {
    await init(software);
    const { key } = await tune({ rounds: 1, seconds: 0, margin: 1 });
    const file = tuning.export();
    await closeGpu();
    tuning.clear();
    tuning.import(recordFor(key));
    const known = tuning.export();
    await init({ ...software, tune: true });
    expect(tuning.export()).toEqual(known);
    expect(source()).toContain("@workgroup_size(32)");
    tuning.import(file);
    expect(source()).not.toContain("@workgroup_size(32)");
  }, 120_000);

  test("tuning needs a GPU", async () => {
    await expect(tune()).rejects.toThrow(/tune: there is no GPU yet/);
  });
});
