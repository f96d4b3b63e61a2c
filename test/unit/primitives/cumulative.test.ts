import { describe, expect, it } from "vitest";
import type { NDArray } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import {
  type CumulativeOp,
  cumlogsumexp,
  cummax,
  cummin,
  cumprod,
  cumsum,
} from "../../../src/primitives/cumulative.js";
import { reshape } from "../../../src/primitives/shape.js";
import { slice } from "../../../src/primitives/slicing.js";
import { jvp } from "../../../src/transforms/forward.js";
import { hessian, jacfwd, jacrev } from "../../../src/transforms/jacobian.js";
import { bool, counting, f16, f32, f64, i32, list, refusal, u8, u32 } from "./arrays.js";

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;
const forwards = { axis: 0, reverse: false };
const backwards = { axis: 0, reverse: true };

describe("values", () => {
  it("run along any axis, from either end", () => {
    expect(list(cumsum(i32([1, 2, 3]), forwards))).toEqual([1, 3, 6]);
    expect(list(cumsum(i32([1, 2, 3]), backwards))).toEqual([6, 5, 3]);
    expect(list(cumprod(i32([1, 2, 3, 4]), backwards))).toEqual([24, 24, 12, 4]);
    expect(cumsum(counting([2, 3]), { axis: 1, reverse: false }).tolist()).toEqual([
      [0, 1, 3],
      [3, 7, 12],
    ]);
    expect(cumsum(counting([2, 3]), { axis: 0, reverse: true }).tolist()).toEqual([
      [3, 5, 7],
      [3, 4, 5],
    ]);
    expect(cummax(counting([2, 2, 2]), { axis: 1, reverse: true }).tolist()).toEqual([
      [
        [2, 3],
        [2, 3],
      ],
      [
        [6, 7],
        [6, 7],
      ],
    ]);
    expect(list(cummin(i32([2, 1, 3]), forwards))).toEqual([2, 1, 1]);
    expect(list(cummin(i32([2, 1, 3]), backwards))).toEqual([1, 1, 3]);
  });

  it("of nothing are nothing", () => {
    for (const op of [cumsum, cumprod, cummax, cummin, cumlogsumexp]) {
      expect(op(f64([], [0, 2]), forwards).shape).toEqual([0, 2]);
      expect(op(f64([], [2, 0]), backwards).shape).toEqual([2, 0]);
    }
  });

  it("wrap around for integers", () => {
    expect(list(cumsum(i32([2147483647, 1, 1]), forwards))).toEqual([2147483647, -2147483648, -2147483647]);
    expect(list(cumsum(u32([4294967295, 2]), forwards))).toEqual([4294967295, 1]);
    expect(list(cumsum(u8([200, 100]), forwards))).toEqual([200, 44]);
    expect(list(cumprod(i32([123456789, 987654321]), forwards))).toEqual([123456789, -67153019]);
    expect(list(cumprod(u8([16, 17]), forwards))).toEqual([16, 16]);
  });

  it("keep the dtype, and total more exactly than it", () => {
    const thousand = new Array<number>(1000).fill(0.1);
    const last = cumsum(f32(thousand), forwards).dataSync()[999];
    expect(last).toBe(Math.fround(1000 * Math.fround(0.1)));
    expect(cumsum(f16([1]), forwards).dtype).toBe("float16");
    // The total 4097 rounds to 4096 each time it is written, and is not rounded in between.
    expect(list(cumsum(f16([4096, 1, 1, 1, 1]), forwards))).toEqual([4096, 4096, 4096, 4100, 4100]);
  });

  it("carry NaN on, and take infinities as numbers", () => {
    expect(list(cumsum(f64([1, nan, 2]), forwards))).toEqual([1, nan, nan]);
    expect(list(cumprod(f64([0, inf]), forwards))).toEqual([0, nan]);
    expect(list(cummax(f64([1, nan, 2]), forwards))).toEqual([1, nan, nan]);
    expect(list(cummin(f64([1, nan, 2]), backwards))).toEqual([nan, nan, 2]);
    expect(list(cummax(f64([-inf, -0, 0]), forwards))).toEqual([-inf, -0, 0]);
    expect(list(cumlogsumexp(f64([1, nan, 2]), forwards))).toEqual([1, nan, nan]);
    expect(list(cumlogsumexp(f64([-inf, -inf, 0, inf, inf, 5]), forwards))).toEqual([
      -inf,
      -inf,
      0,
      inf,
      inf,
      inf,
    ]);
  });

  it("of log-sum-exp do not overflow", () => {
    const y = list(cumlogsumexp(f64([1000, 1000, -1000, 1001]), forwards));
    const wanted = [1000, 1000 + Math.LN2, 1000 + Math.LN2, 1000 + Math.log(2 + Math.E)];
    for (const [i, w] of wanted.entries()) expect(y[i]).toBeCloseTo(w, 12);
    const small = list(cumlogsumexp(f64([-1000, -1001]), backwards));
    expect(small[0]).toBeCloseTo(-1000 + Math.log(1 + Math.exp(-1)), 12);
    expect(small[1]).toBe(-1001);
  });
});

const along =
  (op: CumulativeOp, direction = forwards) =>
  (x: NDArray) =>
    op(x, direction);

/** The Jacobian by both modes, which must be the same. */
function jacobian(f: (x: NDArray) => NDArray, x: NDArray) {
  const forward = jacfwd(f)(x).tolist();
  expect(jacrev(f)(x).tolist()).toEqual(forward);
  return forward;
}

describe("derivatives", () => {
  it("of the sum are ones, and running sums from the other end take cotangents back", () => {
    expect(jacobian(along(cumsum), f64([5, 6, 7]))).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [1, 1, 1],
    ]);
    expect(jacobian(along(cumsum, backwards), f64([5, 6, 7]))).toEqual([
      [1, 1, 1],
      [0, 1, 1],
      [0, 0, 1],
    ]);
  });

  it("of the product are exact with no, one and two zeros", () => {
    expect(jacobian(along(cumprod), f64([2, 3, 4]))).toEqual([
      [1, 0, 0],
      [3, 2, 0],
      [12, 8, 6],
    ]);
    expect(jacobian(along(cumprod), f64([2, 0, 4]))).toEqual([
      [1, 0, 0],
      [0, 2, 0],
      [0, 8, 0],
    ]);
    expect(jacobian(along(cumprod), f64([0, 3, 0, 5]))).toEqual([
      [1, 0, 0, 0],
      [3, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(jacobian(along(cumprod, backwards), f64([2, 0, 4]))).toEqual([
      [0, 8, 0],
      [0, 4, 0],
      [0, 0, 1],
    ]);
  });

  const lastOf = (op: CumulativeOp) => (x: NDArray) => {
    const y = op(x, forwards);
    return reshape(slice(y, [x.size - 1], [x.size]), []);
  };

  it("of second order: the last running product has the products of the others, with zeros too", () => {
    expect(hessian(lastOf(cumprod))(f64([0, 3, 0])).tolist()).toEqual([
      [0, 0, 3],
      [0, 0, 0],
      [3, 0, 0],
    ]);
    expect(hessian(lastOf(cumprod))(f64([2, 3, 4])).tolist()).toEqual([
      [0, 4, 3],
      [4, 0, 2],
      [3, 2, 0],
    ]);
  });

  it("of second order: the last running log-sum-exp has diag(p) - p pᵀ", () => {
    const x = [0.3, -1, 0.7];
    const total = x.reduce((s, v) => s + Math.exp(v), 0);
    const p = x.map((v) => Math.exp(v) / total);
    const h = list(hessian(lastOf(cumlogsumexp))(f64(x)));
    for (const [k, v] of h.entries()) {
      const [i, j] = [Math.floor(k / 3), k % 3];
      expect(v).toBeCloseTo((i === j ? p[i] : 0) - p[i] * p[j], 12);
    }
  });

  it("of extrema are shared equally by those that tie so far", () => {
    expect(jacobian(along(cummax), f64([1, 3, 2]))).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 1, 0],
    ]);
    expect(jacobian(along(cummax), f64([1, 1, 1, 2]))).toEqual([
      [1, 0, 0, 0],
      [0.5, 0.5, 0, 0],
      [1 / 3, 1 / 3, 1 / 3, 0].map((v) => expect.closeTo(v, 15)),
      [0, 0, 0, 1],
    ]);
    expect(jacobian(along(cummin, backwards), f64([2, 1, 3, 1]))).toEqual([
      [0, 0.5, 0, 0.5],
      [0, 0.5, 0, 0.5],
      [0, 0, 0, 1],
      [0, 0, 0, 1],
    ]);
  });

  it("of extrema are NaN from where the value is", () => {
    const [, t] = jvp(along(cummax), [f64([1, nan, 2])], [f64([1, 1, 1])]);
    expect(list(t)).toEqual([1, nan, nan]);
  });

  it("of log-sum-exp are finite at infinities", () => {
    expect(jacobian(along(cumlogsumexp), f64([-inf, 0, inf, 1]))).toEqual([
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 1, 0],
    ]);
    expect(jacobian(along(cumlogsumexp, backwards), f64([-inf, -inf]))).toEqual([
      [0.5, 0.5],
      [0, 1],
    ]);
  });

  it("of log-sum-exp are ½ each where the logarithm of 2 is lost to rounding", () => {
    expect(jacobian(along(cumlogsumexp), f64([1e20, 1e20]))).toEqual([
      [1, 0],
      [0.5, 0.5],
    ]);
  });
});

describe("refusals", () => {
  const x = aval([2, 3], "float32");

  it("of dtypes", () => {
    for (const name of ["cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"])
      expect(refusal(name, [aval([2], "bool")], forwards)).toBe(
        `DtypeError: ${name} is not defined for bool[2]`,
      );
    expect(() => cumlogsumexp(i32([1]), forwards)).toThrow("cumlogsumexp is not defined for int32[1]");
    expect(() => cumsum(bool([1]), forwards)).toThrow("cumsum is not defined for bool[1]");
  });

  it("of axes and directions", () => {
    expect(refusal("cumsum", [x], { axis: 2, reverse: false })).toBe(
      "AxisError: cumsum: 2 is not an axis of float32[2,3]",
    );
    expect(refusal("cumprod", [x], { axis: -1, reverse: false })).toBe(
      "AxisError: cumprod: -1 is not an axis of float32[2,3]",
    );
    expect(refusal("cummax", [aval([], "float32")], forwards)).toBe(
      "AxisError: cummax: 0 is not an axis of float32[]",
    );
    expect(refusal("cummin", [x], { axis: 0 })).toBe(
      "ArgumentError: cummin: reverse must be true or false, got undefined",
    );
    expect(refusal("cumsum", [x, x], forwards)).toBe(
      "ArgumentError: cumsum takes 1 operand, got float32[2,3], float32[2,3]",
    );
  });
});
