import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { ArgumentError, AxisError, ShapeError } from "../../../src/core/errors.js";
import * as np from "../../../src/numpy/index.js";
import { jvp } from "../../../src/transforms/forward.js";
import { grad } from "../../../src/transforms/grad.js";
import { jit } from "../../../src/transforms/jit.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { expectClose } from "./compare.js";

const { inf, nan } = np;

/** A small array, which of its elements take part, and some of its axes. */
const samples = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }).chain((shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return fc.record({
    shape: fc.constant(shape),
    values: fc.array(
      fc.integer({ min: -4, max: 4 }).map((n) => n / 2),
      { minLength: size, maxLength: size },
    ),
    mask: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
    axes: fc.subarray(shape.map((_, i) => i)),
    keepdims: fc.boolean(),
  });
});

type Sample = typeof samples extends fc.Arbitrary<infer S> ? S : never;

/** The elements that fall together when some axes are reduced, in the order of the result; straight from the meaning. */
function groups({ shape, axes, values }: Sample, takesPart: (i: number) => boolean): number[][] {
  const kept = shape.flatMap((n, i) => (axes.includes(i) ? [] : [n]));
  const result = Array.from({ length: kept.reduce((a, b) => a * b, 1) }, (): number[] => []);
  values.forEach((value, flat) => {
    let rest = flat;
    const index = new Array<number>(shape.length);
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d] = rest % shape[d];
      rest = Math.floor(rest / shape[d]);
    }
    const place = shape.reduce((at, n, d) => (axes.includes(d) ? at : at * n + index[d]), 0);
    if (takesPart(flat)) result[place].push(value);
  });
  return result;
}

const mean = (xs: number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
const variance = (xs: number[]): number => mean(xs.map((x) => (x - mean(xs)) ** 2));

const meanings = {
  sum: [np.sum, (xs) => xs.reduce((a, b) => a + b, 0)],
  prod: [np.prod, (xs) => xs.reduce((a, b) => a * b, 1)],
  mean: [np.mean, mean],
  var: [np.var, variance],
  std: [np.std, (xs) => Math.sqrt(variance(xs))],
  max: [np.max, (xs) => Math.max(-9, ...xs)],
  min: [np.min, (xs) => Math.min(9, ...xs)],
} satisfies Record<string, readonly [(x: NDArray, o: object) => NDArray, (xs: number[]) => number]>;

const initial = { max: -9, min: 9 } as Readonly<Record<string, number>>;

describe("reductions are what their names mean", () => {
  for (const [name, [f, meaning]] of Object.entries(meanings)) {
    it(`${name}, over any axes, with and without a mask`, () => {
      fc.assert(
        fc.property(samples, (s) => {
          const x = np.array(s.values, "float64").reshape(s.shape);
          const where = np.array(s.mask, "bool").reshape(s.shape);
          const start = name in initial ? { initial: initial[name] } : {};
          const keptShape = s.shape.flatMap((n, i) => (s.axes.includes(i) ? (s.keepdims ? [1] : []) : [n]));
          for (const masked of [false, true]) {
            const options = { axis: s.axes, keepdims: s.keepdims, ...start, ...(masked ? { where } : {}) };
            const result = f(x, options);
            expect(result.shape).toEqual(keptShape);
            expectClose(result, groups(s, (i) => !masked || s.mask[i]).map(meaning), 1e-12);
          }
        }),
      );
    });

    it(`${name} works under jit, vmap and with negative axes`, () => {
      const x = np.arange(24, "float32").reshape(2, 3, 4).mul(0.3).sin();
      const options = { axis: [-1, 0] };
      expectClose(jit((v: NDArray) => f(v, options))(x), f(x, { axis: [0, 2] }).tolist(), 1e-6);
      expectClose(vmap((v: NDArray) => f(v, { axis: 0 }))(x), f(x, { axis: 1 }).tolist(), 1e-6);
      expect(f(x, -1 as never).shape).toEqual([2, 3]);
      expect(f(x, {}).shape).toEqual([]);
    });
  }

  it("all, any and countNonzero", () => {
    fc.assert(
      fc.property(samples, (s) => {
        const x = np.array(s.values, "float64").reshape(s.shape);
        const where = np.array(s.mask, "bool").reshape(s.shape);
        const of = (xs: number[][], g: (x: number[]) => unknown) => xs.map(g);
        const [everything, some] = [groups(s, () => true), groups(s, (i) => s.mask[i])];
        const list = (y: NDArray): unknown[] => [y.tolist()].flat(Infinity as 1);
        const nonzero = (v: number): boolean => v !== 0;
        expect(list(np.all(x, { axis: s.axes }))).toEqual(of(everything, (xs) => xs.every(nonzero)));
        expect(list(np.any(x, { axis: s.axes }))).toEqual(of(everything, (xs) => xs.some(nonzero)));
        expect(list(np.all(x, { axis: s.axes, where }))).toEqual(of(some, (xs) => xs.every(nonzero)));
        expect(list(np.any(x, { axis: s.axes, where }))).toEqual(of(some, (xs) => xs.some(nonzero)));
        expect(list(np.countNonzero(x, s.axes))).toEqual(of(everything, (xs) => xs.filter(nonzero).length));
      }),
    );
  });
});

describe("dtypes of reductions", () => {
  it("sums of booleans and small integers are made in 32 bits", () => {
    expect([np.sum(np.array([true, true])).dtype, np.sum(np.array([true, true])).item()]).toEqual([
      "int32",
      2,
    ]);
    const bytes = np.array([200, 100], "uint8");
    expect([np.sum(bytes).dtype, np.sum(bytes).item()]).toEqual(["uint32", 300]);
    expect(np.max(bytes).dtype).toBe("uint8");
    expect(np.mean(bytes).dtype).toBe("float32");
    expect(np.var(np.array([true, false])).item()).toBe(0.25);
    expect(np.sum(np.array([1.7, 2.2]), { dtype: "int32" }).item()).toBe(3);
    expect(np.mean(np.array([1, 2], "int32"), { dtype: "float64" }).dtype).toBe("float64");
    expect(np.sum(3).weakType).toBe(false);
    expect(np.max(3).weakType).toBe(false);
  });

  it("half precision is summed in single precision", () => {
    const x = np.full([5000], 30, "float16");
    expect([np.mean(x).dtype, np.mean(x).item()]).toEqual(["float16", 30]);
    expect(np.std(np.array([300, -300], "float16")).item()).toBe(300);
    expect(np.sum(np.array([60000, 60000, -60000], "float16")).item()).toBe(60000);
    expect(makeJaxpr((v: NDArray) => np.sum(v))(x).toString()).toContain("reduceSum[axes=[0]]");
    expect(makeJaxpr((v: NDArray) => np.sum(v))(x).toString()).toContain("f32[5000]");
  });

  it("a plain sum is one equation", () => {
    const count = (f: (x: NDArray) => NDArray): number => makeJaxpr(f)(np.ones([2, 3])).jaxpr.eqns.length;
    expect(count((x) => np.sum(x))).toBe(1);
    expect(count((x) => np.max(x, 0))).toBe(1);
    expect(count((x) => np.mean(x, { axis: 0 }))).toBe(2);
    expect(count((x) => np.sum(x, { axis: [] }))).toBe(0);
  });
});

describe("corners of reductions", () => {
  const empty = np.zeros([2, 0]);

  it("nothing at all", () => {
    expect(np.sum(empty).item()).toBe(0);
    expect(np.prod(empty, 1).tolist()).toEqual([1, 1]);
    expect(np.mean(empty, 1).tolist()).toEqual([nan, nan]);
    expect(() => np.max(empty)).toThrow(
      /max of no elements does not exist \(float32\[2,0\]\); see the option initial/,
    );
    expect(() => np.argmin(empty, 1)).toThrow(ShapeError);
    expect(np.max(empty, 0).shape).toEqual([0]);
    expect(np.max(empty, { axis: 1, initial: -inf, keepdims: true }).tolist()).toEqual([[-inf], [-inf]]);
    expect(np.median(empty, 1).tolist()).toEqual([nan, nan]);
  });

  it("NaN wins, ties share the derivative", () => {
    expect(np.max(np.array([1, nan, 3])).item()).toBe(nan);
    expect(grad((x: NDArray) => np.max(x))(np.array([3, 1, 3, 1])).tolist()).toEqual([0.5, 0, 0.5, 0]);
    const masked = (x: NDArray): NDArray => np.max(x, { where: np.array([true, false, true]), initial: 0 });
    expect(grad(masked)(np.array([1, 9, 2])).tolist()).toEqual([0, 0, 1]);
    expect(masked(np.array([-1, 9, -2])).item()).toBe(0);
  });

  it("too few elements for ddof give NaN, also where a mask decides", () => {
    const x = np.array([
      [1, 2, 4],
      [3, 5, 7],
    ]);
    expect(np.var(x, { axis: 0, ddof: 2 }).tolist()).toEqual([nan, nan, nan]);
    expect(np.std(x, { axis: 1, correction: 1 }).tolist()[1 as never]).toBe(2);
    const where = np.array([
      [true, false, false],
      [true, true, false],
    ]);
    expect(np.var(x, { axis: 1, ddof: 1, where }).tolist()).toEqual([nan, 2]);
    expect(() => np.var(x, { ddof: 1, correction: 1 })).toThrow(/two names of one option/);
  });

  it("the derivative of a variance sums to nothing", () => {
    const g = grad((x: NDArray) => np.var(x, { ddof: 1 }))(np.array([1, 2, 4, 9], "float64"));
    // 2 (x - mean) / (n - 1)
    expectClose(g, [-2, -4 / 3, 0, 10 / 3], 1e-12);
    const [, t] = jvp(
      (x: NDArray) => np.std(x),
      [np.array([1, 3], "float64")],
      [np.array([1, 0], "float64")],
    );
    expectClose(t, -0.5, 1e-12);
  });

  it("options are checked", () => {
    const x = np.ones([2, 3]);
    expect(() => np.sum(x, { axes: 0 } as object)).toThrow(/sum: there is no option "axes"/);
    expect(() => np.sum(x, 2)).toThrow(/sum: 2 is not an axis of an array of shape \[2,3\]/);
    expect(() => np.mean(x, [0, -2])).toThrow(/an axis is named twice/);
    expect(() => np.argmax(x, [0, 1] as never)).toThrow(AxisError);
    expect(() => np.sum(x, x as never)).toThrow(/options must be an object .* got an array/);
    expect(() => np.max(x, { where: true })).toThrow(/max: where needs initial/);
    expect(() => np.sum(x, { where: np.ones([3, 3]) })).toThrow(
      /where is bool\[3,3\], which does not broadcast to \[2,3\]/,
    );
    expect(() => np.sum(x, { dtype: "float" as never })).toThrow(/is not a dtype/);
    expect(np.sum(x, null).item()).toBe(6);
    expect(np.sum(x, { where: false }).item()).toBe(0);
  });

  it("argmax and argmin keep axes if asked", () => {
    const x = np.array([
      [1, 5],
      [7, 2],
    ]);
    expect(np.argmax(x, { keepdims: true }).tolist()).toEqual([[2]]);
    expect(np.argmax(x, { axis: -1, keepdims: true }).tolist()).toEqual([[1], [0]]);
    expect(np.argmin(x, 0).tolist()).toEqual([0, 1]);
    expect(np.ptp(x, { axis: 0, keepdims: true }).tolist()).toEqual([[6, 3]]);
  });

  it("averages with weights", () => {
    const x = np.array([
      [1, 2, 3],
      [4, 5, 9],
    ]);
    const weights = np.array([1, 1, 2]);
    expect(np.average(x, { axis: 1, weights }).tolist()).toEqual([2.25, 6.75]);
    expect(np.average(x, { axis: 1, weights, keepdims: true }).shape).toEqual([2, 1]);
    expect(np.average(x).item()).toBe(4);
    const [average, total] = np.average(x, { weights: x, returned: true });
    expectClose(average, 136 / 24);
    expect(total.item()).toBe(24);
    expect(np.average(x, { axis: 0, returned: true })[1].tolist()).toEqual([2, 2, 2]);
    expect(() => np.average(x, { weights })).toThrow(ShapeError);
    expect(() => np.average(x, { axis: 0, weights })).toThrow(/average: the weights/);
  });
});

describe("past NaN", () => {
  const x = np.array([
    [1, nan, 4],
    [nan, nan, nan],
  ]);

  it("values", () => {
    expect(np.nansum(x, 1).tolist()).toEqual([5, 0]);
    expect(np.nanprod(x, 1).tolist()).toEqual([4, 1]);
    expect(np.nanmean(x, 1).tolist()).toEqual([2.5, nan]);
    expect(np.nanvar(x, 1).tolist()).toEqual([2.25, nan]);
    expect(np.nanstd(x, { axis: 1, ddof: 1 }).tolist()[1 as never]).toBe(nan);
    expect(np.nanmax(x, 1).tolist()).toEqual([4, nan]);
    expect(np.nanmin(x, { axis: 0, keepdims: true }).tolist()).toEqual([[1, nan, 4]]);
    expect(np.nanmin(x, { axis: 1, initial: 2 }).tolist()).toEqual([1, 2]);
    expect(np.nanargmax(x, 1).tolist()).toEqual([2, -1]);
    expect(np.nanargmin(x).item()).toBe(0);
    expect(np.nanmedian(x, 1).tolist()).toEqual([2.5, nan]);
    expect(np.nancumsum(x, 1).tolist()).toEqual([
      [1, 1, 5],
      [0, 0, 0],
    ]);
    expect(np.nancumprod(x, 1).tolist()).toEqual([
      [1, 1, 4],
      [1, 1, 1],
    ]);
    expect(np.nanmean(x, { where: np.array([true, true, false]) }).item()).toBe(1);
    for (const f of [np.nansum, np.nanmax, np.nanmin, np.nanargmax])
      expect(f(np.array([3, 1], "int32")).dtype).toBe("int32");
    expect(np.nanmean(np.array([3, 1], "int32")).item()).toBe(2);
    expect(() => np.nansum(x, { axes: 1 } as object)).toThrow(/nansum: there is no option "axes"/);
  });

  it("derivatives pass over them too", () => {
    const row = np.array([1, nan, 4]);
    for (const [f, want] of [
      [np.nansum, [1, 0, 1]],
      [np.nanprod, [4, 0, 1]],
      [np.nanmean, [0.5, 0, 0.5]],
      [np.nanvar, [-1.5, 0, 1.5]],
      [np.nanstd, [-0.5, 0, 0.5]],
      [np.nanmax, [0, 0, 1]],
      [np.nanmedian, [0.5, 0, 0.5]],
    ] as const)
      expect(grad((v: NDArray) => f(v))(row).tolist()).toEqual(want);
  });
});

describe("quantiles", () => {
  /** The definition for sorted numbers (Hyndman and Fan, type 7). */
  function meaning(sorted: number[], q: number, method: string): number {
    const place = q * (sorted.length - 1);
    const [lower, upper] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    const weight = place - Math.floor(place);
    if (method === "lower") return lower;
    if (method === "higher") return upper;
    if (method === "midpoint") return (lower + upper) / 2;
    if (method === "nearest") return weight <= 0.5 ? lower : upper;
    return lower + (upper - lower) * weight;
  }

  it("are what they are defined to be, for known and for traced fractions, with NaN among the elements or not", () => {
    const lists = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 6 });
    const methods = fc.constantFrom("linear", "lower", "higher", "midpoint", "nearest");
    fc.assert(
      fc.property(
        lists,
        fc.array(fc.integer({ min: 0, max: 64 }), { minLength: 1, maxLength: 3 }),
        methods,
        (xs, q64, method) => {
          const qs = q64.map((q) => q / 64);
          const sorted = [...xs].sort((a, b) => a - b);
          const want = qs.map((q) => meaning(sorted, q, method));
          const x = np.array(xs, "float64");
          const traced = np.array(qs, "float64");
          expectClose(np.quantile(x, qs, { method }), want, 1e-12);
          expectClose(np.quantile(x, traced, { method }), want, 1e-12);
          expectClose(np.quantile(x, qs[0], { method }), want[0], 1e-12);
          expectClose(jit((v: NDArray, q: NDArray) => np.quantile(v, q, { method }))(x, traced), want, 1e-12);
          expectClose(
            np.percentile(
              x,
              qs.map((q) => 100 * q),
              { method },
            ),
            want,
            1e-12,
          );
          const holes = np.array([nan, ...xs, nan], "float64");
          expectClose(np.nanquantile(holes, qs, { method }), want, 1e-12);
          expectClose(np.nanpercentile(holes, np.multiply(traced, 100), { method }), want, 1e-12);
          expect(np.quantile(holes, qs).tolist()).toEqual(qs.map(() => nan));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("put the fractions in front of the axes that are left", () => {
    const x = np.arange(24, "float32").reshape(2, 3, 4);
    expect(np.quantile(x, [0.1, 0.9], { axis: [0, 2] }).shape).toEqual([2, 3]);
    expect(np.quantile(x, [0.1, 0.9], { axis: [0, 2], keepdims: true }).shape).toEqual([2, 1, 3, 1]);
    expect(np.quantile(x, np.array([[0.1], [0.9]]), 1).shape).toEqual([2, 1, 2, 4]);
    expect(np.median(x, { axis: 1, keepdims: true }).tolist()).toEqual(
      np.take(x, np.array([1], "int32"), 1).tolist(),
    );
    expect(np.nanmedian(x, 0).tolist()).toEqual(np.mean(x, 0).tolist());
    expect(vmap((v: NDArray) => np.median(v, 0))(x).tolist()).toEqual(np.median(x, 1).tolist());
  });

  it("infinite neighbours do no harm", () => {
    const x = np.array([inf, 1, -inf]);
    expect(np.quantile(x, [0, 0.5, 1]).tolist()).toEqual([-inf, 1, inf]);
    expect(np.quantile(x, np.array([0, 0.5, 1])).tolist()).toEqual([-inf, 1, inf]);
    expect(np.median(x).item()).toBe(1);
  });

  it("have derivatives in elements and fractions", () => {
    const x = np.array([3.5, 1, 2], "float64");
    expectClose(grad((v: NDArray) => np.quantile(v, 0.3))(x), [0, 0.4, 0.6], 1e-12);
    expectClose(grad((q: NDArray) => np.quantile(x, q))(np.array(0.3, "float64")), 2, 1e-12);
  });

  it("check fractions and methods", () => {
    const x = np.ones(3);
    expect(() => np.quantile(x, 1.5)).toThrow(/quantile needs numbers from 0 to 1, got 1.5/);
    expect(() => np.percentile(x, [50, -1])).toThrow(/percentile needs numbers from 0 to 100, got -1/);
    expect(() => np.quantile(x, nan)).toThrow(ArgumentError);
    expect(() => np.quantile(x, 0.5, { method: "cubic" as never })).toThrow(/the method must be one of/);
    expect(() => np.median(x, { method: "lower" } as object)).toThrow(/median: there is no option "method"/);
  });
});

describe("running sums and products", () => {
  it("run along an axis, or over everything", () => {
    const x = np.array([
      [1, 2],
      [3, 4],
    ]);
    expect(np.cumsum(x).tolist()).toEqual([1, 3, 6, 10]);
    expect(np.cumsum(x, -1).tolist()).toEqual([
      [1, 3],
      [3, 7],
    ]);
    expect(np.cumprod(x, { axis: 0, dtype: "int32" }).tolist()).toEqual([
      [1, 2],
      [3, 8],
    ]);
    expect(np.cumsum(5).tolist()).toEqual([5]);
    expect(np.cumsum(np.array([true, true])).dtype).toBe("int32");
    expect(np.cumsum(np.array([200, 100], "uint8")).tolist()).toEqual([200, 44]);
    expect(grad((v: NDArray) => np.sum(np.cumprod(v)))(np.array([2, 0, 3])).tolist()).toEqual([1, 8, 0]);
  });

  it("may start with nothing", () => {
    const x = np.array([
      [1, 2],
      [3, 4],
    ]);
    expect(np.cumulativeSum(x, { axis: 1, includeInitial: true }).tolist()).toEqual([
      [0, 1, 3],
      [0, 3, 7],
    ]);
    expect(np.cumulativeProd(x, { axis: 0, includeInitial: true }).tolist()).toEqual([
      [1, 1],
      [1, 2],
      [3, 8],
    ]);
    expect(np.cumulativeSum(np.array([1, 2])).tolist()).toEqual([1, 3]);
    expect(() => np.cumulativeSum(x)).toThrow(/float32\[2,2\] is not a vector, so it needs an axis/);
    expect(() => np.cumulativeSum(x, { axis: 2 })).toThrow(AxisError);
  });
});
