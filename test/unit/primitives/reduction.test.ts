import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { mul } from "../../../src/primitives/arithmetic.js";
import { reduceSum } from "../../../src/primitives/broadcast.js";
import {
  type ReductionOp,
  reduceAnd,
  reduceMax,
  reduceMin,
  reduceOr,
  reduceProd,
  reduceXor,
} from "../../../src/primitives/reduction.js";
import { jvp } from "../../../src/transforms/forward.js";
import { grad } from "../../../src/transforms/grad.js";
import { hessian } from "../../../src/transforms/jacobian.js";
import { bool, counting, f16, f32, f64, i32, list, refusal, u8, u32 } from "./arrays.js";

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;

describe("values", () => {
  it("reduce along any axes", () => {
    const x = i32([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 3, 2]);
    expect(reduceProd(x, [0]).tolist()).toEqual([
      [7, 16],
      [27, 40],
      [55, 72],
    ]);
    expect(reduceProd(x, [1]).tolist()).toEqual([
      [15, 48],
      [693, 960],
    ]);
    expect(reduceProd(x, [2]).tolist()).toEqual([
      [2, 12, 30],
      [56, 90, 132],
    ]);
    expect(reduceProd(x, [0, 2]).tolist()).toEqual([112, 1080, 3960]);
    expect(reduceProd(x, [0, 1, 2]).tolist()).toBe(479001600);
    expect(reduceMax(x, [0, 1]).tolist()).toEqual([11, 12]);
    expect(reduceMin(x, [1, 2]).tolist()).toEqual([1, 7]);
    expect(reduceMax(x, []).tolist()).toEqual(x.tolist());
    expect(reduceMax(f64([3], []), []).tolist()).toBe(3);
  });

  it("wrap around for integers", () => {
    expect(reduceProd(i32([65536, 65537]), [0]).item()).toBe(65536);
    expect(reduceProd(i32([123456789, 987654321]), [0]).item()).toBe(-67153019);
    expect(reduceProd(u32([4294967295, 4294967295]), [0]).item()).toBe(1);
    expect(reduceProd(u8([16, 17]), [0]).item()).toBe(16);
  });

  it("round float16 once, at the end", () => {
    // 1025 · 3 alone would become 3076, and the product 2308.
    expect(reduceProd(f16([1025, 3, 0.75]), [0]).item()).toBe(2306);
    expect(reduceProd(f16([300, 300]), [0]).item()).toBe(inf);
  });

  it("of extrema: NaN wins, infinities are numbers, 0 is larger than -0", () => {
    expect(reduceMax(f64([1, nan, inf]), [0]).item()).toBeNaN();
    expect(reduceMin(f32([nan, -inf]), [0]).item()).toBeNaN();
    expect(reduceMax(f64([-inf, -inf]), [0]).item()).toBe(-inf);
    expect(reduceMin(f64([inf]), [0]).item()).toBe(inf);
    expect(reduceMax(f64([-0, 0]), [0]).item()).toBe(0);
    expect(reduceMin(f64([0, -0]), [0]).item()).toBe(-0);
    expect(reduceMax(u32([1, 4294967295]), [0]).item()).toBe(4294967295);
    expect(reduceMin(i32([1, -2147483648]), [0]).item()).toBe(-2147483648);
    expect(reduceMax(bool([0, 1]), [0]).tolist()).toBe(true);
    expect(reduceMin(bool([0, 1]), [0]).tolist()).toBe(false);
  });

  it("of bits", () => {
    expect(reduceAnd(i32([12, 10, -1]), [0]).item()).toBe(8);
    expect(reduceOr(i32([12, 10]), [0]).item()).toBe(14);
    expect(reduceXor(i32([12, 10]), [0]).item()).toBe(6);
    expect(reduceOr(u32([2147483648, 1]), [0]).item()).toBe(2147483649);
    expect(reduceAnd(u32([4294967295, 4294967295]), [0]).item()).toBe(4294967295);
    expect(reduceXor(u8([255, 1]), [0]).item()).toBe(254);
    expect(reduceAnd(bool([1, 0, 1, 1], [2, 2]), [1]).tolist()).toEqual([false, true]);
    expect(reduceOr(bool([0, 0, 1, 0], [2, 2]), [1]).tolist()).toEqual([false, true]);
    expect(reduceXor(bool([1, 1, 1, 0], [2, 2]), [1]).tolist()).toEqual([false, true]);
  });

  it("of nothing", () => {
    expect(reduceProd(f64([], [0, 2]), [0]).tolist()).toEqual([1, 1]);
    expect(reduceAnd(bool([], [0]), [0]).tolist()).toBe(true);
    expect(reduceAnd(u8([], [0]), [0]).tolist()).toBe(255);
    expect(reduceAnd(u32([], [0]), [0]).tolist()).toBe(4294967295);
    expect(reduceAnd(i32([], [0]), [0]).tolist()).toBe(-1);
    expect(reduceOr(bool([], [0]), [0]).tolist()).toBe(false);
    expect(reduceXor(i32([], [0]), [0]).tolist()).toBe(0);
    expect(reduceMax(f64([], [2, 0]), [0]).shape).toEqual([0]);
  });
});

const along0 = (op: ReductionOp) => (x: NDArray) => op(x, [0]);

describe("derivatives", () => {
  it("of the product are exact with no, one, two and three zeros", () => {
    const gradient = (values: readonly number[]) => list(grad(along0(reduceProd))(f64(values)));
    expect(gradient([2, 3, 4])).toEqual([12, 8, 6]);
    expect(gradient([2, 0, 4])).toEqual([0, 8, 0]);
    expect(gradient([0, 3, 0])).toEqual([0, 0, 0]);
    expect(gradient([0, 0, 0])).toEqual([0, 0, 0]);
    expect(gradient([0])).toEqual([1]);
    expect(gradient([])).toEqual([]);
  });

  it("of the product along several axes, in forward mode too", () => {
    const x = f64([2, 3, 0, 5, 7, 11], [3, 2]);
    const [, t] = jvp((a: NDArray) => reduceProd(a, [0, 1]), [x], [f64([1, 1, 1, 1, 1, 1], [3, 2])]);
    // Only the derivative by the zero is left: 2 · 3 · 5 · 7 · 11.
    expect(t.item()).toBe(2310);
    const rows = grad((a: NDArray) => reduceSum(mul(reduceProd(a, [1]), f64([1, 10, 100])), [0]))(x);
    expect(list(rows)).toEqual([3, 2, 50, 0, 1100, 700]);
    const columns = grad((a: NDArray) => reduceSum(mul(reduceProd(a, [0]), f64([1, 10])), [0]))(x);
    expect(list(columns)).toEqual([0, 550, 14, 330, 0, 150]);
  });

  it("of second order are exact with zeros: ∂²/∂xᵢ∂xⱼ is the product of the others", () => {
    const curvature = (values: readonly number[]) => hessian(along0(reduceProd))(f64(values)).tolist();
    expect(curvature([2, 3, 4])).toEqual([
      [0, 4, 3],
      [4, 0, 2],
      [3, 2, 0],
    ]);
    expect(curvature([0, 3, 0])).toEqual([
      [0, 0, 3],
      [0, 0, 0],
      [3, 0, 0],
    ]);
  });

  it("of extrema go to the extremum, shared equally by those that tie", () => {
    expect(list(grad(along0(reduceMax))(f64([1, 3, 2])))).toEqual([0, 1, 0]);
    expect(list(grad(along0(reduceMax))(f64([3, 1, 3, 2, 3, 3])))).toEqual([0.25, 0, 0.25, 0, 0.25, 0.25]);
    expect(list(grad(along0(reduceMin))(f64([1, 1, 2])))).toEqual([0.5, 0.5, 0]);
    expect(list(grad(along0(reduceMax))(f64([inf, inf])))).toEqual([0.5, 0.5]);
    const [, t] = jvp(
      (a: NDArray) => reduceMax(a, [1]),
      [f64([1, 2, 5, 5], [2, 2])],
      [f64([10, 20, 30, 50], [2, 2])],
    );
    expect(list(t)).toEqual([20, 40]);
  });

  it("of extrema are NaN where the value is", () => {
    expect(list(grad(along0(reduceMax))(f64([1, nan])))).toEqual([nan, nan]);
  });
});

describe("refusals", () => {
  const x = aval([2, 3], "float32");

  it("of dtypes", () => {
    expect(refusal("reduceProd", [aval([2], "bool")], { axes: [0] })).toBe(
      "DtypeError: reduceProd is not defined for bool[2]",
    );
    expect(refusal("reduceMax", [aval([2], "float0")], { axes: [0] })).toBe(
      "DtypeError: reduceMax is not defined for float0[2]",
    );
    for (const name of ["reduceAnd", "reduceOr", "reduceXor"])
      expect(refusal(name, [x], { axes: [0] })).toBe(`DtypeError: ${name} is not defined for float32[2,3]`);
  });

  it("of axes", () => {
    for (const name of ["reduceProd", "reduceMin"]) {
      const text = (axes: string) => `AxisError: ${name}: ${axes} are not increasing axes of float32[2,3]`;
      expect(refusal(name, [x], { axes: [2] })).toBe(text("[2]"));
      expect(refusal(name, [x], { axes: [1, 0] })).toBe(text("[1,0]"));
      expect(refusal(name, [x], { axes: [-1] })).toBe(text("[-1]"));
      expect(refusal(name, [x], {})).toBe(text("undefined"));
      expect(refusal(name, [x, x], { axes: [0] })).toBe(
        `ArgumentError: ${name} takes 1 operand, got float32[2,3], float32[2,3]`,
      );
    }
  });

  it("of extrema of nothing", () => {
    expect(() => reduceMax(counting([0]), [0])).toThrow(
      "reduceMax of no elements does not exist (axes [0] of float64[0])",
    );
    expect(refusal("reduceMin", [aval([2, 0], "int32")], { axes: [0, 1] })).toBe(
      "ShapeError: reduceMin of no elements does not exist (axes [0,1] of int32[2,0])",
    );
  });
});
