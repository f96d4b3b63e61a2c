/** Common subexpressions and loop invariants: the meaning stays, each value is computed once, in the right place. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shareKernel } from "../../../src/compiler/share.js";
import { exprText, kernelText } from "../../../src/compiler/text.js";
import { blocksOf, childrenOf, eachStmt, exprsOf, nodesOf, writtenIn } from "../../../src/compiler/walk.js";
import { keyOf } from "../../../src/core/ir/affine.js";
import * as ir from "../../../src/core/ir/ops.js";
import { type Buffer, type Expr, type Kernel, Local, type Stmt } from "../../../src/core/ir/types.js";
import { cell, checked, itemKernel, rangeKernel, run } from "./kernels.js";
import { randomKernel } from "./randomKernel.js";

const { get, load, store } = ir;

const x = cell("x", "float32", [1, 2, 3, 4, 5, 6, 7, 8]);
const j = cell("j", "int32", [3, 1, 0, 2, 2, 1, 0, 3]);
const y = cell("y", "float32", 64);
const buffers = [x.buffer, j.buffer, y.buffer];

/** The body of the kernel after the pass, as lines of text. */
const lines = (kernel: Kernel): string[] =>
  kernelText(checked(shareKernel(kernel)))
    .split("\n")
    .slice(1);

/** All expressions of a kernel but for conditions of loops, in which nothing can be named. */
function outsideConditions(kernel: Kernel): Expr[] {
  const all: Expr[] = [];
  eachStmt(kernel.body, (s) => {
    if (s.kind !== "while") all.push(...exprsOf(s));
  });
  return all;
}

function isTree(root: Expr): boolean {
  const seen = new Set<Expr>();
  const nodes = nodesOf(root);
  return nodes.every((e) =>
    childrenOf(e).every((c) => {
      if (c.op === "const" || c.op === "get") return true;
      const fresh = !seen.has(c);
      seen.add(c);
      return fresh;
    }),
  );
}

/** Pure values that two statements of one block compute. */
function repeated(body: readonly Stmt[], written: ReadonlySet<Buffer>): string[] {
  const seen = new Set<number>();
  const again: string[] = [];
  for (const s of body) {
    for (const e of nodesOf(...exprsOf(s))) {
      const below = nodesOf(e);
      const pure = below.every(
        (n) => !(n.op === "get" && n.local.mutable) && !(n.op === "load" && written.has(n.buffer)),
      );
      if (!pure || below.length === 1) continue;
      if (seen.has(keyOf(e))) again.push(exprText(e));
      seen.add(keyOf(e));
    }
    for (const block of blocksOf(s)) again.push(...repeated(block, written));
  }
  return again;
}

describe("random kernels", () => {
  it.each([true, false])("mean the same (wild: %s)", (wild) => {
    fc.assert(
      fc.property(randomKernel({ wild }), ({ kernel, cells }) => {
        const shared = shareKernel(kernel);
        expect(run(shared, cells), kernelText(shared)).toEqual(run(kernel, cells));
        expect(outsideConditions(shared).every(isTree), kernelText(shared)).toBe(true);
        expect(repeated(shared.body, writtenIn(shared.body)), kernelText(shared)).toEqual([]);
      }),
      { numRuns: 300, interruptAfterTimeLimit: 30_000 },
    );
  });
});

describe("sharing", () => {
  it("names what is used twice, and only that", () => {
    const kernel = itemKernel(8, buffers, (i) => {
      const s = ir.add(load(x.buffer, i), 1);
      return [store(y.buffer, i, ir.mul(s, ir.sqrt(s)))];
    });
    expect(lines(kernel)).toEqual([
      "  for item = begin to end {",
      "    let t: f32 = x[item] + 1",
      "    y[item] = t * sqrt(t)",
      "  }",
    ]);
  });

  it("puts back names that are used once, and drops those that are not used", () => {
    const kernel = itemKernel(8, buffers, (i) => {
      const a = new Local("a", "f32");
      const b = new Local("b", "f32");
      return [
        ir.letIn(a, load(x.buffer, i)),
        ir.letIn(b, ir.mul(get(a), 3)),
        store(y.buffer, i, ir.add(get(a), 1)),
      ];
    });
    expect(lines(kernel)).toEqual(["  for item = begin to end {", "    y[item] = x[item] + 1", "  }"]);
  });

  it("keeps the names of the source", () => {
    const kernel = itemKernel(8, buffers, (i) => {
      const a = new Local("a", "f32");
      return [ir.letIn(a, load(x.buffer, i)), store(y.buffer, i, ir.mul(get(a), load(x.buffer, i)))];
    });
    expect(lines(kernel)[1]).toBe("    let a: f32 = x[item]");
    expect(lines(kernel)[2]).toBe("    y[item] = a * a");
  });

  it("knows that two stores compute the same", () => {
    const kernel = itemKernel(8, buffers, (i) => [
      store(y.buffer, i, ir.sqrt(load(x.buffer, i))),
      store(y.buffer, ir.add(i, 8), ir.sqrt(load(x.buffer, i))),
    ]);
    expect(lines(kernel).filter((l) => l.includes("sqrt"))).toEqual(["    let t: f32 = sqrt(x[item])"]);
  });

  it("does not take a cell for the same before and after it is assigned", () => {
    const kernel = rangeKernel(1, buffers, () => {
      const c = new Local("c", "f32", 1, true);
      const square = ir.mul(get(c), get(c));
      return [
        ir.letIn(c, load(x.buffer, 1)),
        store(y.buffer, 0, ir.add(square, ir.sqrt(square))),
        ir.assign(c, ir.add(get(c), 1)),
        store(y.buffer, 1, square),
      ];
    });
    expect([...run(shareKernel(kernel), [x, j, y]).y.slice(0, 2)]).toEqual([6, 9]);
    expect(lines(kernel)).toEqual([
      "  var c: f32 = x[1]",
      "  let t: f32 = c * c",
      "  y[0] = t + sqrt(t)",
      "  c = c + 1",
      "  y[1] = c * c",
    ]);
  });

  it("does not take memory for the same before and after a store", () => {
    const kernel = rangeKernel(1, buffers, () => [
      store(y.buffer, 0, ir.constant("f32", 1)),
      store(y.buffer, 1, ir.add(load(y.buffer, 0), 1)),
      store(y.buffer, 0, ir.add(load(y.buffer, 1), 1)),
      store(y.buffer, 2, ir.add(load(y.buffer, 0), 1)),
    ]);
    expect([...run(shareKernel(kernel), [x, j, y]).y.slice(0, 3)]).toEqual([3, 2, 4]);
  });

  it("computes for both branches what both need", () => {
    const kernel = itemKernel(8, buffers, (i) => {
      const k = ir.rem(i, 3);
      return [
        ir.when(
          ir.lt(i, 4),
          [store(y.buffer, k, load(x.buffer, 0))],
          [store(y.buffer, ir.add(k, 8), load(x.buffer, 1))],
        ),
      ];
    });
    expect(lines(kernel).slice(0, 4)).toEqual([
      "  for item = begin to end {",
      "    let k: i32 = item % 3",
      "    if item < 4 {",
      "      y[k] = x[0]",
    ]);
  });
});

describe("loop invariants", () => {
  const loopOver = (n: number, body: (i: Expr, k: Expr) => Expr): Kernel =>
    itemKernel(8, buffers, (i) => [
      ir.loop("k", 0, n, (k) => [store(y.buffer, ir.add(ir.mul(i, 8), k), body(i, k))]),
    ]);

  it("are computed before the loop", () => {
    const kernel = loopOver(8, (i, k) => ir.add(ir.sqrt(load(x.buffer, i)), load(x.buffer, k)));
    expect(lines(kernel)).toEqual([
      "  for item = begin to end {",
      "    let k: i32 = item * 8",
      "    let t: f32 = sqrt(x[item])",
      "    for k_1 = 0 to 8 {",
      "      y[k + k_1] = t + x[k_1]",
      "    }",
      "  }",
    ]);
  });

  it("leave all the loops that they do not depend on", () => {
    const kernel = loopOver(8, () => ir.sqrt(load(x.buffer, 3)));
    expect(lines(kernel)[0]).toBe("  let t: f32 = sqrt(x[3])");
  });

  it("are not read where that may be out of bounds", () => {
    const none = cell("none", "float32", 1);
    // The loop never runs; nor does the branch.
    const kernel = rangeKernel(1, [...buffers, none.buffer], () => [
      ir.loop("k", 0, load(j.buffer, 2), (k) => [store(y.buffer, k, load(none.buffer, load(j.buffer, 0)))]),
      ir.loop("k", 0, 4, (k) => [
        ir.when(ir.gt(k, 5), [store(y.buffer, k, load(none.buffer, load(j.buffer, 0)))]),
      ]),
    ]);
    expect(() => run(shareKernel(kernel), [x, j, y, none])).not.toThrow();
  });

  it("are read if their guard allows it", () => {
    const kernel = rangeKernel(1, buffers, () => [
      ir.loop("k", 0, load(j.buffer, 0), (k) => {
        const at = load(j.buffer, 7);
        return [store(y.buffer, k, load(x.buffer, at, ir.lt(at, 2)))];
      }),
    ]);
    expect(lines(kernel).slice(0, 3)).toEqual([
      "  let j_at: i32 = j[7]",
      "  let x_at: f32 = x[j_at if j_at < 2]",
      "  for k = 0 to j[0] {",
    ]);
  });

  it("divide only where the program does", () => {
    const kernel = rangeKernel(1, buffers, () => [
      ir.loop("k", 0, 4, (k) => [
        ir.when(ir.ne(load(j.buffer, 2), 0), [
          store(y.buffer, k, ir.cast("f32", ir.div(ir.i32(1), load(j.buffer, 2)))),
        ]),
      ]),
    ]);
    expect(() => run(shareKernel(kernel), [x, j, y])).not.toThrow();
  });

  it("stand before a while loop that needs them in its condition", () => {
    const kernel = rangeKernel(1, buffers, () => {
      const c = new Local("c", "f32", 1, true);
      return [
        ir.letIn(c, load(x.buffer, 0)),
        ir.loopWhile(ir.lt(get(c), ir.sqrt(load(x.buffer, 7))), [ir.assign(c, ir.mul(get(c), 2))]),
        store(y.buffer, 0, get(c)),
      ];
    });
    expect(lines(kernel).slice(0, 3)).toEqual([
      "  var c: f32 = x[0]",
      "  let t: f32 = sqrt(x[7])",
      "  while c < t {",
    ]);
  });
});

describe("large kernels", () => {
  it("deep expressions are cut into pieces, in linear time", () => {
    const kernel = itemKernel(8, buffers, (i) => {
      let e = load(x.buffer, i);
      for (let k = 0; k < 20_000; k++) e = ir.add(ir.mul(e, 0.5), k);
      return [store(y.buffer, i, e)];
    });
    const start = performance.now();
    const shared = shareKernel(kernel);
    expect(performance.now() - start).toBeLessThan(4000);
    const depth = new Map<Expr, number>();
    for (const root of outsideConditions(shared))
      for (const e of nodesOf(root))
        depth.set(e, 1 + Math.max(0, ...childrenOf(e).map((c) => depth.get(c) as number)));
    expect(Math.max(...depth.values())).toBeLessThan(100);
    expect(run(shared, [x, j, y])).toEqual(run(kernel, [x, j, y]));
  });

  it("graphs that are exponential as trees", () => {
    const kernel = itemKernel(8, buffers, (i) => {
      let e = load(x.buffer, i);
      for (let k = 0; k < 1000; k++) e = ir.sub(ir.add(e, e), e);
      return [store(y.buffer, i, e)];
    });
    expect([...run(shareKernel(kernel), [x, j, y]).y.slice(0, 8)]).toEqual([...x.array]);
  });
});
