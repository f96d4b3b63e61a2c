/** The kernels of reductions against their `evaluate` rules. */
import { describe, it } from "vitest";
import { concreteArray } from "../../../src/core/array.js";
import type { DType } from "../../../src/core/dtype.js";
import { array, checkEquation, checkExamples, named } from "./lowered.js";

const rounds = (dtype: DType): number => (dtype === "float16" ? 2e-3 : dtype === "float32" ? 1e-6 : 1e-14);

describe.each(["reduceSum", "reduceProd"])("%s", (name) => {
  const primitive = named(name);
  it("computes its examples", () => checkExamples(primitive, rounds));
});

describe.each(["reduceMax", "reduceMin", "reduceAnd", "reduceOr", "reduceXor", "argmax", "argmin"])(
  "%s",
  (name) => {
    const primitive = named(name);
    it("computes its examples exactly", () => checkExamples(primitive));
  },
);

/** Shapes and axes: rows and columns, many and few, lengths that no block divides, axes that are far apart. */
const layouts: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[1000], [0]],
  [[1], [0]],
  [[7, 129], [1]],
  [[129, 7], [0]],
  [
    [3, 50, 7],
    [0, 2],
  ],
  [[2, 1, 300], [2]],
  [
    [5, 1, 4],
    [1, 2],
  ],
];

describe("reductions of larger arrays", () => {
  it.each(["float32", "float16", "int32", "uint32", "uint8"] as const)("sums %s", (dtype) => {
    for (const [shape, axes] of layouts)
      checkEquation(named("reduceSum"), [array(shape, dtype)], { axes }, { tolerance: 2 * rounds(dtype) });
  });

  it.each(["float32", "int32", "uint32", "uint8", "bool"] as const)("extrema of %s", (dtype) => {
    for (const [shape, axes] of layouts)
      for (const name of ["reduceMax", "reduceMin"])
        checkEquation(named(name), [array(shape, dtype)], { axes });
  });

  it.each(["int32", "uint32", "uint8", "bool"] as const)("bits of %s", (dtype) => {
    for (const [shape, axes] of layouts)
      for (const name of ["reduceAnd", "reduceOr", "reduceXor"])
        checkEquation(named(name), [array(shape, dtype)], { axes });
  });

  it("integer products wrap around", () => {
    for (const dtype of ["int32", "uint32", "uint8"] as const)
      checkEquation(named("reduceProd"), [array([4, 40], dtype)], { axes: [1] });
  });

  it.each(["float32", "float16", "int32", "uint8", "bool"] as const)("places of extrema of %s", (dtype) => {
    for (const [shape, [axis]] of layouts)
      for (const name of ["argmax", "argmin"])
        checkEquation(named(name), [array(shape, dtype)], { axis, indexDtype: "int32" });
  });
});

describe("what is special", () => {
  const special = [
    [NaN, 1, 2, 3],
    [1, NaN, NaN, 0],
    [-Infinity, -Infinity, -Infinity, -Infinity],
    [Infinity, Infinity, 1, -Infinity],
    [-0, 0, -0, 0],
    [0, -0, 0, -0],
    [-Infinity, NaN, Infinity, NaN],
    [5, 7, 7, 5],
  ];
  const x = (dtype: DType) => concreteArray(special.flat(), [special.length, 4], dtype);

  it("NaN wins, infinities and signed zeros are kept", () => {
    for (const dtype of ["float32", "float64", "float16"] as const)
      for (const axis of [0, 1]) {
        for (const name of ["reduceMax", "reduceMin", "reduceSum", "reduceProd"])
          checkEquation(named(name), [x(dtype)], { axes: [axis] });
        for (const name of ["argmax", "argmin"])
          for (const indexDtype of ["int32", "uint32", "uint8"])
            checkEquation(named(name), [x(dtype)], { axis, indexDtype });
      }
  });

  it("the first of those that tie, however the work is shared", () => {
    const ties = Float32Array.from({ length: 2000 }, (_, i) => (i % 700 === 650 ? 1 : 0));
    const late = Float32Array.from({ length: 2000 }, (_, i) => (i % 700 === 650 ? NaN : i));
    for (const values of [ties, late, ties.map((v) => -v), new Float32Array(2000).fill(-Infinity)])
      for (const name of ["argmax", "argmin"])
        checkEquation(named(name), [concreteArray(values, [2000], "float32")], {
          axis: 0,
          indexDtype: "int32",
        });
  });

  it("integers at the ends of their ranges", () => {
    const ends = { int32: [-2147483648, 2147483647], uint32: [0, 4294967295], uint8: [0, 255] } as const;
    for (const dtype of ["int32", "uint32", "uint8"] as const)
      for (const end of ends[dtype])
        for (const name of ["reduceMax", "reduceMin", "reduceSum", "reduceProd", "reduceAnd"])
          checkEquation(named(name), [concreteArray(Array(5).fill(end), [5], dtype)], { axes: [0] });
  });

  it("sums of no elements are zero, products one", () => {
    for (const name of ["reduceSum", "reduceProd"])
      for (const dtype of ["float32", "int32", "uint8"] as const)
        checkEquation(named(name), [array([3, 0], dtype)], { axes: [1] });
  });
});
