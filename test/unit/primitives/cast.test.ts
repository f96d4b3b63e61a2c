import { describe, expect, it } from "vitest";
import { ConcreteArray, type NDArray, scalar } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { mul } from "../../../src/primitives/arithmetic.js";
import {
  bitcastConvertType,
  convertElementType,
  reducePrecision,
  stopGradient,
} from "../../../src/primitives/cast.js";
import { exp } from "../../../src/primitives/exponential.js";
import { jvp } from "../../../src/transforms/forward.js";
import { grad } from "../../../src/transforms/grad.js";
import { jit } from "../../../src/transforms/jit.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { bool, f16, f32, f64, i32, list, refusal, u8, u32 } from "./arrays.js";

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;
const lowest = -2147483648;

describe("convertElementType", () => {
  it("drops the fraction of floats and saturates", () => {
    const x = f64([3e9, -3e9, 5e9, 300, -1.5, 2.9, -0.5, nan, inf, -inf]);
    expect(list(convertElementType(x, "int32"))).toEqual([
      2147483647,
      lowest,
      2147483647,
      300,
      -1,
      2,
      0,
      0,
      2147483647,
      lowest,
    ]);
    expect(list(convertElementType(x, "uint32"))).toEqual([
      3e9, 0, 4294967295, 300, 0, 2, 0, 0, 4294967295, 0,
    ]);
    expect(list(convertElementType(x, "uint8"))).toEqual([255, 0, 255, 255, 0, 2, 0, 0, 255, 0]);
    expect(list(convertElementType(x, "bool"))).toEqual(Array.from({ length: 10 }, () => 1));
    expect(list(convertElementType(f64([0, -0, 1e-300]), "bool"))).toEqual([0, 0, 1]);
  });

  it("wraps integers around", () => {
    expect(list(convertElementType(i32([-1, 300, -129]), "uint8"))).toEqual([255, 44, 127]);
    expect(list(convertElementType(i32([-1]), "uint32"))).toEqual([4294967295]);
    expect(list(convertElementType(u32([4294967295]), "int32"))).toEqual([-1]);
    expect(list(convertElementType(i32([256, 0]), "bool"))).toEqual([1, 0]);
    expect(list(convertElementType(bool([1, 0]), "float16"))).toEqual([1, 0]);
  });

  it("rounds once to half precision", () => {
    // Above the middle between two neighbours by less than float32 can see: by way of float32 it would go down to even.
    const x = 1 + 2 ** -11 + 2 ** -40;
    expect(list(convertElementType(f64([x, 65519.99, 65520, 1e-9]), "float16"))).toEqual([
      1 + 2 ** -10,
      65504,
      inf,
      0,
    ]);
    expect(list(convertElementType(u32([4294967295]), "float32"))).toEqual([4294967296]);
  });

  it("sets weakness, and is no operation where nothing changes", () => {
    const x = f32([1]);
    expect(convertElementType(x, "float32")).toBe(x);
    const weak = convertElementType(x, "float32", true);
    expect([weak.dtype, weak.weakType]).toEqual(["float32", true]);
    expect(convertElementType(weak, "float32").weakType).toBe(false);
    expect(convertElementType(x, "bool", true).weakType).toBe(false);
    expect(convertElementType(2, "float64").item()).toBe(2);
  });

  it("carries derivatives between floats alone", () => {
    const through = (dtype: "float16" | "int32" | "float64") => (x: NDArray) =>
      convertElementType(convertElementType(x, dtype), "float32");
    expect(grad(through("float64"))(f32([1.5], [])).item()).toBe(1);
    expect(grad(through("float16"))(f32([1.5], [])).dtype).toBe("float32");
    expect(grad(through("int32"))(f32([1.5], [])).item()).toBe(0);
    const [y, t] = jvp(
      (x: NDArray) => convertElementType(x, "float64"),
      [f32([1], [])],
      [f32([3], [])],
    ) as NDArray[];
    expect([y.dtype, t.dtype, t.item()]).toEqual(["float64", "float64", 3]);
  });

  it("refuses what is no dtype", () => {
    const x = aval([2], "float32");
    expect(refusal("convertElementType", [x], { dtype: "float80", weakType: false })).toBe(
      'DtypeError: convertElementType: the param dtype must be a dtype, got "float80"',
    );
    expect(refusal("convertElementType", [x], { dtype: "float0", weakType: false })).toMatch(/^DtypeError/);
    expect(refusal("convertElementType", [x], { dtype: "int32" })).toBe(
      "ArgumentError: convertElementType: the param weakType must be a boolean, got undefined",
    );
    expect(refusal("convertElementType", [aval([2], "float0")], { dtype: "int32", weakType: false })).toMatch(
      /^DtypeError/,
    );
  });
});

describe("bitcastConvertType", () => {
  it("reads the same bits", () => {
    expect(list(bitcastConvertType(f32([1, -0, inf]), "int32"))).toEqual([0x3f800000, lowest, 0x7f800000]);
    expect(list(bitcastConvertType(u32([0x40490fdb]), "float32"))).toEqual([Math.fround(Math.PI)]);
    expect(list(bitcastConvertType(i32([-1]), "uint32"))).toEqual([4294967295]);
    expect(list(bitcastConvertType(bool([1, 0]), "bool"))).toEqual([1, 0]);
  });

  it("adds an axis for a narrower dtype and uses one up for a wider one", () => {
    const bytes = bitcastConvertType(f32([1, -2], [2, 1]), "uint8");
    expect(bytes.shape).toEqual([2, 1, 4]);
    expect(list(bytes)).toEqual([0, 0, 128, 63, 0, 0, 0, 192]);
    expect(bitcastConvertType(bytes, "float32").tolist()).toEqual([[1], [-2]]);
    expect(bitcastConvertType(f64([1], []), "uint32").tolist()).toEqual([0, 0x3ff00000]);
    expect(bitcastConvertType(u32([0, 0x3ff00000]), "float64").item()).toBe(1);
    expect(bitcastConvertType(f16([1, -2]), "uint8").tolist()).toEqual([
      [0, 0x3c],
      [0, 0xc0],
    ]);
    expect(list(bitcastConvertType(u8([0, 0x3c, 255, 0x7b], [2, 2]), "float16"))).toEqual([1, 65504]);
    expect(bitcastConvertType(f32([], [0, 3]), "uint8").shape).toEqual([0, 3, 4]);
  });

  it("of a part of a larger buffer reads only that part", () => {
    const whole = new Uint32Array([7, 0x3f800000, 7]);
    const part = new ConcreteArray(whole.subarray(1, 2), aval([1], "uint32"));
    expect(list(bitcastConvertType(part, "float32"))).toEqual([1]);
    expect(list(bitcastConvertType(part, "uint8"))).toEqual([0, 0, 128, 63]);
  });

  it("has no derivative", () => {
    expect(
      grad((x: NDArray) => bitcastConvertType(bitcastConvertType(x, "int32"), "float32"))(
        f32([1], []),
      ).item(),
    ).toBe(0);
  });

  it("refuses bool, and shapes that do not fit", () => {
    expect(refusal("bitcastConvertType", [aval([2], "bool")], { dtype: "uint8" })).toBe(
      "DtypeError: bitcastConvertType: bool[2] cannot be read as uint8",
    );
    expect(refusal("bitcastConvertType", [aval([2], "uint8")], { dtype: "bool" })).toMatch(/^DtypeError/);
    expect(refusal("bitcastConvertType", [aval([3], "uint8")], { dtype: "float32" })).toBe(
      "ShapeError: bitcastConvertType: uint8[3] needs a last axis of length 4 to be read as float32",
    );
    expect(refusal("bitcastConvertType", [aval([], "uint8")], { dtype: "float32" })).toMatch(/^ShapeError/);
    expect(refusal("bitcastConvertType", [aval([2], "float32")], {})).toBe(
      "DtypeError: bitcastConvertType: the param dtype must be a dtype, got undefined",
    );
    expect(refusal("bitcastConvertType", [], { dtype: "int32" })).toMatch(/^ArgumentError/);
  });
});

describe("reducePrecision", () => {
  const half = { exponentBits: 5, mantissaBits: 10 };

  it("agrees with half precision, except that subnormal numbers become zero", () => {
    const values = [
      0.1,
      1.0009765625 * 1.0003,
      65519,
      65520,
      -3.125,
      2 ** -14,
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      nan,
      -inf,
      -0,
    ];
    expect(list(reducePrecision(f64(values), half))).toEqual(list(f16(values)));
    expect(list(reducePrecision(f64([1e-5, -6e-8]), half))).toEqual([0, -0]);
    // Just below the smallest normal number, and rounded up to it.
    expect(list(reducePrecision(f64([2 ** -14 * (1 - 2 ** -12)]), half))).toEqual([2 ** -14]);
  });

  it("agrees with float32", () => {
    const values = [0.1, -1e30, 1e39, 1 + 2 ** -24, 1 + 3 * 2 ** -24];
    expect(list(reducePrecision(f64(values), { exponentBits: 8, mantissaBits: 23 }))).toEqual(
      values.map(Math.fround),
    );
  });

  it("keeps what the dtype has fewer bits for, subnormal numbers included", () => {
    expect(list(reducePrecision(f32([1e-40, 0.1]), { exponentBits: 8, mantissaBits: 23 }))).toEqual(
      list(f32([1e-40, 0.1])),
    );
    expect(list(reducePrecision(f32([3e-39, 1e-40]), { exponentBits: 8, mantissaBits: 3 }))).toEqual([
      2 ** -128,
      0,
    ]);
    expect(list(reducePrecision(f64([5e-324]), { exponentBits: 11, mantissaBits: 1 }))).toEqual([0]);
    expect(list(reducePrecision(f32([3.2, 1.4]), { exponentBits: 8, mantissaBits: 0 }))).toEqual([4, 1]);
  });

  it("rounds tangents and cotangents too", () => {
    const [, t] = jvp(
      (x: NDArray) => reducePrecision(x, half),
      [f32([1], [])],
      [f32([0.1], [])],
    ) as NDArray[];
    expect(t.item()).toBe(list(f16([0.1]))[0]);
    expect(grad((x: NDArray) => mul(reducePrecision(x, half), f32([0.1], [])))(f32([1], [])).item()).toBe(
      list(f16([0.1]))[0],
    );
  });

  it("refuses bits that are not counts", () => {
    const x = aval([], "float32");
    expect(refusal("reducePrecision", [x], { exponentBits: 0, mantissaBits: 3 })).toBe(
      "ArgumentError: reducePrecision needs at least 1 exponent bit and 0 mantissa bits, got 0 and 3",
    );
    expect(refusal("reducePrecision", [x], { exponentBits: 5, mantissaBits: -1 })).toMatch(/^ArgumentError/);
    expect(refusal("reducePrecision", [x], { exponentBits: 5.5 })).toMatch(/got 5.5 and undefined$/);
    expect(refusal("reducePrecision", [aval([], "int32")], half)).toMatch(/^DtypeError/);
  });
});

describe("stopGradient", () => {
  const f = (x: NDArray) => mul(stopGradient(x), mul(x, x));
  const at3 = f64([3], []);

  it("is the identity on values", () => {
    expect(list(stopGradient(f64([1, nan, -0])))).toEqual([1, nan, -0]);
    const n = i32([1]);
    expect(stopGradient(n)).toBe(n);
  });

  it("holds at every order, forwards and backwards", () => {
    // s·x² with s = x held: 2s·x, then 2s, then 0.
    const d1 = grad(f);
    const d2 = grad((x: NDArray) => d1(x));
    const d3 = grad((x: NDArray) => d2(x));
    expect([d1(at3).item(), d2(at3).item(), d3(at3).item()]).toEqual([18, 6, 0]);
    const forwards = (g: (x: NDArray) => NDArray) => (x: NDArray) =>
      jvp(g, [x], [scalar(1, "float64")])[1] as NDArray;
    expect(forwards(forwards(f))(at3).item()).toBe(6);
    expect(forwards((x) => grad(f)(x))(at3).item()).toBe(6);
    expect(grad((x: NDArray) => exp(stopGradient(x)))(at3).item()).toBe(0);
  });

  it("holds inside jit and vmap", () => {
    expect(grad(jit(f))(at3).item()).toBe(18);
    expect(grad((x: NDArray) => jit(grad(f))(x))(at3).item()).toBe(6);
    expect(list(vmap(grad(f))(f64([1, 2])) as NDArray)).toEqual([2, 8]);
  });

  it("stays in the program", () => {
    const names = makeJaxpr(grad(f))(at3).jaxpr.eqns.map((e) => e.primitive.name);
    expect(names).toContain("stopGradient");
  });
});
