import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { dtypes } from "../../../src/core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../../../src/core/errors.js";
import * as np from "../../../src/numpy/index.js";
import { grad } from "../../../src/transforms/grad.js";
import { jit } from "../../../src/transforms/jit.js";

const { inf, nan } = np;

describe("logic and comparison", () => {
  it("takes what is not zero for true", () => {
    const [x, y] = [np.array([0, -0, nan, 2]), np.array([1, 0, 0, 1])];
    expect(np.logicalAnd(x, y).tolist()).toEqual([false, false, false, true]);
    expect(np.logicalOr(x, y).tolist()).toEqual([true, false, true, true]);
    expect(np.logicalXor(x, y).tolist()).toEqual([true, false, true, false]);
    expect(np.logicalNot(x).tolist()).toEqual([true, true, false, false]);
    expect(np.logicalNot(np.array([true])).tolist()).toEqual([false]);
  });

  it("compares after promotion and broadcasting", () => {
    const [x, y] = [np.array([[1], [2]], "int32"), np.array([1, 1.5])];
    expect(np.less(x, y).tolist()).toEqual([
      [false, true],
      [false, false],
    ]);
    expect(np.greaterEqual(x, y).tolist()).toEqual(np.logicalNot(np.less(x, y)).tolist());
    expect(np.lessEqual(x, y).tolist()).toEqual(np.logicalNot(np.greater(x, y)).tolist());
    expect(np.notEqual(x, y).tolist()).toEqual(np.logicalNot(np.equal(x, y)).tolist());
    expect(np.equal(nan, nan).item()).toBe(false);
    expect(np.equal(np.array(4294967295, "uint32"), np.array(4294967294, "uint32")).item()).toBe(false);
  });

  it("isclose is relative to y and knows infinities and NaN", () => {
    const x = np.array([1, 1, inf, inf, nan, 1e10]);
    const y = np.array([1.000005, 1.1, inf, 1, nan, 1.000005e10]);
    expect(np.isclose(x, y).tolist()).toEqual([true, false, true, false, false, true]);
    expect(np.isclose(x, y, { equalNan: true, rtol: 0 }).tolist()).toEqual([
      false,
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(np.isclose(1, inf).item()).toBe(false);
    expect(
      np.isclose(np.array([0, 0]), np.array([1e-3, 1]), { atol: np.array([0.01, 0.01]) }).tolist(),
    ).toEqual([true, false]);
    expect(np.allclose(np.array([1, 2]), 1, { atol: 1 }).item()).toBe(true);
    expect(np.allclose(np.zeros([0]), 1).item()).toBe(true);
    expect(() => np.isclose(1, 1, { tol: 1 } as object)).toThrow(/no option "tol"/);
  });

  it("arrays are equal with their shapes, and equivalent without", () => {
    const [x, y] = [
      np.array([1, nan]),
      np.array([
        [1, nan],
        [1, nan],
      ]),
    ];
    expect(np.arrayEqual(x, x).item()).toBe(false);
    expect(np.arrayEqual(x, x, { equalNan: true }).item()).toBe(true);
    expect(np.arrayEqual(x, y, { equalNan: true }).item()).toBe(false);
    expect(
      np
        .arrayEquiv(
          np.array([1, 2]),
          np.array([
            [1, 2],
            [1, 2],
          ]),
        )
        .item(),
    ).toBe(true);
    expect(np.arrayEquiv(np.zeros(2), np.zeros(3)).item()).toBe(false);
    expect(jit(np.arrayEqual)(np.array([1, 2]), np.array([1, 2])).item()).toBe(true);
  });
});

describe("choosing", () => {
  it("where broadcasts and promotes its three arguments", () => {
    const result = np.where(np.array([[1], [0]]), np.array([1, 2], "int32"), 0.5);
    expect(result.tolist()).toEqual([
      [1, 2],
      [0.5, 0.5],
    ]);
    expect(np.where(true, np.array([1, 2], "uint8"), 3).dtype).toBe("uint8");
    expect(np.where(false, 1, 2).weakType).toBe(true);
    expect(() => np.where(true, 1, undefined as never)).toThrow(ArgumentError);
    expect(() => np.where(np.zeros(2), np.zeros(3), 1)).toThrow(/where: shapes of bool\[2\], float32\[3\]/);
  });

  it("where protects the gradient only if its operand is protected too", () => {
    const plain = grad((x: NDArray) => np.where(np.greater(x, 0), np.sqrt(x), 0));
    const safe = grad((x: NDArray) =>
      np.where(np.greater(x, 0), np.sqrt(np.where(np.greater(x, 0), x, 1)), 0),
    );
    expect(plain(np.zeros([])).item()).toBe(nan);
    expect(safe(np.zeros([])).item()).toBe(0);
  });

  it("clip takes bounds one by one or as options", () => {
    const x = np.array([-2, 0, 0.5, 1, 3]);
    expect(np.clip(x, 0, 1).tolist()).toEqual([0, 0, 0.5, 1, 1]);
    expect(np.clip(x, null, 1).tolist()).toEqual([-2, 0, 0.5, 1, 1]);
    expect(np.clip(x, { min: 0 }).tolist()).toEqual([0, 0, 0.5, 1, 3]);
    expect(np.clip(x, np.array([[0], [1]]), 2).shape).toEqual([2, 5]);
    expect(np.clip(x, 1, 0).tolist()).toEqual([0, 0, 0, 0, 0]);
    expect(np.clip(x).tolist()).toEqual(x.tolist());
    expect(np.clip(np.array([1, 5], "int32"), 0.5, 3).dtype).toBe("float32");
    expect(grad((v: NDArray) => np.sum(np.clip(v, 0, 1)))(x).tolist()).toEqual([0, 0.5, 1, 0.5, 0]);
    expect(() => np.clip(x, { minimum: 0 } as object)).toThrow(/no option "minimum"/);
  });

  it("select takes the first condition that holds", () => {
    const x = np.array([-2, 0.5, 3]);
    const result = np.select([np.less(x, 0), np.less(x, 1)], [np.array(-1, "int32"), x], 9);
    expect(result.tolist()).toEqual([-1, 0.5, 9]);
    expect(np.select([false], [np.array([1, 2])]).tolist()).toEqual([0, 0]);
    expect(() => np.select([true], [])).toThrow(/as many choices as conditions/);
    expect(() => np.select([], [])).toThrow(ArgumentError);
  });

  it("piecewise evaluates branches in the dtype of x", () => {
    const x = np.array([-2, 0.5, 3]);
    const f = (v: NDArray): NDArray =>
      np.piecewise(v, [np.less(v, 0), np.greater(v, 1)], [(u) => np.negative(u), np.square, 7]);
    expect(f(x).tolist()).toEqual([2, 7, 9]);
    expect(grad((v: NDArray) => np.sum(f(v)))(x).tolist()).toEqual([-1, 0, 6]);
    expect(np.piecewise(np.array([1, 2], "int32"), [np.array([true, false])], [2.7]).tolist()).toEqual([
      2, 0,
    ]);
    expect(() => np.piecewise(x, [true], [])).toThrow(/as many branches as conditions, or one more/);
  });
});

describe("dtypes and shapes", () => {
  it("constants name themselves", () => {
    expect([np.float16, np.float32, np.float64, np.int32, np.uint32, np.uint8, np.bool_]).toEqual([
      "float16",
      "float32",
      "float64",
      "int32",
      "uint32",
      "uint8",
      "bool",
    ]);
    expect([np.pi, np.e, np.inf, np.newaxis]).toEqual([Math.PI, Math.E, Infinity, null]);
  });

  it("safe casts keep every value, and promotion is commutative and safe upwards from integers to doubles", () => {
    const samples = {
      bool: [0, 1],
      uint8: [0, 255],
      uint32: [0, 4294967295],
      int32: [-(2 ** 31), 2 ** 31 - 1],
    };
    for (const [from, values] of Object.entries(samples) as [keyof typeof samples, number[]][])
      for (const to of dtypes) {
        const x = np.array(values, from);
        const back = np.astype(np.astype(x, to), "float64").tolist();
        if (np.canCast(from, to)) expect(back).toEqual(values);
        else expect(back).not.toEqual(values);
      }
    expect(np.canCast("float32", "float16")).toBe(false);
    expect(np.canCast("float16", "float64")).toBe(true);
    expect(np.canCast("float64", "float32", "sameKind")).toBe(true);
    expect(np.canCast("float32", "int32", "sameKind")).toBe(false);
    expect(np.canCast("uint8", "int32", "equiv")).toBe(false);
    expect(np.canCast("float32", "bool", "unsafe")).toBe(true);
    expect(() => np.canCast("float32", "bool", "kind" as never)).toThrow(ArgumentError);
    for (const a of dtypes) for (const b of dtypes) expect(np.promoteTypes(a, b)).toBe(np.promoteTypes(b, a));
  });

  it("resultType takes arrays, numbers and dtypes", () => {
    expect(np.resultType("int32", 1.5)).toBe("float32");
    expect(np.resultType(np.zeros(2, "float16"), 1.5, "uint8")).toBe("float16");
    expect(np.resultType(true, 2)).toBe("int32");
    expect(() => np.resultType()).toThrow(ArgumentError);
    expect(() => np.resultType("float" as never)).toThrow(DtypeError);
  });

  it("issubdtype knows the kinds", () => {
    const kinds = [
      "generic",
      "number",
      "integer",
      "signedinteger",
      "unsignedinteger",
      "inexact",
      "floating",
    ] as const;
    const of = (d: (typeof dtypes)[number]): string[] => kinds.filter((k) => np.issubdtype(d, k));
    expect(of("bool")).toEqual(["generic"]);
    expect(of("uint8")).toEqual(["generic", "number", "integer", "unsignedinteger"]);
    expect(of("int32")).toEqual(["generic", "number", "integer", "signedinteger"]);
    expect(of("float16")).toEqual(["generic", "number", "inexact", "floating"]);
    expect(np.issubdtype("float32", "float64")).toBe(false);
    expect(() => np.issubdtype("float32", "complex" as never)).toThrow(/neither a dtype nor one of generic/);
  });

  it("limits are those of the numbers", () => {
    for (const dtype of ["float16", "float32", "float64"] as const) {
      const { eps, max, tiny, smallestSubnormal, bits, nmant } = np.finfo(dtype);
      const one = np.array(1, dtype);
      expect(np.subtract(np.nextafter(one, inf), one).item()).toBe(eps);
      expect(np.subtract(one, np.nextafter(one, 0)).item()).toBe(np.finfo(one).epsneg);
      expect(np.nextafter(np.array(inf, dtype), 0).item()).toBe(max);
      expect(np.nextafter(np.array(0, dtype), 1).item()).toBe(smallestSubnormal);
      expect(np.array(tiny, dtype).item()).toBe(tiny);
      expect(bits).toBe({ float16: 16, float32: 32, float64: 64 }[dtype]);
      expect(2 ** -nmant).toBe(eps);
    }
    expect(np.iinfo("uint8")).toEqual({ dtype: "uint8", bits: 8, min: 0, max: 255 });
    expect(np.iinfo(np.zeros(1, "int32")).min).toBe(-(2 ** 31));
    expect(() => np.finfo("int32")).toThrow(/see np.iinfo/);
    expect(() => np.iinfo("bool")).toThrow(DtypeError);
  });

  it("shapes", () => {
    const x = np.zeros([2, 3, 4]);
    expect([np.ndim(x), np.size(x), np.size(x, 1), np.size(x, [0, -1]), np.ndim(2)]).toEqual([
      3, 24, 3, 8, 0,
    ]);
    expect(np.shape(x)).toEqual([2, 3, 4]);
    expect(np.broadcastShapes([2, 1], 3, [])).toEqual([2, 3]);
    expect(() => np.broadcastShapes([2], [3])).toThrow(
      /broadcastShapes: \[2\], \[3\] do not broadcast together/,
    );
    expect([1, true, np.array(2), np.zeros(1), "1"].map(np.isscalar)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(() => np.size(x, { axes: 1 } as object)).toThrow(ArgumentError);
    expect(() => np.broadcastShapes([1.5])).toThrow(ShapeError);
  });
});
