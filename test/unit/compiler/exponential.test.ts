/** Exponentials of long arrays: usual operands, and those where a loop has to look twice. */
import { describe, expect, it } from "vitest";
import { init, jit, type NDArray, nn, numpy as np } from "../../../src/index.js";
import { unitAt } from "./ulps.js";

await init({ device: "wasm", threads: 1 });

const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];

/** Where e^x and 2^x overflow, underflow, and change how they are computed, from both sides. */
const ends = [
  71, 88.72283, 89, 103, 103.5, 127, 128, 129, -87.33, -103, -103.97, -104.6, -126, -149, -150, -151,
];
const corners = [
  ...ends.flatMap((x) => [x - 1e-3, x, x + 1e-3]),
  0,
  -0,
  inf,
  -inf,
  nan,
  1e9,
  -1e9,
  3e38,
  -3e38,
];

/** Usual operands, and a corner here and there. */
const operands = (size: number, every: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) =>
    i % every === every >> 1 ? corners[Math.floor(i / every) % corners.length] : (i % 97) / 8 - 6,
  );

const functions = {
  exp: [np.exp, Math.exp, 1],
  exp2: [np.exp2, (x: number) => 2 ** x, 1.1],
} as const;

function expectClose(
  found: ArrayLike<number>,
  xs: Float32Array,
  f: (x: number) => number,
  bound: number,
): void {
  for (const [i, x] of xs.entries()) {
    const exact = f(x);
    const rounded = Math.fround(exact);
    if (rounded === 0 || !Number.isFinite(rounded)) expect(found[i], `at ${x}`).toBe(rounded);
    else expect(Math.abs(found[i] - exact) / unitAt(exact), `at ${x}`).toBeLessThanOrEqual(bound);
  }
}

describe.each(Object.entries(functions))("%s", (_, [f, reference, bound]) => {
  it.each([1, 3, 7, 1023, 1025, 4095])("is exact at the ends, among %i elements", (size) => {
    for (const every of [1, 2, 13, 700]) {
      const xs = operands(size, every);
      expectClose(jit(f)(np.array(xs)).dataSync(), xs, reference, bound);
    }
  });

  it("is the same in the memory of its operand, and in a sum", () => {
    const xs = operands(3000, 13);
    const donating = jit((x: NDArray) => f(x), { donateArgnums: 0 });
    expectClose(donating(np.array(xs)).dataSync(), xs, reference, bound);
    const few = xs.map((x) => (x > 80 || Number.isNaN(x) ? 72 : x));
    const total = few.reduce((sum, x) => sum + reference(x), 0);
    const found = jit((x: NDArray) => np.sum(f(x)))(np.array(few)).dataSync();
    expect(found[0] / total).toBeCloseTo(1, 6);
  });

  it("keeps every NaN", () => {
    const bits = new Int32Array(600).fill(0x3f800000);
    for (let i = 0; i < 300; i++) bits[2 * i] = (i % 2 === 0 ? 0x7f800001 : -0x7fffff) + 997 * i;
    const found = jit(f)(np.array(new Float32Array(bits.buffer))).dataSync();
    for (let i = 0; i < 300; i++) expect(found[2 * i], `at ${bits[2 * i]}`).toBeNaN();
  });
});

describe("a masked softmax", () => {
  it.each([-inf, -3e38, -1e9, -200])("gives nothing to %d", (masked) => {
    const rows = Float32Array.from({ length: 20 * 1023 }, (_, i) => (i % 5 === 3 ? masked : (i % 11) - 5));
    const y = jit((x: NDArray) => nn.softmax(x))(np.array(rows).reshape([20, 1023])).dataSync();
    for (const [i, x] of rows.entries())
      if (x === Math.fround(masked)) expect(y[i], `at ${i}`).toBe(0);
      else expect(y[i], `at ${i}`).toBeGreaterThan(0);
  });
});
