import {
  ArgumentError,
  customVjp,
  DtypeError,
  debug,
  grad,
  isZero,
  jit,
  jvp,
  LeakedTracerError,
  linearize,
  makeJaxpr,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  type Perturbable,
  ShapeError,
  TreeMismatchError,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { derivatives, expectClose, f64, forward } from "./tools.js";

const item = (x: NDArray): number => x.item() as number;

describe("a backward pass", () => {
  // sin x · y, by hand.
  const f = customVjp((x: NDArray, y: NDArray) => np.sin(x).mul(y));
  f.defVjp(
    (x, y) => [f(x, y), { x, y }],
    ({ x, y }, ct) => [ct.mul(np.cos(x)).mul(y), ct.mul(np.sin(x))],
  );
  const [x, y] = [f64(0.5), f64(2)];

  it("is what reverse mode runs, and its transpose is what forward mode runs", () => {
    const [dx, dy] = grad(f, { argnums: [0, 1] })(x, y);
    expectClose(dx, 2 * Math.cos(0.5));
    expectClose(dy, Math.sin(0.5));
    expectClose(jvp(f, [x, y], [f64(3), f64(0)])[1], 6 * Math.cos(0.5));
    expectClose(jvp(f, [x, y], [f64(3), f64(5)])[1], 6 * Math.cos(0.5) + 5 * Math.sin(0.5));
    const [value, push] = linearize(f, x, y);
    expectClose(value, 2 * Math.sin(0.5));
    expectClose(push(f64(1), f64(1)), 2 * Math.cos(0.5) + Math.sin(0.5));
  });

  it("has all orders in all modes, compiled too", () => {
    const g = (a: NDArray) => f(a, y);
    const wanted = [2 * Math.cos(0.5), -2 * Math.sin(0.5), -2 * Math.cos(0.5)];
    for (const order of [1, 2, 3])
      for (const [, d] of derivatives(g, order)) {
        expectClose(d(x), wanted[order - 1]);
        expectClose(jit(d)(x), wanted[order - 1]);
      }
    for (const [, d] of derivatives(jit(g), 2)) expectClose(d(x), wanted[1]);
  });

  it("is believed: 3 to the power of the order, if it calls its function", () => {
    const g = customVjp((a: NDArray) => a.mul(a));
    g.defVjp(
      (a) => [g(a), a],
      (a, ct) => [g(a).mul(3).mul(ct)],
    );
    for (const order of [1, 2, 3])
      for (const [modes, d] of derivatives(g, order))
        expect([modes, item(d(f64(2)))]).toEqual([modes, 4 * 3 ** order]);
  });

  it("need not be linear in reverse mode", () => {
    const clip = customVjp(function clipGradient(a: NDArray) {
      return a;
    }).defVjp(
      (a) => [a, null],
      (_, ct) => [np.clip(ct, -1, 1)],
    );
    const g = (a: NDArray) => clip(a).mul(a).mul(a);
    // a² is clipped to 1, and the other factors give 2 a².
    expect(grad(g)(f64(3)).item()).toBe(19);
    expect(jit(grad(g))(f64(3)).item()).toBe(19);
    expect(grad(grad(g))(f64(3)).item()).toBe(12);
    expect(item(forward(grad(g))(f64(3)))).toBe(12);
    expect(vmap(grad(g))(f64([0.5, 3])).tolist()).toEqual([0.75, 19]);
    expect(() => forward(clip)(f64(3))).toThrow(NotDifferentiableError);
    expect(() => forward(clip)(f64(3))).toThrow(
      /forward mode through clipGradient transposes its backward pass, which must be linear in the cotangent/,
    );
    expect(() => forward(clip)(f64(3))).toThrow(
      /the equation .* = (clamp|max|min)\b.* is linear in no operand/,
    );
  });

  it("is refused in forward mode if it adds something", () => {
    const shifted = (bwd: (ct: NDArray) => NDArray) =>
      customVjp((a: NDArray) => a).defVjp(
        (a) => [a, null],
        (_, ct) => [bwd(ct)],
      );
    const plus = shifted((ct) => ct.add(1));
    expect(grad(plus)(f64(3)).item()).toBe(2);
    expect(() => forward(plus)(f64(3))).toThrow(/= add .* has 1 added to it/);
    const constant = shifted(() => f64(5));
    expect(grad(constant)(f64(3)).item()).toBe(5);
    expect(() => forward(constant)(f64(3))).toThrow("it gives 5, whatever it is given");
    const squared = shifted((ct) => ct.mul(ct));
    expect(grad(squared)(f64(3)).item()).toBe(1);
    expect(() => forward(squared)(f64(3))).toThrow("mul is not linear in operand 0");
  });

  it("gets what the forward pass keeps, arrays or not", () => {
    const g = customVjp((a: NDArray) => a.mul(2)).defVjp(
      (a) => [a.mul(2), { a, factor: 10, how: "times", none: null, scale: (t: NDArray) => t.mul(0.5) }],
      ({ a, factor, how, none, scale }, ct) => {
        expect([how, none]).toEqual(["times", null]);
        return [scale(ct.mul(a).mul(factor))];
      },
    );
    expect(grad(g)(f64(3)).item()).toBe(15);
    expect(item(forward(g)(f64(3)))).toBe(15);
  });

  it("keeps no residual that only other arguments need", () => {
    const g = customVjp((a: NDArray, b: NDArray) => a.mul(b)).defVjp(
      (a, b) => [a.mul(b), { a: np.sin(a), b }],
      ({ a, b }, ct) => [ct.mul(b), ct.mul(a)],
    );
    const first = String(makeJaxpr((a: NDArray, b: NDArray) => grad(g)(a, b))(x, y));
    const second = String(makeJaxpr((a: NDArray, b: NDArray) => grad(g, { argnums: 1 })(a, b))(x, y));
    expect(first).not.toContain("sin");
    expect(second).toContain("sin");
  });

  it("prints once", () => {
    const seen: string[] = [];
    const note = (text: string, a: NDArray) =>
      debug.callback((v: NDArray) => seen.push(`${text}${v.item()}`), a);
    const g = customVjp((a: NDArray) => {
      note("f", a);
      return a.mul(a);
    });
    g.defVjp(
      (a) => [g(a), a],
      (a, ct) => {
        note("b", ct);
        return [ct.mul(a).mul(2)];
      },
    );
    expect(g(f64(3)).item()).toBe(9);
    expect(seen.splice(0)).toEqual(["f3"]);
    expect(grad(g)(f64(3)).item()).toBe(6);
    expect(seen.splice(0)).toEqual(["f3", "b1"]);
    expect(jit(grad(g))(f64(4)).item()).toBe(8);
    expect(seen.splice(0)).toEqual(["f4", "b1"]);
    const [, pull] = vjp(g, f64(5));
    pull(f64(1));
    pull(f64(2));
    expect(seen).toEqual(["f5", "b1", "b2"]);
  });
});

describe("cotangents", () => {
  interface Params {
    readonly w: NDArray;
    readonly b: { readonly c: NDArray; readonly d: NDArray };
  }
  const params: Params = { w: f64([1, 2]), b: { c: f64(3), d: f64(4) } };
  const body = (p: Params, x: NDArray) => ({ y: p.w.mul(x).add(p.b.c).sum(), z: p.b.d.mul(2) });

  it("are zero where they are null, for a subtree too", () => {
    const f = customVjp(body).defVjp(
      (p, x) => [body(p, x), x],
      (x, ct) => [{ w: f64([1, 1]).mul(x.mul(ct.y)), b: null }, null],
    );
    const g = (p: Params, x: NDArray) => {
      const { y, z } = f(p, x);
      return y.add(z);
    };
    const [dp, dx] = grad(g, { argnums: [0, 1] })(params, f64(10));
    expect(dp.w.tolist()).toEqual([10, 10]);
    expect([dp.b.c.item(), dp.b.d.item(), dx.item()]).toEqual([0, 0, 0]);
    const tangents = [{ w: f64([1, 0]), b: { c: f64(7), d: f64(7) } }, f64(7)] as const;
    expect(jvp(g, [params, f64(10)], tangents)[1].item()).toBe(10);
    // Nothing but zero is left of this one.
    const none = customVjp((x: NDArray) => x.mul(2)).defVjp(
      (x) => [x.mul(2), null],
      () => [null],
    );
    expect(grad(none)(f64(3)).item()).toBe(0);
    expect(item(forward(none)(f64(3)))).toBe(0);
    expect(jit(vmap(grad(none)))(f64([3, 4])).tolist()).toEqual([0, 0]);
  });

  it("need not be given for integers", () => {
    const take = (x: NDArray, i: NDArray) => np.take(x, i);
    for (const second of [null, 0, "anything"]) {
      const f = customVjp(take).defVjp(
        (x, i) => [take(x, i), { i, like: x }],
        ({ i, like }, ct) => [np.where(np.arange(3).equal(i), ct, like.mul(0)), second as never],
      );
      const at = (x: NDArray) => f(x, np.array(1, { dtype: "int32" }));
      expect(grad(at)(f64([5, 6, 7])).tolist()).toEqual([0, 1, 0]);
      expect(jvp(at, [f64([5, 6, 7])], [f64([1, 2, 3])])[1].item()).toBe(2);
    }
  });

  it("of integer results are trivial", () => {
    const f = customVjp((x: NDArray) => [x.mul(2), np.round(x).astype("int32")] as const).defVjp(
      (x) => [[x.mul(2), np.round(x).astype("int32")], null],
      (_, [ct, none]) => {
        expect(none.dtype).toBe("float0");
        return [ct.mul(20)];
      },
    );
    expect(grad((x: NDArray) => f(x)[0])(f64(3)).item()).toBe(20);
    const [[, n], [t, dn]] = jvp(f, [f64(3)], [f64(1)]);
    expect([n.item(), t.item(), dn.dtype]).toEqual([3, 20, "float0"]);
  });

  it("show as symbolic zeros to rules that ask for them", () => {
    const seen: unknown[] = [];
    const f = customVjp((x: NDArray, y: NDArray) => [x.mul(y), x.add(y)] as const).defVjp(
      ((x: Perturbable, y: Perturbable) => {
        seen.push([x.perturbed, y.perturbed]);
        return [
          [x.value.mul(y.value), x.value.add(y.value)],
          { x: y.perturbed ? x.value : null, y: x.perturbed ? y.value : null },
        ];
      }) as never,
      ({ x, y }: { x: NDArray | null; y: NDArray | null }, [a, b]) => {
        seen.push([isZero(a), isZero(b)]);
        const part = (other: NDArray | null): NDArray | null => {
          const left = other === null || isZero(a) ? null : a.mul(other);
          return isZero(b) ? left : left === null ? b : left.add(b);
        };
        return [part(y), part(x)];
      },
      { symbolicZeros: true },
    );
    const [x, y] = [f64(2), f64(3)];
    expect(grad((x: NDArray) => f(x, y)[0])(x).item()).toBe(3);
    expect(seen).toContainEqual([true, false]);
    expect(seen).toContainEqual([false, true]);
    const second = grad((y: NDArray) => f(x, y)[1])(y);
    expect(second.item()).toBe(1);
    expect(seen).toContainEqual([true, false]);
    const sum = (x: NDArray, y: NDArray) => f(x, y)[0].add(f(x, y)[1]);
    expect(grad(sum, { argnums: [0, 1] })(x, y).map((g) => g.item())).toEqual([4, 3]);
    expect(jvp(sum, [x, y], [f64(1), f64(10)])[1].item()).toBe(34);
    const rows = vmap(
      grad((x: NDArray, y: NDArray) => f(x, y)[0], { argnums: [0, 1] }),
      { inAxes: [0, null] },
    );
    expect(rows(f64([2, 5]), y).map((g) => g.tolist())).toEqual([
      [3, 3],
      [2, 5],
    ]);
    const total = (y: NDArray) => vmap(f, { inAxes: [0, null] })(f64([2, 5]), y)[0].sum();
    expect(grad(total)(y).item()).toBe(7);
    expect(item(forward(total)(y))).toBe(7);
  });
});

describe("arguments without derivatives", () => {
  it("are handed to the backward pass in front", () => {
    const f = customVjp((x: NDArray, how: string, y: NDArray) => (how === "mul" ? x.mul(y) : x.add(y)), {
      nondiffArgnums: [1],
    });
    f.defVjp(
      (x, how, y) => [f(x, how, y), { x, y }],
      (how, { x, y }, ct) => (how === "mul" ? [ct.mul(y), ct.mul(x)] : [ct, ct]),
    );
    const g = (how: string) => grad((x: NDArray, y: NDArray) => f(x, how, y), { argnums: [0, 1] });
    expect(g("mul")(f64(2), f64(3)).map((d) => d.item())).toEqual([3, 2]);
    expect(g("add")(f64(2), f64(3)).map((d) => d.item())).toEqual([1, 1]);
    expect(jit(g("mul"))(f64(2), f64(3)).map((d) => d.item())).toEqual([3, 2]);
    expect(() => jit((x: NDArray) => f(x, x as never, x))(f64(2))).toThrow(ArgumentError);
  });
});

describe("mistakes", () => {
  const scaled = (fwd: unknown, bwd: unknown) =>
    customVjp(function scaled(x: NDArray, y: NDArray) {
      return { out: x.mul(y) };
    }).defVjp(fwd as never, bwd as never);
  const run = (fwd: unknown, bwd: unknown) => () =>
    grad((x: NDArray) => scaled(fwd, bwd)(x, f64(2)).out)(f64(3));
  const good = (x: NDArray, y: NDArray) => [{ out: x.mul(y) }, { x, y }];
  type Bwd = (res: { x: NDArray; y: NDArray }, ct: { out: NDArray }) => unknown;
  const backward = (bwd: Bwd) => run(good, bwd);

  it("are named: no rule, no functions", () => {
    expect(() => customVjp((x: NDArray) => x)(f64(1))).toThrow(
      "was called without a rule; give it one with defVjp",
    );
    expect(() => customVjp((x: NDArray) => x).defVjp((x) => [x, 0], null as never)).toThrow(ArgumentError);
    expect(() => customVjp(null as never)).toThrow(ArgumentError);
  });

  it("are named: what the forward pass returns", () => {
    expect(run((x: NDArray) => ({ out: x }), null as never)).toThrow(ArgumentError);
    const none = () => [null, null];
    expect(run((x: NDArray) => ({ out: x }), none)).toThrow(
      "the forward pass of scaled must return [result, residuals], got an object",
    );
    expect(run((x: NDArray) => [x, 0], none)).toThrow(TreeMismatchError);
    expect(run((x: NDArray) => [{ out: x.reshape([1]) }, 0], none)).toThrow(ShapeError);
    expect(run((x: NDArray) => [{ out: x.astype("float32") }, 0], none)).toThrow(
      "the result that the forward pass of scaled gives at .out is float32[], but the function's is float64[]",
    );
  });

  it("are named: what the backward pass returns", () => {
    expect(backward(({ x }) => x)).toThrow(
      "the backward pass of scaled must return a list with a cotangent for each of the 2 arguments that are differentiated, got an array",
    );
    expect(backward(({ x }) => [x])).toThrow("got a list of 1");
    expect(backward(({ x }) => [x, { y: x }])).toThrow(TreeMismatchError);
    expect(backward(({ x }) => [x, x.reshape([1])])).toThrow(ShapeError);
    expect(backward(({ x }) => [x, x.reshape([1])])).toThrow(
      "the cotangents that the backward pass of scaled gives at [1] is float64[1], but the list of arguments needs float64[]",
    );
    expect(backward(({ x }) => [null, x.astype("float32")])).toThrow(DtypeError);
    expect(backward(({ x }) => [x, undefined])).toThrow(TreeMismatchError);
    expect(backward(({ x }) => [x, "x"])).toThrow(ArgumentError);
    const inside = customVjp(({ p }: { p: { q: NDArray } }) => p.q.mul(2)).defVjp(
      ({ p }) => [p.q.mul(2), null],
      (_, ct) => [{ p: ct } as never],
    );
    expect(() => grad((q: NDArray) => inside({ p: { q } }))(f64(1))).toThrow(TreeMismatchError);
  });

  it("are named: traced arrays that the passes close over", () => {
    const f = (s: NDArray) =>
      customVjp((x: NDArray) => x.mul(2)).defVjp(
        (x) => [x.mul(2), null],
        (_, ct) => [ct.mul(s)],
      );
    expect(() => grad((s: NDArray) => f(s)(s))(f64(3))).toThrow(LeakedTracerError);
    expect(() => jit((s: NDArray) => grad(f(s))(s))(f64(3))).toThrow(
      /the backward pass of .* closes over a traced array .*pass the array as an argument, or use closureConvert/,
    );
    const w = f64(5);
    expect(jit((s: NDArray) => grad(f(w))(s))(f64(3)).item()).toBe(5);
    expect(item(forward(f(w))(f64(3)))).toBe(5);
    const g = (s: NDArray) => {
      const h = customVjp((x: NDArray) => x.mul(s));
      h.defVjp(
        (x) => [x, null],
        (_, ct) => [ct],
      );
      return h(f64(1));
    };
    expect(() => grad(g)(f64(3))).toThrow(NotDifferentiableError);
  });
});
