import { describe, expect, it } from "vitest";
import { type NDArray, scalar } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { Var } from "../../../src/core/jaxpr.js";
import { findPrimitive } from "../../../src/core/primitive.js";
import { mul } from "../../../src/primitives/arithmetic.js";
import { reduceSum } from "../../../src/primitives/broadcast.js";
import { dynamicSlice, dynamicUpdateSlice } from "../../../src/primitives/dynamic.js";
import { jvp } from "../../../src/transforms/forward.js";
import { grad } from "../../../src/transforms/grad.js";
import { linearTranspose } from "../../../src/transforms/linearize.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { bool, counting, f64, i32, list, refusal } from "./arrays.js";

const at = (n: number) => scalar(n, "int32");

describe("dynamicSlice", () => {
  it("begins at the starts, which clamp", () => {
    expect([-5, 0, 1, 2, 9].map((s) => list(dynamicSlice(counting([4]), [at(s)], [2])))).toEqual([
      [0, 1],
      [0, 1],
      [1, 2],
      [2, 3],
      [2, 3],
    ]);
    expect(dynamicSlice(counting([3, 4]), [at(1), at(9)], [2, 2]).tolist()).toEqual([
      [6, 7],
      [10, 11],
    ]);
  });

  it("takes numbers and unsigned starts", () => {
    expect(list(dynamicSlice(counting([4]), [1], [2]))).toEqual([1, 2]);
    expect(list(dynamicSlice(counting([4]), [scalar(4294967295, "uint32")], [2]))).toEqual([2, 3]);
    expect(list(dynamicSlice(counting([2, 4]), [0, scalar(3, "uint8")], [1, 1]))).toEqual([3]);
  });

  it("takes all, nothing, and scalars", () => {
    expect(list(dynamicSlice(counting([3]), [2], [3]))).toEqual([0, 1, 2]);
    expect(dynamicSlice(counting([3]), [2], [0]).shape).toEqual([0]);
    expect(dynamicSlice(bool([1], []), [], []).tolist()).toBe(true);
  });

  it("has a gradient with zeros where it took nothing", () => {
    const f = (x: NDArray) => reduceSum(mul(dynamicSlice(x, [at(9)], [2]), f64([5, 7])), [0]);
    expect(list(grad(f)(counting([4])))).toEqual([0, 0, 5, 7]);
  });

  it("has a batch rule for the operand, the starts, and both", () => {
    const f = (x: NDArray, s: NDArray) => dynamicSlice(x, [s, 1], [1, 2]);
    const x = counting([2, 3, 3]);
    const x0 = counting([3, 3]);
    expect(vmap(f, { inAxes: [0, null] })(x, at(7)).tolist()).toEqual([[[7, 8]], [[16, 17]]]);
    expect(vmap(f, { inAxes: [null, 0] })(x0, i32([-1, 9])).tolist()).toEqual([[[1, 2]], [[7, 8]]]);
    expect(vmap(f)(x, i32([1, 2])).tolist()).toEqual([[[4, 5]], [[16, 17]]]);
    expect(list(vmap((a: NDArray) => dynamicSlice(a, [], []))(counting([3])))).toEqual([0, 1, 2]);
    const weighted = (a: NDArray, s: NDArray) => reduceSum(mul(f(a, s), f64([2, 3], [1, 2])), [0, 1]);
    expect(list(vmap(grad(weighted), { inAxes: [null, 0] })(x0, i32([0, 9])))).toEqual([
      0, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3,
    ]);
  });

  it("is its operand if it takes all of it", () => {
    const simplify = findPrimitive("dynamicSlice")?.simplify;
    const atoms = [new Var(0, aval([3], "float32")), new Var(1, aval([], "int32"))];
    expect(simplify?.(atoms, { sizes: [3] })).toBe(0);
    expect(simplify?.(atoms, { sizes: [2] })).toBe(undefined);
  });

  it("refuses what does not fit", () => {
    const x = aval([3, 2], "float32");
    const s = aval([], "int32");
    const refused = (inputs: Parameters<typeof refusal>[1], sizes: unknown) =>
      refusal("dynamicSlice", inputs, { sizes });
    expect(refused([x, s, s], [3, 1])).toBe("no error");
    expect(refused([], [])).toBe("ArgumentError: dynamicSlice takes an array and its starts, got nothing");
    expect(refused([x, s], [1, 1])).toBe(
      "ArgumentError: dynamicSlice needs a start for each axis of float32[3,2], got 1 (int32[])",
    );
    expect(refused([x, s, aval([1], "int32")], [1, 1])).toBe(
      "ShapeError: dynamicSlice: starts must be scalars, got int32[], int32[1]",
    );
    expect(refused([x, s, aval([], "float32")], [1, 1])).toBe(
      "DtypeError: dynamicSlice: starts must be integers of one dtype, got int32[], float32[]",
    );
    expect(refused([x, s, aval([], "uint32")], [1, 1])).toBe(
      "DtypeError: dynamicSlice: starts must be integers of one dtype, got int32[], uint32[]",
    );
    for (const sizes of [[4, 1], [1], [1, -1], [1, 0.5]])
      expect(refused([x, s, s], sizes)).toBe(
        `ShapeError: dynamicSlice: float32[3,2] has no part of sizes [${sizes}]`,
      );
    expect(refused([x, s, s], undefined)).toBe(
      "ShapeError: dynamicSlice: float32[3,2] has no part of sizes undefined",
    );
  });
});

describe("dynamicUpdateSlice", () => {
  it("overwrites from the starts, which clamp", () => {
    const x = counting([4]);
    expect([-5, 1, 9].map((s) => list(dynamicUpdateSlice(x, f64([8, 9]), [at(s)])))).toEqual([
      [8, 9, 2, 3],
      [0, 8, 9, 3],
      [0, 1, 8, 9],
    ]);
    expect(list(x)).toEqual([0, 1, 2, 3]);
    expect(dynamicUpdateSlice(counting([2, 3]), f64([8, 9], [2, 1]), [0, 2]).tolist()).toEqual([
      [0, 1, 8],
      [3, 4, 9],
    ]);
    expect(dynamicUpdateSlice(f64([1], []), f64([2], []), []).tolist()).toBe(2);
    expect(list(dynamicUpdateSlice(counting([2]), f64([]), [1]))).toEqual([0, 1]);
  });

  it("is linear in both operands together", () => {
    const f = (x: NDArray, u: NDArray) => dynamicUpdateSlice(x, u, [at(1)]);
    const [x, u] = [f64([0, 0, 0, 0]), f64([0, 0])];
    expect(list(jvp(f, [x, u], [f64([1, 2, 3, 4]), f64([5, 6])])[1])).toEqual([1, 5, 6, 4]);
    expect(linearTranspose(f, x, u)(f64([1, 2, 3, 4])).map(list)).toEqual([
      [1, 0, 0, 4],
      [2, 3],
    ]);
    expect(list(grad((v: NDArray) => reduceSum(mul(f(x, v), f64([1, 2, 3, 4])), [0]))(u))).toEqual([2, 3]);
    expect(list(grad((v: NDArray) => reduceSum(mul(f(v, u), f64([1, 2, 3, 4])), [0]))(x))).toEqual([
      1, 0, 0, 4,
    ]);
  });

  it("has a batch rule for every choice of batched operands", () => {
    const f = (x: NDArray, u: NDArray, s: NDArray) => dynamicUpdateSlice(x, u, [s]);
    const x = counting([2, 3]);
    const u = f64([8, 9], [2, 1]);
    const s = i32([2, 0]);
    const [x0, u0, s0] = [counting([3]), f64([8]), at(1)];
    const run = (inAxes: [number | null, number | null, number | null]) =>
      vmap(f, { inAxes })(
        inAxes[0] === 0 ? x : x0,
        inAxes[1] === 0 ? u : u0,
        inAxes[2] === 0 ? s : s0,
      ).tolist();
    expect(run([0, 0, 0])).toEqual([
      [0, 1, 8],
      [9, 4, 5],
    ]);
    expect(run([null, null, 0])).toEqual([
      [0, 1, 8],
      [8, 1, 2],
    ]);
    expect(run([0, null, null])).toEqual([
      [0, 8, 2],
      [3, 8, 5],
    ]);
    expect(run([null, 0, null])).toEqual([
      [0, 8, 2],
      [0, 9, 2],
    ]);
    expect(run([0, null, 0])).toEqual([
      [0, 1, 8],
      [8, 4, 5],
    ]);
    expect(run([null, 0, 0])).toEqual([
      [0, 1, 8],
      [9, 1, 2],
    ]);
  });

  it("is its update if that replaces everything", () => {
    const simplify = findPrimitive("dynamicUpdateSlice")?.simplify;
    const atom = (id: number, n: number, weak = false) => new Var(id, aval([n], "float32", weak));
    expect(simplify?.([atom(0, 3), atom(1, 3)], {})).toBe(1);
    expect(simplify?.([atom(0, 3), atom(1, 2)], {})).toBe(undefined);
    // The result would be strong, the update is weak.
    expect(simplify?.([atom(0, 3), atom(1, 3, true)], {})).toBe(undefined);
  });

  it("refuses what does not fit", () => {
    const x = aval([3], "float32");
    const s = aval([], "int32");
    const refused = (...inputs: Parameters<typeof refusal>[1]) => refusal("dynamicUpdateSlice", inputs, {});
    expect(refused(x, aval([2], "float32"), s)).toBe("no error");
    expect(refused(x)).toBe(
      "ArgumentError: dynamicUpdateSlice takes an array, an update and starts, got float32[3]",
    );
    expect(refused(x, aval([2], "float32"))).toBe(
      "ArgumentError: dynamicUpdateSlice needs a start for each axis of float32[3], got 0 (nothing)",
    );
    expect(refused(x, aval([2], "int32"), s)).toBe(
      "DtypeError: dynamicUpdateSlice needs an update of the operand's dtype, got int32[2] for float32[3]",
    );
    expect(refused(x, aval([4], "float32"), s)).toBe(
      "ShapeError: dynamicUpdateSlice: an update float32[4] does not fit into float32[3]",
    );
    expect(refused(x, aval([], "float32"), s)).toBe(
      "ShapeError: dynamicUpdateSlice: an update float32[] does not fit into float32[3]",
    );
    expect(refused(x, aval([2], "float32"), aval([], "bool"))).toBe(
      "DtypeError: dynamicUpdateSlice: starts must be integers of one dtype, got bool[]",
    );
  });
});
