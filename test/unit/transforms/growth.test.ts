/** Programs stay small and are never recursed over: derivatives of high order, and very long chains of operations. */
import { countEqns, grad, hessian, jit, jvp, makeJaxpr, type NDArray, numpy as np, vjp, vmap } from "fluxion";
import { describe, expect, it } from "vitest";
import { expectClose, f64, plain } from "../values.js";

type Scalar = (x: NDArray) => NDArray;

const forward =
  (f: Scalar): Scalar =>
  (x) =>
    jvp(f, [x], [np.onesLike(x)])[1];
const reverse =
  (f: Scalar): Scalar =>
  (x) =>
    vjp(f, x)[1](np.onesLike(x))[0];

const modes: Record<string, (order: number) => (f: Scalar) => Scalar> = {
  forward: () => forward,
  reverse: () => reverse,
  grad: () => (f) => grad(f),
  "forward over reverse in turn": (order) => (order % 2 === 0 ? forward : reverse),
};

function derivative(f: Scalar, order: number, mode: string): Scalar {
  let g = f;
  for (let i = 0; i < order; i++) g = modes[mode](i)(g);
  return g;
}

/** Coefficients of dᵏ/dx tanh x as a polynomial in t = tanh x: each order is P′(t)·(1 − t²). */
function tanhPolynomial(order: number): number[] {
  let p = [0, 1];
  for (let i = 0; i < order; i++) {
    const next = new Array<number>(p.length + 1).fill(0);
    for (let k = 1; k < p.length; k++) {
      next[k - 1] += k * p[k];
      next[k + 1] -= k * p[k];
    }
    p = next;
  }
  return p;
}

const polynomial = (p: readonly number[], t: number): number => p.reduceRight((sum, c) => sum * t + c, 0);

describe("derivatives of tanh up to order 6", () => {
  it.each(Object.keys(modes))("%s: the values are those of the closed form", (mode) => {
    for (const x of [-1.3, 0, 0.4, 2])
      for (let order = 0; order <= 6; order++) {
        const wanted = polynomial(tanhPolynomial(order), Math.tanh(x));
        expectClose(derivative(np.tanh, order, mode)(f64(x)), wanted, 1e-11, `order ${order} at ${x}`);
      }
  });

  // Without merging, each order would multiply the program by three or four: by 729 or 4096 at order 6.
  it.each(Object.keys(modes))("%s: the program stays within a square of the order", (mode) => {
    const sizes = [0, 1, 2, 3, 4, 5, 6].map((order) =>
      countEqns(makeJaxpr(derivative(np.tanh, order, mode))(f64(0.5)).jaxpr),
    );
    for (let order = 1; order <= 6; order++)
      expect(sizes[order], `${sizes}`).toBeLessThanOrEqual(3 * order ** 2 + 3);
  });

  it.each(Object.keys(modes))("%s: nested tanh, order 6 of tanh∘tanh∘tanh", (mode) => {
    const f: Scalar = (x) => np.tanh(np.tanh(np.tanh(x)));
    const sizes = [1, 2, 3, 4, 5, 6].map((order) =>
      countEqns(makeJaxpr(derivative(f, order, mode))(f64(0.5)).jaxpr),
    );
    for (const [i, size] of sizes.entries())
      expect(size, `${sizes}`).toBeLessThanOrEqual(5 * (i + 1) ** 3 + 10);
    // Taylor coefficients of the composition, by composing the series of tanh.
    for (const order of [1, 2, 3, 4, 5, 6])
      expectClose(derivative(f, order, mode)(f64(0.5)), nestedTanh(0.5, order), 1e-9, `order ${order}`);
  });
});

/** The derivative of tanh∘tanh∘tanh at x, by truncated Taylor series: t = tanh s solves t′ = (1 − t²) s′. */
function nestedTanh(x: number, order: number): number {
  let series = [x, 1, ...new Array<number>(order).fill(0)];
  for (let level = 0; level < 3; level++) {
    const s = series;
    const t = [Math.tanh(s[0])];
    for (let n = 1; n <= order; n++) {
      let sum = 0;
      for (let k = 1; k <= n; k++) {
        const square = t.slice(0, n - k + 1).reduce((q, ti, i) => q + ti * t[n - k - i], 0);
        sum += k * s[k] * ((n === k ? 1 : 0) - square);
      }
      t.push(sum / n);
    }
    series = t;
  }
  let factorial = 1;
  for (let i = 2; i <= order; i++) factorial *= i;
  return series[order] * factorial;
}

describe("a chain of many operations", () => {
  const rate = 1e-4;
  /** n steps of x + rate·sin(x): smooth, and bounded however long. */
  const chain =
    (n: number): Scalar =>
    (x) => {
      let y = x;
      for (let i = 0; i < n; i++) y = np.add(y, np.multiply(rate, np.sin(y)));
      return y;
    };
  const direct = (x: number, n: number): readonly [number, number] => {
    let [y, slope] = [x, 1];
    for (let i = 0; i < n; i++) [y, slope] = [y + rate * Math.sin(y), slope * (1 + rate * Math.cos(y))];
    return [y, slope];
  };
  /** 12,000 operations: more than any stack of calls would hold. */
  const long = 4000;
  const [value, slope] = direct(0.7, long);

  it("runs and differentiates both ways, to the value of a loop", () => {
    const f = chain(long);
    expectClose(f(f64(0.7)), value, 1e-10);
    expectClose(jvp(f, [f64(0.7)], [f64(1)]), [value, slope], 1e-10);
    expectClose(grad(f)(f64(0.7)), slope, 1e-10);
    expectClose(jit(f)(f64(0.7)), value, 1e-10);
    expectClose(jit(grad(f))(f64(0.7)), slope, 1e-10);
    expectClose(grad(jit(f))(f64(0.7)), slope, 1e-10);
    expectClose(vmap(f)(f64([0.7, 0.7])), [value, value], 1e-10);
    expectClose(vmap(grad(f))(f64([0.7, 0.7])), [slope, slope], 1e-10);
  });

  it("second derivatives", () => {
    const h = 1e-4;
    const wanted = (direct(0.7 + h, long)[1] - direct(0.7 - h, long)[1]) / (2 * h);
    expectClose(grad(grad(chain(long)))(f64(0.7)), wanted, 1e-6);
    expectClose(hessian(chain(long))(f64(0.7)), wanted, 1e-6);
  });

  it("programs are linear in the length", () => {
    for (const transform of [
      (f: Scalar) => f,
      (f: Scalar) => grad(f),
      (f: Scalar) => forward(f),
      (f: Scalar) => vmap(f),
      (f: Scalar) => grad(jit(f)),
      (f: Scalar) => vmap(grad(f)),
      (f: Scalar) => grad(grad(f)),
    ]) {
      const size = (n: number) => {
        const f = transform(chain(n));
        const x = String(transform).includes("vmap") ? f64([0.7]) : f64(0.7);
        return countEqns(makeJaxpr(f)(x).jaxpr);
      };
      const [short, tenTimes] = [size(long / 10), size(long)];
      expect(short).toBeGreaterThanOrEqual(long / 10);
      expect(tenTimes).toBeLessThanOrEqual(10.1 * short);
      expect(tenTimes).toBeGreaterThanOrEqual(9.9 * short);
    }
  });

  it("values on demand reach through the whole chain", () => {
    const f: Scalar = (x) => {
      const y = chain(long)(x);
      return (y.item() as number) > 0 ? y.mul(2) : y;
    };
    expectClose(grad(f)(f64(0.7)), 2 * slope, 1e-10);
  });

  it("a wide program: ten thousand uses of one value", () => {
    const uses = 10_000;
    const f: Scalar = (x) => {
      let sum = f64(0);
      for (let i = 0; i < uses; i++) sum = np.add(sum, np.multiply(x, i));
      return sum;
    };
    expect(plain(grad(f)(f64(1)))).toBe((uses * (uses - 1)) / 2);
    expect(plain(jvp(f, [f64(1)], [f64(1)])[1])).toBe((uses * (uses - 1)) / 2);
  });

  it("jit nested a hundred deep", () => {
    let f: Scalar = (x) => np.sin(x);
    for (let i = 0; i < 100; i++) {
      const inner = jit(f);
      f = (x) => np.multiply(inner(x), 1.01);
    }
    const factor = 1.01 ** 100;
    expectClose(
      [f(f64(0.5)), grad(f)(f64(0.5)), grad(grad(f))(f64(0.5))],
      [factor * Math.sin(0.5), factor * Math.cos(0.5), -factor * Math.sin(0.5)],
      1e-12,
    );
  });
});
