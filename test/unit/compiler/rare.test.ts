/** Rare choices: loops and threads do without their values until one is needed, and the meaning stays. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spareRare } from "../../../src/compiler/rare.js";
import { vectorizeKernel } from "../../../src/compiler/vectorize.js";
import * as ir from "../../../src/core/ir/ops.js";
import { type Expr, type Kernel, Local } from "../../../src/core/ir/types.js";
import { type Cell, cell, checked, gridKernel, itemKernel, run } from "./kernels.js";

const { add, assign, get, gt, letIn, load, mul, rarely, store } = ir;

/** Above this, the rare value is needed. */
const limit = 1000;

/** 2x for most, x + 1 for large numbers; `seen` is told of every rare value that is computed. */
function choice(x: Expr, seen?: (x: number) => void): Expr {
  const tell = (v: number): number => {
    seen?.(v);
    return v;
  };
  // Calls have no vector form, so they are left out where nobody listens.
  const rare = seen === undefined ? add(x, 1) : ir.host("told", "f32", tell, [add(x, 1)]);
  return rarely(gt(x, limit), rare, mul(x, 2));
}

const expected = (x: number): number => Math.fround(x > limit ? x + 1 : 2 * x);

/** y = choice(x), for each element. */
const each = (x: Cell, y: Cell, seen?: (x: number) => void): Kernel =>
  itemKernel(x.array.length, [...new Set([x.buffer, y.buffer])], (i) => {
    const value = new Local("value", "f32");
    return [letIn(value, load(x.buffer, i)), store(y.buffer, i, choice(get(value), seen))];
  });

/** Numbers of which few are large. */
const numbers = (size: number, large: readonly number[]): number[] =>
  Array.from({ length: size }, (_, i) => (large.includes(i) ? limit + 7 + i : i % 50));

const sizes = [0, 1, 3, 4, 127, 512, 513, 1023, 1025, 2600];

/** A size, and where there are large numbers. */
const places = fc
  .constantFrom(...sizes.slice(1))
  .chain((size) =>
    fc.record({ size: fc.constant(size), large: fc.array(fc.nat(size - 1), { maxLength: 4 }) }),
  );

const passes: Record<string, (kernel: Kernel) => Kernel> = {
  scalars: spareRare,
  vectors: (kernel) => spareRare(checked(vectorizeKernel(kernel))),
};

describe.each(Object.entries(passes))("a loop over %s", (_, pass) => {
  it("computes the same, wherever large numbers are", () => {
    fc.assert(
      fc.property(places, ({ size, large }) => {
        const x = cell("x", "float32", numbers(size, large));
        const y = cell("y", "float32", size);
        const after = run(checked(pass(each(x, y))), [x, y]);
        expect([...after.y]).toEqual([...x.array].map(expected));
      }),
    );
  });

  it("does not lose sight of a large number behind NaN", () => {
    for (const large of [0, 1, 4, 500, 511]) {
      const values = numbers(512, [large]).map((v, i) =>
        i % 4 === large % 4 && i !== large ? Number.NaN : v,
      );
      const [x, y] = [cell("x", "float32", values), cell("y", "float32", 512)];
      expect([...run(checked(pass(each(x, y))), [x, y]).y]).toEqual(values.map(expected));
    }
  });

  it("computes the same in the memory of its operand", () => {
    fc.assert(
      fc.property(places, ({ size, large }) => {
        const values = numbers(size, large);
        const x = cell("x", "float32", values);
        const after = run(checked(pass(each(x, x))), [x]);
        expect([...after.x]).toEqual(values.map(expected));
      }),
    );
  });

  it("adds up the same, in the same order", () => {
    fc.assert(
      fc.property(places, ({ size, large }) => {
        const x = cell("x", "float32", numbers(size, large));
        const y = cell("y", "float32", 1);
        const total = new Local("total", "f32", 1, true);
        const kernel = itemKernel(1, [x.buffer, y.buffer], () => [
          letIn(total, ir.constant("f32", 0)),
          ir.loop("i", 0, size, (i) => [assign(total, add(get(total), choice(load(x.buffer, i))))]),
          store(y.buffer, 0, get(total)),
        ]);
        const plain = pass === spareRare ? kernel : vectorizeKernel(kernel);
        const spared = checked(spareRare(plain));
        expect(spared).not.toBe(plain);
        expect(run(spared, [x, y]).y).toEqual(run(plain, [x, y]).y);
      }),
    );
  });
});

describe("rare values", () => {
  const told = (size: number, large: readonly number[]): number => {
    let count = 0;
    const [x, y] = [cell("x", "float32", numbers(size, large)), cell("y", "float32", size)];
    run(checked(spareRare(each(x, y, () => count++))), [x, y]);
    return count;
  };

  it("are not computed if none is needed", () => {
    for (const size of sizes) expect(told(size, [])).toBe(0);
  });

  it("are computed for the stretch that needs one, and for the next", () => {
    expect(told(1280, [200])).toBe(256);
    expect(told(1280, [0])).toBe(256);
    expect(told(1280, [1279])).toBe(128);
    expect(told(100, [99])).toBe(100);
  });

  it("are computed by the threads of a GPU that need one", () => {
    const [x, y] = [cell("x", "float32", numbers(64, [3, 40])), cell("y", "float32", 64)];
    let count = 0;
    const kernel = gridKernel(1, 64, [x.buffer, y.buffer], [], (_, thread) => [
      store(
        y.buffer,
        thread,
        choice(load(x.buffer, thread), () => count++),
      ),
    ]);
    const after = run(checked(spareRare(kernel)), [x, y]);
    expect([...after.y]).toEqual([...x.array].map(expected));
    expect(count).toBe(2);
  });

  it("stay choices where a condition depends on what the loop changes", () => {
    const [x, y] = [cell("x", "float32", numbers(600, [5])), cell("y", "float32", 600)];
    const last = new Local("last", "f32", 1, true);
    const kernel = itemKernel(1, [x.buffer, y.buffer], () => [
      letIn(last, ir.constant("f32", 0)),
      ir.loop("i", 0, 600, (i) => [
        assign(last, rarely(gt(get(last), limit), load(x.buffer, i), add(get(last), load(x.buffer, i)))),
        store(y.buffer, i, get(last)),
      ]),
    ]);
    expect(spareRare(kernel)).toBe(kernel);
  });
});
