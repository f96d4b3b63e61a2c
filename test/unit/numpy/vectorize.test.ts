import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { ArgumentError, AxisError, ShapeError } from "../../../src/core/errors.js";
import * as np from "../../../src/numpy/index.js";
import { grad } from "../../../src/transforms/grad.js";
import { jit } from "../../../src/transforms/jit.js";
import { expectClose } from "./compare.js";

const x = np.reshape(np.arange(24, { dtype: "float32" }), [2, 3, 4]);

describe("applyAlongAxis", () => {
  it("puts the axes of the result in the place of the axis", () => {
    for (const axis of [0, 1, 2, -1]) {
      expect(np.applyAlongAxis((v) => np.cumsum(v), axis, x).tolist()).toEqual(np.cumsum(x, axis).tolist());
      expect(np.applyAlongAxis((v) => np.sum(v), axis, x).tolist()).toEqual(np.sum(x, axis).tolist());
    }
    const outer = np.applyAlongAxis((v) => np.outer(v, v), 1, x);
    expect(outer.shape).toEqual([2, 3, 3, 4]);
    expect(outer.slice(1, ":", ":", 2).tolist()).toEqual(
      np.outer(x.slice(1, ":", 2), x.slice(1, ":", 2)).tolist(),
    );
    expect(np.applyAlongAxis(() => 1, 0, x).shape).toEqual([3, 4]);
    expect(() => np.applyAlongAxis((v) => v, 3, x)).toThrow(AxisError);
  });

  it("works over several axes in turn", () => {
    expect(np.applyOverAxes((y, axis) => np.sum(y, axis), x, [0, -1]).tolist()).toEqual(
      np.sum(x, { axis: [0, 2], keepdims: true }).tolist(),
    );
    expect(np.applyOverAxes((y, axis) => np.cumsum(y, axis), x, 1).shape).toEqual([2, 3, 4]);
    expect(() => np.applyOverAxes((y) => np.sum(y), x, [0])).toThrow(ShapeError);
  });
});

describe("vectorize", () => {
  const scalars: number[][] = [];
  const hypot = np.vectorize((a, b) => {
    scalars.push([a.ndim, b.ndim]);
    return np.sqrt(np.add(np.square(a), np.square(b)));
  });

  it("gives the function scalars, of arrays that broadcast", () => {
    const got = hypot(np.array([[3], [5]]), np.array([4, 12]));
    expectClose(got, np.hypot(np.array([[3], [5]]), np.array([4, 12])).tolist());
    expect(hypot(3, 4).item()).toBe(5);
    expect(hypot(np.zeros([1, 3, 1]), np.zeros([1])).shape).toEqual([1, 3, 1]);
    expect(hypot(np.zeros([2, 1]), np.zeros([0])).shape).toEqual([2, 0]);
    expect(scalars.every(([a, b]) => a === 0 && b === 0)).toBe(true);
    expect(() => hypot(np.zeros([2]), np.zeros([3]))).toThrow(/float32\[2\], float32\[3\] do not broadcast/);
  });

  it("gives it the axes of the signature", () => {
    const matvec = np.vectorize((m, v) => np.dot(m, v), { signature: "(n,k),(k)->(n)" });
    const v = np.array([1, 0, 2, 1]);
    expect(matvec(x, v).tolist()).toEqual(np.matmul(x, v).tolist());
    expect(matvec(x, np.stack([v, v])).shape).toEqual([2, 3]);
    expect(matvec(np.zeros([5, 1, 3, 4]), np.zeros([2, 4])).shape).toEqual([5, 2, 3]);
    expect(() => matvec(x, np.zeros([3]))).toThrow(/axis k has lengths 4 and 3/);
    expect(() => matvec(v, v)).toThrow(/argument 0 needs axes \(n,k\)/);
    expect(() => matvec(x)).toThrow(ArgumentError);
    const ends = np.vectorize((y) => [y.slice(0), y], { signature: "(n) -> (), (n)" });
    expect(ends(x).map((y) => y.shape)).toEqual([
      [2, 3],
      [2, 3, 4],
    ]);
    expect(() => np.vectorize((y) => y, { signature: "(n)->()" })(x)).toThrow(ShapeError);
    for (const signature of ["n->n", "(n)", "(n),->()", "(1)->()"])
      expect(() => np.vectorize((y) => y, { signature })).toThrow(ArgumentError);
  });

  it("hands on what is excluded", () => {
    const polynomial = np.vectorize((p, y) => np.polyval(p, y), { excluded: [0] });
    expect(polynomial(np.array([1, 0, 1]), np.array([[1, 2]])).tolist()).toEqual([[2, 5]]);
  });

  it("can be differentiated and compiled", () => {
    const f = (y: NDArray) => np.sum(hypot(y, np.array([4, 0])));
    expect(grad(f)(np.array([3, 2])).tolist()).toEqual([Math.fround(0.6), 1]);
    expect(jit(f)(np.array([3, 2])).item()).toBe(7);
  });
});
