/** Both modes through `lax.whileLoop`, and each of them through the other, against closed forms. */
import {
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  linearTranspose,
  type NDArray,
  numpy as np,
  vjp,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { toleranceHere } from "../../everywhere/tolerance.js";

type F = (x: NDArray) => NDArray;

const values = (x: NDArray): number[] => Array.from(x.dataSync());
const f64 = (x: number | readonly number[]): NDArray => np.array(x as number[], "float64");
const one = f64(1);

const forward =
  (f: F): F =>
  (x) =>
    jvp(f, [x], [np.ones([], "float64")])[1];
const reverse =
  (f: F): F =>
  (x) =>
    grad(f)(x);

/** Newton's method for √a: how many steps it takes depends on a. */
const root: F = (a) =>
  lax.whileLoop(
    (x) => np.abs(x.mul(x).sub(a)).greater(1e-13),
    (x) => x.add(a.div(x)).mul(0.5),
    a,
    { checkpoint: { slots: 3 } },
  );

const modes: readonly (readonly [string, (f: F) => F])[] = [
  ["jvp", forward],
  ["grad", reverse],
  ["jit jvp", (f) => jit(forward(f))],
  ["jit grad", (f) => jit(reverse(f))],
];

describe("Newton's square root", () => {
  it.each(modes)("has the derivative 1 / (2 √a), by %s", (_, mode) => {
    for (const a of [0.1, 0.5, 2, 30]) expect(mode(root)(f64(a)).item()).toBeCloseTo(0.5 / Math.sqrt(a), 12);
  });

  const pairs = modes.flatMap(([outer, g]) => modes.map(([inner, h]) => [outer, inner, g, h] as const));
  it.each(pairs)("has the second derivative -a^(-3/2) / 4, by %s of %s", (_, __, outer, inner) => {
    for (const a of [0.5, 2]) expect(outer(inner(root))(f64(a)).item()).toBeCloseTo(-0.25 * a ** -1.5, 11);
  });

  it("has the third derivative 3 a^(-5/2) / 8, forwards over reverse over forwards", () => {
    expect(forward(reverse(forward(root)))(f64(2)).item()).toBeCloseTo(0.375 * 2 ** -2.5, 10);
    expect(reverse(forward(reverse(root)))(f64(2)).item()).toBeCloseTo(0.375 * 2 ** -2.5, 10);
  });
});

describe("a fixed point", () => {
  // x = a cos x, so x' = cos x / (1 + a sin x).
  const fixedPoint: F = (a) =>
    lax.whileLoop(
      ({ x, before }) => np.abs(x.sub(before)).greater(1e-14),
      ({ x }) => ({ x: a.mul(np.cos(x)), before: x }),
      { x: f64(0.5), before: f64(0) },
    ).x;

  it("moves as the implicit function theorem says", () => {
    const x = fixedPoint(f64(0.8)).item() as number;
    expect(x).toBeCloseTo(0.8 * Math.cos(x), 13);
    const derivative = Math.cos(x) / (1 + 0.8 * Math.sin(x));
    expect(forward(fixedPoint)(f64(0.8)).item()).toBeCloseTo(derivative, 12);
    expect(reverse(fixedPoint)(f64(0.8)).item()).toBeCloseTo(derivative, 12);
  });
});

/** x ↦ xⁿ by n multiplications, n being known only when it runs. */
const power =
  (n: number, slots = 2): F =>
  (x) => {
    const count = np.array(n, "int32");
    return lax.whileLoop(
      ([i]) => i.less(count),
      ([i, y]) => [i.add(1), y.mul(x)] as const,
      [0, np.ones([], "float64")] as [number, NDArray],
      { checkpoint: { slots } },
    )[1];
  };

describe("loops of few steps", () => {
  it.each([0, 1, 2, 3, 7])("%i", (n) => {
    const x = f64(1.5);
    const first = n * 1.5 ** (n - 1);
    const second = n * (n - 1) * 1.5 ** (n - 2);
    for (const slots of [1, 2, 8]) {
      const f = power(n, slots);
      expect(jit(f)(x).item()).toBeCloseTo(1.5 ** n, 12);
      for (const [, mode] of modes) expect(mode(f)(x).item()).toBeCloseTo(first, 12);
      for (const inner of [forward, reverse])
        for (const outer of [forward, reverse]) expect(outer(inner(f))(x).item()).toBeCloseTo(second, 11);
    }
  });
});

describe("what a loop closes over", () => {
  const w = f64([0.5, -0.25, 0.3, 0.8]).reshape([2, 2]);
  const steps = 5;
  /** A recurrent network without inputs. */
  const network = (weights: NDArray, h: NDArray): NDArray =>
    lax
      .whileLoop(
        ([i]) => i.less(steps),
        ([i, y]) => [i.add(1), np.tanh(weights.matmul(y))] as const,
        [0, h] as [number, NDArray],
        { checkpoint: { slots: 2 } },
      )[1]
      .sum();
  /** The same, written out. */
  const written = (weights: NDArray, h: NDArray): NDArray => {
    let y = h;
    for (let i = 0; i < steps; i++) y = np.tanh(weights.matmul(y));
    return y.sum();
  };
  const h = f64([1, -2]);

  it("collects its gradient from all steps", () => {
    const got = jit(grad(network, { argnums: [0, 1] }))(w, h).map(values);
    const wanted = grad(written, { argnums: [0, 1] })(w, h).map(values);
    for (const [k, list] of wanted.entries())
      for (const [i, g] of list.entries()) expect(got[k][i]).toBeCloseTo(g, 13);
  });

  it("has the Jacobian of the written program by both modes, and its Hessian", () => {
    const close = (a: NDArray, b: NDArray): void =>
      expect(np.abs(a.sub(b)).max().item()).toBeLessThan(toleranceHere(1e-12));
    const of = (f: typeof network) => (weights: NDArray) => f(weights, h);
    close(jacfwd(of(network))(w), jacrev(of(written))(w));
    close(jacrev(of(network))(w), jacrev(of(written))(w));
    close(hessian(of(network))(w), hessian(of(written))(w));
  });

  it("may be a tracer of an outer derivative", () => {
    // d/da of d/dx of (a x)³ is 9 a² x².
    const f = (a: NDArray): NDArray =>
      grad(
        (x: NDArray) =>
          lax.whileLoop(
            ([i]) => i.less(3),
            ([i, y]) => [i.add(1), y.mul(a).mul(x)] as const,
            [0, one] as [number, NDArray],
          )[1],
      )(f64(2));
    expect(grad(f)(f64(1.5)).item()).toBeCloseTo(9 * 1.5 ** 2 * 4, 11);
    expect(forward(f)(f64(1.5)).item()).toBeCloseTo(9 * 1.5 ** 2 * 4, 11);
  });
});

describe("carries without derivative", () => {
  it("are part of the state: integers and booleans that steps depend on", () => {
    // y ← y·a in odd steps, y + a in even ones, so with 5 steps ((0 + a)a + a)a + a = a³ + a² + a.
    const f: F = (a) =>
      lax.whileLoop(
        ([i]) => i.less(5),
        ([i, odd, y]) =>
          [i.add(1), odd.logicalNot(), np.where(odd, y.mul(a), y.add(a))] as [NDArray, NDArray, NDArray],
        [0, np.array(false), np.zeros([], "float64")] as [number, NDArray, NDArray],
        { checkpoint: { slots: 2 } },
      )[2];
    expect(f(f64(2)).item()).toBe(14);
    for (const [, mode] of modes) expect(mode(f)(f64(2)).item()).toBe(3 * 4 + 2 * 2 + 1);
    expect(reverse(reverse(f))(f64(2)).item()).toBe(14);
  });
});

describe("linear loops", () => {
  it("are transposed as they are", () => {
    // y ← 2 y + k x for k = 0, 1, 2: y = 8 y₀ + (0·4 + 1·2 + 2) x.
    const f = (x: NDArray, y: NDArray): NDArray =>
      lax.whileLoop(
        ([i]) => i.less(3),
        ([i, z]) => [i.add(1), z.mul(2).add(x.mul(i.astype("float64")))] as const,
        [0, y] as [number, NDArray],
      )[1];
    const v = f64([1, 10]);
    const transposed = linearTranspose(f, v, v);
    expect(transposed(v).map((ct) => ct.tolist())).toEqual([
      [4, 40],
      [8, 80],
    ]);
  });

  it("may be linear in what they close over alone", () => {
    const f: F = (x) =>
      lax.whileLoop(
        ([i]) => i.less(4),
        ([i, sum]) => [i.add(1), sum.add(x)] as const,
        [0, np.zeros([2], "float64")] as [number, NDArray],
      )[1];
    expect(linearTranspose(f, f64([1, 2]))(f64([1, 3]))[0].tolist()).toEqual([4, 12]);
  });

  it("are pulled back by a pullback that is itself differentiated", () => {
    // The pullback of x³ at x is u ↦ 3 x² u: linear in u, and 6 x u is its derivative in x.
    const pulled = (x: NDArray, u: NDArray): NDArray => vjp(power(3), x)[1](u)[0];
    const [gx, gu] = grad(pulled, { argnums: [0, 1] })(f64(2), f64(5));
    expect(gx.item()).toBeCloseTo(60, 11);
    expect(gu.item()).toBeCloseTo(12, 11);
    expect(linearTranspose((u: NDArray) => pulled(f64(2), u), one)(f64(7))[0].item()).toBeCloseTo(84, 11);
  });
});
