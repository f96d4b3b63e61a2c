import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { argmax, argmin } from "../../../src/primitives/argmax.js";
import { jvp } from "../../../src/transforms/forward.js";
import { bool, counting, f16, f32, f64, i32, refusal, u8 } from "./arrays.js";

const nan = Number.NaN;

describe("argmax and argmin", () => {
  it("find the place along an axis", () => {
    const x = i32([3, 1, 2, 4, 9, 0], [2, 3]);
    expect(argmax(x, 0).tolist()).toEqual([1, 1, 0]);
    expect(argmax(x, 1).tolist()).toEqual([0, 1]);
    expect(argmin(x, 0).tolist()).toEqual([0, 0, 1]);
    expect(argmin(x, 1).tolist()).toEqual([1, 2]);
    expect(argmax(counting([2, 3, 2]), 1).tolist()).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect(argmin(counting([2, 3, 2]), 2).shape).toEqual([2, 3]);
    expect(argmax(counting([0, 2]), 1).shape).toEqual([0]);
  });

  it("take the first of those that tie", () => {
    expect(argmax(f64([1, 3, 3]), 0).item()).toBe(1);
    expect(argmin(u8([2, 1, 1]), 0).item()).toBe(1);
    expect(argmax(f64([-0, 0]), 0).item()).toBe(0);
    expect(argmax(bool([0, 1, 1]), 0).item()).toBe(1);
    expect(argmin(bool([1, 1]), 0).item()).toBe(0);
  });

  it("take the first NaN before everything else", () => {
    expect(argmax(f32([1, nan, Number.POSITIVE_INFINITY, nan]), 0).item()).toBe(1);
    expect(argmin(f16([nan, 1, nan]), 0).item()).toBe(0);
    expect(argmin(f64([2, 1, nan]), 0).item()).toBe(2);
  });

  it("give a strong index of the asked dtype, without derivative", () => {
    expect(argmax(f64([1]), 0).dtype).toBe("int32");
    expect(argmax(f64([1]), 0, "uint8").dtype).toBe("uint8");
    const [y, t] = jvp((x: NDArray) => argmax(x, 0), [f64([1, 2])], [f64([1, 1])]);
    expect([y.item(), t.dtype]).toEqual([1, "float0"]);
  });

  it("refuse what has no extremum and indices that do not fit", () => {
    const x = aval([2, 3], "float32");
    expect(() => argmax(counting([0]), 0)).toThrow(
      "argmax of no elements does not exist (axis 0 of float64[0])",
    );
    expect(refusal("argmin", [x], { axis: 2, indexDtype: "int32" })).toBe(
      "AxisError: argmin: 2 is not an axis of float32[2,3]",
    );
    expect(refusal("argmax", [x], { axis: [0], indexDtype: "int32" })).toBe(
      "AxisError: argmax: [0] is not an axis of float32[2,3]",
    );
    expect(refusal("argmax", [x], { axis: 0, indexDtype: "float32" })).toBe(
      'DtypeError: argmax: "float32" is not an integer dtype for the index',
    );
    expect(refusal("argmax", [aval([300], "int32")], { axis: 0, indexDtype: "uint8" })).toBe(
      "DtypeError: argmax: uint8 cannot count the 300 elements of axis 0 of int32[300]",
    );
    expect(refusal("argmax", [aval([256], "int32")], { axis: 0, indexDtype: "uint8" })).toBe("no error");
    expect(refusal("argmax", [aval([2], "float0")], { axis: 0, indexDtype: "int32" })).toBe(
      "DtypeError: argmax is not defined for float0[2]",
    );
    expect(refusal("argmax", [], {})).toBe("ArgumentError: argmax takes 1 operand, got nothing");
  });
});
