import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { mul } from "../../../src/primitives/arithmetic.js";
import { reduceSum } from "../../../src/primitives/broadcast.js";
import { sort, topK } from "../../../src/primitives/sort.js";
import { jvp } from "../../../src/transforms/forward.js";
import { grad } from "../../../src/transforms/grad.js";
import { hessian } from "../../../src/transforms/jacobian.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { bool, f16, f32, f64, i32, list, refusal, u8, u32 } from "./arrays.js";
import { generator } from "./windows.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const sortOne = (x: NDArray, dimension = 0): NDArray => sort([x], { dimension })[0];

describe("sort", () => {
  it("puts NaN last and keeps the order of signed zeros", () => {
    expect(list(sortOne(f32([0, -0, nan, -0, -inf, 0, inf, -1])))).toEqual([
      -inf,
      -1,
      0,
      -0,
      -0,
      0,
      inf,
      nan,
    ]);
    // The same with a second operand, which takes the other way through the code.
    const [x, order] = sort([f32([0, -0, nan, -0, -inf, nan]), i32([0, 1, 2, 3, 4, 5])], { dimension: 0 });
    expect(list(x)).toEqual([-inf, 0, -0, -0, nan, nan]);
    expect(list(order)).toEqual([4, 0, 1, 3, 2, 5]);
  });

  it("sorts every dtype as numbers", () => {
    expect(list(sortOne(i32([10, 9, -1, -2147483648])))).toEqual([-2147483648, -1, 9, 10]);
    expect(list(sortOne(u32([4294967295, 10, 9])))).toEqual([9, 10, 4294967295]);
    expect(list(sortOne(u8([200, 3, 100])))).toEqual([3, 100, 200]);
    expect(list(sortOne(f16([2, 0.5, 1])))).toEqual([0.5, 1, 2]);
    expect(sortOne(bool([1, 0, 1])).tolist()).toEqual([false, true, true]);
  });

  it("sorts along any axis", () => {
    const x = f64([3, 1, 2, 6, 5, 4], [2, 3]);
    expect(sortOne(x, 1).tolist()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(sortOne(f64([3, 1, 2, 0, 5, -4], [2, 3]), 0).tolist()).toEqual([
      [0, 1, -4],
      [3, 5, 2],
    ]);
    expect(sortOne(f64([4, 1, 3, 2, 8, 7, 5, 6], [2, 2, 2]), 1).tolist()).toEqual([
      [
        [3, 1],
        [4, 2],
      ],
      [
        [5, 6],
        [8, 7],
      ],
    ]);
  });

  it("asks the next key where one ties, and keeps the order where all do", () => {
    const first = i32([1, 0, 1, 0]);
    const second = f64([5, 4, 3, 4]);
    const third = i32([0, 1, 2, 3]);
    const by = (numKeys: number) => list(sort([first, second, third], { dimension: 0, numKeys })[2]);
    expect(by(1)).toEqual([1, 3, 0, 2]);
    expect(by(2)).toEqual([1, 3, 2, 0]);
    const last = list(sort([first, second, i32([0, 3, 2, 1])], { dimension: 0, numKeys: 3 })[2]);
    expect(last).toEqual([1, 3, 2, 0]);
  });

  it("agrees with JavaScript's stable sort on many draws with ties", () => {
    const random = generator(3);
    for (let i = 0; i < 50; i++) {
      const keys = Array.from({ length: random(40) }, () => random(6));
      const [sorted, order] = sort([f64(keys), i32(keys.map((_, k) => k))], { dimension: 0 });
      const wanted = keys.map((key, k) => ({ key, k })).sort((a, b) => a.key - b.key);
      expect(list(order)).toEqual(wanted.map((w) => w.k));
      expect(list(sorted)).toEqual(wanted.map((w) => w.key));
      expect(list(sortOne(f64(keys)))).toEqual(list(sorted));
    }
  });

  it("sorts nothing", () => {
    expect(sortOne(f64([], [0])).shape).toEqual([0]);
    expect(sortOne(f64([], [2, 0]), 0).shape).toEqual([2, 0]);
    expect(sortOne(f64([], [2, 0]), 1).shape).toEqual([2, 0]);
  });

  it("moves tangents with their elements; those that tie keep their order", () => {
    const [, t] = jvp((x: NDArray) => sortOne(x), [f64([3, 1, 1, 2])], [f64([10, 20, 30, 40])]);
    expect(list(t)).toEqual([20, 30, 40, 10]);
    const valueOnly = (v: NDArray) => sort([i32([2, 0, 1]), v], { dimension: 0 })[1];
    expect(
      list(grad((v: NDArray) => reduceSum(mul(valueOnly(v), f64([1, 2, 3])), [0]))(f64([0, 0, 0]))),
    ).toEqual([3, 1, 2]);
    const squares = (x: NDArray) => reduceSum(mul(mul(sortOne(x), sortOne(x)), f64([1, 10])), [0]);
    expect((hessian(squares)(f64([5, 4])) as NDArray).tolist()).toEqual([
      [20, 0],
      [0, 2],
    ]);
  });

  it("has a batch rule that also takes operands that are not batched", () => {
    const both = (a: NDArray, b: NDArray) => [...sort([a, b], { dimension: 0 })];
    const [keys, values] = vmap(both, { inAxes: [0, null] })(f64([2, 1, 3, 4], [2, 2]), i32([7, 8]));
    expect(keys.tolist()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(values.tolist()).toEqual([
      [8, 7],
      [7, 8],
    ]);
  });

  it("refuses what it cannot sort", () => {
    const x = aval([2, 3], "float32");
    const params = { dimension: 0, numKeys: 1, isStable: true };
    expect(refusal("sort", [x, aval([2, 3], "bool")], params)).toBe("no error");
    expect(refusal("sort", [], params)).toBe("ArgumentError: sort needs at least one operand, got nothing");
    expect(refusal("sort", [x, aval([3, 2], "int32")], params)).toBe(
      "ShapeError: sort needs operands of one shape, got float32[2,3], int32[3,2]",
    );
    expect(refusal("sort", [aval([2], "float0")], params)).toBe(
      "DtypeError: sort is not defined for float0 (operands float0[2])",
    );
    expect(refusal("sort", [x], { ...params, dimension: -1 })).toBe(
      "AxisError: sort: -1 is not an axis of float32[2,3]",
    );
    expect(refusal("sort", [aval([], "int32")], params)).toBe("AxisError: sort: 0 is not an axis of int32[]");
    for (const numKeys of [0, 2, 0.5, undefined])
      expect(refusal("sort", [x], { ...params, numKeys })).toBe(
        `ArgumentError: sort: numKeys must be from 1 to 1 (operands), got ${numKeys}`,
      );
    expect(refusal("sort", [x], { ...params, isStable: 1 })).toBe(
      "ArgumentError: sort: isStable must be true or false, got 1",
    );
  });
});

describe("topK", () => {
  it("gives the largest in descending order, the first of those that tie first", () => {
    const [values, indices] = topK(f32([1, 9, 4, 9]), 3);
    expect(list(values)).toEqual([9, 9, 4]);
    expect(list(indices)).toEqual([1, 3, 2]);
    expect(indices.dtype).toBe("int32");
  });

  it("takes NaN for the largest and 0 for larger than -0, as JAX does", () => {
    const [values, indices] = topK(f32([-0, 0, 1, nan, -0, nan, inf]), 7);
    expect(list(values)).toEqual([nan, nan, inf, 1, 0, -0, -0]);
    expect(list(indices)).toEqual([3, 5, 6, 2, 1, 0, 4]);
  });

  it("works along the last axis, on every dtype, and for no elements", () => {
    const [values, indices] = topK(i32([3, 1, 2, -6, -5, -4], [2, 3]), 2);
    expect(values.tolist()).toEqual([
      [3, 2],
      [-4, -5],
    ]);
    expect(indices.tolist()).toEqual([
      [0, 2],
      [2, 1],
    ]);
    expect(list(topK(u32([4294967295, 1]), 1)[0])).toEqual([4294967295]);
    expect(topK(bool([0, 1]), 1)[0].tolist()).toEqual([true]);
    expect(topK(f64([1, 2]), 0)[0].shape).toEqual([0]);
    expect(topK(f64([], [0, 3]), 2)[1].shape).toEqual([0, 2]);
  });

  it("has a derivative that follows the indices", () => {
    const f = (x: NDArray) => reduceSum(mul(topK(x, 2)[0], f64([10, 1])), [0]);
    expect(list(grad(f)(f64([1, 3, 2])))).toEqual([0, 10, 1]);
    expect(vmap(grad(f))(f64([1, 3, 2, 6, 5, 4], [2, 3])).tolist()).toEqual([
      [0, 10, 1],
      [10, 1, 0],
    ]);
  });

  it("refuses what has not k elements", () => {
    const x = aval([2, 3], "float32");
    expect(refusal("topK", [x], { k: 3 })).toBe("no error");
    expect(refusal("topK", [x, x], { k: 1 })).toBe(
      "ArgumentError: topK takes 1 operand, got float32[2,3], float32[2,3]",
    );
    for (const k of [4, -1, 1.5, undefined])
      expect(refusal("topK", [x], { k })).toBe(
        `ArgumentError: topK: k must be from 0 to 3 (the last axis of float32[2,3]), got ${k}`,
      );
    expect(refusal("topK", [aval([], "float32")], { k: 0 })).toBe(
      "ShapeError: topK needs an axis, got float32[]",
    );
    expect(refusal("topK", [aval([2], "float0")], { k: 0 })).toBe(
      "DtypeError: topK is not defined for float0[2]",
    );
  });
});
