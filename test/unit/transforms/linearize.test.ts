import {
  grad,
  jit,
  jvp,
  linearize,
  linearizeWithAux,
  makeJaxpr,
  type NDArray,
  numpy as np,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f64, i32, plain, primitiveNames } from "../values.js";

describe("linearize", () => {
  it("is the value and jvp, without the non-linear work", () => {
    let calls = 0;
    const f = (x: NDArray, p: { y: NDArray }) => {
      calls++;
      return { s: np.sin(x).mul(p.y), e: np.exp(p.y) };
    };
    const at = [f64([0.1, 0.2]), { y: f64(3) }] as const;
    const [value, push] = linearize(f, at[0], at[1]);
    expectClose(value, plain(f(at[0], at[1])));
    for (const [v, w] of [
      [f64([1, 0]), f64(0)],
      [f64([0, 2]), f64(-1)],
    ])
      expectClose(push(v, { y: w }), plain(jvp(f, [at[0], at[1]], [v, { y: w }])[1]));
    expect(calls).toBe(4);
    const linear = makeJaxpr(push)(f64([1, 0]), { y: f64(1) });
    expect(primitiveNames(linear)).not.toContain("sin");
    expect(primitiveNames(linear)).not.toContain("cos");
    expect(primitiveNames(linear)).not.toContain("exp");
  });

  it("the pushforward can be traced", () => {
    const [, push] = linearize((x: NDArray) => np.square(x), f64(3));
    expect(plain(vmap(push)(f64([1, 2, 3])))).toEqual([6, 12, 18]);
    expect(plain(jit(push)(f64(2)))).toBe(12);
    expect(plain(grad(push)(f64(100)))).toBe(6);
    // Inside a trace it closes over the point.
    expect(
      plain(grad((x: NDArray) => linearize((z: NDArray) => z.mul(z).mul(z), x)[1](f64(1)))(f64(2))),
    ).toBe(12);
    expect(
      plain(vmap((x: NDArray) => linearize((z: NDArray) => np.square(z), x)[1](f64(1)))(f64([1, 2]))),
    ).toEqual([2, 4]);
  });

  it("outputs without a tangent give zeros", () => {
    const [value, push] = linearize((x: NDArray) => ({ x, c: f64([1, 2]), n: np.argmax(x) }), f64([1, 5]));
    expect(plain(value)).toEqual({ x: [1, 5], c: [1, 2], n: 1 });
    const tangent = push(f64([3, 4]));
    expect(plain([tangent.x, tangent.c])).toEqual([
      [3, 4],
      [0, 0],
    ]);
    expect(tangent.n.dtype).toBe("float0");
  });

  it("with an auxiliary output", () => {
    const [y, push, aux] = linearizeWithAux(
      (x: NDArray) => [np.square(x), { x, name: "n" }] as const,
      f64(3),
    );
    expect(plain([y, push(1), aux.x])).toEqual([9, 6, 3]);
    expect(aux.name).toBe("n");
  });

  it("refuses tangents of another shape or count", () => {
    const push = linearize((x: NDArray, y: NDArray) => x.mul(y), f64([1, 2]), f64(3))[1] as (
      ...v: unknown[]
    ) => unknown;
    expect(errorOf(() => push(f64([1, 2]))).code).toBe("tree-mismatch");
    expect(errorOf(() => push(f64([1]), f64(1))).code).toBe("shape");
    expect(errorOf(() => push(i32([1, 2]), f64(1))).code).toBe("dtype");
  });
});
