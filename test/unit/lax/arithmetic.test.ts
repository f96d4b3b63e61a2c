/** What lax adds to the primitives of arithmetic, bits and casts. */
import { DtypeError, grad, lax, type NDArray, numpy as np } from "fluxion";
import { describe, expect, it } from "vitest";
import { checkDerivatives } from "../derivatives.js";
import { generator } from "../examples.js";
import { expectClose, expectError, f32, f64, i32, describe as typeOf } from "../values.js";

describe("pow", () => {
  it("takes integer exponents beside floats", () => {
    expect(lax.pow(f32([2, -3, 0]), i32([-1, 3, 0])).tolist()).toEqual([0.5, -27, 1]);
    expect(typeOf(lax.pow(f32([2]), i32([1])))).toBe("float32[1]");
    expect(lax.pow(2, i32([1, 2])).tolist()).toEqual([2, 4]);
  });

  it("refuses integers as base", () => {
    expectError(() => lax.pow(i32([2]), i32([3])), DtypeError, "dtype", "pow");
  });

  it("has derivatives with respect to base and exponent", () => {
    const y = f64([0.5, -1.5, 2]);
    checkDerivatives((x) => lax.pow(x, y), f64([0.7, 1.3, 2.1]));
    checkDerivatives((z) => lax.pow(f64([0.7, 1.3, 2.1]), z), y);
    checkDerivatives((x) => lax.pow(x, i32([3, 2, -1])), f64([-0.7, 1.3, 2.1]));
  });
});

describe("reciprocal", () => {
  it("has derivatives of every order, also of negative numbers", () => {
    checkDerivatives(lax.reciprocal, f64([-0.5, 0.8, 3]));
    expect(lax.reciprocal(f32([0, -0])).tolist()).toEqual([Infinity, -Infinity]);
  });
});

describe("mulhi", () => {
  const random = generator(3);
  const words = Array.from({ length: 200 }, () => Math.floor(random() * 2 ** 32));
  const special = [0, 1, 2, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff];
  const pairs = [
    ...special.flatMap((a) => special.map((b) => [a, b] as const)),
    ...words.map((a, i) => [a, words[words.length - 1 - i]] as const),
  ];
  const of = (dtype: "int32" | "uint32" | "uint8", side: 0 | 1) =>
    np.array(
      pairs.map((p) => (dtype === "int32" ? p[side] | 0 : dtype === "uint8" ? p[side] & 255 : p[side])),
      { dtype },
    );

  it.each(["int32", "uint32", "uint8"] as const)("of %s is the upper half of the product", (dtype) => {
    const [a, b] = [of(dtype, 0), of(dtype, 1)];
    const shift = dtype === "uint8" ? 8n : 32n;
    const bs = b.tolist() as number[];
    const wanted = (a.tolist() as number[]).map((x, i) => Number((BigInt(x) * BigInt(bs[i])) >> shift));
    expect(lax.mulhi(a, b).tolist()).toEqual(wanted);
    expect(lax.mulhi(a, b).dtype).toBe(dtype);
  });

  it("refuses floats and mixed dtypes", () => {
    expectError(() => lax.mulhi(f32([1]), f32([1])), DtypeError, "dtype", "lax.mulhi", "float32[1]");
    expectError(
      () => lax.mulhi(i32([1]), np.array([1], { dtype: "uint32" })),
      DtypeError,
      "dtype",
      "int32[1], uint32[1]",
    );
  });
});

describe("polygamma", () => {
  it("of order 0 is digamma, and each is the derivative of the one before", () => {
    const x = f64([0.7, 1.9]);
    expect(lax.polygamma(0, x).tolist()).toEqual(lax.digamma(x).tolist());
    const sum = (f: (x: NDArray) => NDArray) => grad((z: NDArray) => np.sum(f(z)));
    expectClose(sum((z) => lax.polygamma(0, z))(x), lax.polygamma(1, x).tolist());
    expectClose(sum((z) => lax.polygamma(1, z))(x), lax.polygamma(2, x).tolist());
  });
});

describe("casts", () => {
  it("of numbers are like those of arrays", () => {
    expect(lax.convertElementType(-1.5, "uint8").item()).toBe(0);
    expect(lax.convertElementType(300.5, "uint8").item()).toBe(255);
    expect(lax.convertElementType(1.5, "int32").item()).toBe(1);
    expect(lax.convertElementType(0.5, "bool").item()).toBe(true);
    expect(typeOf(lax.convertElementType(1, "float16"))).toBe("float16[]");
  });

  it("refuse dtypes that are none, or have no data", () => {
    expectError(() => lax.convertElementType(1, "int64" as never), DtypeError, "dtype", '"int64"', "float32");
    expectError(() => lax.convertElementType(1, "float0"), DtypeError, "dtype", "no data");
    expectError(() => lax.iota("float0", 2), DtypeError, "dtype", "lax.iota");
    expectError(() => lax.argmax(f32([1]), 0, "float32"), DtypeError, "dtype", "lax.argmax");
  });

  it("stopGradient takes numbers, and stops at every order", () => {
    expect(lax.stopGradient(2).item()).toBe(2);
    const f = (x: NDArray) => lax.mul(lax.stopGradient(lax.mul(x, x)), x);
    expect(grad(f)(f64(3)).item()).toBe(9);
    expect(grad(grad(f))(f64(3)).item()).toBe(0);
  });
});
