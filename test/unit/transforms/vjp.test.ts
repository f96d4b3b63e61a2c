import {
  DtypeError,
  grad,
  jit,
  jvp,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  ShapeError,
  TreeMismatchError,
  vjp,
  vjpWithAux,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f32, f64, i32, plain, types } from "../values.js";

describe("vjp", () => {
  it("gives the value and a pullback to all arguments", () => {
    const [y, pull] = vjp((a: NDArray, b: NDArray) => a.mul(b), f64(2), f64(3));
    expect(plain([y, pull(f64(1)), pull(10)])).toEqual([6, [3, 2], [30, 20]]);
    const f = (p: { w: NDArray; n: null }, x: [NDArray, NDArray]) => ({
      y: p.w.mul(x[0]),
      z: [x[1], null] as const,
    });
    const [value, back] = vjp(f, { w: f64([1, 2]), n: null }, [f64([3, 4]), f64(5)]);
    expect(plain(value)).toEqual({ y: [3, 8], z: [5, null] });
    expect(plain(back({ y: f64([1, 10]), z: [f64(7), null] }))).toEqual([
      { w: [3, 40], n: null },
      [[1, 20], 7],
    ]);
  });

  it("the pullback is reusable: the forward pass runs once", () => {
    let calls = 0;
    const [, pull] = vjp(
      (x: NDArray) => {
        calls++;
        return np.sin(x);
      },
      f64([0, 1, 2]),
    );
    const basis = [f64([1, 0, 0]), f64([0, 1, 0]), f64([0, 0, 1])].map((u) => plain(pull(u)[0]));
    expectClose(basis, plain(np.diag(np.cos(f64([0, 1, 2])))));
    expect(plain(pull(f64([1, 0, 0])))).toEqual([basis[0]]);
    expect(calls).toBe(1);
    expect(
      makeJaxpr((u: NDArray) => pull(u)[0])(f64([1, 1, 1])).jaxpr.eqns.map((e) => e.primitive.name),
    ).toEqual(["mul"]);
  });

  it("the pullback can be traced: vmapped, jitted, differentiated", () => {
    const f = (x: NDArray) => np.sin(x).mul(np.sum(x));
    const x = f64([0.3, 0.6]);
    const [, pull] = vjp(f, x);
    const rows = f64([
      [1, 0],
      [0, 1],
    ]);
    const jacobian = vmap((u: NDArray) => pull(u)[0])(rows);
    const columns = vmap((v: NDArray) => jvp(f, [x], [v])[1])(rows);
    expectClose(jacobian, plain(np.transpose(columns)));
    expectClose(jit((u: NDArray) => pull(u)[0])(f64([1, 1])), plain(pull(f64([1, 1]))[0]));
    // It is linear, so its derivative is the Jacobian itself.
    expectClose(
      grad((u: NDArray) => np.sum(pull(u)[0].mul(f64([1, 2]))))(f64([5, 7])),
      plain(jvp(f, [x], [f64([1, 2])])[1]),
    );
    // Made inside a trace, it closes over what was traced.
    const second = grad((z: NDArray) => np.sum(vjp(f, z)[1](np.ones([2], "float64"))[0]));
    const h = 1e-5;
    const g = (a: number, b: number) =>
      plain(np.sum(grad((w: NDArray) => np.sum(f(w)))(f64([a, b])))) as number;
    expectClose(
      second(x),
      [(g(0.3 + h, 0.6) - g(0.3 - h, 0.6)) / (2 * h), (g(0.3, 0.6 + h) - g(0.3, 0.6 - h)) / (2 * h)],
      1e-9,
    );
  });

  it("with an auxiliary output", () => {
    const [y, pull, aux] = vjpWithAux(
      (x: NDArray) => [np.square(x), { twice: x.mul(2), word: "aux" }] as const,
      f64(3),
    );
    expect(plain([y, pull(1), aux.twice])).toEqual([9, [6], 6]);
    expect(aux.word).toBe("aux");
  });

  it("outputs that depend on nothing, arguments that nothing depends on", () => {
    const [y, pull] = vjp((x: NDArray, _: NDArray) => ({ c: f64([1, 2]), x }), f64(3), f32([1, 2, 3]));
    expect(plain(y)).toEqual({ c: [1, 2], x: 3 });
    const back = pull({ c: f64([100, 100]), x: f64(4) });
    expect(plain(back)).toEqual([4, [0, 0, 0]]);
    expect(types(back)).toEqual(["float64[]", "float32[3]"]);
    const [, same] = vjp((x: NDArray) => [x, x] as const, f64(1));
    expect(plain(same([f64(2), f64(3)]))).toEqual([5]);
  });

  it("integer outputs take trivial cotangents", () => {
    const [y, pull] = vjp((x: NDArray) => [np.argmax(x), np.max(x)] as const, f64([1, 5, 2]));
    expect(plain(y)).toEqual([1, 5]);
    expect(plain(pull([0, f64(2)]))).toEqual([[0, 2, 0]]);
  });

  it("refuses cotangents that do not fit, by path", () => {
    const f = (x: NDArray) => ({ a: np.square(x), b: [np.sum(x)] });
    const pull = vjp(f, f64([1, 2]))[1] as (ct: unknown) => unknown;
    for (const [ct, type, text] of [
      [f64([1, 2]), TreeMismatchError, /structure/],
      [{ a: f64([1, 2]) }, TreeMismatchError, /structure/],
      [{ a: f64([1, 2]), b: [] }, TreeMismatchError, /\.b/],
      [{ a: f64([[1, 2]]), b: [f64(1)] }, ShapeError, /\.a has shape \[1,2\].*float64\[2\]/],
      [{ a: f64([1, 2]), b: [f32(1)] }, DtypeError, /\.b\[0\].*float32.*float64\[\]/],
      [{ a: f64([1, 2]), b: [i32(1)] }, DtypeError, /\.b\[0\].*int32/],
    ] as const) {
      const error = errorOf(() => pull(ct));
      expect(error).toBeInstanceOf(type);
      expect(error.message).toMatch(text);
      expect(error.message).toContain("vjp(f)");
    }
  });
});

describe("linearTranspose", () => {
  it("transposes linear functions, at any point", () => {
    const m = f64([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const t = linearTranspose((x: NDArray) => np.matmul(m, x), np.zeros([3], "float64"));
    expect(plain(t(f64([1, 10])))).toEqual([[41, 52, 63]]);
    expect(plain(t(f64([1, 0])))).toEqual([[1, 2, 3]]);
    const two = linearTranspose(
      (x: { a: NDArray; b: NDArray }, y: NDArray) => x.a.mul(2).add(x.b).sub(y),
      { a: f64(0), b: f64(0) },
      f64(0),
    );
    expect(plain(two(f64(3)))).toEqual([{ a: 6, b: 3 }, -3]);
  });

  it("twice gives the function back", () => {
    const f = (x: NDArray) => np.cumsum(x).mul(f64([1, 2, 4]));
    const t = linearTranspose(f, f64([0, 0, 0]));
    const tt = linearTranspose((u: NDArray) => t(u)[0], f64([0, 0, 0]));
    const x = f64([3, 5, 7]);
    expectClose(tt(x)[0], plain(f(x)));
  });

  it("can be traced, and closes over tracers", () => {
    const f = (scale: NDArray) => linearTranspose((x: NDArray) => x.mul(scale), f64(0))(f64(3))[0];
    expect(plain([f(f64(2)), jit(f)(f64(2)), grad(f)(f64(2)), vmap(f)(f64([1, 2]))])).toEqual([
      6,
      6,
      3,
      [3, 6],
    ]);
  });

  it("refuses what is not linear", () => {
    for (const f of [
      (x: NDArray) => np.sin(x),
      (x: NDArray) => x.mul(x),
      (x: NDArray) => np.divide(1, x),
      (x: NDArray) => np.matmul(x, x),
    ]) {
      const error = errorOf(() => linearTranspose(f, f64([1, 2]))(f(f64([1, 2]))));
      expect(error).toBeInstanceOf(NotDifferentiableError);
      expect(error.message).toMatch(/linear/);
    }
  });
});
