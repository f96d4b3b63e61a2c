import {
  ArgumentError,
  customJvp,
  DtypeError,
  debug,
  grad,
  isZero,
  jit,
  jvp,
  LeakedTracerError,
  lax,
  linearize,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  ShapeError,
  stopGradient,
  TreeMismatchError,
  vjp,
  vmap,
  zeroFor,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { derivatives, expectClose, f64, forward } from "./tools.js";

const item = (x: NDArray): number => x.item() as number;

describe("a rule", () => {
  const log1pexp = customJvp((x: NDArray) => np.log1p(np.exp(x)));
  log1pexp.defJvp(([x], [t]) => [log1pexp(x), t.mul(np.subtract(1, np.divide(1, np.add(1, np.exp(x)))))]);

  it("keeps log(1 + exp x) finite where the ordinary derivative is not", () => {
    const plain = (x: NDArray) => np.log1p(np.exp(x));
    expect(grad(plain)(f64(1000)).item()).toBeNaN();
    expect(grad(log1pexp)(f64(1000)).item()).toBe(1);
    expect(item(forward(log1pexp)(f64(1000)))).toBe(1);
    const sigmoid = 1 / (1 + Math.exp(-0.3));
    expectClose(grad(log1pexp)(f64(0.3)), sigmoid);
    for (const [, d] of derivatives(log1pexp, 2)) expectClose(d(f64(0.3)), sigmoid * (1 - sigmoid));
    for (const [, d] of derivatives(log1pexp, 3))
      expectClose(d(f64(0.3)), sigmoid * (1 - sigmoid) * (1 - 2 * sigmoid));
  });

  it("is not looked at where nothing is differentiated", () => {
    let traced = 0;
    const f = customJvp((x: NDArray) => x.mul(2)).defJvp(([x], [t]) => {
      traced++;
      return [x.mul(2), t.mul(2)];
    });
    expect(f(np.array([1, 2])).tolist()).toEqual([2, 4]);
    expect(jit(f)(np.array([1, 2])).tolist()).toEqual([2, 4]);
    expect(vmap(f)(np.array([1, 2])).tolist()).toEqual([2, 4]);
    expect(traced).toBe(0);
    const g = (x: NDArray) => f(x).sum();
    expect(grad(g)(np.array([1, 2])).tolist()).toEqual([2, 2]);
    expect(grad(g)(np.array([3, 4])).tolist()).toEqual([2, 2]);
    expect(traced).toBe(1);
  });

  it("is the derivative of every order: calling itself, 3 to the power of the order", () => {
    const f = customJvp((x: NDArray) => x.mul(x));
    f.defJvp(([x], [t]) => [f(x), f(x).mul(3).mul(t)]);
    for (const order of [1, 2, 3])
      for (const [modes, d] of derivatives(f, order))
        expect([modes, item(d(f64(2))), item(jit(d)(f64(2)))]).toEqual([
          modes,
          4 * 3 ** order,
          4 * 3 ** order,
        ]);
  });

  it("gives way to ordinary rules if it calls the body", () => {
    const body = (x: NDArray) => x.mul(x);
    const f = customJvp(body, ([x], [t]) => [body(x), body(x).mul(3).mul(t)]);
    for (const [modes, d] of derivatives(f, 1)) expect([modes, item(d(f64(2)))]).toEqual([modes, 12]);
    // 3 x² has the derivative 6 x, and 6 x the derivative 6.
    for (const [modes, d] of derivatives(f, 2)) expect([modes, item(d(f64(2)))]).toEqual([modes, 12]);
    for (const [modes, d] of derivatives(f, 3)) expect([modes, item(d(f64(2)))]).toEqual([modes, 6]);
  });

  it("takes the rule that was given last", () => {
    const f = customJvp((x: NDArray) => x.mul(1));
    f.defJvp(([x], [t]) => [x, t.mul(2)]);
    expect(grad(f)(f64(1)).item()).toBe(2);
    f.defJvp(([x], [t]) => [x, t.mul(5)]);
    expect(grad(f)(f64(1)).item()).toBe(5);
  });

  it("has trees for arguments and results, integers among them", () => {
    const f = customJvp(
      ({ w, n }: { w: NDArray; n: NDArray }, x: NDArray) => ({ y: w.mul(x), steps: n.add(1), parts: [x] }),
      ([p, x], [dp, dx]) => {
        expect(dp.n.dtype).toBe("float0");
        const y = { y: p.w.mul(x), steps: p.n.add(1), parts: [x] };
        return [y, { y: dp.w.mul(x).add(dx.mul(p.w)).mul(10), steps: 0, parts: [dx] }];
      },
    );
    const params = { w: f64([2, 3]), n: np.array(4, { dtype: "int32" }) };
    const x = f64([5, 7]);
    const [value, tangent] = jvp(f, [params, x], [{ w: f64([1, 0]), n: 0 }, f64([0, 1])]);
    expect(value.y.tolist()).toEqual([10, 21]);
    expect(value.steps.item()).toBe(5);
    expect(tangent.y.tolist()).toEqual([50, 30]);
    expect(tangent.steps.dtype).toBe("float0");
    expect(tangent.parts[0].tolist()).toEqual([0, 1]);
    const g = grad((p: typeof params.w, x: NDArray) => f({ w: p, n: params.n }, x).y.sum(), {
      argnums: [0, 1],
    });
    const [dw, dx] = g(params.w, x);
    expect([dw.tolist(), dx.tolist()]).toEqual([
      [50, 70],
      [20, 30],
    ]);
  });

  it("lets the function look at values, where those are known", () => {
    const f = customJvp(
      (x: NDArray) => ((x.item() as number) > 0 ? x : x.neg()),
      ([x], [t]) => [np.abs(x), t.mul(np.sign(x)).mul(7)],
    );
    expect(grad(f)(f64(-2)).item()).toBe(-7);
    expect(() => jit(f)(f64(-2))).toThrow(
      "item() needs the value of a traced array (float64[]), but inside jit(",
    );
  });

  it("has the residuals of linearize: only linear work is left", () => {
    const [y, push] = linearize(log1pexp, f64(0.3));
    expectClose(y, Math.log1p(Math.exp(0.3)));
    expectClose(push(f64(2)), 2 / (1 + Math.exp(-0.3)));
  });

  it("runs what the rule prints once", () => {
    const seen: number[] = [];
    const f = customJvp((x: NDArray) => {
      debug.callback((v: NDArray) => seen.push(v.item() as number), x);
      return x.mul(x);
    });
    f.defJvp(([x], [t]) => [f(x), x.mul(t).mul(2)]);
    expect(grad(f)(f64(3)).item()).toBe(6);
    expect(seen).toEqual([3]);
    jit(grad(f))(f64(4));
    expect(seen).toEqual([3, 4]);
    vmap(grad(f))(f64([5, 6]));
    expect(seen).toEqual([3, 4, 5, 6]);
  });
});

describe("arguments without derivatives", () => {
  const power = customJvp((n: number, f: (x: NDArray) => NDArray, x: NDArray) => lax.integerPow(f(x), n), {
    nondiffArgnums: [0, 1],
  }).defJvp((n, f, [x], [t]) => [lax.integerPow(f(x), n), t.mul(100 * n)]);

  it("are handed to the rule in front", () => {
    expect(power(3, np.negative, f64(2)).item()).toBe(-8);
    const g = (x: NDArray) => power(3, np.negative, x);
    expect(grad(g)(f64(2)).item()).toBe(300);
    expect(item(forward(g)(f64(2)))).toBe(300);
    expect(grad((x: NDArray) => power(2, np.sin, x))(f64(2)).item()).toBe(200);
  });

  it("may not be traced", () => {
    const scaled = customJvp((w: NDArray | number, x: NDArray) => x.mul(w), { nondiffArgnums: [0] });
    scaled.defJvp((w, [x], [t]) => [x.mul(w), t.mul(w)]);
    expect(grad((x: NDArray) => scaled(f64(3), x))(f64(1)).item()).toBe(3);
    expect(() => grad((w: NDArray) => scaled(w, f64(1)))(f64(2))).toThrow(ArgumentError);
    expect(() => jit((w: NDArray) => scaled(w, f64(1)))(f64(2))).toThrow(
      "argument 0 is one of nondiffArgnums and cannot be traced",
    );
  });
});

describe("symbolic zeros", () => {
  it("are arrays of zeros, unless they are asked for", () => {
    const kinds: string[][] = [];
    const see = (ts: readonly unknown[]) => kinds.push(ts.map((t) => (isZero(t) ? "zero" : "array")));
    const body = (x: NDArray, y: NDArray) => x.mul(y);
    const plain = customJvp(body, ([x, y], [s, t]) => {
      see([s, t]);
      return [x.mul(y), s.mul(y).add(t.mul(x))];
    });
    expect(grad(plain)(f64(2), f64(3)).item()).toBe(3);
    const symbolic = customJvp(body).defJvp(
      ([x, y], [s, t]) => {
        see([s, t]);
        return [x.mul(y), isZero(t) ? s.mul(y) : isZero(s) ? x.mul(t) : s.mul(y).add(t.mul(x))];
      },
      { symbolicZeros: true },
    );
    expect(grad(symbolic)(f64(2), f64(3)).item()).toBe(3);
    expect(grad(symbolic, { argnums: 1 })(f64(2), f64(3)).item()).toBe(2);
    const both = grad(symbolic, { argnums: [0, 1] })(f64(2), f64(3));
    expect(both.map((g) => g.item())).toEqual([3, 2]);
    expect(kinds).toEqual([
      ["array", "array"],
      ["array", "zero"],
      ["zero", "array"],
      ["array", "array"],
    ]);
  });

  it("can be given back", () => {
    const f = customJvp((x: NDArray) => [x, x.mul(2)] as const).defJvp(
      ([x], [t]) => [
        [x, x.mul(2)],
        [t, zeroLike(x)],
      ],
      { symbolicZeros: true },
    );
    const [, tangent] = jvp(f, [f64(3)], [f64(1)]);
    expect(tangent.map((t) => t.item())).toEqual([1, 0]);
    expect(grad((x: NDArray) => f(x)[0].add(f(x)[1]))(f64(3)).item()).toBe(1);
  });
});

const zeroLike = (x: NDArray) => zeroFor(x.aval);

describe("defJvps", () => {
  it("adds up the parts of the arguments", () => {
    const f = customJvp((x: NDArray, y: NDArray, z: NDArray) => x.mul(y).mul(z)).defJvps(
      (t, _, __, y, z) => t.mul(y).mul(z).mul(10),
      null,
      (t, result) => t.mul(result),
    );
    const at = [f64(2), f64(3), f64(5)] as const;
    expect(grad(f, { argnums: [0, 1, 2] })(...at).map((g) => g.item())).toEqual([150, 0, 30]);
    expect(item(jvp(f, [...at], [f64(1), f64(1), f64(1)])[1])).toBe(180);
    expect(item(vmap(grad(f), { inAxes: [0, null, null] })(f64([2, 4]), f64(3), f64(5)).sum())).toBe(300);
  });

  it("needs a part for each argument", () => {
    const f = customJvp((x: NDArray, y: NDArray) => x.mul(y));
    (f.defJvps as (...parts: unknown[]) => unknown)((t: NDArray) => t);
    expect(() => grad(f)(f64(2), f64(3))).toThrow("1 parts for 2 arguments");
    const g = customJvp((_: string, x: NDArray) => x, { nondiffArgnums: [0] });
    expect(() => g.defJvps(null, null)).toThrow(ArgumentError);
  });
});

describe("closing over arrays", () => {
  const w = f64([1, 2, 3]);

  it("works in the function and in the rule", () => {
    const f = customJvp(
      (x: NDArray) => x.mul(w),
      ([x], [t]) => [x.mul(w), t.mul(w).mul(10)],
    );
    const g = (x: NDArray) => f(x).sum();
    for (const h of [grad(g), jit(grad(g)), grad(jit(g)), jit(grad(jit(g)))])
      expect(h(f64([1, 1, 1])).tolist()).toEqual([10, 20, 30]);
    expect(vmap(grad(g))(f64([[1, 1, 1]])).tolist()).toEqual([[10, 20, 30]]);
  });

  it("works over traced arrays without tangents in the function", () => {
    const scaled = (s: NDArray, x: NDArray) => {
      const f = customJvp((y: NDArray) => y.mul(s));
      f.defJvp(([y], [t]) => [f(y), t.mul(2)]);
      return f(x);
    };
    expect(jit(scaled)(f64(3), f64(2)).item()).toBe(6);
    expect(vmap(scaled, { inAxes: [0, null] })(f64([3, 4]), f64(2)).tolist()).toEqual([6, 8]);
  });

  it("is refused where a tangent would get lost", () => {
    const scaled = (s: NDArray) => {
      const f = customJvp((y: NDArray) => y.mul(s));
      f.defJvp(([y], [t]) => [y, t.mul(2)]);
      return f(f64(2));
    };
    expect(() => grad(scaled)(f64(3))).toThrow(NotDifferentiableError);
    expect(() => grad(scaled)(f64(3))).toThrow("float64[]) that it closes over");
    expect(() => forward(scaled)(f64(3))).toThrow("use closureConvert");
    expect(grad((s: NDArray) => scaled(stopGradient(s)).mul(s))(f64(3)).item()).toBe(6);
  });

  it("is refused in a rule where the arrays are traced", () => {
    const inner = (s: NDArray): NDArray => {
      const f = customJvp(
        (y: NDArray) => y.mul(2),
        ([y], [t]) => [y.mul(2), t.mul(s)],
      );
      return grad(f)(f64(2)).mul(s);
    };
    for (const run of [() => jit(inner)(f64(3)), () => vmap(inner)(f64([3])), () => grad(inner)(f64(3))]) {
      expect(run).toThrow(LeakedTracerError);
      expect(run).toThrow(/the jvp rule of .* closes over a traced array .*use closureConvert/);
    }
    // The same after the trace has ended: the rule is traced when the program is differentiated.
    const outer = (s: NDArray): NDArray =>
      customJvp(
        (y: NDArray) => y.mul(2),
        ([y], [t]) => [y.mul(2), t.mul(s)],
      )(s);
    expect(() => grad(outer)(f64(3))).toThrow(LeakedTracerError);
    expect(() => grad(outer)(f64(3))).toThrow("use closureConvert");
  });
});

describe("mistakes", () => {
  const f = (rule: unknown) => customJvp((x: NDArray) => ({ y: x.mul(2) }), rule as never);
  const at = (rule: unknown) => () => grad((x: NDArray) => f(rule)(x).y)(f64(3));

  it("are named: no rule, no function, an option that is not there", () => {
    const without = customJvp(function clipped(x: NDArray) {
      return x;
    });
    expect(() => without(f64(1))).toThrow(ArgumentError);
    expect(() => without(f64(1))).toThrow(
      "customJvp(clipped) was called without a rule; give it one with defJvp",
    );
    expect(() => customJvp(3 as never)).toThrow(ArgumentError);
    expect(() => customJvp(np.sin, { nondiff: [0] } as never)).toThrow('no option "nondiff"');
    expect(() => customJvp(np.sin, { nondiffArgnums: [-1] })).toThrow("counted from 0");
    expect(() => customJvp(np.sin).defJvp(null as never)).toThrow(ArgumentError);
  });

  it("are named: what the rule returns", () => {
    expect(at(() => f64(1))).toThrow("must return [result, tangent of the result], got an array");
    expect(at(([x]: NDArray[], [t]: NDArray[]) => [x, t])).toThrow(TreeMismatchError);
    expect(at(([x]: NDArray[], [t]: NDArray[]) => [{ y: x }, { z: t }])).toThrow(
      /the tangent that the jvp rule of .* gives must have the structure of the function's result: .*key y missing/,
    );
    expect(at(([x]: NDArray[], [t]: NDArray[]) => [{ y: x }, { y: t.reshape([1]) }])).toThrow(ShapeError);
    expect(at(([x]: NDArray[], [t]: NDArray[]) => [{ y: x }, { y: t.reshape([1]) }])).toThrow(
      "at .y is float64[1], but the function's result needs float64[]",
    );
    expect(at(([x]: NDArray[], [t]: NDArray[]) => [{ y: x }, { y: t.astype("float32") }])).toThrow(
      DtypeError,
    );
    expect(at(([x]: NDArray[], [t]: NDArray[]) => [{ y: x.astype("float32") }, { y: t }])).toThrow(
      "at .y is float32[], but the function's is float64[]",
    );
    expect(at(([x]: NDArray[]) => [{ y: x }, { y: null }])).toThrow(TreeMismatchError);
  });

  it("are named: tangents that are not linear, in reverse mode only", () => {
    const wrong = (rule: (t: NDArray) => NDArray) =>
      customJvp(
        function warp(x: NDArray) {
          return x;
        },
        ([x], [t]) => [x, rule(t)],
      );
    const rules: [(t: NDArray) => NDArray, number, RegExp][] = [
      [(t) => t.mul(t), 4, /the jvp rule of warp must be linear in the tangents, but mul is not linear/],
      [np.sin, Math.sin(2), /the jvp rule of warp must be linear in the tangents, but the equation .* = sin/],
      [(t) => t.add(1), 3, /the jvp rule of warp must be linear .* = add .* has 1 added to it/],
      [
        jit((t: NDArray) => np.exp(t)),
        Math.exp(2),
        /the jvp rule of warp .* but exp is linear in no operand/,
      ],
    ];
    for (const [rule, wanted, message] of rules) {
      const warp = wrong(rule);
      expectClose(jvp(warp, [f64(1)], [f64(2)])[1], wanted);
      expect(() => grad(warp)(f64(1))).toThrow(NotDifferentiableError);
      expect(() => grad(warp)(f64(1))).toThrow(message);
      expect(() => vjp(jit(warp), f64(1))[1](f64(1))).toThrow(message);
    }
  });
});
