/** Kernels that compute in place: which may, and that they compute the same. */
import { describe, expect, it } from "vitest";
import { computeInPlace } from "../../../src/compiler/inPlace.js";
import { optimise } from "../../../src/compiler/optimise.js";
import type { TypedArray } from "../../../src/core/dtype.js";
import * as ir from "../../../src/core/ir/ops.js";
import { Buffer, type Expr, type Kernel, Local, type Stmt } from "../../../src/core/ir/types.js";
import { type Cell, cell, gridKernel, itemKernel, rangeKernel, run } from "./kernels.js";

const size = 24;
const numbers = Array.from({ length: size }, (_, i) => i * 1.5 - 7);
const x = new Buffer("x", "float32", size);
const y = new Buffer("y", "float32", size);
const z = new Buffer("z", "float32", size);

const cells = (kernel: Kernel): Cell[] =>
  kernel.buffers.map((buffer) => ({ buffer, array: cell(buffer.name, buffer.dtype, numbers).array }));

/** What is in the buffers after a kernel; all hold the same before. */
const after = (kernel: Kernel, parts: number): Record<string, TypedArray> =>
  run(kernel, cells(kernel), { parts });

/** The kernel in place, if it can be: then it gives what the kernel gives, in parts and after the passes, too. */
function inPlace(kernel: Kernel): Kernel | undefined {
  const changed = computeInPlace(kernel, x, y);
  if (changed === undefined) return undefined;
  expect(changed.buffers).not.toContain(x);
  const target = kernel.launch.kind === "grid" ? "webgpu" : "wasm";
  const wanted = after(kernel, 1);
  delete wanted.x;
  for (const candidate of [changed, optimise(changed, target)])
    for (const parts of target === "wasm" ? [1, 3, 7] : [1]) expect(after(candidate, parts)).toEqual(wanted);
  return changed;
}

const at = (b: Buffer, i: Expr | number): Expr => ir.load(b, i);

describe("elements of one index", () => {
  it("are read before they are written", () => {
    const kernel = itemKernel(size, [x, y], (i) => [ir.store(y, i, ir.mul(at(x, i), at(x, i)))]);
    expect(inPlace(kernel)?.buffers).toEqual([y]);
  });

  it("also where they are read after the store: they are named before", () => {
    const kernel = itemKernel(size, [x, y, z], (i) => [
      ir.store(y, i, at(z, i)),
      ir.store(z, i, ir.add(at(x, i), 1)),
    ]);
    expect(inPlace(kernel)).toBeDefined();
  });

  it("also where the kernel reads what it has stored", () => {
    const kernel = itemKernel(size, [x, y], (i) => [
      ir.store(y, i, at(x, i)),
      ir.store(y, i, ir.add(at(y, i), at(x, i))),
    ]);
    expect(inPlace(kernel)?.buffers).toEqual([y]);
  });

  it("of several loops, of which one keeps values for the next", () => {
    const kernel = itemKernel(4, [x, y], (row) => {
      const total = new Local("total", "f32", 1, true);
      const [r, c] = ["r", "c"].map((name) => new Local(name, "i32", 1, false, 6));
      const index = (column: Local): Expr => ir.add(ir.mul(row, 6), ir.get(column));
      return [
        { kind: "let", local: total, value: ir.constant("f32", 0) },
        loop(r, 6, [
          ir.store(y, index(r), ir.mul(at(x, index(r)), 3)),
          { kind: "assign", local: total, value: ir.add(ir.get(total), at(x, index(r))) },
        ]),
        loop(c, 6, [ir.store(y, index(c), ir.div(at(y, index(c)), ir.get(total)))]),
      ];
    });
    expect(inPlace(kernel)).toBeDefined();
  });

  it("of several loops, of which one reads all", () => {
    const kernel = itemKernel(4, [x, y], (row) => {
      const total = new Local("total", "f32", 1, true);
      const [r, c] = ["r", "c"].map((name) => new Local(name, "i32", 1, false, 6));
      const index = (column: Local): Expr => ir.add(ir.mul(row, 6), ir.get(column));
      return [
        { kind: "let", local: total, value: ir.constant("f32", 0) },
        loop(r, 6, [{ kind: "assign", local: total, value: ir.add(ir.get(total), at(x, index(r))) }]),
        loop(c, 6, [ir.store(y, index(c), ir.div(at(x, index(c)), ir.get(total)))]),
      ];
    });
    expect(inPlace(kernel)).toBeDefined();
  });

  it("in threads, with a rest", () => {
    const kernel = gridKernel(4, 7, [x, y], [], (group, thread) => {
      const i = new Local("i", "i32", 1, false, size);
      return [
        { kind: "let", local: i, value: ir.add(ir.mul(group, 7), thread) },
        ir.when(ir.lt(ir.get(i), size), [ir.store(y, ir.get(i), ir.add(at(x, ir.get(i)), 1))]),
      ];
    });
    expect(inPlace(kernel)).toBeDefined();
  });

  it("of a single item", () => {
    const kernel = itemKernel(1, [x, y], () => [ir.store(y, 3, ir.add(at(x, 3), 1))]);
    expect(inPlace(kernel)).toBeDefined();
  });
});

const loop = (local: Local, count: number, body: readonly Stmt[]): Stmt => ({
  kind: "for",
  local,
  from: ir.i32(0),
  to: ir.i32(count),
  step: 1,
  body,
});

describe("what is refused", () => {
  const refused: [string, Kernel][] = [
    ["another index", itemKernel(size, [x, y], (i) => [ir.store(y, i, at(x, ir.sub(size - 1, i)))])],
    [
      "a neighbour",
      itemKernel(size - 1, [x, y], (i) => [ir.store(y, i, ir.add(at(x, i), at(x, ir.add(i, 1))))]),
    ],
    ["one element for all", itemKernel(size, [x, y], (i) => [ir.store(y, i, ir.add(at(x, i), at(x, 5)))])],
    [
      "an index from memory",
      itemKernel(size, [x, y, new Buffer("k", "int32", size)], (i) => [
        ir.store(y, i, at(x, ir.load(new Buffer("k", "int32", size), i))),
      ]),
    ],
    [
      "a transposition",
      itemKernel(4, [x, y], (row) => {
        const c = new Local("c", "i32", 1, false, 6);
        return [
          loop(c, 6, [
            ir.store(y, ir.add(ir.mul(ir.get(c), 4), row), at(x, ir.add(ir.mul(row, 6), ir.get(c)))),
          ]),
        ];
      }),
    ],
    [
      "an operand that is written",
      itemKernel(size, [x, y], (i) => [ir.store(y, i, at(x, i)), ir.store(x, i, at(y, i))]),
    ],
    [
      "atomic steps",
      itemKernel(size, [x, y], (i) => [{ kind: "atomic", fn: "add", buffer: y, index: i, value: at(x, i) }]),
    ],
    [
      "a row that is read after it was written",
      itemKernel(4, [x, y, z], (row) => {
        const [r, c] = ["r", "c"].map((name) => new Local(name, "i32", 1, false, 6));
        const index = (column: Local): Expr => ir.add(ir.mul(row, 6), ir.get(column));
        return [
          loop(c, 6, [ir.store(y, index(c), ir.neg(at(x, index(c))))]),
          loop(r, 6, [ir.store(z, index(r), at(x, index(r)))]),
        ];
      }),
    ],
    [
      "parts of a range that do more than run through their items",
      rangeKernel(size, [x, y], (begin, end) => [
        ir.store(y, begin, at(x, 0)),
        { kind: "for", local: new Local("i", "i32"), from: begin, to: end, step: 1, body: [] },
      ]),
    ],
    [
      "rows that threads share",
      gridKernel(2, 4, [x, y], [], (group, thread) => {
        const c = new Local("c", "i32", 1, false, 12);
        const index = ir.add(ir.mul(group, 12), ir.get(c));
        return [
          {
            kind: "for",
            local: c,
            from: thread,
            to: ir.i32(12),
            step: 4,
            body: [ir.store(y, index, at(x, index))],
          },
        ];
      }),
    ],
  ];
  it.each(refused)("%s", (_, kernel) => {
    expect(computeInPlace(kernel, x, y)).toBeUndefined();
  });

  it("buffers of other types or sizes", () => {
    const other = new Buffer("other", "int32", size);
    const short = new Buffer("short", "float32", size - 1);
    const kernel = itemKernel(size - 1, [x, other, short], (i) => [
      ir.store(other, i, ir.cast("i32", at(x, i))),
      ir.store(short, i, at(x, i)),
    ]);
    expect(computeInPlace(kernel, x, other)).toBeUndefined();
    expect(computeInPlace(kernel, x, short)).toBeUndefined();
  });
});
