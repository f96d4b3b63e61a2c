import { describe, expect, it } from "vitest";
import { aval } from "../../../src/core/aval.js";
import { buildJaxpr } from "../../../src/core/build.js";
import { mul } from "../../../src/primitives/arithmetic.js";
import { reduceSum } from "../../../src/primitives/broadcast.js";
import { concatenate } from "../../../src/primitives/concatenate.js";
import { grad } from "../../../src/transforms/grad.js";
import { jvpJaxpr } from "../../../src/transforms/jvp.js";
import { bool, counting, f64, i32, list, refusal } from "./arrays.js";

const x = aval([2, 3], "float32");

describe("concatenate", () => {
  it("joins along any axis", () => {
    expect(concatenate([i32([1, 2]), i32([3])], 0).tolist()).toEqual([1, 2, 3]);
    expect(concatenate([counting([2, 2]), f64([8, 9], [2, 1]), f64([], [2, 0])], 1).tolist()).toEqual([
      [0, 1, 8],
      [2, 3, 9],
    ]);
    expect(list(concatenate([counting([2, 1, 2]), f64([6, 7, 8, 9], [2, 1, 2])], 1))).toEqual([
      0, 1, 6, 7, 2, 3, 8, 9,
    ]);
    expect(concatenate([bool([1])], 0).tolist()).toEqual([true]);
    expect(concatenate([f64([], [0, 2]), f64([], [0, 2])], 1).shape).toEqual([0, 4]);
  });

  it("gives each operand its part of the cotangent", () => {
    const w = f64([1, 2, 3, 4, 5]);
    const [a, b] = grad(
      (p: ReturnType<typeof f64>, q: ReturnType<typeof f64>) =>
        reduceSum(mul(concatenate([p, f64([0]), q], 0), w), [0]),
      { argnums: [0, 1] },
    )(f64([7, 8]), f64([9, 10]));
    expect([list(a), list(b)]).toEqual([
      [1, 2],
      [4, 5],
    ]);
  });

  it("pads the tangent of one operand instead of making zeros for the others", () => {
    const types = [aval([2], "float32"), aval([3], "float32"), aval([4], "float32")];
    const jaxpr = buildJaxpr("join", types, (xs) => [concatenate(xs, 0)]);
    const pushed = jvpJaxpr(jaxpr, [false, true, false]).jaxpr;
    expect(pushed.eqns.map((e) => e.primitive.name)).toEqual(["concatenate", "pad"]);
    expect(pushed.eqns[1].params).toEqual({ config: [[2, 4, 0]] });
  });

  it("is weak only if all operands are", () => {
    const type = (weak: boolean) =>
      buildJaxpr("join", [aval([1], "float32", true), aval([1], "float32", weak)], (xs) => [
        concatenate(xs, 0),
      ]).outAvals[0].weakType;
    expect([type(true), type(false)]).toEqual([true, false]);
  });

  it("refuses operands that do not fit", () => {
    expect(refusal("concatenate", [], { axis: 0 })).toBe(
      "ArgumentError: concatenate takes at least one operand, got nothing",
    );
    expect(refusal("concatenate", [x], { axis: 2 })).toBe(
      "AxisError: concatenate: 2 is not an axis of float32[2,3]",
    );
    expect(refusal("concatenate", [aval([], "float32")], { axis: 0 })).toBe(
      "AxisError: concatenate: 0 is not an axis of float32[]",
    );
    expect(refusal("concatenate", [x], { axis: "0" })).toBe(
      'AxisError: concatenate: "0" is not an axis of float32[2,3]',
    );
    expect(refusal("concatenate", [x, aval([2, 3], "int32")], { axis: 0 })).toBe(
      "DtypeError: concatenate needs operands of one dtype, got float32[2,3], int32[2,3]",
    );
    expect(refusal("concatenate", [x, aval([2, 4], "float32")], { axis: 0 })).toBe(
      "ShapeError: concatenate needs operands that differ only along axis 0, got float32[2,3], float32[2,4]",
    );
    expect(refusal("concatenate", [x, aval([2], "float32")], { axis: 0 })).toBe(
      "ShapeError: concatenate needs operands that differ only along axis 0, got float32[2,3], float32[2]",
    );
  });
});
