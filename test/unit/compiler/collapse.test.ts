/** Nests of loops as fewer, longer loops. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collapseLoops } from "../../../src/compiler/collapse.js";
import { nested } from "../../../src/compiler/emitRange.js";
import { kernelText } from "../../../src/compiler/text.js";
import { vectorizeKernel } from "../../../src/compiler/vectorize.js";
import { ravel, unravel } from "../../../src/core/ir/affine.js";
import * as ir from "../../../src/core/ir/ops.js";
import { type Expr, type Kernel, Local, type Stmt } from "../../../src/core/ir/types.js";
import { cell, checked, gridKernel, rangeKernel, run } from "./kernels.js";
import { randomKernel } from "./randomKernel.js";
import { randomNest } from "./randomNest.js";

const { get, load, store } = ir;

const x = cell(
  "x",
  "float32",
  Array.from({ length: 120 }, (_, k) => k),
);
const y = cell("y", "float32", 120);
const buffers = [x.buffer, y.buffer];

/** A kernel over the rows of an index space. */
function nest(dims: readonly number[], body: (index: Expr[]) => readonly Stmt[]): Kernel {
  const counters = dims.map((n, k) => new Local(`i${k}`, "i32", 1, false, n));
  const [first, ...others] = counters;
  return rangeKernel(dims[0], buffers, (begin, end) => [
    {
      kind: "for",
      local: first,
      from: begin,
      to: end,
      step: 1,
      body: nested(others, body(counters.map(get))),
    },
  ]);
}

function collapsed(kernel: Kernel): string[] {
  const after = checked(collapseLoops(kernel));
  expect(run(after, [x, y], { parts: 3 })).toEqual(run(kernel, [x, y]));
  return kernelText(after)
    .split("\n")
    .map((line, k) => (k === 0 ? line.slice(0, line.indexOf(",")) : line));
}

describe("random kernels mean the same", () => {
  it("of all kinds", () => {
    fc.assert(
      fc.property(randomKernel({ wild: true }), ({ kernel, cells }) => {
        expect(run(collapseLoops(kernel), cells)).toEqual(run(kernel, cells));
      }),
      { numRuns: 200, interruptAfterTimeLimit: 30_000 },
    );
  });

  it("nests of loops, the range in parts", () => {
    fc.assert(
      fc.property(randomNest, fc.constantFrom(1, 3, 7), ({ kernel, cells }, parts) => {
        const after = collapseLoops(kernel);
        expect(run(after, cells, { parts }), kernelText(after)).toEqual(run(kernel, cells));
      }),
      { numRuns: 300, interruptAfterTimeLimit: 30_000 },
    );
  });
});

describe("what becomes one loop", () => {
  it("all axes of an elementwise operation", () => {
    const kernel = nest([4, 5, 6], (index) => {
      const at = ravel(index, [4, 5, 6]);
      return [store(y.buffer, at, ir.sqrt(load(x.buffer, at)))];
    });
    expect(collapsed(kernel)).toEqual([
      "kernel test: range begin..end of 120",
      "  for i2 = begin to end {",
      "    y[i2] = sqrt(x[i2])",
      "  }",
    ]);
  });

  it("axes that an operand is broadcast along together", () => {
    const kernel = nest([4, 5, 6], ([i, j, k]) => [
      store(y.buffer, ravel([i, j, k], [4, 5, 6]), load(x.buffer, ravel([j, k], [5, 6]))),
    ]);
    expect(collapsed(kernel)).toEqual([
      "kernel test: range begin..end of 4",
      "  for i0 = begin to end {",
      "    for i2 = 0 to 30 {",
      "      y[(i0 * 30) + i2] = x[i2]",
      "    }",
      "  }",
    ]);
  });

  it("outer axes around a reduction", () => {
    const kernel = nest([4, 5], ([i, j]) => {
      const acc = new Local("acc", "f32", 1, true);
      return [
        ir.letIn(acc, ir.constant("f32", 0)),
        ir.loop("r", 0, 6, (r) => [
          ir.assign(acc, ir.add(get(acc), load(x.buffer, ravel([i, j, r], [4, 5, 6])))),
        ]),
        store(y.buffer, ravel([i, j], [4, 5]), get(acc)),
      ];
    });
    expect(collapsed(kernel).slice(0, 5)).toEqual([
      "kernel test: range begin..end of 20",
      "  for i1 = begin to end {",
      "    var acc: f32 = 0",
      "    for r = 0 to 6 {",
      "      acc = acc + x[(i1 * 6) + r]",
    ]);
  });

  it("positions that are computed with, also under names and divided", () => {
    const kernel = nest([4, 6], ([i, j]) => {
      const flat = new Local("flat", "i32");
      const [a, b] = unravel(get(flat), [8, 3]);
      return [
        ir.letIn(flat, ravel([i, j], [4, 6])),
        store(y.buffer, get(flat), ir.add(load(x.buffer, ravel([b, a], [3, 8])), ir.cast("f32", get(flat)))),
      ];
    });
    expect(collapsed(kernel)).toEqual([
      "kernel test: range begin..end of 24",
      "  for i1 = begin to end {",
      "    y[i1] = x[((i1 % 3) * 8) + (i1 / 3)] + f32(i1)",
      "  }",
    ]);
  });
});

it("a hash of the position wraps as it did", () => {
  const hashes = cell("hashes", "int32", 24);
  const kernel = rangeKernel(4, [hashes.buffer], (begin, end) => {
    const [i, j] = [new Local("i", "i32", 1, false, 4), new Local("j", "i32", 1, false, 6)];
    const at = ravel([get(i), get(j)], [4, 6]);
    let hash: Expr = at;
    for (let k = 0; k < 4; k++) hash = ir.add(ir.mul(hash, 0x41c64e6d), 0x3039 + k);
    return [
      {
        kind: "for",
        local: i,
        from: begin,
        to: end,
        step: 1,
        body: nested([j], [store(hashes.buffer, at, hash)]),
      },
    ];
  });
  const wanted = Array.from({ length: 24 }, (_, at) => {
    let hash = at;
    for (let k = 0; k < 4; k++) hash = (Math.imul(hash, 0x41c64e6d) + 0x3039 + k) | 0;
    return hash;
  });
  for (const pass of [collapseLoops, (k: Kernel) => vectorizeKernel(collapseLoops(k))])
    expect([...run(pass(kernel), [hashes]).hashes]).toEqual(wanted);
});

describe("what stays as it is", () => {
  const staysNested = (kernel: Kernel): void => {
    expect(collapsed(kernel).filter((l) => l.includes("for "))).toHaveLength(2);
  };

  it("a transposition", () => {
    staysNested(
      nest([4, 6], ([i, j]) => [
        store(y.buffer, ravel([i, j], [4, 6]), load(x.buffer, ravel([j, i], [6, 4]))),
      ]),
    );
  });

  it("a counter that is computed with on its own", () => {
    staysNested(nest([4, 6], ([i, j]) => [store(y.buffer, ravel([i, j], [4, 6]), ir.cast("f32", j))]));
  });

  it("rows with something around their loop", () => {
    staysNested(
      nest([4], ([i]) => [
        store(y.buffer, ir.add(i, 100), load(x.buffer, i)),
        ir.loop("j", 0, 6, (j) => [store(y.buffer, ravel([i, j], [4, 6]), load(x.buffer, 0))]),
      ]),
    );
  });

  it("rows whose elements depend on each other: their order must stay, so they cannot be items", () => {
    // Cumulative sums along rows, in memory.
    staysNested(
      nest([4, 6], ([i, j]) => {
        const at = ravel([i, j], [4, 6]);
        const before = load(y.buffer, ir.sub(at, 1), ir.gt(ir.rem(at, 6), 0));
        return [store(y.buffer, at, ir.add(load(x.buffer, at), before))];
      }),
    );
  });

  it("grids", () => {
    const kernel = gridKernel(1, 4, [y.buffer], [], (_, thread) => [
      store(y.buffer, thread, ir.constant("f32", 1)),
    ]);
    expect(collapseLoops(kernel)).toBe(kernel);
  });
});
