/** Closures over tracers of outer functions, at every nesting of two and three transforms. */
import {
  grad,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  makeJaxpr,
  type NDArray,
  numpy as np,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { expectClose, f64, plain } from "../values.js";

type Scalar = (x: NDArray) => NDArray;

/** Transforms that leave the meaning of a scalar function as it is, whatever it closes over. */
const neutral: Record<string, (f: Scalar) => Scalar> = {
  jit: (f) => jit(f),
  vmap: (f) => (x) => vmap(f)(np.expandDims(x, 0)).slice(0),
  "vmap over nothing": (f) => (x) => vmap(f, { inAxes: null, axisSize: 2 })(x).slice(1),
  "jvp, value": (f) => (x) => jvp(f, [x], [np.onesLike(x)])[0],
  "vjp, value": (f) => (x) => vjp(f, x)[0],
  "linearize, value": (f) => (x) => linearize(f, x)[0],
};

/** Transforms that differentiate. */
const derivative: Record<string, (f: Scalar) => Scalar> = {
  grad: (f) => grad(f),
  jvp: (f) => (x) => jvp(f, [x], [np.onesLike(x)])[1],
  vjp: (f) => (x) => vjp(f, x)[1](np.onesLike(x))[0],
  linearize: (f) => (x) => linearize(f, x)[1](np.onesLike(x)),
  jacfwd: (f) => jacfwd(f) as Scalar,
  jacrev: (f) => jacrev(f) as Scalar,
};

const everything = { ...neutral, ...derivative };
const x0 = 0.7;

describe("an inner function closes over an outer tracer", () => {
  // outer: x ↦ x · T[y ↦ sin(x y)](x), for every inner and outer transform.
  const values = { inner: Math.sin(x0 * x0), derived: x0 * Math.cos(x0 * x0) };
  const slopeOf = {
    // d/dx [x sin(x²)] and d/dx [x · x cos(x²)]
    inner: Math.sin(x0 * x0) + 2 * x0 * x0 * Math.cos(x0 * x0),
    derived: 2 * x0 * Math.cos(x0 * x0) - 2 * x0 ** 3 * Math.sin(x0 * x0),
  };

  it.each(Object.keys(everything))("in %s", (name) => {
    const kind = name in neutral ? "inner" : "derived";
    const f: Scalar = (x) => np.multiply(x, everything[name]((y) => np.sin(np.multiply(x, y)))(x));
    expectClose(f(f64(x0)), x0 * values[kind]);
    for (const [outer, transform] of Object.entries(neutral))
      expectClose(transform(f)(f64(x0)), x0 * values[kind], 1e-12, outer);
    for (const [outer, transform] of Object.entries(derivative))
      expectClose(transform(f)(f64(x0)), slopeOf[kind], 1e-12, outer);
  });

  it.each(Object.keys(everything))("in %s, two levels up", (name) => {
    // h: z ↦ d/dx [x · T(y ↦ x y z)(x)] with T neutral: d/dx [x³ z... ] = 3x² z; with T a derivative: d/dx [x · x z] = 2 x z.
    const inner = everything[name];
    const isValue = name in neutral;
    for (const [middleName, middle] of Object.entries(derivative))
      for (const [outerName, outer] of Object.entries(derivative)) {
        const h: Scalar = (z) => middle((x) => np.multiply(x, inner((y) => x.mul(y).mul(z))(x)))(f64(x0));
        const label = `${outerName} of ${middleName} of ${name}`;
        expectClose(h(f64(5)), isValue ? 3 * x0 * x0 * 5 : 2 * x0 * 5, 1e-12, label);
        expectClose(outer(h)(f64(5)), isValue ? 3 * x0 * x0 : 2 * x0, 1e-12, label);
      }
  });
});

describe("deep nesting", () => {
  it("vmap of jit of grad over a closure, and every other order of the three", () => {
    const scale = f64(3);
    const f: Scalar = (x) => np.sin(x).mul(scale);
    const xs = f64([0, 0.5, 1]);
    const wanted = [0, 0.5, 1].map((x) => 3 * Math.cos(x));
    expectClose(vmap(jit(grad(f)))(xs), wanted);
    expectClose(vmap(grad(jit(f)))(xs), wanted);
    expectClose(jit(vmap(grad(f)))(xs), wanted);
    const total = (ys: NDArray) => np.sum(vmap(jit(f))(ys));
    expectClose(grad(total)(xs), wanted);
    expectClose(jit(grad(total))(xs), wanted);
    expectClose(grad(jit(total))(xs), wanted);
    expectClose(jit(grad(jit((ys: NDArray) => np.sum(vmap(f)(ys)))))(xs), wanted);
    expectClose(jacfwd(vmap(jit(f)))(xs), plain(np.diag(f64(wanted))));
    expectClose(jacrev(jit(vmap(f)))(xs), plain(np.diag(f64(wanted))));
  });

  it("vmap in vmap: the inner one closes over a row of the outer", () => {
    const xs = f64([1, 2, 3]);
    const ys = f64([10, 20]);
    const table = vmap((x: NDArray) => vmap((y: NDArray) => x.mul(y).add(x))(ys))(xs);
    expect(plain(table)).toEqual([1, 2, 3].map((x) => [10, 20].map((y) => x * y + x)));
    const crossed = grad((z: NDArray) =>
      np.sum(vmap((x: NDArray) => vmap((y: NDArray) => x.mul(y).mul(z))(ys))(xs)),
    );
    expect(plain(crossed(f64(1)))).toBe(6 * 30);
    const jitted = jit((a: NDArray) => vmap((x: NDArray) => jit((y: NDArray) => np.sum(y.mul(x)))(ys))(a));
    expect(plain(jitted(xs))).toEqual([30, 60, 90]);
  });

  it("per-example gradients: vmap of grad with shared parameters, differentiated again", () => {
    const xs = f64([1, 2, 3]);
    const w = f64(2);
    const perExample = (v: NDArray) =>
      vmap(
        grad((u: NDArray, x: NDArray) => np.square(u.mul(x)), { argnums: 0 }),
        { inAxes: [null, 0] },
      )(v, xs);
    expect(plain(perExample(w))).toEqual([1, 2, 3].map((x) => 2 * 2 * x * x));
    expect(plain(grad((v: NDArray) => np.sum(np.square(perExample(v))))(w))).toBe(2 * 2 * (4 + 64 + 324));
  });

  it("a constant array closed over by the innermost of five levels", () => {
    const table = f64([1, 2, 3]);
    const f = grad((a: NDArray) =>
      grad((b: NDArray) =>
        jit((c: NDArray) => np.sum(vmap((d: NDArray) => a.mul(b).mul(c).mul(d))(table)))(f64(2)),
      )(f64(5)),
    );
    expect(plain(f(f64(7)))).toBe(12);
  });

  it("the same jitted function closes over different outer tracers in turn, and is never stale", () => {
    let captured: NDArray = f64(1);
    const times = jit((y: NDArray) => np.multiply(y, captured));
    const slope = (at: number, shift: number) =>
      grad((x: NDArray) => {
        captured = np.add(x, shift);
        return times(x);
      })(f64(at));
    // d/dx [x (x + shift)] = 2x + shift
    expect(plain([slope(3, 0), slope(5, 1), slope(3, 7)])).toEqual([6, 11, 13]);
    captured = f64(10);
    const inJit = jit((x: NDArray) => {
      captured = np.sin(x);
      return times(x);
    });
    expectClose([inJit(f64(1)), inJit(f64(2))], [Math.sin(1), 2 * Math.sin(2)]);
    const rows = vmap((x: NDArray) => {
      captured = x;
      return times(x);
    });
    expect(plain(rows(f64([2, 3])))).toEqual([4, 9]);
  });

  it("a closed-over tracer of any level is a constant of the inner program", () => {
    const consts: number[] = [];
    const program = makeJaxpr((x: NDArray) => {
      const inner = makeJaxpr((y: NDArray) => y.mul(x).add(x))(f64(1));
      consts.push(inner.consts.length);
      expect(inner.consts[0]).toBe(x);
      return x;
    })(f64(1));
    expect(consts).toEqual([1]);
    expect(program.consts).toEqual([]);
  });
});
