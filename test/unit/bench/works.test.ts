import { describe, expect, it } from "vitest";
import type { Inputs } from "../../bench/peers/contract.js";
import { uniform } from "../../bench/peers/random.js";
import { convolutions, moved, perceptrons, product, softmaxes } from "../../bench/peers/reference.js";
import { errorOf, workOf } from "../../bench/peers/works.js";

const drawn = (name: string, ...shape: number[]) => ({
  values: uniform(new Float64Array(shape.reduce((a, b) => a * b, 1)), name, -1, 1),
  shape,
});

describe("inputs", () => {
  it("are the same whenever they are asked for, and others under another name", () => {
    const draw = (name: string) => uniform(new Float32Array(1000), name, -3, 3);
    expect(draw("a")).toEqual(draw("a"));
    expect(draw("a")).not.toEqual(draw("b"));
    // Arrays of this size are compared by hand: vitest takes seconds.
    const [forward, backward] = ["fwd", "grad"].map((pass) =>
      Object.values(workOf(`mlp-S/${pass}`).inputs()),
    );
    expect(
      errorOf(
        forward.map(({ values }) => values),
        backward.map(({ values }) => values),
      ),
    ).toBe(0);
  });

  it("fill their range evenly", () => {
    const x = uniform(new Float64Array(100_000), "even", -3, 3);
    const tenths = new Array<number>(10).fill(0);
    for (const value of x) tenths[Math.floor((value + 3) / 0.6)]++;
    // 10,000 are expected in each tenth; ± 95 is one standard deviation.
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    expect(new Set(x).size).toBe(x.length);
    expect(Math.abs(x.reduce((a, b, i) => a + b * (i > 0 ? x[i - 1] : 0), 0) / x.length)).toBeLessThan(0.05);
  });
});

describe("references", () => {
  it("of products are those of the definition, whatever the sizes", () => {
    for (const [m, k, n] of [
      [1, 1, 1],
      [3, 67, 5],
      [2, 130, 1],
      [4, 6, 9],
    ]) {
      const [a, b] = [drawn("a", m, k).values, drawn("b", k, n).values];
      const expected = Float64Array.from({ length: m * n }, (_, at) => {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += a[Math.floor(at / n) * k + p] * b[p * n + (at % n)];
        return sum;
      });
      expect(errorOf([product(a, b, m, k, n)], [expected])).toBeLessThan(1e-13);
    }
  });

  it("of a convolution are those of the definition", () => {
    const [X, W] = [drawn("x", 2, 3, 4, 5), drawn("w", 2, 3, 3, 3)];
    const expected = new Float64Array(2 * 2 * 4 * 5);
    let at = 0;
    for (let n = 0; n < 2; n++)
      for (let o = 0; o < 2; o++)
        for (let i = 0; i < 4; i++)
          for (let j = 0; j < 5; j++, at++)
            for (let c = 0; c < 3; c++)
              for (let r = 0; r < 3; r++)
                for (let s = 0; s < 3; s++) {
                  const [y, x] = [i + r - 1, j + s - 1];
                  if (y >= 0 && y < 4 && x >= 0 && x < 5)
                    expected[at] +=
                      X.values[((n * 3 + c) * 4 + y) * 5 + x] * W.values[((o * 3 + c) * 3 + r) * 3 + s];
                }
    expect(errorOf(convolutions({ X, W }), [expected])).toBeLessThan(1e-13);
  });

  it("move axes there and back", () => {
    const x = drawn("x", 2, 3, 4, 5).values;
    const there = moved(x, [2, 3, 4, 5], [0, 2, 3, 1]);
    expect(there[1]).toBe(x[20]);
    expect(moved(there, [2, 4, 5, 3], [0, 3, 1, 2])).toEqual(x);
  });

  it("of softmax are rows that sum to 1, in the order of their inputs", () => {
    const X = drawn("x", 7, 11);
    const [y] = softmaxes({ X });
    for (let i = 0; i < 7; i++) {
      const row = y.subarray(11 * i, 11 * i + 11);
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      expect(Math.log(row[3] / row[8])).toBeCloseTo(X.values[11 * i + 3] - X.values[11 * i + 8], 12);
    }
  });

  it("of a perceptron have the gradient that differences of its loss have", () => {
    const labels = new Float64Array(4 * 3);
    for (let i = 0; i < 4; i++) labels[3 * i + (i % 3)] = 1;
    const inputs: Inputs = {
      X: drawn("X", 4, 5),
      Y: { values: labels, shape: [4, 3] },
      W1: drawn("W1", 5, 6),
      b1: drawn("b1", 6),
      W2: drawn("W2", 6, 3),
      b2: drawn("b2", 3),
    };
    const lossAt = (name: string, i: number, change: number): number => {
      const values = inputs[name].values.slice();
      values[i] += change;
      return perceptrons(0.1, false)({ ...inputs, [name]: { ...inputs[name], values } })[0][0];
    };
    const [loss, ...slopes] = perceptrons(0.1, true)(inputs);
    expect(loss[0]).toBe(lossAt("W1", 0, 0));
    for (const [place, name] of ["W1", "b1", "W2", "b2"].entries()) {
      const expected = slopes[place].map((_, i) => (lossAt(name, i, 1e-5) - lossAt(name, i, -1e-5)) / 2e-5);
      expect(errorOf([slopes[place]], [expected])).toBeLessThan(1e-8);
    }
  });
});

describe("errors", () => {
  it("are a part of the largest value of their output", () => {
    expect(errorOf([[1, 2.5]], [[1, 2]])).toBe(0.25);
    expect(errorOf([[0], [9]], [[0], [10]])).toBeCloseTo(0.1);
    expect(errorOf([[1, 2]], [[1, 2]])).toBe(0);
  });

  it("are infinite where an output is missing, of another length, or no number", () => {
    expect(errorOf([[1]], [[1], [2]])).toBe(Number.POSITIVE_INFINITY);
    expect(errorOf([[1, 2, 3]], [[1, 2]])).toBe(Number.POSITIVE_INFINITY);
    expect(errorOf([[Number.NaN, 1]], [[1, 1]])).toBe(Number.POSITIVE_INFINITY);
    expect(errorOf([[1, Number.NaN]], [[0, 0]])).toBe(Number.POSITIVE_INFINITY);
  });
});
