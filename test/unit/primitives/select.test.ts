import { describe, expect, it } from "vitest";
import { type NDArray, scalar } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { gt } from "../../../src/primitives/comparison.js";
import { sqrt } from "../../../src/primitives/power.js";
import { clamp, select, selectN } from "../../../src/primitives/select.js";
import { jvp } from "../../../src/transforms/forward.js";
import { grad } from "../../../src/transforms/grad.js";
import { jacrev } from "../../../src/transforms/jacobian.js";
import { vmap } from "../../../src/transforms/vmap.js";
import { bool, f64, i32, list, refusal, u8 } from "./arrays.js";

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;

describe("select", () => {
  it("takes elements of one side or the other", () => {
    expect(list(select(bool([1, 0, 1]), f64([1, 2, 3]), f64([4, 5, 6])))).toEqual([1, 5, 3]);
    expect(list(select(bool([1, 0]), i32([1, 2]), 7))).toEqual([1, 7]);
    expect(list(select(bool([0], []), u8([1, 2]), u8([3, 4])))).toEqual([3, 4]);
    expect(list(select(bool([1, 0]), f64([9], []), f64([8], [])))).toEqual([9, 8]);
    expect(list(select(bool([1, 0]), bool([0, 0]), bool([1, 1])))).toEqual([0, 1]);
    expect(select(bool([]), f64([]), 1).shape).toEqual([0]);
    expect(list(select(bool([1, 0]), f64([nan, -0]), f64([1, -0])))).toEqual([nan, -0]);
  });

  it("gives the side that is not taken an exact zero, whatever its cotangent", () => {
    const [gx, gy] = grad((x: NDArray, y: NDArray) => select(gt(x, 0), x, y), { argnums: [0, 1] })(
      f64([1], []),
      f64([inf], []),
    ) as NDArray[];
    expect([gx.item(), gy.item()]).toEqual([1, 0]);
    const ct = jacrev((y: NDArray) => select(bool([1, 0]), f64([1, 2]), y))(f64([nan, nan]));
    expect((ct as NDArray).tolist()).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });

  it("does not protect what the untaken side computes", () => {
    const unsafe = (x: NDArray) => select(gt(x, 0), sqrt(x), 0);
    expect(grad(unsafe)(f64([0], [])).item()).toBe(nan);
    const safe = (x: NDArray) => select(gt(x, 0), sqrt(select(gt(x, 0), x, 1)), 0);
    expect(grad(safe)(f64([0], [])).item()).toBe(0);
  });

  it("moves both tangents at once", () => {
    const pred = bool([1, 0]);
    const [, t] = jvp(
      (x: NDArray, y: NDArray) => select(pred, x, y),
      [f64([1, 2]), f64([3, 4])],
      [f64([nan, 2]), f64([3, nan])],
    );
    expect(list(t as NDArray)).toEqual([nan, nan]);
    const [, u] = jvp(
      (x: NDArray, y: NDArray) => select(pred, x, y),
      [f64([1, 2]), f64([3, 4])],
      [f64([5, inf]), f64([inf, 6])],
    );
    expect(list(u as NDArray)).toEqual([5, 6]);
  });

  it("refuses a predicate that is not bool, and cases that differ", () => {
    const x = aval([2], "float32");
    expect(refusal("select", [x, x, x], {})).toBe(
      "DtypeError: select: operand 0 must be bool, got float32[2], float32[2], float32[2]",
    );
    expect(refusal("select", [aval([2], "bool"), x, aval([2], "int32")], {})).toMatch(
      /^DtypeError: select needs operands of one dtype/,
    );
    expect(refusal("select", [aval([3], "bool"), x, x], {})).toMatch(/^ShapeError/);
    expect(refusal("select", [aval([2], "bool"), x], {})).toBe(
      "ArgumentError: select takes 3 operands, got 2",
    );
    expect(() => select(true as unknown as NDArray, 1, 2)).toThrow(
      "pred must be a bool array, got a boolean",
    );
  });
});

describe("selectN", () => {
  const a = f64([1, 2, 3]);
  const b = f64([4, 5, 6]);
  const c = f64([7, 8, 9]);

  it("takes the case pointed at; beyond the ends the nearest", () => {
    expect(list(selectN(i32([0, 2, 1]), a, b, c))).toEqual([1, 8, 6]);
    expect(list(selectN(i32([-5, 3, 99]), a, b, c))).toEqual([1, 8, 9]);
    expect(list(selectN(i32([1], []), a, b))).toEqual([4, 5, 6]);
    expect(list(selectN(bool([1, 0, 1]), a, b))).toEqual([4, 2, 6]);
    expect(list(selectN(i32([5, 0, 1]), a))).toEqual([1, 2, 3]);
    expect(list(selectN(i32([1, 0]), scalar(8, "float64"), scalar(9, "float64")))).toEqual([9, 8]);
  });

  it("hands each case its own cotangents", () => {
    const gradients = jacrev((x: NDArray, y: NDArray, z: NDArray) => selectN(i32([-1, 1, 7]), x, y, z), {
      argnums: [0, 1, 2],
    })(a, b, c) as NDArray[];
    const diagonals = gradients.map((g) => (g.tolist() as number[][]).map((row, i) => row[i]));
    expect(diagonals).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(
      list(jvp((y: NDArray) => selectN(bool([1, 0, 1]), a, y), [b], [f64([5, nan, 7])])[1] as NDArray),
    ).toEqual([5, 0, 7]);
  });

  it("batches over the choice alone", () => {
    const chosen = vmap((i: NDArray) => selectN(i, a, b))(i32([1, 0])) as NDArray;
    expect(chosen.tolist()).toEqual([
      [4, 5, 6],
      [1, 2, 3],
    ]);
  });

  it("refuses what does not fit", () => {
    const x = aval([2], "float32");
    const which = aval([2], "int32");
    expect(refusal("selectN", [], {})).toMatch(
      /^ArgumentError: selectN needs .* at least one case, got nothing$/,
    );
    expect(refusal("selectN", [which], {})).toMatch(/^ArgumentError/);
    expect(refusal("selectN", [x, x, x], {})).toBe(
      "DtypeError: selectN: the operand that chooses must be int32 or bool, got float32[2]",
    );
    expect(refusal("selectN", [aval([2], "bool"), x, x, x], {})).toBe(
      "ArgumentError: selectN: a bool chooses between two cases, got bool[2], float32[2], float32[2], float32[2]",
    );
    expect(refusal("selectN", [which, x, which], {})).toMatch(
      /^DtypeError: selectN needs cases of one dtype/,
    );
    expect(refusal("selectN", [which, x, aval([3], "float32")], {})).toMatch(
      /^ShapeError: selectN needs operands of one shape/,
    );
  });
});

describe("clamp", () => {
  it("keeps x between the bounds; NaN stays; the upper bound wins", () => {
    expect(list(clamp(0, f64([-1, 0.5, 2, nan]), 1))).toEqual([0, 0.5, 1, nan]);
    expect(clamp(3, f64([1], []), 2).item()).toBe(2);
    expect(list(clamp(f64([nan, 0]), f64([1, 1]), f64([2, nan])))).toEqual([nan, nan]);
    expect(list(clamp(u8([1]), u8([0]), u8([5])))).toEqual([1]);
  });

  it("has the gradient of x strictly inside, of a bound strictly outside", () => {
    const slopes = (lo: number, x: number, hi: number) =>
      (
        grad((a: NDArray, b: NDArray, c: NDArray) => clamp(a, b, c), { argnums: [0, 1, 2] })(
          f64([lo], []),
          f64([x], []),
          f64([hi], []),
        ) as NDArray[]
      ).map((g) => g.item());
    expect(slopes(0, 0.5, 1)).toEqual([0, 1, 0]);
    expect(slopes(0, 0, 1)).toEqual([0, 0, 0]);
    expect(slopes(0, 1, 1)).toEqual([0, 0, 0]);
    expect(slopes(0, -1, 1)).toEqual([1, 0, 0]);
    expect(slopes(0, 2, 1)).toEqual([0, 0, 1]);
  });

  it("refuses booleans", () => {
    expect(refusal("clamp", [aval([], "bool"), aval([], "bool"), aval([], "bool")], {})).toMatch(
      /^DtypeError: clamp is not defined for bool/,
    );
  });
});
