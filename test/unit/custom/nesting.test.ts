/** Rules of one's own inside everything that holds a program: they survive, with the arrays that they close over. */
import {
  checkpoint,
  customJvp,
  customVjp,
  grad,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  vmap,
} from "fluxion";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { derivatives, expectClose, f64 } from "./tools.js";

type Unary = (x: NDArray) => NDArray;

/** Ways to write a function that change nothing about it. */
const containers: Record<string, (f: Unary) => Unary> = {
  jit: (f) => jit(f),
  vmap: (f) => (x) => vmap(f)(np.expandDims(x, 0)).reshape([...x.shape]),
  "scan over xs": (f) => (x) =>
    lax.scan((c: NDArray, y: NDArray) => [c, f(y)], f64(0), np.expandDims(x, 0))[1].reshape([...x.shape]),
  "scan with a carry": (f) => (x) =>
    lax.scan((c: NDArray, _: null) => [f(c), null], x, null, { length: 1 })[0],
  foriLoop: (f) => (x) => lax.foriLoop(0, 1, (_: NDArray, c: NDArray) => f(c), x),
  cond: (f) => (x) => lax.cond(np.greater(np.sum(np.square(x)), -1), f, (y: NDArray) => y.neg(), x),
  "the other branch of cond": (f) => (x) =>
    lax.cond(np.less(np.sum(np.square(x)), -1), (y: NDArray) => y.neg(), f, x),
  whileLoop: (f) => (x) =>
    lax.whileLoop(
      ({ i }) => i.less(1),
      ({ i, y }) => ({ i: i.add(1), y: f(y) }),
      { i: np.array(0, { dtype: "int32" }), y: x },
    ).y,
  map: (f) => (x) => lax.map(f, np.expandDims(x, 0)).reshape([...x.shape]),
  checkpoint: (f) => checkpoint(f),
};

const w = f64([1, 2, 3]);

/** x · w, with ten times its derivative: what the rules say shows in the results. */
const linear: Record<string, () => Unary> = {
  customJvp: () =>
    customJvp(
      (x: NDArray) => x.mul(w),
      ([x], [t]) => [x.mul(w), t.mul(w).mul(10)],
    ),
  customVjp: () =>
    customVjp((x: NDArray) => x.mul(w)).defVjp(
      (x) => [x.mul(w), null],
      (_, ct) => [ct.mul(w).mul(10)],
    ),
};

/** sin, by hand. */
const sines: Record<string, () => Unary> = {
  customJvp: () =>
    customJvp(
      (x: NDArray) => np.sin(x),
      ([x], [t]) => [np.sin(x), np.cos(x).mul(t)],
    ),
  customVjp: () =>
    customVjp((x: NDArray) => np.sin(x)).defVjp(
      (x) => [np.sin(x), np.cos(x)],
      (c, ct) => [ct.mul(c)],
    ),
};

const names = Object.keys(containers);
const x = f64([0.5, -1, 2]);
const v = f64([1, 10, 100]);

for (const device of ["wasm", "reference"] as const)
  describe(`on ${device}`, () => {
    beforeAll(() => setDefaultDevice(device));
    afterAll(() => setDefaultDevice("wasm"));

    describe.each(Object.keys(linear))("%s", (kind) => {
      it.each(names)("in %s, and that in everything", (name) => {
        const f = containers[name](linear[kind]());
        const tens = [10, 20, 30];
        const check = (g: Unary, where: string): void => {
          expectClose(g(x), [0.5, -2, 6]);
          expect([where, grad((y: NDArray) => g(y).sum())(x).tolist()]).toEqual([where, tens]);
          expect([where, jvp(g, [x], [v])[1].tolist()]).toEqual([where, [10, 200, 3000]]);
        };
        check(f, name);
        check(jit(f), `jit of ${name}`);
        if (device === "reference") return;
        for (const outer of names) check(containers[outer](f), `${outer} of ${name}`);
        expect(jit(grad((y: NDArray) => f(y).sum()))(x).tolist()).toEqual(tens);
      });

      it.each(names)("batched in %s", (name) => {
        const f = containers[name](linear[kind]());
        const rows = f64([
          [1, 2, 3],
          [4, 5, 6],
        ]);
        const rule = [
          [10, 20, 30],
          [10, 20, 30],
        ];
        expectClose(vmap(f)(rows), [
          [1, 4, 9],
          [4, 10, 18],
        ]);
        const g = grad((y: NDArray) => f(y).sum());
        expect(vmap(g)(rows).tolist()).toEqual(rule);
        expect(grad((ys: NDArray) => vmap(f)(ys).sum())(rows).tolist()).toEqual(rule);
        expect(jit(vmap(g))(rows).tolist()).toEqual(rule);
        expect(vmap(f, { inAxes: 1, outAxes: 1 })(rows.transpose()).tolist()).toEqual(
          vmap(f)(rows).transpose().tolist(),
        );
      });
    });
  });

describe("second order", () => {
  for (const kind of Object.keys(sines))
    it.each(names)(`${kind} in %s`, (name) => {
      const f = containers[name](sines[kind]());
      for (const [modes, d] of derivatives(f, 2))
        expectClose(d(f64(0.7)), -Math.sin(0.7), modes === "" ? 0 : 1e-12);
      expectClose(jacfwd(jacrev(f))(f64(0.7)), -Math.sin(0.7));
    });

  it.each(Object.keys(sines))("%s repeated in a loop", (kind) => {
    // sin sin sin x, whose derivatives follow from those of the same loop without a rule.
    const loop =
      (f: Unary): Unary =>
      (y) =>
        lax.foriLoop(0, 3, (_: NDArray, c: NDArray) => f(c), y);
    const own = loop(sines[kind]());
    const plain = loop(np.sin);
    const wanted = derivatives(plain, 2);
    for (const [k, [, d]] of derivatives(own, 2).entries()) {
      expectClose(d(f64(0.7)), wanted[k][1](f64(0.7)));
      expectClose(jit(d)(f64(0.7)), wanted[k][1](f64(0.7)));
    }
  });
});

describe("vmap over some of the arguments", () => {
  const product = (a: NDArray, b: NDArray) => a.mul(b).sum();
  const rules = {
    customJvp: customJvp(product, ([a, b], [s, t]) => [product(a, b), s.mul(b).add(a.mul(t)).sum().mul(2)]),
    customVjp: customVjp(product).defVjp(
      (a, b) => [product(a, b), { a, b }],
      ({ a, b }, ct) => [ct.mul(b).mul(2), ct.mul(a).mul(2)],
    ),
  };
  const rows = f64([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const one = f64([10, 100]);

  it.each(Object.keys(rules) as (keyof typeof rules)[])("%s", (kind) => {
    const f = rules[kind];
    for (const inAxes of [
      [0, null],
      [null, 0],
      [0, 0],
    ] as const) {
      const args = inAxes.map((axis) => (axis === null ? one : rows)) as [NDArray, NDArray];
      const mapped = (a: NDArray, b: NDArray) => vmap(f, { inAxes })(a, b);
      const plain = (a: NDArray, b: NDArray) => vmap(product, { inAxes })(a, b);
      expectClose(mapped(...args), plain(...args));
      for (const argnums of [0, 1] as const) {
        expectClose(jacrev(mapped, { argnums })(...args), jacfwd(plain, { argnums })(...args).mul(2));
        expectClose(jacfwd(mapped, { argnums })(...args), jacfwd(plain, { argnums })(...args).mul(2));
        expectClose(
          jit(jacrev(jit(mapped), { argnums }))(...args),
          jacfwd(plain, { argnums })(...args).mul(2),
        );
      }
    }
    const twice = (a: NDArray, b: NDArray) =>
      vmap(vmap(f, { inAxes: [null, 0] }), { inAxes: [0, null] })(a, b);
    expectClose(twice(rows, rows), rows.matmul(rows.transpose()));
    expectClose(grad((a: NDArray) => twice(a, rows).sum())(rows), [
      [18, 24],
      [18, 24],
      [18, 24],
    ]);
    expectClose(jvp(twice, [rows, rows], [rows, rows])[1], rows.matmul(rows.transpose()).mul(4));
  });

  it("takes rules whose results depend on the batch in another way than the function's", () => {
    // The function does not look at a; the rule says that it moves with it.
    const odd = customJvp(
      (_: NDArray, b: NDArray) => b.mul(1),
      ([a, b], [s, t]) => [b.mul(1).add(a.mul(0)), s.mul(3).add(t)],
    );
    const mapped = (a: NDArray) => vmap(odd, { inAxes: [0, null] })(a, f64(7));
    expect(mapped(f64([1, 2])).tolist()).toEqual([7, 7]);
    expect(jvp(mapped, [f64([1, 2])], [f64([1, 10])])[1].tolist()).toEqual([3, 30]);
    expect(grad((a: NDArray) => mapped(a).sum())(f64([1, 2])).tolist()).toEqual([3, 3]);
    // A cotangent that does not depend on the example counts for each of them.
    const same = customVjp((a: NDArray, b: NDArray) => a.mul(b)).defVjp(
      (a, b) => [a.mul(b), null],
      (_, ct) => [ct, f64(1)],
    );
    const total = (b: NDArray) => vmap(same, { inAxes: [0, null] })(f64([1, 2, 3]), b).sum();
    expect(grad(total)(f64(5)).item()).toBe(3);
  });
});
