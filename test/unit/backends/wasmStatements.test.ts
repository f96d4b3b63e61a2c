/** Loads, stores and statements of kernels as WebAssembly, against the interpreter or against plain JavaScript. */
import { describe, expect, it } from "vitest";
import { printKernels } from "../../../src/backends/wasm/print.js";
import { runKernel } from "../../../src/compiler/interpret.js";
import type { DType, TypedArray } from "../../../src/core/dtype.js";
import { InternalError } from "../../../src/core/errors.js";
import * as ir from "../../../src/core/ir/ops.js";
import { type Atomic, type Kernel, Local, type Stmt } from "../../../src/core/ir/types.js";
import { type Cell, cell, gridKernel, itemKernel, rangeKernel } from "../compiler/kernels.js";
import { runWasm } from "./wasmKernels.js";

/** What the interpreter makes of the cells. */
function interpreted(kernel: Kernel, cells: readonly Cell[]): Record<string, TypedArray> {
  const memory = new Map(cells.map((c) => [c.buffer, c.array.slice()] as const));
  runKernel(kernel, memory);
  return Object.fromEntries(cells.map((c) => [c.buffer.name, memory.get(c.buffer) as TypedArray]));
}

const dtypes: readonly DType[] = ["float32", "float64", "float16", "int32", "uint32", "uint8", "bool"];
const samples: Record<string, readonly number[]> = {
  float32: [1.5, -0, NaN, 3e38, 1e-40, -7, Infinity, 0.1],
  float64: [1.5, -0, NaN, 1e300, 5e-324, -7, Infinity, 0.1],
  float16: [1.5, -0, NaN, 65504, 2 ** -24, -7, Infinity, 0.25],
  int32: [1, -1, 2147483647, -2147483648, 5, 6, 7, 8],
  uint32: [1, 4294967295, 2147483648, 3, 5, 6, 7, 8],
  uint8: [1, 255, 128, 3, 5, 6, 7, 8],
  bool: [1, 0, 0, 1, 1, 1, 0, 1],
};
const widths = (dtype: DType): readonly (1 | 2 | 4)[] =>
  dtype === "float64" ? [1, 2] : dtype === "bool" ? [1, 2, 4] : [1, 4];

describe("access to memory", () => {
  for (const dtype of dtypes)
    it.each(widths(dtype))(`copies ${dtype}, %i at a time, to a place that is not aligned`, (lanes) => {
      const from = cell("from", dtype, samples[dtype]);
      const to = cell("to", dtype, 9);
      const kernel = itemKernel(8 / lanes, [from.buffer, to.buffer], (item) => {
        const at = ir.mul(item, lanes);
        return [ir.store(to.buffer, ir.add(at, 1), ir.load(from.buffer, at, undefined, lanes))];
      });
      const { to: result } = runWasm(kernel, [from, to]);
      expect([...result.slice(1)]).toEqual([...from.array]);
      expect(result[0]).toBe(0);
    });

  it.each(["float32", "float64", "int32", "uint32"] as const)(
    "splats an element of %s from memory",
    (dtype) => {
      const lanes = dtype === "float64" ? 2 : 4;
      const from = cell("from", dtype, samples[dtype]);
      const to = cell("to", dtype, 8 * lanes);
      const kernel = itemKernel(8, [from.buffer, to.buffer], (item) => [
        ir.store(to.buffer, ir.mul(item, lanes), ir.splat(ir.load(from.buffer, item), lanes)),
      ]);
      const { to: result } = runWasm(kernel, [from, to]);
      expect([...result]).toEqual([...from.array].flatMap((x) => new Array(lanes).fill(x)));
    },
  );

  it("wraps what is stored as uint8", () => {
    const from = cell("from", "uint32", [255, 256, 257, 4294967295]);
    for (const lanes of [1, 4] as const) {
      const to = cell("to", "uint8", 4);
      const kernel = itemKernel(4 / lanes, [from.buffer, to.buffer], (item) => [
        ir.store(to.buffer, ir.mul(item, lanes), ir.load(from.buffer, ir.mul(item, lanes), undefined, lanes)),
      ]);
      expect([...runWasm(kernel, [from, to]).to]).toEqual([255, 0, 1, 255]);
    }
  });

  for (const dtype of dtypes)
    it.each(widths(dtype))(`reads nothing of ${dtype} where the guard is false, %i at a time`, (lanes) => {
      // An index so far out that reading it would be an error of the machine.
      const far = 0x1fffffff;
      const from = cell("from", dtype, samples[dtype]);
      const to = cell("to", dtype, 16);
      const kernel = itemKernel(16 / lanes, [from.buffer, to.buffer], (item) => {
        const at = ir.mul(item, lanes);
        const inside = ir.lt(at, 8);
        const index = ir.select(inside, at, far);
        return [ir.store(to.buffer, at, ir.load(from.buffer, index, inside, lanes))];
      });
      expect([...runWasm(kernel, [from, to]).to]).toEqual([...from.array, 0, 0, 0, 0, 0, 0, 0, 0]);
    });

  it("addresses elements before and far behind a varying index", () => {
    const size = 60000;
    const x = cell(
      "x",
      "float32",
      Array.from({ length: size }, (_, i) => i),
    );
    const out = cell("out", "float32", 5 * 8);
    // The varying part is negative at first: the index n - i, and i - n plus a constant beyond what an offset may hold.
    const kernel = itemKernel(8, [x.buffer, out.buffer], (item) => {
      const back = ir.sub(0, ir.mul(item, 1000));
      const indices = [
        ir.add(back, 7000),
        ir.add(back, 50000),
        ir.sub(ir.add(ir.mul(item, 10), 5), 5),
        ir.add(ir.mul(item, 2), 40000),
        ir.add(ir.i32(12), ir.mul(item, 3)),
      ];
      return indices.map((index, k) => ir.store(out.buffer, ir.add(item, 8 * k), ir.load(x.buffer, index)));
    });
    const { out: result } = runWasm(kernel, [x, out]);
    const items = [0, 1, 2, 3, 4, 5, 6, 7];
    expect([...result]).toEqual([
      ...items.map((i) => 7000 - 1000 * i),
      ...items.map((i) => 50000 - 1000 * i),
      ...items.map((i) => 10 * i),
      ...items.map((i) => 40000 + 2 * i),
      ...items.map((i) => 12 + 3 * i),
    ]);
  });
});

describe("statements", () => {
  it("loops nest, count in steps, and may have nothing to do", () => {
    const out = cell("out", "int32", 6);
    const kernel = itemKernel(6, [out.buffer], (item) => {
      const sum = new Local("sum", "i32", 1, true);
      const addTo = (e: Parameters<typeof ir.add>[0]): Stmt => ir.assign(sum, ir.add(ir.get(sum), e));
      return [
        ir.letIn(sum, ir.i32(0)),
        ir.loop("i", 0, item, (i) => [ir.loop("j", i, ir.add(item, i), (j) => [addTo(ir.mul(i, j))], 3)]),
        ir.loop("k", 5, 5, () => [addTo(1000)]),
        ir.loop("k", ir.add(item, 9), 5, () => [addTo(1000)]),
        ir.loop("k", 0, 3, (k) => [addTo(k)], 2),
        ir.store(out.buffer, item, ir.get(sum)),
      ];
    });
    const expected = [0, 1, 2, 3, 4, 5].map((n) => {
      let sum = 2;
      for (let i = 0; i < n; i++) for (let j = i; j < n + i; j += 3) sum += i * j;
      return sum;
    });
    expect([...runWasm(kernel, [out]).out]).toEqual(expected);
  });

  it("the end of a loop is computed once, before it begins", () => {
    const out = cell("out", "int32", 1);
    const end = new Local("end", "i32", 1, true);
    const turns = new Local("turns", "i32", 1, true);
    const kernel = rangeKernel(1, [out.buffer], () => [
      ir.letIn(end, ir.i32(4)),
      ir.letIn(turns, ir.i32(0)),
      ir.loop("i", 0, ir.get(end), () => [
        ir.assign(end, ir.add(ir.get(end), 1)),
        ir.assign(turns, ir.add(ir.get(turns), 1)),
      ]),
      ir.store(out.buffer, 0, ir.add(ir.mul(ir.get(turns), 100), ir.get(end))),
    ]);
    expect([...runWasm(kernel, [out]).out]).toEqual([408]);
  });

  it("while and if: steps of the Collatz sequence", () => {
    const out = cell("out", "int32", 30);
    const kernel = itemKernel(30, [out.buffer], (item) => {
      const n = new Local("n", "i32", 1, true);
      const steps = new Local("steps", "i32", 1, true);
      return [
        ir.letIn(n, ir.add(item, 1)),
        ir.letIn(steps, ir.i32(0)),
        ir.loopWhile(ir.ne(ir.get(n), 1), [
          ir.when(
            ir.eq(ir.and(ir.get(n), 1), 0),
            [ir.assign(n, ir.shr(ir.get(n), 1))],
            [ir.assign(n, ir.add(ir.mul(ir.get(n), 3), 1))],
          ),
          ir.assign(steps, ir.add(ir.get(steps), 1)),
        ]),
        ir.store(out.buffer, item, ir.get(steps)),
      ];
    });
    expect(runWasm(kernel, [out])).toEqual(interpreted(kernel, [out]));
    expect(runWasm(kernel, [out]).out[26]).toBe(111);
  });

  it("locals of vectors, and of the same name in scopes side by side and inside each other", () => {
    const x = cell("x", "float32", [1, 2, 3, 4, 5, 6, 7, 8]);
    const out = cell("out", "float32", 8);
    const kernel = rangeKernel(1, [x.buffer, out.buffer], () => {
      const outer = new Local("t", "f32", 4, true);
      const part = (k: number): Stmt => {
        const inner = new Local("t", "f32", 4);
        return ir.when(ir.truth(true), [
          ir.letIn(inner, ir.load(x.buffer, 4 * k, undefined, 4)),
          ir.assign(outer, ir.add(ir.get(outer), ir.mul(ir.get(inner), k + 1))),
          ir.store(out.buffer, 4 * k, ir.get(outer)),
        ]);
      };
      return [ir.letIn(outer, ir.constant("f32", 100, 4)), part(0), part(1)];
    });
    expect([...runWasm(kernel, [x, out]).out]).toEqual([101, 102, 103, 104, 111, 114, 117, 120]);
  });

  it("parts of a range are run on their own", () => {
    const out = cell("out", "int32", 10);
    const kernel = itemKernel(10, [out.buffer], (item) => [ir.store(out.buffer, item, ir.mul(item, item))]);
    for (const parts of [1, 3, 10])
      expect([...runWasm(kernel, [out], { parts }).out]).toEqual([0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
  });

  const numeric = dtypes.filter((d) => d !== "bool");
  for (const dtype of numeric)
    it.each(["add", "mul", "min", "max"] as const)(`atomic %s of ${dtype}`, (fn) => {
      const x = cell("x", dtype, [...samples[dtype]]);
      const y = cell("y", dtype, [2, 3, 2, 3, 2, 3, 2, 3]);
      const target = cell("i", "int32", [0, 1, 2, 3, 4, 5, 6, 0]);
      const kernel = itemKernel(8, [x.buffer, y.buffer, target.buffer], (item) => {
        const statement: Atomic = {
          kind: "atomic",
          fn,
          buffer: x.buffer,
          index: ir.load(target.buffer, item),
          value: ir.load(y.buffer, item),
        };
        return [statement];
      });
      expect(runWasm(kernel, [x, y, target])).toEqual(interpreted(kernel, [x, y, target]));
    });
});

describe("functions of JavaScript", () => {
  it("are called with numbers, once for each element", () => {
    const x = cell("x", "float64", [0, 0.5, 1, -3]);
    const y = cell("y", "float64", [1, 2, 3, 4]);
    const out = cell("out", "float64", 4);
    let calls = 0;
    const fn = (a: number, b: number): number => {
      calls++;
      return Math.sin(a) + b;
    };
    const kernel = itemKernel(4, [x.buffer, y.buffer, out.buffer], (item) => {
      const at = (c: Cell) => ir.load(c.buffer, item);
      return [ir.store(out.buffer, item, ir.host("sin plus", "f64", fn, [at(x), at(y)]))];
    });
    expect([...runWasm(kernel, [x, y, out]).out]).toEqual([
      1,
      Math.sin(0.5) + 2,
      Math.sin(1) + 3,
      Math.sin(-3) + 4,
    ]);
    expect(calls).toBe(4);
  });

  it("in f32 get and give rounded numbers", () => {
    const x = cell("x", "float32", [0.1, 0.7]);
    const out = cell("out", "float32", 2);
    const kernel = itemKernel(2, [x.buffer, out.buffer], (item) => [
      ir.store(out.buffer, item, ir.host("exp", "f32", Math.exp, [ir.load(x.buffer, item)])),
    ]);
    expect([...runWasm(kernel, [x, out]).out]).toEqual(
      [0.1, 0.7].map((v) => Math.fround(Math.exp(Math.fround(v)))),
    );
  });

  it("are called only on the side of a choice that is taken", () => {
    const x = cell("x", "float64", [-1, 4, -2, 9]);
    const out = cell("out", "float64", 4);
    const seen: number[] = [];
    const kernel = itemKernel(4, [x.buffer, out.buffer], (item) => {
      const e = ir.load(x.buffer, item);
      const fn = (v: number): number => {
        seen.push(v);
        return Math.sqrt(v);
      };
      return [ir.store(out.buffer, item, ir.select(ir.ge(e, 0), ir.host("sqrt", "f64", fn, [e]), 0))];
    });
    expect([...runWasm(kernel, [x, out]).out]).toEqual([0, 2, 0, 3]);
    expect(seen).toEqual([4, 9]);
  });

  it("are imported once, even under two names and in two kernels", () => {
    const out = cell("out", "float64", 1);
    const f = (x: number): number => x;
    const g = (x: number): number => x;
    const kernel = (names: readonly [string, typeof f][]): Kernel =>
      rangeKernel(1, [out.buffer], () =>
        names.map(([name, fn]) => ir.store(out.buffer, 0, ir.host(name, "f64", fn, [ir.constant("f64", 1)]))),
      );
    const { module } = printKernels(
      [
        kernel([
          ["f", f],
          ["again", f],
          ["f", g],
        ]),
        kernel([["f", f]]),
      ],
      { sharedMemory: true },
    );
    expect(module.imports.map((i) => [i.name, i.fn])).toEqual([
      ["f", f],
      ["f_1", g],
    ]);
  });
});

it("refuses kernels over grids", () => {
  expect(() => printKernels([gridKernel(1, 1, [], [], () => [])], { sharedMemory: true })).toThrow(
    InternalError,
  );
});
