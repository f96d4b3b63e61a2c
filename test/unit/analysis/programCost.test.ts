/** What `programCost` counts, against counts by hand, and how figures are written. */
import { describe, expect, it } from "vitest";
import { programCost } from "../../../src/analysis/programCost.js";
import { plural, rounded, showBytes, showCount, si, table } from "../../../src/analysis/table.js";
import {
  ArgumentError,
  checkpoint,
  grad,
  jaxprCost,
  jit,
  lax,
  makeJaxpr,
  type NDArray,
  numpy as np,
  ShapeDtype,
} from "../../../src/index.js";

const f32 = (...shape: number[]): ShapeDtype => new ShapeDtype(shape);
type Arrays = (...xs: NDArray[]) => NDArray;
const jaxprOf = (f: (...xs: NDArray[]) => unknown, ...args: ShapeDtype[]) =>
  makeJaxpr(f as Arrays)(...args).jaxpr;
const cost = (f: (...xs: NDArray[]) => unknown, ...args: ShapeDtype[]) => programCost(jaxprOf(f, ...args));

describe("programCost, by hand", () => {
  it("an elementwise function and a sum", () => {
    const n = 100;
    expect(cost((x) => np.sum(np.sin(x).mul(x)), f32(n))).toEqual({
      operations: 3 * n, // n sines, n products, n additions
      multiplications: n,
      transcendentals: n,
      // sin reads x and writes n; mul reads two and writes one; the sum reads one and writes a number.
      bytesMoved: 4 * (2 * n + 3 * n + n + 1),
      // x, its sine, the product; and the sum, which has its place from the start.
      peakBytes: 4 * (3 * n + 1),
    });
  });

  it("a layer of a network", () => {
    const [rows, inner] = [3, 4];
    expect(cost((w, x) => np.tanh(w.matmul(x)), f32(rows, inner), f32(inner))).toEqual({
      operations: 2 * rows * inner + rows, // a product and an addition for each entry of w, then tanh
      multiplications: rows * inner,
      transcendentals: rows,
      bytesMoved: 4 * (rows * inner + inner + rows + rows + rows),
      peakBytes: 4 * (rows * inner + inner + rows + rows),
    });
  });

  it("a square reads its operand once", () => {
    expect(cost((x) => x.mul(x), f32(10)).bytesMoved).toBe(4 * 20);
    // A number that stands in the program is not read.
    expect(cost((x) => x.mul(2), f32(10)).bytesMoved).toBe(4 * 20);
  });
});

describe("programs inside of programs", () => {
  it("a scan counts as often as it runs, and has its memory once", () => {
    const [steps, n] = [7, 5];
    const f = (c: NDArray) =>
      lax.scan(
        (carry: NDArray): [NDArray, NDArray] => {
          const next = np.sin(carry).mul(carry);
          return [next, np.sum(next)];
        },
        c,
        null,
        { length: steps },
      );
    const { operations, bytesMoved, peakBytes } = cost(f, f32(n));
    expect(operations).toBe(steps * 3 * n);
    expect(bytesMoved).toBe(steps * 4 * (2 * n + 3 * n + n + 1));
    // The first carry; the last one and the sums; in a step the sine and the next carry.
    expect(peakBytes).toBe(4 * (n + (n + steps) + 2 * n));
  });

  it("a call is its body, and what it hands through is not copied", () => {
    const inner = jit((x: NDArray) => [np.sin(x).mul(2), x]);
    const plain = (x: NDArray) => np.sin(x).mul(2).add(x);
    const called = (x: NDArray) => {
      const [y, same] = inner(x) as NDArray[];
      return y.add(same);
    };
    expect(cost(called, f32(10))).toEqual(cost(plain, f32(10)));
    // The same with a recomputed body, whose barrier computes nothing.
    const remade = grad((x: NDArray) => np.sum(checkpoint((y: NDArray) => np.sin(np.sin(y)))(x)));
    const { bytesMoved } = cost(remade, f32(1000));
    expect(bytesMoved).toBeLessThan(20 * 4000);
  });

  it("a choice counts as its dearest branch", () => {
    const f = (x: NDArray) =>
      lax.cond(
        np.sum(x).greater(0),
        (y: NDArray) => np.sin(np.cos(np.tan(y))),
        (y: NDArray) => y.mul(2),
        x,
      );
    const [one, other] = [f32(50), f32(100)].map((x) => cost(f, x));
    const scalars = 2 * one.operations - other.operations;
    // The sum and three functions for each element.
    expect(other.operations - one.operations).toBe(4 * 50);
    expect(scalars).toBeLessThan(10);
    // x, the result, two values inside, and a few scalars.
    expect(other.peakBytes - one.peakBytes).toBe(4 * 4 * 50);
  });

  it("a loop of unknown length counts as one step", () => {
    const f = (x: NDArray) =>
      lax.whileLoop(
        (c: NDArray) => np.sum(c).less(10),
        (c: NDArray) => c.mul(2),
        x,
      );
    // One comparison, n additions, n products.
    expect(cost(f, f32(8)).operations).toBe(1 + 8 + 8);
    // x and the carry, and in a step the next carry.
    expect(cost(f, f32(8)).peakBytes).toBe(4 * (8 + 8 + 8));
  });
});

describe("memory", () => {
  it("an output that is an input takes none, and one given twice takes it once", () => {
    expect(cost((x) => [x, np.sin(x)], f32(10)).peakBytes).toBe(80);
    expect(
      cost((x) => {
        const y = np.sin(x);
        return [y, y];
      }, f32(10)).peakBytes,
    ).toBe(80);
  });

  it("values are freed behind their last use", () => {
    const chain = (x: NDArray): NDArray => {
      let y = x;
      for (let i = 0; i < 10; i++) y = np.sin(y);
      return y;
    };
    // x and the result, and at a time two of the others.
    expect(cost(chain, f32(100)).peakBytes).toBe(4 * 400);
  });
});

it("counts beyond 2⁵³ stay numbers", () => {
  const huge = cost((x) => np.sum(np.sin(x).mul(x)), f32(1e9, 1e9, 1e9));
  for (const figure of Object.values(huge)) expect(figure).toBeGreaterThanOrEqual(1e27);
  expect(Object.values(huge).every(Number.isFinite)).toBe(true);
});

it("operations are those of jaxprCost, also of a closed jaxpr", () => {
  const closed = makeJaxpr(grad((x: NDArray) => np.sum(np.exp(x).div(x))))(f32(6));
  expect(programCost(closed)).toEqual(programCost(closed.jaxpr));
  expect(programCost(closed)).toMatchObject(jaxprCost(closed.jaxpr));
});

it("only jaxprs are counted", () => {
  for (const bad of [null, 3, Math.sin])
    expect(() => programCost(bad as never)).toThrow(/programCost takes a jaxpr.*makeJaxpr\(f\)/);
  expect(() => programCost(undefined as never)).toThrow(ArgumentError);
});

describe("figures", () => {
  it("counts and bytes with prefixes", () => {
    expect([0, 7, 980, 999.7, 1234, 999_960, 5.2e6, -4.2e9, 1e30, 1e40].map((n) => si(n))).toEqual([
      "0",
      "7",
      "980",
      "1.0 k",
      "1.2 k",
      "1.0 M",
      "5.2 M",
      "-4.2 G",
      "1.0 Q",
      "1.0e+40",
    ]);
    expect([104, 1.9e6, 8e11].map(showBytes)).toEqual(["104 B", "1.9 MB", "800.0 GB"]);
    expect([si(Number.POSITIVE_INFINITY), si(0.25)]).toEqual(["∞", "0.25"]);
  });

  it("whole numbers and ratios in full", () => {
    expect([1, 203_530, 1e15].map(showCount)).toEqual(["1", "203,530", "1.0 P"]);
    expect([163_123, 1.3149, 0.00421].map((n) => rounded(n))).toEqual(["163,000", "1.31", "0.00421"]);
    expect([plural(1, "pass", "passes"), plural(1200, "input")]).toEqual(["1 pass", "1,200 inputs"]);
  });

  it("tables are aligned", () => {
    expect(
      table(
        [
          ["", "a"],
          ["∂f/∂x", "5.2 M"],
          ["f", "10.4 M"],
        ],
        { indent: 2 },
      ),
    ).toBe(["              a", "  ∂f/∂x   5.2 M", "  f      10.4 M"].join("\n"));
  });
});
