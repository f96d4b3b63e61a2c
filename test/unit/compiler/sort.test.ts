/** The kernels of sort and topK against their `evaluate` rules: the very same elements, in the same order. */
import { describe, expect, it } from "vitest";
import { webgpuOptions } from "../../../src/compiler/compile.js";
import { type ConcreteArray, concreteArray } from "../../../src/core/array.js";
import { type Shape, sizeOf } from "../../../src/core/aval.js";
import type { DType } from "../../../src/core/dtype.js";
import { generator } from "../examples.js";
import { lowerEquation } from "./lowerEquation.js";
import { array, checkEquation, checkExamples, named } from "./lowered.js";

const [sort, topK] = [named("sort"), named("topK")];

/** With many ties, and what is special about floats. */
function wild(shape: Shape, dtype: DType, seed = 1): ConcreteArray {
  const random = generator(seed);
  const special = [NaN, Infinity, -Infinity, 0, -0, 0, -0, 1, -1];
  const values = Array.from({ length: sizeOf(shape) }, () => {
    if (dtype === "bool") return Math.round(random());
    if (dtype.startsWith("float") && random() < 0.5) return special[Math.floor(random() * special.length)];
    const n = Math.floor(random() * 9);
    return dtype.startsWith("u") ? n : n - 4;
  });
  return concreteArray(values, shape, dtype);
}

const dtypes = ["float32", "float64", "float16", "int32", "uint32", "uint8", "bool"] as const;

describe("sort", () => {
  it("computes its examples", () => checkExamples(sort));

  it.each(dtypes)("%s, along any axis, in lengths around those of runs", (dtype) => {
    for (const [shape, dimension] of [
      [[1], 0],
      [[15], 0],
      [[16], 0],
      [[17], 0],
      [[3, 100], 1],
      [[65, 3], 0],
      [[2, 33, 2], 1],
    ] as const)
      for (const make of [wild, array])
        checkEquation(sort, [make(shape, dtype)], { dimension, numKeys: 1, isStable: true });
  });

  it("several operands: keys, one that moves along, several that do", () => {
    for (const n of [7, 40])
      for (const [numKeys, count] of [
        [1, 2],
        [2, 2],
        [1, 3],
        [2, 3],
        [2, 5],
        [3, 4],
      ]) {
        const types = ["float32", "int32", "bool", "uint8", "float16"] as const;
        const operands = Array.from({ length: count }, (_, i) =>
          i < numKeys ? wild([2, n], types[i], i) : array([2, n], types[i], i),
        );
        checkEquation(sort, operands, { dimension: 1, numKeys, isStable: true });
        checkEquation(sort, operands, { dimension: 0, numKeys, isStable: true });
      }
  });

  it("kernels for the GPU keep to the buffers that every device has", () => {
    const avals = Array.from({ length: 6 }, (_, i) => array([40], i % 2 === 0 ? "float32" : "int32").aval);
    for (const count of [1, 2, 3, 6])
      for (let numKeys = 1; numKeys <= count; numKeys++) {
        const params = { dimension: 0, numKeys, isStable: true };
        for (const step of lowerEquation(sort, avals.slice(0, count), params, "webgpu").steps)
          if (step.kind === "kernel")
            expect(step.kernel.buffers.length).toBeLessThanOrEqual(webgpuOptions.buffers);
      }
  });

  it("what ties keeps its order", () => {
    const n = 300;
    const places = concreteArray(
      Array.from({ length: n }, (_, k) => k),
      [n],
      "int32",
    );
    for (const dtype of dtypes)
      checkEquation(sort, [wild([n], dtype, 5), places], { dimension: 0, numKeys: 1, isStable: true });
  });

  it("lines that are longer than one item sorts", () => {
    checkEquation(sort, [array([50000])], { dimension: 0, numKeys: 1, isStable: true });
    const keys = wild([16400, 2], "float32", 3);
    const rest = array([16400, 2], "int32");
    checkEquation(sort, [keys, rest], { dimension: 0, numKeys: 1, isStable: true });
  });

  it("what is in order, and what is in reverse order", () => {
    for (const n of [50, 300]) {
      const up = Float32Array.from({ length: n }, (_, k) => k);
      for (const values of [up, up.slice().reverse()])
        checkEquation(sort, [concreteArray(values, [n], "float32")], {
          dimension: 0,
          numKeys: 1,
          isStable: true,
        });
    }
  });
});

describe("topK", () => {
  it("computes its examples", () => checkExamples(topK));

  it.each(dtypes)("%s: of short and long lines, few and many", (dtype) => {
    for (const [shape, ks] of [
      [[1], [0, 1]],
      [[20], [1, 5, 20]],
      [
        [3, 100],
        [1, 10, 40, 100],
      ],
      [
        [2, 1100],
        [3, 50],
      ],
    ] as const)
      for (const k of ks) for (const make of [wild, array]) checkEquation(topK, [make(shape, dtype)], { k });
  });

  it("of a line that is longer than one item sorts", () => {
    for (const k of [2, 100, 20000]) checkEquation(topK, [wild([20000], "float32", 7)], { k });
  });
});
