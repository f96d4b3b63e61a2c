import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { findPrimitive, LinearInput } from "../../../src/core/primitive.js";
import { linearRecurrence } from "../../../src/primitives/recurrence.js";
import { jacfwd, jacrev } from "../../../src/transforms/jacobian.js";
import { passes } from "../../../src/transforms/passes.js";
import { f32, f64, list, refusal } from "./arrays.js";

const forwards = { axis: 0, reverse: false };
const backwards = { axis: 0, reverse: true };

describe("linearRecurrence", () => {
  it("scales what came before and adds what is new", () => {
    expect(list(linearRecurrence(f64([9, 2, 3]), f64([1, 10, 100]), forwards))).toEqual([1, 12, 136]);
    expect(list(linearRecurrence(f64([2, 3, 9]), f64([100, 10, 1]), backwards))).toEqual([126, 13, 1]);
    const a = f64([5, 1, 5, 2], [2, 2]);
    const b = f64([1, 1, 10, 10], [2, 2]);
    expect(linearRecurrence(a, b, { axis: 1, reverse: false }).tolist()).toEqual([
      [1, 2],
      [10, 30],
    ]);
    expect(linearRecurrence(a, b, forwards).tolist()).toEqual([
      [1, 1],
      [15, 12],
    ]);
  });

  it("does not look at the first factor", () => {
    const a = f64([Number.NaN, 0, Number.POSITIVE_INFINITY]);
    expect(list(linearRecurrence(a, f64([1, 2, 3]), forwards))).toEqual([1, 2, Number.POSITIVE_INFINITY]);
    expect(list(linearRecurrence(f32([0]), f32([7]), backwards))).toEqual([7]);
    expect(linearRecurrence(f64([], [0]), f64([], [0]), forwards).shape).toEqual([0]);
  });

  it("has derivatives in both operands, the same by both modes", () => {
    const a = f64([9, 2, 3]);
    const b = f64([1, 10, 100]);
    const inA = (v: NDArray) => linearRecurrence(v, b, forwards);
    const inB = (v: NDArray) => linearRecurrence(a, v, forwards);
    const byA = [
      [0, 0, 0],
      [0, 1, 0],
      [0, 3, 12],
    ];
    const byB = [
      [1, 0, 0],
      [2, 1, 0],
      [6, 3, 1],
    ];
    expect([jacfwd(inA)(a).tolist(), jacrev(inA)(a).tolist()]).toEqual([byA, byA]);
    expect([jacfwd(inB)(b).tolist(), jacrev(inB)(b).tolist()]).toEqual([byB, byB]);
  });

  it("is not transposed by its factors", () => {
    const rule = findPrimitive("linearRecurrence")?.transpose;
    const type = aval([1], "float64");
    expect(() => rule?.([f64([1])], [new LinearInput(type), f64([1])], forwards, passes)).toThrow(
      "linearRecurrence is not linear in its factors, so it cannot be transposed",
    );
  });

  it("refuses operands that do not fit", () => {
    const x = aval([2, 3], "float32");
    expect(refusal("linearRecurrence", [x, aval([2], "float32")], forwards)).toBe(
      "ShapeError: linearRecurrence needs operands of one shape, got float32[2,3], float32[2]",
    );
    expect(refusal("linearRecurrence", [x, aval([2, 3], "float64")], forwards)).toBe(
      "DtypeError: linearRecurrence needs operands of one float dtype, got float32[2,3], float64[2,3]",
    );
    const whole = aval([2], "int32");
    expect(refusal("linearRecurrence", [whole, whole], forwards)).toBe(
      "DtypeError: linearRecurrence needs operands of one float dtype, got int32[2], int32[2]",
    );
    expect(refusal("linearRecurrence", [x, x], { axis: 2, reverse: false })).toBe(
      "AxisError: linearRecurrence: 2 is not an axis of float32[2,3]",
    );
    expect(refusal("linearRecurrence", [x, x], { axis: 0, reverse: 1 })).toBe(
      "ArgumentError: linearRecurrence: reverse must be true or false, got 1",
    );
    expect(refusal("linearRecurrence", [x], forwards)).toBe(
      "ArgumentError: linearRecurrence takes 2 operands, got float32[2,3]",
    );
  });
});
