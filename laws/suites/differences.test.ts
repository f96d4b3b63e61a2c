/** Finite differences know what they do not know: no false alarm where f is not smooth, no silence where it is. */
import fc from "fast-check";
import { lax, type NDArray, numpy as np, unary } from "fluxion";
import { describe, expect, it } from "vitest";
import { forgetPrograms } from "../../src/core/recurring.js";
import { Differences, double, type Estimate, single } from "../differences.js";
import type { Verdict } from "../law.js";
import { generator, makePoint } from "../point.js";
import { firstDifferences, secondDifferences } from "../statements/values.js";
import { between } from "./functions.js";

function at(f: (h: number) => number, magnitude = 1): Estimate {
  const differences = new Differences((h) => [f(h)], double, magnitude);
  differences.refine();
  return differences.estimate(0);
}

describe("estimates", () => {
  const smooth: Readonly<Record<string, readonly [(x: number) => number, (x: number) => number]>> = {
    sin: [Math.sin, Math.cos],
    exp: [Math.exp, Math.exp],
    atan: [Math.atan, (x) => 1 / (1 + x * x)],
    "x³ - x": [(x) => x ** 3 - x, (x) => 3 * x * x - 1],
    "log(2 + x²)": [(x) => Math.log(2 + x * x), (x) => (2 * x) / (2 + x * x)],
    "sin 30x": [(x) => Math.sin(30 * x), (x) => 30 * Math.cos(30 * x)],
    "1000 + x²": [(x) => 1000 + x * x, (x) => 2 * x],
  };

  it.each(Object.entries(smooth))("of %s are within their error, which is small", (_, [f, slope]) => {
    fc.assert(
      fc.property(fc.double({ min: -2, max: 2, noNaN: true }), (x) => {
        const truth = slope(x);
        const { value, error } = at((h) => f(x + h), Math.abs(x));
        expect(Math.abs(value - truth)).toBeLessThanOrEqual(error);
        expect(error).toBeLessThan(1e-6 * Math.max(1, Math.abs(truth)));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("cover rounding in single precision", () => {
    fc.assert(
      fc.property(fc.double({ min: -2, max: 2, noNaN: true }), (x) => {
        const line = (h: number) => [Math.fround(Math.exp(Math.fround(x + h)))];
        const { value, error } = new Differences(line, single, Math.abs(x)).estimate(0);
        expect(Math.abs(value - Math.exp(x))).toBeLessThanOrEqual(error);
        expect(error).toBeLessThan(5e-3 * Math.max(1, Math.exp(x)));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("are as wide as a jump of the slope at the point", () => {
    // Half of the jump from -1 to 1; the slope is anything between.
    const { value, error } = at(Math.abs);
    expect(value).toBe(0);
    expect(error).toBeGreaterThanOrEqual(1);
    expect(at((h) => Math.max(h, 0)).error).toBeGreaterThanOrEqual(0.5);
  });

  it("are infinitely wide, or as wide as the values are wild", () => {
    expect(at((h) => Math.sqrt(h)).error).toBe(Number.POSITIVE_INFINITY);
    expect(at(() => Number.NaN).error).toBe(Number.POSITIVE_INFINITY);
    const jump = at((h) => (h < 0 ? 0 : 1));
    expect(jump.error).toBeGreaterThan(Math.abs(jump.value));
    const random = generator(3);
    const noise = at((h) => h + 0.01 * random());
    expect(noise.error).toBeGreaterThan(Math.abs(noise.value - 1));
  });

  it("begin anew where f becomes defined", () => {
    // log is not defined at 0.01 - 1/64, but nearer.
    const { value, error } = at((h) => Math.log(0.01 + h));
    expect(Math.abs(value - 100)).toBeLessThanOrEqual(error);
    expect(error).toBeLessThan(1);
  });
});

const first = (f: (x: NDArray) => NDArray, x: NDArray, seed = 1): Verdict =>
  firstDifferences.check(makePoint((z) => [f(z)], [x], seed));

const f64 = (values: readonly number[]): NDArray => np.array([...values], { dtype: "float64" });

describe("no false alarm", () => {
  const cases: Readonly<Record<string, readonly [(x: NDArray) => NDArray, readonly number[]]>> = {
    "floor at whole numbers": [np.floor, [1, -2, 0]],
    "floor just above them": [np.floor, [1 + 1e-9, -2 + 1e-7, 1e-5]],
    "abs at 0": [np.abs, [0, 0]],
    "abs near 0": [np.abs, [1e-9, -1e-6, 1e-3]],
    "relu at 0": [(x) => np.maximum(x, 0), [0, 1e-12]],
    "ties of max": [(x) => np.max(x), [1, 1, 0.5]],
    "near ties of max": [(x) => np.max(x), [1, 1 + 1e-7, 0.5]],
    "ties of sort": [np.sort, [1, 1, 0.5, 0.5]],
    "√ at 0": [np.sqrt, [0, 1e-12]],
    "the cube root at 0": [np.cbrt, [0, 1e-9]],
    "x·|x|^½ at 0": [(x) => np.multiply(x, np.sqrt(np.abs(x))), [1e-9, -1e-12]],
    "sin 1/x near 0": [(x) => np.sin(np.divide(1, x)), [1e-3, 1e-5]],
    "the step of sign": [np.sign, [0, 1e-8]],
    "rounding to single precision": [(x) => np.astype(np.astype(x, "float32"), "float64"), [0.3, 7.7, 1e5]],
    "rounding to half precision": [(x) => np.astype(np.astype(x, "float16"), "float64"), [0.3, 7.7, 300]],
    "rounding to eight bits": [
      (x) => lax.reducePrecision(x, { exponentBits: 8, mantissaBits: 7 }),
      [0.3, 7.7, 300],
    ],
    "rounding to a fine grid": [(x) => np.divide(np.round(np.multiply(x, 2 ** 20)), 2 ** 20), [0.3, 0.7]],
    "rounding to a coarse grid": [(x) => np.divide(np.round(np.multiply(x, 64)), 64), [0.3, 0.7]],
    "nothing but cancellation": [(x) => np.subtract(np.add(x, 1e12), 1e12), [0.3, 0.7]],
    overflow: [(x) => np.exp(np.multiply(x, 1e3)), [0.3, 0.9]],
    "numbers of all sizes": [(x) => np.square(x), [1e-8, 1, 1e8]],
  };

  it.each(Object.entries(cases))("%s", (_, [f, values]) => {
    for (const seed of [1, 2, 3, 4]) {
      const point = makePoint((z) => [f(z)], [f64(values)], seed);
      for (const { check } of [firstDifferences, secondDifferences]) {
        const verdict = check(point);
        expect(verdict.kind, JSON.stringify(verdict)).not.toBe("fails");
      }
    }
  });

  it("but they say why", () => {
    expect(first(np.sort, f64([1, 1, 0.5]))).toEqual({
      kind: "abstains",
      reason: "finite differences are not precise enough for 2 of 3 elements",
    });
    expect(first(np.sin, np.array([1, 2], { dtype: "float16" })).kind).toBe("abstains");
  });
});

let factor = 1;
/** What passes remember of the rule was made with the factor before. */
function setFactor(to: number): void {
  factor = to;
  forgetPrograms();
}
const stretched = unary("stretchedExp", {
  summary: "e^x with a slope that is off by a factor",
  domain: "float",
  evaluate: Math.exp,
  tangent: (t, x, y) => np.add(np.multiply(np.multiply(t, y), factor), np.multiply(0, x)),
});

describe("no silence", () => {
  const ordinary: Readonly<Record<string, (x: NDArray) => NDArray>> = {
    itself: stretched,
    "a term": (x) => np.add(stretched(x), np.sin(x)),
    "a factor": (x) => np.multiply(stretched(x), np.cos(x)),
    "an argument": (x) => np.tanh(stretched(np.multiply(x, 0.5))),
    "a sum": (x) => np.add(x, np.mean(stretched(x))),
    "a running sum": (x) => np.cumsum(stretched(x)),
  };

  it.each(Object.entries(ordinary))("a factor of 1.01 shows in %s", (_, f) => {
    for (const dtype of ["float64", "float32"] as const)
      for (let seed = 1; seed <= 25; seed++) {
        const x = between([4], seed, [-1, 1], dtype);
        // In single precision a factor that is only just wrong may be taken for rounding; a worse one may not.
        setFactor(dtype === "float64" ? 1.01 : 1.1);
        const verdict = first(f, x, seed);
        expect(verdict.kind, `${dtype}, seed ${seed}: ${JSON.stringify(verdict)}`).toBe("fails");
        setFactor(1);
        expect(first(f, x, seed)).toEqual({ kind: "holds" });
      }
  });

  it("NaN is no slope of a smooth function", () => {
    setFactor(Number.NaN);
    expect(first(stretched, f64([0.5])).kind).toBe("fails");
  });

  it("nor is infinity", () => {
    setFactor(Number.POSITIVE_INFINITY);
    expect(first(stretched, f64([0.5])).kind).toBe("fails");
  });
});
