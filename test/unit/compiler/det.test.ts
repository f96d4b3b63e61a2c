/** The kernels of det and cofactor against their `evaluate` rules. */
import { describe, expect, it } from "vitest";
import { webgpuOptions } from "../../../src/compiler/compile.js";
import { concreteArray } from "../../../src/core/array.js";
import type { DType } from "../../../src/core/dtype.js";
import { generator } from "../examples.js";
import { lowerEquation } from "./lowerEquation.js";
import { array, checkEquation, checkExamples, named } from "./lowered.js";

const rounds = (dtype: DType): number => (dtype === "float16" ? 4e-3 : dtype === "float32" ? 2e-5 : 0);

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;

describe.each(["det", "cofactor"])("%s", (name) => {
  const primitive = named(name);
  const check = (values: readonly number[], shape: readonly number[], dtype: DType = "float64"): void =>
    checkEquation(primitive, [concreteArray(values, shape, dtype)], {}, { tolerance: rounds(dtype) });

  it("computes its examples", () => checkExamples(primitive, rounds));

  it("matrices of higher order, and many of them", () => {
    for (const n of [5, 6, 9])
      for (const dtype of ["float64", "float32"] as const)
        checkEquation(primitive, [array([3, n, n], dtype, n)], {}, { tolerance: 50 * rounds(dtype) });
    checkEquation(primitive, [array([2, 40, 4, 4], "float32")], {}, { tolerance: rounds("float32") });
  });

  it("singular matrices, of every rank", () => {
    const random = generator(3);
    for (const n of [2, 3, 4])
      for (let rank = 0; rank < n; rank++) {
        // Small whole numbers: elimination may still round, and then does so in the same way.
        const draw = () => Array.from({ length: n * rank }, () => Math.floor(5 * random()) - 2);
        const [a, b] = [draw(), draw()];
        const values = Array.from({ length: n * n }, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          let sum = 0;
          for (let k = 0; k < rank; k++) sum += a[i * rank + k] * b[k * n + j];
          return sum;
        });
        check(values, [n, n]);
      }
    check([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]);
    check([0, 0, 0, 0, 0, 0, 0, 0, 0], [3, 3]);
    check([1, 0, 0, 0, 0, 0, 0, 0, 0], [3, 3], "float32");
  });

  it("pivots that are out of order", () => {
    check([0, 0, 1, 0, 1, 0, 1, 0, 0], [3, 3]);
    check([0, 2, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0, 0, 5, 0], [4, 4], "float32");
  });

  it("products that leave the range on the way", () => {
    for (const [big, small, dtype] of [
      [1e200, 1e-200, "float64"],
      [1e30, 1e-30, "float32"],
    ] as const) {
      const diagonal = [big, big, small, small];
      const values = diagonal.flatMap((x, i) => diagonal.map((_, j) => (i === j ? x : 0)));
      check(values, [4, 4], dtype);
    }
    check([1e200, 0, 0, 0, 1e200, 0, 0, 0, 1e200], [3, 3]);
    check([1e-200, 0, 0, 0, 1e-200, 0, 0, 0, 1e-200], [3, 3]);
  });

  it("kernels for the GPU keep to the buffers that every device has", () => {
    for (const step of lowerEquation(primitive, [array([2, 4, 4]).aval], {}, "webgpu").steps)
      if (step.kind === "kernel")
        expect(step.kernel.buffers.length).toBeLessThanOrEqual(webgpuOptions.buffers);
  });

  it("elements that are not finite", () => {
    for (const dtype of ["float64", "float32"] as const)
      for (const x of [nan, inf, -inf]) {
        check([x], [1, 1], dtype);
        check([x, 1, 2, 3], [2, 2], dtype);
        check([1, 2, 3, 4, x, 5, 6, 7, 8], [3, 3], dtype);
        check([0, 0, 0, 0, 0, 0, 0, 0, x], [3, 3], dtype);
      }
  });
});
