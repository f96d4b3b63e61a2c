import { describe, expect, it } from "vitest";
import { aval } from "../../../src/core/aval.js";
import { AxisError } from "../../../src/core/errors.js";
import { Var } from "../../../src/core/jaxpr.js";
import { findPrimitive } from "../../../src/core/primitive.js";
import { expandDims, iota, reshape, squeeze, transpose } from "../../../src/primitives/shape.js";
import { bool, counting, f64, i32, list, refusal } from "./arrays.js";

const x = aval([2, 3], "float32");

describe("reshape", () => {
  it("keeps the row-major order", () => {
    expect(reshape(i32([1, 2, 3, 4, 5, 6], [2, 3]), [3, 2]).tolist()).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
  });

  it("goes to and from scalars and arrays without elements", () => {
    expect(reshape(f64([7], [1, 1]), []).tolist()).toBe(7);
    expect(reshape(bool([1], []), [1]).tolist()).toEqual([true]);
    expect(reshape(f64([], [0, 2]), [3, 0]).tolist()).toEqual([[], [], []]);
  });

  it("keeps NaN and the sign of zero", () => {
    const [a, b] = list(reshape(f64([Number.NaN, -0]), [2, 1]));
    expect([a, b]).toEqual([Number.NaN, -0]);
  });

  it("returns the operand itself if the shape is the same", () => {
    const a = f64([1, 2]);
    expect(reshape(a, [2])).toBe(a);
  });

  it("refuses other sizes and what is not a shape", () => {
    expect(refusal("reshape", [x], { shape: [4] })).toBe(
      "ShapeError: reshape: float32[2,3] has 6 elements, shape [4] needs 4",
    );
    expect(refusal("reshape", [x], { shape: [-2, -3] })).toBe("ShapeError: reshape: [-2,-3] is not a shape");
    expect(refusal("reshape", [x], { shape: [1.5, 4] })).toBe("ShapeError: reshape: [1.5,4] is not a shape");
    expect(refusal("reshape", [x], {})).toBe("ShapeError: reshape: undefined is not a shape");
    expect(refusal("reshape", [], { shape: [] })).toBe("ArgumentError: reshape takes 1 operand, got nothing");
  });
});

describe("squeeze and expandDims", () => {
  it("drop and insert axes of length 1", () => {
    expect(squeeze(counting([1, 3, 1]), [0]).shape).toEqual([3, 1]);
    expect(squeeze(counting([1, 3, 1]), [0, 2]).shape).toEqual([3]);
    expect(expandDims(counting([3]), [0, 2]).shape).toEqual([1, 3, 1]);
    expect(expandDims(counting([]), [0]).tolist()).toEqual([0]);
  });

  it("refuse axes of another length and places beyond the end", () => {
    expect(() => squeeze(counting([1, 3]), [1])).toThrow(AxisError);
    expect(() => squeeze(counting([1, 3]), [1])).toThrow(
      "squeeze: axis 1 of float64[1,3] is not an axis of length 1",
    );
    expect(() => squeeze(counting([1]), [1])).toThrow(
      "squeeze: axis 1 of float64[1] is not an axis of length 1",
    );
    expect(() => expandDims(counting([3]), [2])).toThrow(
      "expandDims: there is no place 2 for an axis in float64[3]",
    );
  });
});

describe("transpose", () => {
  it("puts axis permutation[i] at place i", () => {
    expect(transpose(i32([1, 2, 3, 4, 5, 6], [2, 3]), [1, 0]).tolist()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    const moved = transpose(counting([2, 3, 4]), [2, 0, 1]);
    expect(moved.shape).toEqual([4, 2, 3]);
    // Element (k, i, j) of the result is element (i, j, k) of the operand, which counts 12 i + 4 j + k.
    const wanted = [0, 1, 2, 3].flatMap((k) =>
      [0, 1].flatMap((i) => [0, 1, 2].map((j) => 12 * i + 4 * j + k)),
    );
    expect(list(moved)).toEqual(wanted);
  });

  it("does nothing to a scalar and moves axes of length 0", () => {
    expect(transpose(f64([5], []), []).tolist()).toBe(5);
    expect(transpose(f64([], [0, 2]), [1, 0]).shape).toEqual([2, 0]);
  });

  it("refuses what is not a permutation", () => {
    const text = (p: string) => `AxisError: transpose: ${p} does not name each axis of float32[2,3] once`;
    expect(refusal("transpose", [x], { permutation: [0, 0] })).toBe(text("[0,0]"));
    expect(refusal("transpose", [x], { permutation: [0] })).toBe(text("[0]"));
    expect(refusal("transpose", [x], { permutation: [0, -1] })).toBe(text("[0,-1]"));
    expect(refusal("transpose", [x], { permutation: "10" })).toBe(text('"10"'));
    expect(refusal("transpose", [x, x], { permutation: [1, 0] })).toBe(
      "ArgumentError: transpose takes 1 operand, got float32[2,3], float32[2,3]",
    );
  });

  it("leaves the operand out of a program if the order stays", () => {
    const simplify = findPrimitive("transpose")?.simplify;
    expect(simplify?.([new Var(0, x)], { permutation: [0, 1] })).toBe(0);
    expect(simplify?.([new Var(0, x)], { permutation: [1, 0] })).toBeUndefined();
    expect(simplify?.([new Var(0, x)], { permutation: [0] })).toBeUndefined();
  });
});

describe("iota", () => {
  it("counts along one axis", () => {
    expect(iota("int32", [4], 0).tolist()).toEqual([0, 1, 2, 3]);
    expect(iota("float32", [2, 3], 0).tolist()).toEqual([
      [0, 0, 0],
      [1, 1, 1],
    ]);
    expect(list(iota("float64", [2, 2, 2], 1))).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
    expect(iota("int32", [3, 0], 0).tolist()).toEqual([[], [], []]);
    expect(iota("int32", [0], 0).weakType).toBe(false);
  });

  it("wraps around in uint8 and rounds in float16", () => {
    expect(list(iota("uint8", [258], 0)).slice(254)).toEqual([254, 255, 0, 1]);
    // Half precision has steps of 2 from 2048 on, ties to even.
    expect(list(iota("float16", [2052], 0)).slice(2048)).toEqual([2048, 2048, 2050, 2052]);
  });

  it("refuses booleans, axes that do not exist and what is not a shape", () => {
    expect(refusal("iota", [], { dtype: "bool", shape: [2], dimension: 0 })).toBe(
      'DtypeError: iota: "bool" is not the dtype of numbers',
    );
    expect(refusal("iota", [], { dtype: "int64", shape: [2], dimension: 0 })).toBe(
      'DtypeError: iota: "int64" is not the dtype of numbers',
    );
    expect(refusal("iota", [], { dtype: "int32", shape: [2], dimension: 1 })).toBe(
      "AxisError: iota: 1 is not an axis of [2]",
    );
    expect(refusal("iota", [], { dtype: "int32", shape: 2, dimension: 0 })).toBe(
      "ShapeError: iota: 2 is not a shape",
    );
    expect(refusal("iota", [x], { dtype: "int32", shape: [2], dimension: 0 })).toBe(
      "ArgumentError: iota takes 0 operands, got float32[2,3]",
    );
  });
});
