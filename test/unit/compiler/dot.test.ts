/** The kernels of dotGeneral against its `evaluate` rule: every choice of kernels, layouts, dtypes and edges. */
import { describe, expect, it } from "vitest";
import { compile, wasmOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import { concreteArray, type NDArray } from "../../../src/core/array.js";
import { type Shape, sizeOf } from "../../../src/core/aval.js";
import type { DType } from "../../../src/core/dtype.js";
import { numpy as np } from "../../../src/index.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { generator } from "../examples.js";
import { equation } from "./lowerEquation.js";
import { array, checkEquation, checkExamples, checkProgram, named } from "./lowered.js";

const dot = named("dotGeneral");

const rounds = (dtype: DType): number =>
  dtype === "float64" ? 1e-13 : dtype === "float32" ? 2e-5 : dtype === "float16" ? 4e-3 : 0;

type Pairs = readonly [readonly number[], readonly number[]];
const none: Pairs = [[], []];

function check(
  x: Shape,
  y: Shape,
  contracting: Pairs,
  batch: Pairs = none,
  dtype: DType = "float32",
  preferredElementType: DType = dtype,
): void {
  // Products are up to 4 and may cancel: what is lost grows with what is added up, not with the sum.
  const terms = sizeOf(contracting[0].map((a) => x[a]));
  const tolerance = Math.max(rounds(dtype), rounds(preferredElementType)) * Math.max(1, terms / 200);
  checkEquation(
    dot,
    [array(x, dtype, 3), array(y, dtype, 4)],
    { contracting, batch, preferredElementType },
    { tolerance },
  );
}

describe("dotGeneral", () => {
  it("computes its examples", () => checkExamples(dot, rounds));

  /** Rows, columns and terms around the sizes of tiles, and thin ones. */
  const sizes: readonly (readonly [number, number, number])[] = [
    [4, 8, 16],
    [5, 9, 17],
    [3, 20, 30],
    [20, 3, 30],
    [1, 33, 40],
    [33, 1, 40],
    [1, 1, 1000],
    [2, 2, 300],
    [9, 12, 13],
    [12, 8, 11],
    [2, 64, 20],
    [131, 5, 9],
    [6, 70, 24],
  ];

  it.each(sizes)("products of %i by %i by %i in all four layouts", (m, n, k) => {
    check([m, k], [k, n], [[1], [0]]);
    check([m, k], [n, k], [[1], [1]]);
    check([k, m], [k, n], [[0], [0]]);
    check([k, m], [n, k], [[0], [1]]);
  });

  it.each(["float64", "float16", "int32", "uint32", "uint8"] as const)("tiles of %s", (dtype) => {
    check([5, 40], [40, 13], [[1], [0]], none, dtype);
    check([40, 5], [13, 40], [[0], [1]], none, dtype);
    check([33, 21], [21], [[1], [0]], none, dtype);
    check([21], [21, 34], [[0], [0]], none, dtype);
    check([600], [600], [[0], [0]], none, dtype);
  });

  it("results of other dtypes than the operands", () => {
    for (const [k, m, n] of [
      [3, 4, 5],
      [30, 6, 7],
    ]) {
      const [x, y] = [
        [m, k],
        [k, n],
      ];
      check(x, y, [[1], [0]], none, "float32", "float64");
      check(x, y, [[1], [0]], none, "float32", "float16");
      check(x, y, [[1], [0]], none, "float16", "float32");
      check(x, y, [[1], [0]], none, "float64", "float32");
      check(x, y, [[1], [0]], none, "int32", "float32");
      check(x, y, [[1], [0]], none, "uint8", "int32");
      check(x, y, [[1], [0]], none, "uint8", "uint32");
      check(x, y, [[1], [0]], none, "uint8", "float32");
      check(x, y, [[1], [0]], none, "uint32", "int32");
    }
  });

  it("batches, wherever their axes are", () => {
    check([3, 6, 20], [3, 20, 10], [[2], [1]], [[0], [0]]);
    check([6, 3, 20], [20, 10, 3], [[2], [0]], [[1], [2]]);
    check([20, 6, 3], [3, 10, 20], [[0], [2]], [[2], [0]]);
    check(
      [2, 3, 6, 20],
      [3, 2, 9, 20],
      [[3], [3]],
      [
        [0, 1],
        [1, 0],
      ],
    );
    check([50, 4, 4], [50, 4, 4], [[2], [1]], [[0], [0]]);
    check([4, 33], [4, 33, 7], [[1], [1]], [[0], [0]]);
  });

  it("several contracting and free axes", () => {
    check(
      [3, 4, 5, 6],
      [5, 6, 7],
      [
        [2, 3],
        [0, 1],
      ],
    );
    check(
      [3, 4, 5, 6],
      [6, 5, 7, 2],
      [
        [2, 3],
        [1, 0],
      ],
    );
    check(
      [5, 3, 6, 4],
      [6, 7, 5, 2],
      [
        [0, 2],
        [2, 0],
      ],
    );
    check(
      [9, 2, 8],
      [8, 9, 3],
      [
        [2, 0],
        [0, 1],
      ],
    );
    check([1, 30, 1, 5], [30, 1, 12], [[1], [0]]);
  });

  it("sums of no products, results without elements", () => {
    check([3, 0], [0, 4], [[1], [0]]);
    check([0, 9], [9, 4], [[1], [0]]);
    check([2, 0, 9], [2, 9, 4], [[2], [1]], [[0], [0]]);
  });

  it("outer products, wide and tall", () => {
    check([3], [5000], none);
    check([5000], [3], none);
    check([40, 2], [2, 50], [[1], [0]]);
  });

  it("long sums stay precise", () => {
    const n = 20000;
    const random = generator(7);
    const values = () => Float32Array.from({ length: n }, () => random());
    const wanted = (a: Float32Array, b: Float32Array): number => a.reduce((s, x, i) => s + x * b[i], 0);
    for (const [x, y, contracting] of [
      [[n], [n], [[0], [0]]],
      [
        [1, n],
        [n, 1],
        [[1], [0]],
      ],
    ] as const) {
      const [a, b] = [values(), values()];
      const jaxpr = equation(dot, [array(x).aval, array(y).aval], {
        contracting,
        batch: none,
        preferredElementType: "float32",
      });
      const [[sum]] = runProgram(compile(jaxpr, wasmOptions), [a, b]);
      expect(Math.abs(sum / wanted(a, b) - 1)).toBeLessThan(1e-6);
    }
  });

  it("stretches of terms, with several tiles each", () => {
    check([5, 700], [700, 12], [[1], [0]]);
    check([5, 701], [701, 9], [[1], [0]]);
    check([700, 4], [700, 20], [[0], [0]]);
    check([9, 2500], [2500], [[1], [0]]);
    check([2501], [7, 2501], [[0], [1]]);
  });

  it("tiles of threads, four elements at once and one by one", () => {
    for (const [m, n, k] of [
      [96, 96, 12],
      [95, 93, 12],
      [95, 96, 9],
      [128, 70, 4],
      [92, 92, 520],
    ]) {
      check([m, k], [k, n], [[1], [0]]);
      if (k === 520) continue;
      check([m, k], [n, k], [[1], [1]]);
      check([k, m], [k, n], [[0], [0]]);
      check([k, m], [n, k], [[0], [1]]);
    }
    check([96, 12], [12, 96], [[1], [0]], none, "float16");
    check([96, 12], [12, 96], [[1], [0]], none, "int32");
    check([96, 12], [12, 96], [[1], [0]], none, "uint8", "int32");
    check([3, 56, 12], [3, 12, 56], [[2], [1]], [[0], [0]]);
  });

  it("matrices with one, two and three vectors", () => {
    for (const vectors of [1, 2, 3])
      for (const [rows, k] of [
        [67, 40],
        [130, 41],
        [70, 1300],
        [2500, 11],
      ]) {
        check([rows, k], [k, vectors], [[1], [0]]);
        check([rows, k], [vectors, k], [[1], [1]]);
        check([vectors, k], [k, rows], [[1], [0]]);
        check([k, vectors], [k, rows], [[0], [0]]);
      }
    check([75, 90], [90], [[1], [0]], none, "float64");
    check([90], [90, 75], [[0], [0]], none, "float64");
    check([75, 90], [90], [[1], [0]], none, "int32");
    check([90, 2], [90, 75], [[0], [0]], none, "float16");
    check([3, 75, 90], [3, 90], [[2], [1]], [[0], [0]]);
    check([90, 3], [90, 75, 3], [[0], [0]], [[1], [2]]);
  });

  it("several blocks", () => {
    check([260, 10], [10, 37], [[1], [0]]);
    check([9, 10], [10, 1100], [[1], [0]]);
    check([1, 12], [12, 4200], [[1], [0]]);
  });

  it("infinities and NaN stay where they belong", () => {
    for (const [m, n, k] of [
      [5, 9, 12],
      [1, 40, 20],
      [40, 1, 20],
      [3, 4, 2],
    ]) {
      const x = array([m, k]).values.slice();
      x[k * (m - 1)] = Infinity;
      if (m > 1) x[1] = NaN;
      checkEquation(
        dot,
        [concreteArray(x, [m, k], "float32"), array([k, n], "float32", 2)],
        { contracting: [[1], [0]], batch: none, preferredElementType: "float32" },
        { tolerance: 1e-5 },
      );
    }
  });

  it("what comes before and after is fused", () => {
    const shapes = [[6, 30], [30, 9], [9]];
    const f = makeJaxpr((x: NDArray, w: NDArray, b: NDArray) =>
      np.maximum(np.add(np.matmul(np.multiply(x, 2), np.negative(w)), b), 0),
    );
    const args = shapes.map((s, i) => array(s, "float32", i));
    const { jaxpr } = f(args[0], args[1], args[2]);
    checkProgram(jaxpr, args, { tolerance: 1e-5 });
    const kernels = compile(jaxpr, wasmOptions).steps.length;
    expect(kernels).toBeLessThanOrEqual(4);
    expect(sizeOf(jaxpr.outAvals[0].shape)).toBe(54);
  });
});
