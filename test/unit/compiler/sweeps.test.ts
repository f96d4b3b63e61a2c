/** Sweeps over rows on the CPU: searches for places, extrema of floats, and values that are kept between sweeps. */
import { describe, expect, it } from "vitest";
import { init, jit, type NDArray, nn, numpy as np, ShapeDtype } from "../../../src/index.js";

await init({ device: "wasm", threads: 1 });

const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];

/** Numbers that repeat often enough for ties. */
function numbers(count: number, seed: number, specials: readonly number[]): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const special = specials[state % 97];
    return special ?? ((state >>> 8) % 41) - 20;
  });
}

const firstOf = (row: readonly number[], better: (x: number, best: number) => boolean): number => {
  const at = row.findIndex(Number.isNaN);
  if (at >= 0) return at;
  return row.reduce((best, x, i) => (better(x, row[best]) ? i : best), 0);
};

describe("argmax and argmin", () => {
  const lengths = [1, 2, 5, 127, 128, 255, 256, 257, 383, 1023, 1024, 1025];
  const kinds = { none: [], infinite: [-inf, inf], zeros: [-0, 0], nan: [nan, -0, inf] };
  const dtypes = ["float32", "float64", "float16", "int32", "uint8", "bool"] as const;

  it.each(lengths)("rows and columns of %i", (n) => {
    for (const dtype of dtypes)
      for (const [name, specials] of Object.entries(kinds)) {
        if (name !== "none" && !dtype.startsWith("float")) continue;
        const x = np
          .array(numbers(7 * n, n, specials))
          .reshape([7, n])
          .astype(dtype);
        const rows = x.astype("float64").tolist() as number[][];
        for (const [find, better] of [
          [np.argmax, (a: number, b: number) => a > b],
          [np.argmin, (a: number, b: number) => a < b],
        ] as const) {
          const expected = rows.map((row) => firstOf(row, better));
          const along = (axis: number) => jit((a: NDArray) => find(a, axis));
          expect(along(1)(x).tolist(), `${dtype} ${name}`).toEqual(expected);
          expect(along(0)(x.T).tolist(), `${dtype} ${name}, columns`).toEqual(expected);
        }
      }
  });

  it("of elements that nothing is worse than, or that are all NaN", () => {
    const of = (value: number, n = 300) => np.full([2, n], value);
    expect(jit((x: NDArray) => np.argmax(x, 1))(of(-inf)).tolist()).toEqual([0, 0]);
    expect(jit((x: NDArray) => np.argmin(x, 1))(of(inf)).tolist()).toEqual([0, 0]);
    expect(jit((x: NDArray) => np.argmax(x, 1))(of(nan)).tolist()).toEqual([0, 0]);
  });

  it("of what is computed on the way", () => {
    const x = np.array(numbers(3 * 300, 5, [])).reshape([3, 300]);
    const rows = (x.tolist() as number[][]).map((row) => row.map((v) => Math.abs(Math.fround(v * 1.1) - 3)));
    expect(jit((a: NDArray) => np.argmax(np.abs(a.mul(1.1).sub(3)), 1))(x).tolist()).toEqual(
      rows.map((row) => firstOf(row, (p, q) => Math.fround(p) > Math.fround(q))),
    );
  });
});

describe("max and min of floats", () => {
  it.each([3, 16, 33, 1000])("tell zeros apart and keep NaN, in rows of %i", (n) => {
    const row = (value: number, other: number) =>
      Array.from({ length: n }, (_, i) => (i === n >> 1 ? other : value));
    const x = np.array(
      [row(-0, 0), row(0, -0), row(-0, -0), row(-1, -0), row(1, nan), row(-inf, -inf)].flat(),
    );
    for (const a of [x.reshape([6, n]), x.reshape([6, n]).astype("float16")]) {
      const max = [0, 0, -0, -0, nan, -inf];
      const min = [-0, -0, -0, -1, nan, -inf];
      expect([...jit((v: NDArray) => np.max(v, 1))(a).dataSync()]).toEqual(max);
      expect([...jit((v: NDArray) => np.min(v, 1))(a).dataSync()]).toEqual(min);
      expect([...jit((v: NDArray) => np.max(v, 0))(a.T).dataSync()]).toEqual(max);
      expect([...jit((v: NDArray) => np.min(v, 0))(a.T).dataSync()]).toEqual(min);
    }
  });

  it("sees a NaN with a sign", () => {
    const bits = new Uint32Array(64).fill(0x3f800000);
    bits[17] = 0xffc00000;
    expect(jit((v: NDArray) => np.max(v))(np.array(new Float32Array(bits.buffer))).item()).toBeNaN();
  });
});

describe("costly values that several sweeps need", () => {
  /**
   * How often an exponential stands in the kernels of rows that vectors fill: each has a constant of its own, and stands in a
   * loop for usual operands and in one for large ones.
   */
  const exponentials = (f: (x: NDArray) => unknown): number => {
    const { kernels } = jit(f as (x: NDArray) => NDArray).lower(new ShapeDtype([32, 64]));
    return kernels.map(({ text }) => (text.split(/1\.44269/).length - 1) / 2).reduce((a, b) => a + b, 0);
  };

  it("are computed once", () => {
    expect(exponentials((x) => nn.softmax(x))).toBe(1);
  });

  it("also where they are results themselves, and where several are kept", () => {
    const both = (x: NDArray) => {
      const e = np.exp(x);
      return [e, e.div(np.sum(e, { axis: 1, keepdims: true }))];
    };
    expect(exponentials(both)).toBe(1);
    const two = (x: NDArray) => {
      const [p, q] = [np.exp(x), np.exp(x.mul(2))];
      const total = np.sum(p.add(q), { axis: 1, keepdims: true });
      return [p.div(total), q.sub(total), p.mul(q).mul(total)];
    };
    const x = np
      .array(numbers(32 * 64, 3, []))
      .reshape([32, 64])
      .mul(0.1);
    const together = jit(two)(x);
    for (const [i, y] of two(x).entries())
      expect(np.max(np.abs(together[i].sub(y)).div(np.abs(y))).item()).toBeLessThan(1e-6);
  });

  it.each([
    [64, 10],
    [33, 1023],
    [1, 4095],
    [4095, 3],
    [20, 1],
  ])("come out right in rows of [%i, %i]", (rows, columns) => {
    const x = np.array(numbers(rows * columns, 9, [])).reshape([rows, columns]);
    const y = jit((a: NDArray) => nn.softmax(a))(x).tolist() as number[][];
    (x.tolist() as number[][]).forEach((row, i) => {
      const top = Math.max(...row);
      const total = row.reduce((sum, v) => sum + Math.exp(v - top), 0);
      row.forEach((v, j) => {
        expect(Math.abs(y[i][j] / (Math.exp(v - top) / total) - 1)).toBeLessThan(1e-6);
      });
    });
  });
});

describe("long reductions in parts", () => {
  const x = np.array(numbers(300_001, 11, [])).mul(0.25);

  it("are as right as short ones, whatever the rest", () => {
    for (const n of [262_143, 262_144, 262_145, 300_001]) {
      const a = x.slice({ stop: n });
      const exact = (a.tolist() as number[]).reduce((sum, v) => sum + v, 0);
      const { kernels } = jit((v: NDArray) => np.sum(v)).lower(new ShapeDtype([n]));
      expect(kernels.length).toBe(n < 2 ** 18 ? 1 : 2);
      expect(jit((v: NDArray) => np.sum(v))(a).item()).toBe(exact);
      expect(jit((v: NDArray) => np.max(v.mul(v)))(a).item()).toBe(25);
    }
  });

  it("along rows, columns, and several axes at once", () => {
    for (const [shape, axis] of [
      [[3, 100_000], 1],
      [[1000, 300], 0],
      [[100_000, 3], 0],
      [
        [100, 3, 1000],
        [0, 2],
      ],
      [
        [300, 1000],
        [0, 1],
      ],
      [[1, 300_000], 1],
    ] as const) {
      const a = x.slice({ stop: 300_000 }).reshape(shape);
      const whole = a.astype("int32").astype("float32");
      const [sum, few] = [jit((v: NDArray) => np.sum(v, { axis })), jit((v: NDArray) => np.min(v, { axis }))];
      // Sums of small whole numbers are exact in any order; the reference adds them in double precision.
      const wide = np.sum(whole.astype("float64"), { axis }).astype("float32");
      expect(sum(whole).tolist()).toEqual(wide.tolist());
      expect(few(a).tolist()).toEqual(jit((v: NDArray) => np.min(v.astype("float64"), { axis }))(a).tolist());
    }
  });
});
