import {
  ArgumentError,
  closureConvert,
  customGradient,
  customVjp,
  DtypeError,
  grad,
  jit,
  type NDArray,
  numpy as np,
  ShapeError,
  TreeMismatchError,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { derivatives, expectClose, f64, forward } from "./tools.js";

describe("closureConvert", () => {
  it("turns traced arrays into arguments, and leaves the others", () => {
    const w = f64([1, 2]);
    const counts: number[] = [];
    const f = (s: NDArray, n: NDArray): NDArray => {
      const [g, ...consts] = closureConvert((x: NDArray) => x.mul(s).mul(w).mul(n).mul(s), f64([0, 0]));
      counts.push(consts.length);
      return g(f64([5, 7]), ...consts).sum();
    };
    const two = np.array(2, { dtype: "int32" });
    expect(grad(f)(f64(3), two).item()).toBe(2 * 3 * 2 * (5 + 14));
    expect(jit(grad(f))(f64(3), two).item()).toBe(2 * 3 * 2 * (5 + 14));
    expect(counts).toEqual([1, 2]);
    const [plain, ...none] = closureConvert((x: NDArray) => x.mul(w), f64([0, 0]));
    expect(none).toEqual([]);
    expect(plain(f64([3, 4])).tolist()).toEqual([3, 8]);
  });

  it("gives derivatives to what a function with a rule closes over", () => {
    // A function with a rule, of a function of the user's: the integral of f over [0, 1], by the midpoint rule.
    const points = f64([0.125, 0.375, 0.625, 0.875]);
    const integral = (f: (x: NDArray) => NDArray): NDArray => {
      const [g, ...consts] = closureConvert(f, f64(0));
      const value = (...cs: NDArray[]) => vmap((x: NDArray) => g(x, ...cs))(points).mean();
      const own = customVjp(value).defVjp(
        (...cs) => [value(...cs), cs],
        (cs, ct) => vjp(value, ...cs)[1](ct).map((c) => c.mul(10)),
      );
      return own(...consts);
    };
    const f = (a: NDArray) => integral((x) => x.mul(a).mul(a));
    // The mean of x a² is a² / 2; the rule says ten times its derivative a.
    expectClose(f(f64(3)), 4.5);
    for (const [, d] of derivatives(f, 1)) expectClose(d(f64(3)), 30);
    expectClose(jit(grad(f))(f64(3)), 30);
  });

  it("takes arguments of the types that it was converted for", () => {
    const [f] = closureConvert(({ x }: { x: NDArray }) => x.mul(2), { x: f64([1, 2]) });
    expect(f({ x: f64([3, 4]) }).tolist()).toEqual([6, 8]);
    expect(() => f({ x: f64([3]) })).toThrow(ShapeError);
    expect(() => f({ x: np.array([3, 4]) })).toThrow(DtypeError);
    expect(() => f({ y: f64([3, 4]) } as never)).toThrow(TreeMismatchError);
    expect(() => f({ x: f64([3]) })).toThrow(
      "at [0].x must be float64[2], as when it was converted, got float64[1]",
    );
    expect(() => (closureConvert as (f: unknown) => unknown)(3)).toThrow(ArgumentError);
    const g = (s: NDArray) => {
      const [h] = closureConvert((x: NDArray) => x.mul(s), f64(1));
      return h(f64(1));
    };
    expect(() => jit(g)(f64(1))).toThrow("takes 1 argument and 1 constant, got 1 in all");
  });
});

describe("customGradient", () => {
  it("is a value and its pullback", () => {
    const f = customGradient((x: NDArray) => {
      const y = np.exp(x);
      return [y, (ct: NDArray) => ct.mul(y)];
    });
    expectClose(f(f64(1)), Math.E);
    for (const order of [1, 2, 3]) for (const [, d] of derivatives(f, order)) expectClose(d(f64(1)), Math.E);
    expectClose(vmap(grad(f))(f64([0, 1])), [1, Math.E]);
    expectClose(jit(grad(f))(f64(1)), Math.E);
  });

  it("is believed", () => {
    const f = customGradient((x: NDArray) => [x.mul(x), (ct: NDArray) => [ct.mul(x).mul(3)]]);
    expect(grad(f)(f64(2)).item()).toBe(6);
    expect((forward(f)(f64(2)) as NDArray).item()).toBe(6);
    const clipped = customGradient((x: NDArray) => [x, (ct: NDArray) => np.clip(ct, -1, 1)]);
    expect(grad((x: NDArray) => clipped(x).mul(x))(f64(3)).item()).toBe(4);
  });

  it("has several arguments and trees", () => {
    const f = customGradient((p: { a: NDArray; b: NDArray }, x: NDArray) => {
      const y = p.a.mul(x);
      return [
        { y, z: p.b },
        (ct: { y: NDArray; z: NDArray }) => [{ a: ct.y.mul(x), b: null }, ct.y.mul(p.a)],
      ];
    });
    const at = [{ a: f64(2), b: f64(3) }, f64(5)] as const;
    const [dp, dx] = grad((p: { a: NDArray; b: NDArray }, x: NDArray) => f(p, x).y.add(f(p, x).z), {
      argnums: [0, 1],
    })(...at);
    expect([dp.a.item(), dp.b.item(), dx.item()]).toEqual([5, 0, 2]);
  });

  it("says what it must return", () => {
    const wrong = customGradient(((x: NDArray) => x) as never) as (x: NDArray) => NDArray;
    expect(() => wrong(f64(1))).toThrow("must return [value, pullback], got an array");
    const half = customGradient(((x: NDArray) => [x, 3]) as never) as (x: NDArray) => NDArray;
    expect(() => grad(half)(f64(1))).toThrow(ArgumentError);
    expect(() => customGradient(null as never)).toThrow(ArgumentError);
  });
});
