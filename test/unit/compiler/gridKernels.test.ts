/** Kernels for the GPU that walk memory: elementwise ones in vectors, and reductions in two steps. */
import { describe, expect, it } from "vitest";
import { compile, webgpuOptions } from "../../../src/compiler/compile.js";
import { partsOf } from "../../../src/compiler/gridSplit.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import type { Program } from "../../../src/compiler/program.js";
import { eachStmt, exprsOf, nodesOf } from "../../../src/compiler/walk.js";
import type { NDArray } from "../../../src/core/array.js";
import type { Shape } from "../../../src/core/aval.js";
import type { DType, TypedArray } from "../../../src/core/dtype.js";
import { plainTiling, type Tiling } from "../../../src/core/ir/tiling.js";
import type { Kernel } from "../../../src/core/ir/types.js";
import { numpy as np, ShapeDtype } from "../../../src/index.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { array } from "./lowered.js";

type Fn = (...xs: NDArray[]) => NDArray | NDArray[];

const inVectors: Tiling = { ...plainTiling, lanes: 4, threads: 64 };

function compiled(f: Fn, shapes: readonly Shape[], tiling: Tiling, dtype: DType = "float32"): Program {
  const { jaxpr } = makeJaxpr(f as (...xs: NDArray[]) => NDArray)(
    ...shapes.map((s) => new ShapeDtype(s, dtype)),
  );
  return compile(jaxpr, { ...webgpuOptions, tiling });
}

const valuesFor = (shapes: readonly Shape[], dtype: DType = "float32"): TypedArray[] =>
  shapes.map((shape, i) => array(shape, dtype, i + 1).values);

const kernelsOf = ({ steps }: Program): Kernel[] =>
  steps.flatMap((s) => (s.kind === "kernel" ? [s.kernel] : []));

/** Lanes of the loads and stores of a kernel. */
function lanesOf({ body }: Kernel): Set<number> {
  const lanes = new Set<number>();
  eachStmt(body, (s) => {
    if (s.kind === "store") lanes.add(s.value.lanes);
    for (const e of nodesOf(...exprsOf(s))) if (e.op === "load") lanes.add(e.lanes);
  });
  return lanes;
}

describe("elementwise kernels in vectors", () => {
  const cases: readonly (readonly [string, Fn, readonly Shape[], boolean])[] = [
    [
      "of arrays of one shape",
      (x, y) => np.tanh(x.mul(y)).add(x),
      [
        [30, 8],
        [30, 8],
      ],
      true,
    ],
    [
      "of three axes, the last of them odd",
      (x, y) => x.mul(y),
      [
        [4, 5, 3],
        [4, 5, 3],
      ],
      true,
    ],
    ["with a row for all rows", (x, y) => np.maximum(x.add(y), 0), [[30, 8], [8]], true],
    [
      "with a number for each row",
      (x, y) => x.sub(y),
      [
        [30, 8],
        [30, 1],
      ],
      false,
    ],
    [
      "of a transposed array",
      (x, y) => x.transpose().add(y),
      [
        [8, 12],
        [12, 8],
      ],
      false,
    ],
    [
      "of an odd number of elements",
      (x, y) => x.add(y),
      [
        [7, 5],
        [7, 5],
      ],
      false,
    ],
    ["of one element", (x, y) => x.add(y), [[1], [1]], false],
  ];

  it.each(cases)("%s are what they are one by one", (_, f, shapes) => {
    const values = valuesFor(shapes);
    const [wide, plain] = [inVectors, plainTiling].map((tiling) =>
      runProgram(compiled(f, shapes, tiling), values),
    );
    expect(wide).toEqual(plain);
  });

  it.each(cases.filter(([, , , vectors]) => vectors))("%s move four elements at a time", (_, f, shapes) => {
    const kernels = kernelsOf(compiled(f, shapes, inVectors));
    expect(kernels).toHaveLength(1);
    expect([...lanesOf(kernels[0])]).toEqual([4]);
  });

  it.each(cases.slice(4))("%s have a thread for each element", (_, f, shapes) => {
    for (const kernel of kernelsOf(compiled(f, shapes, inVectors))) expect([...lanesOf(kernel)]).toEqual([1]);
  });

  it("take all dtypes", () => {
    const f: Fn = (x, y) => np.where(x.greater(y), x, y.mul(2));
    for (const dtype of ["float16", "int32", "uint32", "uint8"] as const) {
      const shapes = [
        [6, 8],
        [6, 8],
      ];
      const values = valuesFor(shapes, dtype);
      const program = compiled(f, shapes, inVectors, dtype);
      expect([...lanesOf(kernelsOf(program)[0])], dtype).toEqual([4]);
      expect(runProgram(program, values)).toEqual(
        runProgram(compiled(f, shapes, plainTiling, dtype), values),
      );
    }
  });
});

it("a reduction over axes of length 1, and what follows it, are no map", () => {
  const f: Fn = (x) => np.max(x, { axis: 1, keepdims: true }).add(x);
  const values = valuesFor([[8, 1]]);
  expect(runProgram(compiled(f, [[8, 1]], inVectors), values)).toEqual([values[0].map((x) => 2 * x)]);
});

describe("reductions in two steps", () => {
  const numbers = (
    f: Fn,
    shapes: readonly Shape[],
  ): { got: TypedArray[]; kernels: Kernel[]; values: TypedArray[] } => {
    const values = valuesFor(shapes);
    const program = compiled(f, shapes, plainTiling);
    return { got: runProgram(program, values), kernels: kernelsOf(program), values };
  };

  it("sum along rows that are few and long", () => {
    const { got, kernels, values } = numbers((x) => np.sum(x, 1), [[3, 20001]]);
    expect(kernels.map((k) => k.name)).toEqual(["reduceSum_parts", "reduceSum"]);
    for (let i = 0; i < 3; i++) {
      const wanted = [...values[0].subarray(i * 20001, (i + 1) * 20001)].reduce((a, b) => a + b);
      expect(got[0][i] / wanted).toBeCloseTo(1, 6);
    }
  });

  it("sum down columns, whose neighbours lie side by side", () => {
    const [rows, columns] = [20000, 5];
    const { got, kernels, values } = numbers((x) => np.mean(x, 0), [[rows, columns]]);
    expect(kernels).toHaveLength(2);
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += values[0][i * columns + j];
      expect(got[0][j]).toBeCloseTo(sum / rows, 4);
    }
  });

  it("find places, and do several at once", () => {
    const { got, kernels, values } = numbers((x) => [np.argmax(x), np.max(x), np.sum(x.mul(x))], [[70001]]);
    expect(kernels.some(({ name }) => name.endsWith("_parts"))).toBe(true);
    const largest = [...values[0]].reduce((a, b) => Math.max(a, b));
    expect(got[1][0]).toBe(largest);
    expect(got[0][0]).toBe(values[0].indexOf(largest));
    expect(got[2][0] / [...values[0]].reduce((a, b) => a + b * b, 0)).toBeCloseTo(1, 6);
  });

  it("give NaN where there is one, in whichever part", () => {
    const shapes = [[20001]];
    const program = compiled((x) => np.max(x), shapes, plainTiling);
    for (const at of [0, 9999, 20000]) {
      const [x] = valuesFor(shapes);
      x[at] = Number.NaN;
      expect(runProgram(program, [x])[0][0]).toBeNaN();
    }
  });

  it("stay one kernel where that keeps the device busy, and for short rows", () => {
    expect(kernelsOf(compiled((x) => np.sum(x, 1), [[300, 4096]], plainTiling))).toHaveLength(1);
    expect(kernelsOf(compiled((x) => np.sum(x), [[900]], plainTiling))).toHaveLength(1);
    expect(partsOf(0, 1000, true, 256)).toBe(1);
    expect(partsOf(1000, 0, false, 256)).toBe(1);
    expect(partsOf(1, 1e7, true, 256)).toBe(1024);
  });

  it("stay one kernel where another dispatch takes longer than what it saves", () => {
    expect(partsOf(1, 16383, true, 256)).toBe(1);
    expect(partsOf(1, 16384, true, 256)).toBe(8);
    // A workgroup for each column: few loads for each thread.
    expect(partsOf(128, 64, false, 256)).toBe(1);
    expect(partsOf(128, 500, false, 256)).toBe(1);
    expect(partsOf(4096, 100, false, 256)).toBe(1);
    expect(partsOf(128, 512, false, 256)).toBe(16);
  });
});

describe("readers of a reduction in two steps combine the parts", () => {
  const names = (program: Program): string[] => kernelsOf(program).map((k) => k.name);
  const relative = (got: TypedArray, wanted: readonly number[]): number =>
    Math.max(...wanted.map((w, i) => Math.abs(got[i] - w) / Math.max(Math.abs(w), 1e-30)));

  it.each([
    ["one row", 1, 16384 + 5],
    ["rows that fill the workgroup", 2, 17000],
    ["rows that do not", 3, 16999],
  ])("of %s", (_, rows, columns) => {
    for (const tiling of [plainTiling, inVectors]) {
      const program = compiled(
        (x) => x.sub(np.max(x, { axis: 1, keepdims: true })),
        [[rows, columns]],
        tiling,
      );
      expect(names(program)).toEqual(["reduceMax_parts", "sub"]);
      const [x] = valuesFor([[rows, columns]]);
      const [got] = runProgram(program, [x]);
      for (let i = 0; i < rows; i++) {
        const row = x.subarray(i * columns, (i + 1) * columns);
        const largest = Math.max(...row);
        for (let j = 0; j < columns; j += 97)
          expect(got[i * columns + j]).toBe(Math.fround(row[j] - largest));
      }
    }
  });

  it("of columns, and what is made of the results", () => {
    const [rows, columns] = [14000, 5];
    const program = compiled((x) => x.mul(np.exp(np.mean(x, 0))), [[rows, columns]], plainTiling);
    expect(names(program)).toEqual(["reduceSum_exp_parts", "mul"]);
    const [x] = valuesFor([[rows, columns]]);
    const [got] = runProgram(program, [x]);
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += x[i * columns + j];
      const factor = Math.exp(sum / rows);
      for (let i = 0; i < rows; i += 501)
        expect(relative(got.subarray(i * columns + j), [x[i * columns + j] * factor])).toBeLessThan(1e-5);
    }
  });

  it("another reduction among them, and one of several accumulators", () => {
    const n = 40001;
    const shifted = compiled((x) => np.sum(np.exp(x.sub(np.max(x)))).reshape([1]), [[n]], plainTiling);
    const [x] = valuesFor([[n]]);
    const largest = Math.max(...x);
    const wanted = [...x].reduce((sum, v) => sum + Math.exp(v - largest), 0);
    expect(relative(runProgram(shifted, [x])[0], [wanted])).toBeLessThan(1e-5);
    const place = compiled((v) => v.add(np.argmax(v).astype("float32")), [[n]], inVectors);
    expect(names(place)).toHaveLength(2);
    const at = x.indexOf(largest);
    expect([...runProgram(place, [x])[0]]).toEqual([...x].map((v) => Math.fround(v + at)));
  });

  it("in the same order in every kernel, so that all have the same bits", () => {
    const f: Fn = (x, y, z) => {
      const sum = np.sum(x);
      return [y.mul(0).add(sum), np.max(z.mul(0).add(sum))];
    };
    const shapes = [[600_000], [512], [20_000]];
    const program = compiled(f, shapes, inVectors);
    // One in workgroups of 64 threads, and one in workgroups of 256.
    const readers = kernelsOf(program).filter(({ scratch }) =>
      scratch.some((b) => b.name.startsWith("whole")),
    );
    expect(readers.map(({ launch }) => launch.kind === "grid" && launch.threads).sort()).toEqual([256, 64]);
    const [each, [largest]] = runProgram(program, valuesFor(shapes));
    expect(new Set(each)).toEqual(new Set([largest]));
  });

  it("not if the results are read by large kernels, by products, or by the caller", () => {
    const counts = (f: Fn, ...shapes: Shape[]): string[] => names(compiled(f, shapes, plainTiling));
    expect(counts((x) => x.sub(np.max(x)), [300_000])).toEqual(["reduceMax_parts", "reduceMax", "sub"]);
    expect(counts((x) => [np.max(x), x.sub(np.max(x))], [20_000])).toEqual([
      "reduceMax_parts",
      "reduceMax",
      "sub",
    ]);
    const product = counts((x, y) => np.sum(x, 1).reshape([1, 4]).matmul(y), [4, 20_000], [4, 6]);
    expect(product.slice(0, 2)).toEqual(["reduceSum_parts", "reduceSum"]);
  });

  it("donated operands are not written before all have read them", () => {
    const n = 50_000;
    const { jaxpr } = makeJaxpr((x: NDArray) => x.sub(np.max(x)))(new ShapeDtype([n]));
    const program = compile(jaxpr, { ...webgpuOptions, tiling: plainTiling }, "1");
    const [x] = valuesFor([[n]]);
    const largest = Math.max(...x);
    expect([...runProgram(program, [x.slice()])[0]]).toEqual([...x].map((v) => Math.fround(v - largest)));
  });
});
