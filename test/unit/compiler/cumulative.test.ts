/** The kernels of operations that run along an axis against their `evaluate` rules. */
import { describe, it } from "vitest";
import { concreteArray } from "../../../src/core/array.js";
import type { Shape } from "../../../src/core/aval.js";
import type { DType } from "../../../src/core/dtype.js";
import { array, checkEquation, checkExamples, named } from "./lowered.js";

const rounds = (dtype: DType): number => (dtype === "float16" ? 2e-3 : dtype === "float32" ? 2e-6 : 1e-14);
const exact = (): number => 0;

const sums = ["cumsum", "cumprod", "cumlogsumexp"];
const extrema = ["cummax", "cummin"];

describe.each([...sums, "linearRecurrence"])("%s", (name) => {
  it("computes its examples", () => checkExamples(named(name), rounds));
});

describe.each(extrema)("%s", (name) => {
  it("computes its examples exactly", () => checkExamples(named(name), exact));
});

/** Many and few lines, side by side and one after the other, of lengths that chunks do not divide. */
const layouts: readonly (readonly [Shape, number])[] = [
  [[1], 0],
  [[100], 0],
  [[5, 33], 1],
  [[33, 5], 0],
  [[3, 17, 4], 1],
  [[2, 300], 0],
  [[3, 1, 2], 1],
  [[700], 0],
  [[2, 1025], 1],
  [[520, 3], 0],
];

describe("along axes of arrays of all sorts", () => {
  it.each(["float32", "float64", "float16", "int32", "uint32", "uint8"] as const)("%s", (dtype) => {
    for (const [shape, axis] of layouts)
      for (const reverse of [false, true]) {
        const x = array(shape, dtype);
        checkEquation(named("cumsum"), [x], { axis, reverse }, { tolerance: 10 * rounds(dtype) });
        for (const name of extrema) checkEquation(named(name), [x], { axis, reverse });
      }
  });

  it.each(["float32", "float64"] as const)("products, log-sum-exps and recurrences of %s", (dtype) => {
    for (const [shape, axis] of layouts)
      for (const reverse of [false, true]) {
        const [x, b] = [array(shape, dtype), array(shape, dtype, 2)];
        // Close to one: products stay in range.
        const near = concreteArray(
          x.values.map((v) => 1 + v / 100),
          shape,
          dtype,
        );
        const tolerance = 10 * rounds(dtype);
        checkEquation(named("cumprod"), [near], { axis, reverse }, { tolerance });
        checkEquation(named("cumlogsumexp"), [x], { axis, reverse }, { tolerance });
        const shrinking = concreteArray(
          x.values.map((v) => v / 2.5),
          shape,
          dtype,
        );
        checkEquation(named("linearRecurrence"), [shrinking, b], { axis, reverse }, { tolerance });
      }
  });

  it("integer products wrap around", () => {
    for (const dtype of ["int32", "uint32", "uint8"] as const)
      checkEquation(named("cumprod"), [array([3, 40], dtype)], { axis: 1, reverse: false });
  });

  it("lines so long that their chunks are cut into chunks", () => {
    const n = 128 * 520 + 7;
    checkEquation(named("cumsum"), [array([n], "int32")], { axis: 0, reverse: false });
    checkEquation(named("cummax"), [array([n], "float32")], { axis: 0, reverse: true });
  });
});

describe("what is special", () => {
  const special = [
    [NaN, 1, 2, 3],
    [1, NaN, NaN, 0],
    [-Infinity, -Infinity, -Infinity, -Infinity],
    [-Infinity, 1, -Infinity, 2],
    [Infinity, Infinity, 1, -Infinity],
    [-0, 0, -0, -0],
    [-0, -0, 0, -1],
    [-Infinity, NaN, Infinity, NaN],
    [1000, -1000, 1000, 5],
  ];
  it("NaN, infinities and signed zeros", () => {
    for (const dtype of ["float32", "float64"] as const)
      for (const axis of [0, 1])
        for (const reverse of [false, true]) {
          const x = concreteArray(special.flat(), [special.length, 4], dtype);
          for (const name of [...sums, ...extrema])
            checkEquation(named(name), [x], { axis, reverse }, { tolerance: rounds(dtype) });
        }
  });

  it("the first factor of a recurrence is not looked at", () => {
    const a = concreteArray([NaN, 0.5, Infinity, 0.5], [4], "float32");
    const b = concreteArray([1, 2, 3, 4], [4], "float32");
    for (const reverse of [false, true])
      checkEquation(named("linearRecurrence"), [a, b], { axis: 0, reverse });
  });

  it("a recurrence that stays 0 although its factors grow", () => {
    const n = 1500;
    const a = concreteArray(new Float32Array(n).fill(3), [n], "float32");
    const b = concreteArray(
      Float32Array.from({ length: n }, (_, k) => (k > n - 20 ? 1 : 0)),
      [n],
      "float32",
    );
    checkEquation(named("linearRecurrence"), [a, b], { axis: 0, reverse: false }, { tolerance: 1e-6 });
  });
});
