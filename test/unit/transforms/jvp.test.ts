import {
  ArgumentError,
  DtypeError,
  grad,
  hvp,
  jit,
  jvp,
  type NDArray,
  numpy as np,
  ShapeError,
  TreeMismatchError,
  tree,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f32, f64, i32, plain, types } from "../values.js";

describe("jvp", () => {
  it("gives value and tangent, for several arguments and trees", () => {
    expectClose(jvp(np.sin, [f64(0.5)], [f64(2)]), [Math.sin(0.5), 2 * Math.cos(0.5)]);
    expect(plain(jvp((x: NDArray, y: NDArray) => x.mul(y), [f64(2), f64(3)], [f64(10), f64(100)]))).toEqual([
      6, 230,
    ]);
    const f = (p: { a: NDArray; b: [NDArray, null] }, s: NDArray) => ({
      out: p.a.mul(p.b[0]),
      also: [s, null] as const,
    });
    const result = jvp(
      f,
      [{ a: f64([1, 2]), b: [f64(3), null] }, f64(5)],
      [{ a: f64([10, 20]), b: [f64(1), null] }, f64(7)],
    );
    expect(plain(result)).toEqual([
      { out: [3, 6], also: [5, null] },
      { out: [31, 62], also: [7, null] },
    ]);
  });

  it("takes numbers as primals and tangents of scalars", () => {
    expectClose(
      jvp((x: NDArray | number) => np.square(x), [3], [2]),
      [9, 12],
    );
    expect(types(jvp((x: NDArray | number) => np.square(x), [3], [2]))).toEqual(["~float32[]", "~float32[]"]);
    expect(types(jvp((x: NDArray) => np.square(x), [f64(3)], [2]))).toEqual(["float64[]", "float64[]"]);
  });

  it("hasAux", () => {
    const f = (x: NDArray) => [np.square(x), { x, label: "kept" }] as const;
    const [y, t, aux] = jvp(f, [f64(3)], [f64(1)], { hasAux: true });
    expect(plain([y, t, aux.x])).toEqual([9, 6, 3]);
    expect(aux.label).toBe("kept");
    const outer = (x: NDArray) => {
      const [value, tangent, { x: same }] = jvp(f, [x], [f64(1)], { hasAux: true });
      return value.add(tangent).add(same);
    };
    expect(plain(grad(outer)(f64(3)))).toBe(2 * 3 + 2 + 1);
  });

  it("is linear in the tangent, zero included", () => {
    const f = (x: NDArray) => np.exp(np.sin(x)).mul(x);
    const at = f64([0.1, 0.5, 2]);
    const push = (v: NDArray) => jvp(f, [at], [v])[1];
    const [u, v] = [f64([1, -2, 3]), f64([0.5, 0.25, -1])];
    expectClose(push(u.mul(2).add(v.mul(3))), push(u).mul(2).add(push(v).mul(3)));
    expect(plain(push(np.zerosLike(at)))).toEqual([0, 0, 0]);
  });

  it("can be differentiated by its tangent and by its primal, and be traced", () => {
    const f = (x: NDArray) => np.sin(x);
    expectClose(grad((v: NDArray) => jvp(f, [f64(1)], [v])[1])(f64(5)), Math.cos(1));
    expectClose(grad((x: NDArray) => jvp(f, [x], [f64(5)])[1])(f64(1)), -5 * Math.sin(1));
    expectClose(
      jvp((x: NDArray) => jvp(f, [x], [x])[1], [f64(1)], [f64(1)]),
      [Math.cos(1), Math.cos(1) - Math.sin(1)],
    );
    expectClose(jit((x: NDArray, v: NDArray) => jvp(f, [x], [v]))(f64(1), f64(2)), [
      Math.sin(1),
      2 * Math.cos(1),
    ]);
    expectClose(vmap((v: NDArray) => jvp(f, [f64(1)], [v])[1])(f64([1, 2])), [Math.cos(1), 2 * Math.cos(1)]);
  });

  it("refuses tangents that do not fit, by path", () => {
    const f = (p: { w: NDArray; b: NDArray }) => np.sum(p.w).add(p.b);
    const at = { w: f64([1, 2]), b: f64(3) };
    const loose = jvp as unknown as (f: unknown, p: unknown, t: unknown) => unknown;
    for (const [tangents, type, text] of [
      [[{ w: f64([1, 2]) }], TreeMismatchError, /structure/],
      [[{ w: f64([1, 2]), b: f64(1), c: f64(1) }], TreeMismatchError, /structure/],
      [[at, at], TreeMismatchError, /structure/],
      [[{ w: f64([1, 2, 3]), b: f64(1) }], ShapeError, /\.w.*\[3\].*float64\[2\]/],
      [[{ w: f32([1, 2]), b: f64(1) }], DtypeError, /\.w.*float32.*float64\[2\]/],
      [[{ w: i32([1, 2]), b: f64(1) }], DtypeError, /\.w.*int32/],
      [[{ w: 1, b: f64(1) }], DtypeError, /\.w.*number/],
      [[{ w: "x", b: f64(1) }], DtypeError, /\.w.*string/],
    ] as const) {
      const error = errorOf(() => loose(f, [at], tangents));
      expect(error).toBeInstanceOf(type);
      expect(error.message).toMatch(text);
      expect(error.message).toContain("jvp(f)");
    }
    expect(() => loose(np.sin, f64(1), f64(1))).toThrow(ArgumentError);
  });
});

describe("hvp", () => {
  it("is the Hessian times a vector, for trees and several arguments", () => {
    const f = (p: { a: NDArray; b: NDArray }, s: NDArray) => np.sum(np.square(p.a)).mul(p.b).mul(s);
    const [p, s] = [{ a: f64([1, 2]), b: f64(3) }, f64(5)];
    // H v for v = (da, db, ds): f_a = 2 a b s, f_b = |a|² s, f_s = |a|² b.
    const v = [{ a: f64([1, 0]), b: f64(10) }, f64(100)] as const;
    expect(plain(hvp(f, [p, s], [v[0], v[1]]))).toEqual([
      {
        a: [2 * 3 * 5 + 2 * 1 * 5 * 10 + 2 * 1 * 3 * 100, 2 * 2 * 5 * 10 + 2 * 2 * 3 * 100],
        b: 2 * 1 * 5 + 5 * 100,
      },
      2 * 1 * 3 + 5 * 10,
    ]);
    expect(types(hvp(f, [p, s], [v[0], v[1]]))).toEqual([{ a: "float64[2]", b: "float64[]" }, "float64[]"]);
  });

  it("agrees with the two other ways to write it", () => {
    const f = (x: NDArray) => np.sum(np.exp(np.sin(x)).mul(np.cumsum(x)));
    const [x, v] = [f64([0.1, 0.7, -0.3]), f64([1, 2, -1])];
    const [product] = hvp(f, [x], [v]);
    expectClose(jvp(grad(f), [x], [v])[1], plain(product));
    expectClose(grad((z: NDArray) => np.sum(grad(f)(z).mul(v)))(x), plain(product));
    expectClose(jit((a: NDArray, b: NDArray) => hvp(f, [a], [b])[0])(x, v), plain(product));
  });

  it("leaves integer arguments out", () => {
    const loss = (w: NDArray, labels: NDArray) => np.sum(np.square(np.take(w, labels)));
    const [w, labels] = [f64([1, 2, 3]), i32([0, 2, 2])];
    const [hw, hl] = hvp(loss, [w, labels], [f64([1, 1, 1]), 0]);
    expect(plain(hw)).toEqual([2, 0, 4]);
    expect(types(hl)).toBe("float0[3]");
    expect(tree.leaves(hvp(loss, [w, labels], [f64([0, 0, 0]), 0]))).toHaveLength(2);
  });
});
