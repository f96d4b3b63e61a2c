/** Several iterations at once: same results, and vectors where they are expected. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collapseLoops } from "../../../src/compiler/collapse.js";
import { reductionsOf } from "../../../src/compiler/reductions.js";
import { shareKernel } from "../../../src/compiler/share.js";
import { kernelText } from "../../../src/compiler/text.js";
import { vectorizeKernel } from "../../../src/compiler/vectorize.js";
import { eachStmt, exprsOf, nodesOf } from "../../../src/compiler/walk.js";
import { inBounds, ravel } from "../../../src/core/ir/affine.js";
import * as ir from "../../../src/core/ir/ops.js";
import { type Expr, type Kernel, Local, type Stmt } from "../../../src/core/ir/types.js";
import { type Cell, cell, checked, gridKernel, itemKernel, rangeKernel, run } from "./kernels.js";
import { randomKernel } from "./randomKernel.js";
import { randomNest } from "./randomNest.js";

const { get, load, store } = ir;

const numbers = (n: number): number[] => Array.from({ length: n }, (_, k) => ((k * 37) % 64) / 4 - 8);
const x = cell("x", "float32", numbers(200));
const y = cell("y", "float32", 200);
const d = cell("d", "float64", numbers(200));
const e = cell("e", "float64", 200);
const j = cell(
  "j",
  "int32",
  Array.from({ length: 200 }, (_, k) => (k * 7) % 200),
);
const m = cell(
  "m",
  "bool",
  Array.from({ length: 200 }, (_, k) => k % 2),
);
const cells = [x, y, d, e, j, m];
const buffers = cells.map((c) => c.buffer);

/** The lines of a kernel after vectorization, once it was seen to compute the same. */
function vectorized(kernel: Kernel, used: readonly Cell[] = cells): string[] {
  const after = checked(shareKernel(vectorizeKernel(kernel)));
  for (const parts of [1, 3])
    expect(run(after, used, { parts }), kernelText(after)).toEqual(run(kernel, used));
  return kernelText(after).split("\n").slice(1);
}

const isScalar = (kernel: Kernel): boolean => {
  let scalar = true;
  eachStmt(vectorizeKernel(kernel).body, (s) => {
    if (nodesOf(...exprsOf(s)).some((n) => n.lanes > 1)) scalar = false;
  });
  return scalar;
};

const items = (extent: number, body: (item: Expr) => readonly Stmt[]): Kernel =>
  itemKernel(extent, buffers, body);

/** Whether the order of terms may change its rounding. */
function sumsFloats(kernel: Kernel): boolean {
  let found = false;
  eachStmt(kernel.body, (s) => {
    if (s.kind !== "for") return;
    for (const { local, fn } of reductionsOf(s) ?? [])
      if ((local.type === "f32" || local.type === "f64") && (fn === "add" || fn === "mul")) found = true;
  });
  return found;
}

describe("random kernels mean the same", () => {
  it.each([true, false])("of all kinds (wild: %s)", (wild) => {
    fc.assert(
      fc.property(randomKernel({ wild }), ({ kernel, cells: used }) => {
        fc.pre(!sumsFloats(kernel));
        const after = vectorizeKernel(kernel);
        expect(run(after, used), kernelText(after)).toEqual(run(kernel, used));
        expect(run(shareKernel(after), used)).toEqual(run(kernel, used));
      }),
      { numRuns: 300, interruptAfterTimeLimit: 30_000 },
    );
  });

  it("nests of loops, through all passes, the range in parts", () => {
    fc.assert(
      fc.property(randomNest, fc.constantFrom(1, 3), ({ kernel, cells: used }, parts) => {
        const after = shareKernel(vectorizeKernel(collapseLoops(kernel)));
        expect(run(after, used, { parts }), kernelText(after)).toEqual(run(kernel, used));
      }),
      { numRuns: 300, interruptAfterTimeLimit: 30_000 },
    );
  });

  it("the passes change many of them", () => {
    const sample = fc.sample(randomNest, { numRuns: 100, seed: 7 });
    expect(sample.filter(({ kernel }) => !isScalar(kernel)).length).toBeGreaterThan(50);
  });
});

describe("elementwise loops", () => {
  it("four at a time, and a scalar loop for the rest", () => {
    const kernel = items(50, (i) => [
      store(y.buffer, i, ir.add(ir.mul(load(x.buffer, i), 2), load(x.buffer, 7))),
    ]);
    expect(vectorized(kernel)).toEqual([
      "  let middle: i32 = begin + (max(end - begin, 0) & -4)",
      "  let x_at: f32 = x[7]",
      "  let t: f32x4 = splat(x_at)",
      "  for item = begin to middle step 4 {",
      "    y[item; 4] = (x[item; 4] * 2) + t",
      "  }",
      "  for item_1 = middle to end {",
      "    y[item_1] = (x[item_1] * 2) + x_at",
      "  }",
    ]);
  });

  it("f64: two at a time", () => {
    const kernel = items(50, (i) => [store(e.buffer, i, ir.neg(load(d.buffer, i)))]);
    expect(vectorized(kernel)[2]).toBe("    e[item; 2] = neg(d[item; 2])");
  });

  it("inner loops with constant bounds need no rest where the lanes are filled", () => {
    const kernel = items(3, (i) => [
      ir.loop("k", 0, 16, (k) => [store(y.buffer, ir.add(ir.mul(i, 16), k), load(x.buffer, k))]),
    ]);
    expect(vectorized(kernel).filter((l) => l.includes("for k"))).toEqual(["    for k_1 = 0 to 16 step 4 {"]);
  });

  it("conversions, comparisons, choices and the counter itself have lanes", () => {
    const kernel = items(40, (i) => {
      const v = load(x.buffer, i);
      const even = ir.eq(ir.and(i, 1), 0);
      return [
        store(
          y.buffer,
          i,
          ir.select(ir.and(even, load(m.buffer, i)), ir.cast("f32", ir.mul(i, 3)), ir.floor(v)),
        ),
        store(j.buffer, i, ir.bitcast("i32", v)),
        store(m.buffer, i, ir.gt(v, 1)),
      ];
    });
    const lines = vectorized(kernel);
    expect(
      lines.some((l) => /m\[item; 4\] = \w+ > 1/.test(l)),
      lines.join("\n"),
    ).toBe(true);
    expect(lines.some((l) => l.includes("vector(0, 1, 2, 3)"))).toBe(true);
  });

  it("strided and gathered elements are read one by one", () => {
    const kernel = items(40, (i) => [
      store(
        y.buffer,
        i,
        ir.sqrt(ir.abs(ir.mul(load(x.buffer, ir.mul(i, 2)), load(x.buffer, load(j.buffer, i))))),
      ),
    ]);
    const text = vectorized(kernel).join("\n");
    expect(text).toContain("j[item; 4]");
    expect(text).toContain("vector(x[k], x[k + 2], x[k + 4], x[k + 6])");
  });

  it("strided elements are written one by one", () => {
    const kernel = items(40, (i) => {
      const v = ir.sqrt(ir.abs(ir.floor(ir.mul(load(x.buffer, i), 0.3))));
      return [
        store(y.buffer, ir.mul(i, 2), ir.div(v, 3)),
        store(y.buffer, ir.add(ir.mul(i, 2), 1), ir.add(ir.mul(v, v), 0.25)),
      ];
    });
    expect(vectorized(kernel).filter((l) => l.includes("y[")).length).toBe(4 * 2 + 2);
  });

  it("guards that differ between lanes are kept for each", () => {
    const kernel = items(40, (i) => {
      const at = ir.sub(i, 3);
      return [store(y.buffer, i, ir.sqrt(ir.abs(load(x.buffer, at, inBounds(at, 30)))))];
    });
    expect(vectorized(kernel).filter((l) => l.includes("if")).length).toBeGreaterThan(0);
  });

  it("a guard that is the same for all lanes is kept for all", () => {
    const kernel = items(5, (i) => [
      ir.loop("k", 0, 16, (k) => [
        store(y.buffer, ir.add(ir.mul(i, 16), k), ir.sqrt(load(x.buffer, k, ir.gt(i, 2)))),
      ]),
    ]);
    expect(vectorized(kernel).join("\n")).toMatch(/x\[k(_\d)?; 4 if /);
  });

  it("functions of the host are called for each lane", () => {
    let calls = 0;
    const kernel = itemKernel(8, [x.buffer, y.buffer], (i) => {
      const v = ir.floor(ir.mul(ir.add(load(x.buffer, i), 1), 0.5));
      const h = ir.host("count", "f32", (a) => a + ++calls * 0, [v]);
      return [store(y.buffer, i, ir.sqrt(ir.abs(ir.mul(ir.mul(h, h), h))))];
    });
    expect(isScalar(kernel)).toBe(false);
    run(vectorizeKernel(kernel), [x, y]);
    expect(calls).toBe(8);
  });

  it("names and cells inside the loop become vectors; branches on what is the same for all stay", () => {
    const kernel = items(6, (i) => [
      ir.loop("k", 0, 20, (k) => {
        const a = new Local("a", "f32");
        const c = new Local("c", "f32", 1, true);
        return [
          ir.letIn(a, load(x.buffer, k)),
          ir.letIn(c, ir.mul(get(a), get(a))),
          ir.when(ir.gt(i, 3), [ir.assign(c, ir.sub(get(c), get(a)))]),
          store(y.buffer, ir.add(ir.mul(i, 20), k), get(c)),
        ];
      }),
    ]);
    const lines = vectorized(kernel);
    expect(lines.some((l) => l.includes("var cv: f32x4"))).toBe(true);
    expect(lines.some((l) => /cv = cv - /.test(l))).toBe(true);
  });
});

describe("reductions", () => {
  const reduce = (fn: "add" | "max", n: number, source: Cell, to: Cell): Kernel =>
    items(3, (i) => {
      const acc = new Local("acc", source === d ? "f64" : "f32", 1, true);
      return [
        ir.letIn(acc, ir.constant(acc.type, 0)),
        ir.loop("r", 0, n, (r) => [
          ir.assign(acc, ir.binary(fn, get(acc), load(source.buffer, ir.add(ir.mul(i, n), r)))),
        ]),
        store(to.buffer, i, get(acc)),
      ];
    });

  it("have an accumulator in each lane, and four vectors of them", () => {
    const lines = vectorized(reduce("add", 64, x, y));
    expect(lines.filter((l) => l.includes("var accv"))).toHaveLength(4);
    expect(lines.some((l) => l.includes("for r = 0 to 64 step 16"))).toBe(true);
    expect(lines.some((l) => l.includes("for r_1"))).toBe(false);
  });

  it("short ones have one vector, and a rest", () => {
    const lines = vectorized(reduce("max", 14, x, y));
    expect(lines.filter((l) => l.includes("var accv"))).toHaveLength(1);
    expect(lines.some((l) => l.includes("for r = 0 to 12 step 4"))).toBe(true);
    expect(lines.some((l) => l.includes("for r_1 = 12 to 14"))).toBe(true);
  });

  it("of f64", () => {
    expect(vectorized(reduce("add", 64, d, e)).some((l) => l.includes("step 8"))).toBe(true);
  });

  it("keep NaN and the sign of zero", () => {
    const special = cell("special", "float32", [-0, -0, -0, -0, 1, 2, Number.NaN, 3]);
    const out = cell("out", "float32", 2);
    const kernel = rangeKernel(1, [special.buffer, out.buffer], () =>
      [0, 1].flatMap((k) => {
        const acc = new Local("acc", "f32", 1, true);
        return [
          ir.letIn(acc, ir.constant("f32", k === 0 ? -0 : 5)),
          ir.loop("r", 0, 4, (r) => [
            ir.assign(
              acc,
              ir.binary(k === 0 ? "add" : "min", load(special.buffer, ir.add(r, 4 * k)), get(acc)),
            ),
          ]),
          store(out.buffer, k, get(acc)),
        ];
      }),
    );
    expect(isScalar(kernel)).toBe(false);
    expect([...run(vectorizeKernel(kernel), [special, out]).out]).toEqual([-0, Number.NaN]);
  });

  it("sums of columns: several columns at once, each row in order", () => {
    const kernel = items(20, (c) => {
      const acc = new Local("acc", "f32", 1, true);
      return [
        ir.letIn(acc, ir.constant("f32", 0)),
        ir.loop("r", 0, 10, (r) => [
          ir.assign(acc, ir.add(get(acc), load(x.buffer, ravel([r, c], [10, 20])))),
        ]),
        store(y.buffer, c, get(acc)),
      ];
    });
    const text = vectorized(kernel).join("\n");
    expect(text).toContain("step 16");
    expect(text).not.toContain("vector(");
    expect(text).toMatch(/accv3 = accv3 \+ x\[/);
  });

  it("a cell that is looked at while the loop runs is no reduction", () => {
    const kernel = items(2, (i) => {
      const acc = new Local("acc", "f32", 1, true);
      return [
        ir.letIn(acc, ir.constant("f32", 0)),
        ir.loop("r", 0, 64, (r) => [
          ir.assign(acc, ir.add(get(acc), load(x.buffer, r))),
          store(y.buffer, ir.add(ir.mul(i, 64), r), get(acc)),
        ]),
      ];
    });
    expect(isScalar(kernel)).toBe(true);
  });
});

describe("what stays scalar", () => {
  it.each<[string, Kernel]>([
    [
      "iterations that depend on each other through memory",
      items(1, () => [
        ir.loop("k", 1, 64, (k) => [store(y.buffer, k, ir.add(load(y.buffer, ir.sub(k, 1)), 1))]),
      ]),
    ],
    [
      "stores that overlap",
      items(1, () => [
        ir.loop("k", 0, 64, (k) => [
          store(y.buffer, k, load(x.buffer, k)),
          store(y.buffer, ir.add(k, 1), ir.constant("f32", 0)),
        ]),
      ]),
    ],
    [
      "branches that differ between lanes",
      items(64, (i) => [ir.when(ir.gt(load(x.buffer, i), 0), [store(y.buffer, i, load(x.buffer, i))])]),
    ],
    [
      "inner loops of different lengths",
      items(64, (i) => [ir.loop("k", 0, i, (k) => [store(y.buffer, i, ir.cast("f32", k))])]),
    ],
    [
      "atomics",
      items(64, (i) => [{ kind: "atomic", fn: "add", buffer: y.buffer, index: i, value: load(x.buffer, i) }]),
    ],
    ["loops too short for the lanes", items(3, (i) => [store(y.buffer, i, load(x.buffer, i))])],
  ])("%s", (_, kernel) => {
    expect(isScalar(kernel)).toBe(true);
    vectorized(kernel);
  });

  it("grids", () => {
    const kernel = gridKernel(1, 8, [y.buffer], [], (_, thread) => [
      store(y.buffer, thread, ir.constant("f32", 1)),
    ]);
    expect(vectorizeKernel(kernel)).toBe(kernel);
  });

  it("what mixes f64 with smaller types is computed lane by lane where lanes differ", () => {
    const kernel = items(40, (i) => [
      store(
        e.buffer,
        i,
        ir.sqrt(
          ir.abs(ir.mul(load(d.buffer, i), ir.add(load(d.buffer, i), ir.cast("f64", load(x.buffer, i))))),
        ),
      ),
    ]);
    expect(vectorized(kernel).join("\n")).toContain("vector(f64(x[item]), f64(x[item + 1]))");
  });
});
