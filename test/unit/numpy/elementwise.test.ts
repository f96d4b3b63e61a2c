import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import type { ArrayLike } from "../../../src/core/methods.js";
import * as np from "../../../src/numpy/index.js";
import { grad } from "../../../src/transforms/grad.js";
import { jit } from "../../../src/transforms/jit.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { expectClose, slope } from "./compare.js";

const { inf, nan } = np;

interface Case {
  readonly f: (x: ArrayLike) => NDArray;
  /** The meaning in double precision. */
  readonly of: (x: number) => number;
  /** Points at which it is defined and smooth. */
  readonly at: readonly number[];
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

const unary: Readonly<Record<string, Case>> = {
  exp: { f: np.exp, of: Math.exp, at: [-2, 0, 1.5] },
  exp2: { f: np.exp2, of: (x) => 2 ** x, at: [-2, 0, 1.5] },
  expm1: { f: np.expm1, of: Math.expm1, at: [-2, 0, 1e-5, 1.5] },
  log: { f: np.log, of: Math.log, at: [0.1, 1, 7] },
  log1p: { f: np.log1p, of: Math.log1p, at: [-0.5, 0, 1e-5, 7] },
  log2: { f: np.log2, of: Math.log2, at: [0.1, 1, 8] },
  log10: { f: np.log10, of: Math.log10, at: [0.1, 1, 1000] },
  sin: { f: np.sin, of: Math.sin, at: [-2, 0, 1] },
  cos: { f: np.cos, of: Math.cos, at: [-2, 0, 1] },
  tan: { f: np.tan, of: Math.tan, at: [-1, 0, 1] },
  asin: { f: np.asin, of: Math.asin, at: [-0.5, 0, 0.9] },
  acos: { f: np.acos, of: Math.acos, at: [-0.5, 0, 0.9] },
  atan: { f: np.atan, of: Math.atan, at: [-5, 0, 1] },
  sinh: { f: np.sinh, of: Math.sinh, at: [-2, 0, 1] },
  cosh: { f: np.cosh, of: Math.cosh, at: [-2, 0, 1] },
  tanh: { f: np.tanh, of: Math.tanh, at: [-2, 0, 1] },
  asinh: { f: np.asinh, of: Math.asinh, at: [-5, 0, 1] },
  acosh: { f: np.acosh, of: Math.acosh, at: [1.5, 7] },
  atanh: { f: np.atanh, of: Math.atanh, at: [-0.5, 0, 0.9] },
  sqrt: { f: np.sqrt, of: Math.sqrt, at: [0.25, 2] },
  cbrt: { f: np.cbrt, of: Math.cbrt, at: [-8, 2] },
  square: { f: np.square, of: (x) => x * x, at: [-3, 0, 2] },
  reciprocal: { f: np.reciprocal, of: (x) => 1 / x, at: [-3, 0.5] },
  negative: { f: np.negative, of: (x) => -x, at: [-3, 0.5] },
  abs: { f: np.abs, of: Math.abs, at: [-3, 0.5] },
  fabs: { f: np.fabs, of: Math.abs, at: [-3, 0.5] },
  deg2rad: { f: np.deg2rad, of: (x) => (x * Math.PI) / 180, at: [-90, 45] },
  rad2deg: { f: np.rad2deg, of: (x) => (x * 180) / Math.PI, at: [-3, 1] },
  sinc: { f: np.sinc, of: sinc, at: [-1.5, 0.05, 0.0795, 0.0797, 3] },
};

describe("functions of one array", () => {
  for (const [name, { f, of, at }] of Object.entries(unary)) {
    it(`${name} has its values and derivatives`, () => {
      const x = np.array([...at], "float64");
      expect(f(x).dtype).toBe("float64");
      expectClose(f(x), at.map(of), 1e-14);
      const slopes = at.map((v) => slope(of, v));
      expectClose(grad((v: NDArray) => np.sum(f(v)))(x), slopes, 1e-8);
    });

    it(`${name} keeps float32 and float16, and works under jit and vmap`, () => {
      // Compiled programs compute in float32 what small arrays compute in double precision: a few roundings differ.
      for (const [dtype, rounding] of [
        ["float32", 4e-7],
        ["float16", 1e-3],
      ] as const) {
        const x = np.array([...at], dtype);
        expect(f(x).dtype).toBe(dtype);
        expectClose(jit((v: NDArray) => f(v))(x), f(x).tolist(), rounding);
        expect(vmap((v: NDArray) => f(v))(x).tolist()).toEqual(f(x).tolist());
      }
    });
  }

  it("takes integers and booleans as float32 where only floats make sense", () => {
    for (const f of [np.exp, np.log, np.sin, np.tanh, np.sqrt, np.cbrt, np.reciprocal, np.rint, np.fabs]) {
      expect(f(np.array([1, 2], "int32")).dtype).toBe("float32");
      expect(f(np.array([true])).dtype).toBe("float32");
    }
    for (const f of [np.negative, np.square, np.abs, np.sign, np.floor, np.ceil, np.trunc, np.round])
      expect(f(np.array([1, 2], "uint8")).dtype).toBe("uint8");
  });

  it("refuses what is no number", () => {
    expect(() => np.exp("1" as unknown as number)).toThrow(
      /exp takes arrays, numbers and booleans, got a string/,
    );
    expect(() => np.sin([1] as unknown as number)).toThrow(/sin takes .* got a JavaScript array/);
    expect(() => np.negative(true)).toThrow(/negative is not defined for bool; use np.logicalNot/);
    expect(() => np.subtract(true, false)).toThrow(/subtract is not defined for bool; use np.logicalXor/);
  });

  it("gives equal functions equal names", () => {
    const names = { asin: "arcsin", acos: "arccos", atan: "arctan", atan2: "arctan2", asinh: "arcsinh" };
    const more = { acosh: "arccosh", atanh: "arctanh", power: "pow", mod: "remainder", divide: "trueDivide" };
    const exported = np as unknown as Record<string, unknown>;
    for (const [name, alias] of Object.entries({
      ...names,
      ...more,
      abs: "absolute",
      round: "around",
      deg2rad: "radians",
    }))
      expect(exported[alias]).toBe(exported[name]);
  });
});

describe("functions of two arrays", () => {
  const operands: readonly (readonly [
    (x: ArrayLike, y: ArrayLike) => NDArray,
    (x: number, y: number) => number,
  ])[] = [
    [np.add, (x, y) => x + y],
    [np.subtract, (x, y) => x - y],
    [np.multiply, (x, y) => x * y],
    [np.divide, (x, y) => x / y],
    [np.power, (x, y) => x ** y],
    [np.atan2, Math.atan2],
    [np.hypot, Math.hypot],
    [np.maximum, Math.max],
    [np.minimum, Math.min],
    [np.fmax, Math.max],
    [np.fmin, Math.min],
    [np.mod, (x, y) => x - y * Math.floor(x / y)],
    [np.fmod, (x, y) => x % y],
    [np.logaddexp, (x, y) => Math.log(Math.exp(x) + Math.exp(y))],
    [np.logaddexp2, (x, y) => Math.log2(2 ** x + 2 ** y)],
    [np.copysign, (x, y) => Math.abs(x) * Math.sign(y)],
  ];

  it("broadcast, and have derivatives of the operands' own shapes", () => {
    const [xs, ys] = [
      [0.7, 2.3],
      [1.1, 0.4, 3.2],
    ];
    const [x, y] = [np.array([[xs[0]], [xs[1]]], "float64"), np.array(ys, "float64")];
    for (const [f, of] of operands) {
      expectClose(
        f(x, y),
        xs.map((a) => ys.map((b) => of(a, b))),
        1e-13,
      );
      const [dx, dy] = grad((a: NDArray, b: NDArray) => np.sum(f(a, b)), { argnums: [0, 1] })(x, y);
      expect([dx.shape, dy.shape]).toEqual([[2, 1], [3]]);
      const total = (g: (t: number) => number, at: number): number => slope(g, at);
      expectClose(
        dx,
        xs.map((a) => total((t) => ys.reduce((s, b) => s + of(t, b), 0), a)),
        1e-8,
      );
      expectClose(
        dy,
        ys.map((b) => total((t) => xs.reduce((s, a) => s + of(a, t), 0), b)),
        1e-8,
      );
    }
  });

  it("take a JavaScript number in the full precision of the array", () => {
    expect(np.add(np.array([0], "float64"), 0.1).item()).toBe(0.1);
    expect(np.multiply(0.1, np.array([1], "float64")).item()).toBe(0.1);
    expect(np.maximum(np.array([0], "float64"), 1e-300).item()).toBe(1e-300);
  });

  it("say which shapes do not go together", () => {
    expect(() => np.add(np.zeros([2]), np.zeros([3]))).toThrow(
      /add: shapes of float32\[2\], float32\[3\] do not broadcast/,
    );
    expect(() => np.hypot(np.zeros([2, 1]), np.zeros([3, 1]))).toThrow(/hypot/);
  });

  it("record no more than they need", () => {
    const lines = (f: (x: NDArray) => NDArray, x: NDArray): number => makeJaxpr(f)(x).jaxpr.eqns.length;
    const x = np.ones([3]);
    expect(lines((v) => np.add(v, 1), x)).toBe(1);
    expect(lines((v) => np.multiply(2.5, v), x)).toBe(1);
    expect(lines((v) => np.add(v, 2), np.ones([3], "int32"))).toBe(1);
    expect(lines((v) => np.sin(v), x)).toBe(1);
    expect(lines((v) => np.power(v, 2), x)).toBe(1);
    expect(lines((v) => np.where(np.greater(v, 0), v, 0), x)).toBe(2);
    expect(lines((v) => np.clip(v, 0, 1), x)).toBe(2);
  });
});

describe("infinities, NaN and zeros", () => {
  it("hypot does not overflow, and is infinite if an operand is", () => {
    const x = np.array([3e38, inf, -inf, nan, 0, 1e-40]);
    const y = np.array([1e38, nan, 1, 2, -0, 1e-40]);
    expectClose(np.hypot(x, y), [3.1622777e38, inf, inf, nan, 0, 1.4142137e-40]);
  });

  it("hypot has its derivatives where operands tie, and finite ones at the origin", () => {
    const hessianAt = (a: number, b: number): number[][] => {
      const g = (v: NDArray): NDArray => grad((u: NDArray) => np.hypot(u.slice(0), u.slice(1)))(v);
      const x = np.array([a, b], "float64");
      return [0, 1].map((i) => grad((v: NDArray) => g(v).slice(i))(x).tolist() as number[]);
    };
    const r = Math.SQRT2;
    expectClose(np.array(hessianAt(1, 1), "float64"), [
      [0.5 / r, -0.5 / r],
      [-0.5 / r, 0.5 / r],
    ]);
    expectClose(np.array(hessianAt(0, 2), "float64"), [
      [0.5, 0],
      [0, 0],
    ]);
    const both = grad(np.hypot, { argnums: [0, 1] });
    expect(both(np.zeros([]), np.zeros([])).map((g) => g.item())).toEqual([0.5, 0.5]);
  });

  it("logaddexp is exact far apart, at infinities and where operands tie", () => {
    const x = np.array([0, 0, inf, -inf, inf, -inf, nan]);
    const y = np.array([-50, 800, 1, 1, inf, -inf, 1]);
    expectClose(np.logaddexp(x, y), [Math.exp(-50), 800, inf, 1, inf, -inf, nan], 1e-6);
    expect(np.logaddexp(0, np.array([-50], "float64")).item()).toBeCloseTo(Math.exp(-50), 30);
    const d = (f: (v: NDArray) => NDArray) => grad(f);
    const at = np.array(0.5, "float64");
    const first = d((v) => np.logaddexp(v, 0.5));
    expect(first(at).item()).toBeCloseTo(0.5, 14);
    expect(d(first)(at).item()).toBeCloseTo(0.25, 14);
    expect(d(d(first))(at).item()).toBeCloseTo(0, 14);
    const [dx, dy] = grad((a: NDArray, b: NDArray) => np.sum(np.logaddexp(a, b)), { argnums: [0, 1] })(
      np.array([-inf, inf, 3]),
      np.array([0, 0, -inf]),
    );
    expect([dx.tolist(), dy.tolist()]).toEqual([
      [0, 1, 1],
      [1, 0, 0],
    ]);
  });

  it("sinc is exact at 0 and beside it, to order 4", () => {
    let f: (x: NDArray) => NDArray = np.sinc;
    const pi = Math.PI;
    // From the series 1 - (πx)²/6 + (πx)⁴/120 - ...
    for (const want of [1, 0, -(pi ** 2) / 3, 0, pi ** 4 / 5]) {
      expect(f(np.array(0, "float64")).item()).toBeCloseTo(want, 12);
      const near = want === 0 ? undefined : f(np.array(1e-4, "float64")).item();
      if (near !== undefined) expect(Math.abs((near as number) - want) / Math.abs(want)).toBeLessThan(1e-6);
      f = grad(f);
    }
  });

  it("the polynomial and the quotient of sinc meet", () => {
    const edge = 0.25 / Math.PI;
    const f4 = grad(grad(grad(grad(np.sinc))));
    const [below, above] = [
      f4(np.array(edge * (1 - 1e-12), "float64")),
      f4(np.array(edge * (1 + 1e-12), "float64")),
    ];
    expect(Math.abs(np.subtract(below, above).item() as number)).toBeLessThan(1e-7);
  });

  it("extremes with NaN, and half of the derivative for each of equal operands", () => {
    const [x, y] = [np.array([1, nan, nan, 2]), np.array([nan, 1, nan, 3])];
    expectClose(np.maximum(x, y), [nan, nan, nan, 3]);
    expectClose(np.fmax(x, y), [1, 1, nan, 3]);
    expectClose(np.fmin(x, y), [1, 1, nan, 2]);
    for (const f of [np.maximum, np.minimum, np.fmax, np.fmin])
      expect(grad((v: NDArray) => f(v, 3))(np.array(3, "float32")).item()).toBe(0.5);
    expect(grad((v: NDArray) => np.sum(np.fmax(v, y)))(x).tolist()).toEqual([1, 0, 0, 0]);
  });

  it("signs of zeros", () => {
    expect(np.trunc(np.array([-0.5, -0, 0.5])).tolist()).toEqual([-0, -0, 0]);
    expect(np.signbit(np.array([-0, 0, -inf, nan])).tolist()).toEqual([true, false, true, false]);
    expect(np.signbit(np.array([-0, 1e300, -1e-300], "float64")).tolist()).toEqual([true, false, true]);
    expect(np.signbit(np.array([-1, 1], "int32")).tolist()).toEqual([true, false]);
    expect(np.copysign(np.array([1, -1, 0]), np.array([-0, 0, -1])).tolist()).toEqual([-1, 1, -0]);
    expect(np.heaviside(np.array([-0, 0, nan, -2, 3]), 0.5).tolist()).toEqual([0.5, 0.5, nan, 0, 1]);
  });

  it("tests for infinities and NaN also answer for integers", () => {
    const x = np.array([1, inf, -inf, nan]);
    expect(np.isfinite(x).tolist()).toEqual([true, false, false, false]);
    expect(np.isinf(x).tolist()).toEqual([false, true, true, false]);
    expect(np.isnan(x).tolist()).toEqual([false, false, false, true]);
    expect(np.isposinf(x).tolist()).toEqual([false, true, false, false]);
    expect(np.isneginf(x).tolist()).toEqual([false, false, true, false]);
    const n = np.array([0, 7], "int32");
    for (const f of [np.isinf, np.isnan, np.isposinf, np.isneginf])
      expect(f(n).tolist()).toEqual([false, false]);
    expect(np.isfinite(n).tolist()).toEqual([true, true]);
  });

  it("nanToNum replaces what is not finite, in values and derivatives", () => {
    const x = np.array([nan, inf, -inf, 2]);
    const max = 3.4028234663852886e38;
    expect(np.nanToNum(x).tolist()).toEqual([0, max, -max, 2]);
    expect(np.nanToNum(x, { nan: 1, posinf: 2, neginf: np.array([3, 4, 5, 6]) }).tolist()).toEqual([
      1, 2, 5, 2,
    ]);
    expect(np.nanToNum(np.array([inf], "float16")).item()).toBe(65504);
    expect(grad((v: NDArray) => np.sum(np.nanToNum(v)))(x).tolist()).toEqual([0, 0, 0, 1]);
    expect(() => np.nanToNum(x, { Nan: 1 } as object)).toThrow(/there is no option "Nan"/);
  });

  it("the spacing of numbers", () => {
    expect(np.spacing(np.array([1, -1], "float64")).tolist()).toEqual([2 ** -52, -(2 ** -52)]);
    expect(np.spacing(np.array([1], "float16")).item()).toBe(2 ** -10);
    expect(np.nextafter(np.array([1, 0]), np.array([2, -1])).tolist()).toEqual([1 + 2 ** -23, -(2 ** -149)]);
  });

  it("ldexp does not lose what 2^n alone cannot represent", () => {
    const x = np.array([2 ** 100, 2 ** -100, 3]);
    const n = np.array([-160, 200, 0], "int32");
    expect(np.ldexp(x, n).tolist()).toEqual([2 ** -60, 2 ** 100, 3]);
    const y = np.array([2 ** 120], "float32");
    expect(np.ldexp(y, -150).item()).toBe(2 ** -30);
  });
});

describe("laws", () => {
  const float = fc.double({ min: -1e3, max: 1e3, noNaN: true });

  it("modf takes x apart, and truncation rounds towards zero", () => {
    fc.assert(
      fc.property(fc.array(float, { minLength: 1, maxLength: 5 }), (xs) => {
        const [fraction, whole] = np.modf(np.array(xs, "float64"));
        expect(np.add(fraction, whole).tolist()).toEqual(xs.map((x) => x + 0));
        expect(whole.tolist()).toEqual(xs.map(Math.trunc));
      }),
    );
  });

  it("rounding to decimals is half to even and never off by more than half a unit", () => {
    expect(np.round(np.array([0.5, 1.5, 2.5, -0.5], "float64")).tolist()).toEqual([0, 2, 2, -0]);
    expect(np.round(np.array([0.125, 0.375], "float64"), 2).tolist()).toEqual([0.12, 0.38]);
    expect(np.round(np.array([1e300, inf, nan], "float64"), 10).tolist()).toEqual([1e300, inf, nan]);
    fc.assert(
      fc.property(float, fc.integer({ min: -2, max: 6 }), (x, decimals) => {
        const rounded = np.round(np.array(x, "float64"), { decimals }).item() as number;
        expect(Math.abs(rounded - x)).toBeLessThanOrEqual(0.5 * 10 ** -decimals * (1 + 1e-9));
      }),
    );
    expect(() => np.round(1.5, 0.5)).toThrow(/decimals must be a whole number/);
  });

  it("integers are rounded to tens like floats", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100000, max: 100000 }), fc.integer({ min: 1, max: 3 }), (n, d) => {
        const byFloat = np.round(np.array([n], "float64"), -d).item() as number;
        expect(np.round(np.array([n], "int32"), -d).item()).toBe(byFloat + 0);
      }),
    );
    expect(np.round(np.array([5], "int32"), -12).item()).toBe(0);
  });
});
