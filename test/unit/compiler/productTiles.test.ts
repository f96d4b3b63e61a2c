/** Products by tiles that a workgroup shares: each tile against the plain definition, for layouts, dtypes, edges and lengths. */
import { describe, expect, it } from "vitest";
import { tileCandidates } from "../../../src/backends/webgpu/tune.js";
import { compile, webgpuOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import type { DType } from "../../../src/core/dtype.js";
import {
  bytesOfTile,
  type ProductTile,
  plainTiling,
  tileFits,
  tileFor,
} from "../../../src/core/ir/tiling.js";
import type { Kernel } from "../../../src/core/ir/types.js";
import { equation } from "./lowerEquation.js";
import { array, named } from "./lowered.js";

const dot = named("dotGeneral");

/** Axes of the operands: `rows` if neighbouring rows lie side by side, `terms` if neighbouring terms do. */
type Along = "rows" | "terms";

interface Case {
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
  readonly batch?: number;
  readonly x?: Along;
  readonly y?: Along;
  readonly dtype?: DType;
}

/** The largest error of a product by a tile, and the kernels that computed it. */
function run(tile: ProductTile, c: Case): { readonly error: number; readonly kernels: readonly Kernel[] } {
  const { rows: m, columns: n, terms: k, batch = 1, x = "terms", y = "rows", dtype = "float32" } = c;
  const xs = array(x === "terms" ? [batch, m, k] : [batch, k, m], dtype, 3);
  const ys = array(y === "terms" ? [batch, n, k] : [batch, k, n], dtype, 4);
  const params = {
    contracting: [[x === "terms" ? 2 : 1], [y === "terms" ? 2 : 1]],
    batch: [[0], [0]],
    preferredElementType: dtype,
  };
  const tiling = { ...plainTiling, products: [{ from: 1, tile }] };
  const program = compile(equation(dot, [xs.aval, ys.aval], params), { ...webgpuOptions, tiling });
  const [got] = runProgram(program, [xs.values, ys.values]);
  expect(got).toHaveLength(batch * m * n);
  let error = 0;
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let t = 0; t < k; t++)
          sum +=
            xs.values[x === "terms" ? (b * m + i) * k + t : (b * k + t) * m + i] *
            ys.values[y === "terms" ? (b * n + j) * k + t : (b * k + t) * n + j];
        error = Math.max(error, Math.abs(got[(b * m + i) * n + j] - sum));
      }
  return { error, kernels: program.steps.flatMap((s) => (s.kind === "kernel" ? [s.kernel] : [])) };
}

const small: ProductTile = { threads: [4, 2], sums: [4, 8], depth: 8, ahead: false };
const oblong: ProductTile = { threads: [2, 4], sums: [8, 4], depth: 16, ahead: true };

const isShared = (kernels: readonly Kernel[]): boolean => kernels.some(({ scratch }) => scratch.length === 2);

describe.each([
  ["wide", small],
  ["tall, loading ahead", oblong],
] as const)("a tile that is %s", (_, tile) => {
  const layouts = (["terms", "rows"] as const).flatMap((x) =>
    (["terms", "rows"] as const).map((y) => [x, y] as const),
  );

  describe.each(layouts)("with %s of x and %s of y side by side", (x, y) => {
    it.each([
      [96, 96, 12],
      [97, 85, 11],
      [100, 84, 20],
      [101, 88, 4],
    ])("%i × %i sums of %i products", (rows, columns, terms) => {
      const { error, kernels } = run(tile, { rows, columns, terms, x, y });
      expect(isShared(kernels)).toBe(true);
      expect(error).toBeLessThan(2e-5);
    });
  });

  it("takes batches, float16 and integers", () => {
    expect(run(tile, { rows: 45, columns: 66, terms: 12, batch: 3 }).error).toBeLessThan(2e-5);
    expect(run(tile, { rows: 96, columns: 96, terms: 12, dtype: "float16" }).error).toBeLessThan(0.05);
    expect(run(tile, { rows: 96, columns: 97, terms: 12, dtype: "int32" }).error).toBe(0);
  });
});

describe("the choice of a tile", () => {
  const limits = { workgroupThreads: 256, workgroupBytes: 16384 };
  const large: ProductTile = { threads: [16, 16], sums: [8, 8], depth: 8, ahead: true };
  const tiling = {
    ...plainTiling,
    products: [
      { from: 2 ** 20, tile: large },
      { from: 2 ** 12, tile: small },
    ],
  };

  it("is by the number of sums", () => {
    expect(tileFor(tiling, limits, { batch: 1, rows: 1024, columns: 1024 })).toBe(large);
    expect(tileFor(tiling, limits, { batch: 1, rows: 1023, columns: 1024 })).toBe(small);
    expect(tileFor(tiling, limits, { batch: 1, rows: 10, columns: 10 })).toBeUndefined();
  });

  it("leaves out tiles that would be half empty, or that the device cannot run", () => {
    expect(tileFor(tiling, limits, { batch: 1, rows: 2 ** 17, columns: 9 })).toBe(small);
    expect(tileFor(tiling, limits, { batch: 1, rows: 2 ** 17, columns: 8 })).toBeUndefined();
    expect(
      tileFor(tiling, { ...limits, workgroupThreads: 128 }, { batch: 1, rows: 2048, columns: 2048 }),
    ).toBe(small);
    expect(
      tileFor(tiling, { ...limits, workgroupBytes: 8192 }, { batch: 1, rows: 2048, columns: 2048 }),
    ).toBe(small);
  });

  it("knows how much memory the kernels take", () => {
    const { kernels } = run(small, { rows: 96, columns: 96, terms: 4, x: "terms", y: "terms" });
    const bytes = kernels
      .flatMap(({ scratch }) => scratch.map(({ size }) => 4 * size))
      .reduce((a, b) => a + b);
    expect(bytes).toBe(bytesOfTile(small));
  });

  it("is among tiles that every device with the least limits can run", () => {
    const candidates = tileCandidates(limits);
    expect(candidates.length).toBeGreaterThan(10);
    for (const tile of candidates) {
      expect(tileFits(tile, limits)).toBe(true);
      expect(256 % tile.depth).toBe(0);
    }
  });
});
