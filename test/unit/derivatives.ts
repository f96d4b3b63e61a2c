/** Derivatives of a function of arrays against finite differences, in both modes, and under jit and vmap. */
import { grad, jit, jvp, type NDArray, numpy as np, vmap } from "fluxion";
import { expect } from "vitest";
import { generator } from "./examples.js";
import { expectClose, f64 } from "./values.js";

/** An array of double precision with elements drawn from an interval. */
export function drawn(shape: readonly number[], random: () => number, lo = -2, hi = 2): NDArray {
  const n = shape.reduce((a, b) => a * b, 1);
  return np.reshape(f64(Array.from({ length: n }, () => lo + (hi - lo) * random())), [...shape]);
}

/**
 * Checks that f, smooth at x and in double precision, has the derivatives that central differences (with Richardson's
 * extrapolation) find along a random direction: by jvp, by grad, and of second order. Checks that jit and vmap agree
 * with calling it.
 */
export function checkDerivatives(f: (x: NDArray) => NDArray, x: NDArray, tolerance = 1e-7): void {
  expect(x.dtype).toBe("float64");
  const random = generator(7);
  const v = drawn(x.shape, random);
  const y = f(x);
  const u = drawn(y.shape, random);
  const moved = (h: number): NDArray => np.add(x, np.multiply(v, h));
  const difference = (g: (x: NDArray) => NDArray): NDArray => {
    const central = (h: number) => np.divide(np.subtract(g(moved(h)), g(moved(-h))), 2 * h);
    return np.divide(np.subtract(np.multiply(central(5e-4), 4), central(1e-3)), 3);
  };
  const forward = (z: NDArray): NDArray => jvp(f, [z], [v])[1];
  expectClose(forward(x), difference(f).tolist(), tolerance);
  const weighted = (z: NDArray): NDArray => np.sum(np.multiply(f(z), u));
  const gradient = grad(weighted);
  expectClose(np.sum(np.multiply(gradient(x), v)), np.sum(np.multiply(forward(x), u)).tolist(), 1e-10);
  expectClose(jvp(gradient, [x], [v])[1], difference(gradient).tolist(), 10 * tolerance);
  expectClose(jit(f)(x), y.tolist(), 1e-12);
  const rows = np.stack([x, moved(0.01)]);
  expectClose(vmap(f)(rows), np.stack([y, f(moved(0.01))]).tolist(), 1e-12);
}
