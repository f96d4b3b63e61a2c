/** A recurrent network over 1,000 steps, against backpropagation through time written out by hand. */
import { grad, jit, jvp, lax, type NDArray, numpy as np } from "fluxion";
import { expect, it } from "vitest";

const steps = 1_000;
const [w, u] = [0.8, 0.5];
const inputs = Array.from({ length: steps }, (_, t) => Math.sin(0.1 * t));

const f64 = (x: number | number[]): NDArray => np.array(x, { dtype: "float64" });
const xs = f64(inputs);

/** The mean square of the states h ← tanh(w·h + u·x). */
const loss = (w: NDArray, u: NDArray): NDArray => {
  const states = lax.scan(
    (h: NDArray, x: NDArray): [NDArray, NDArray] => {
      const next = np.tanh(w.mul(h).add(u.mul(x)));
      return [next, next];
    },
    f64(0),
    xs,
  )[1];
  return np.mean(np.square(states));
};

function byHand(): { value: number; dw: number; du: number } {
  const h = [0];
  for (const [t, x] of inputs.entries()) h.push(Math.tanh(w * h[t] + u * x));
  let [value, dw, du, back] = [0, 0, 0, 0];
  for (let t = steps; t > 0; t--) {
    value += h[t] ** 2 / steps;
    const inner = (back + (2 * h[t]) / steps) * (1 - h[t] ** 2);
    dw += inner * h[t - 1];
    du += inner * inputs[t - 1];
    back = inner * w;
  }
  return { value, dw, du };
}

const wanted = byHand();

it.each([
  ["as it is", loss],
  ["under jit", jit(loss)],
])("value and both derivatives, %s", (_, f) => {
  expect(f(f64(w), f64(u)).item()).toBeCloseTo(wanted.value, 12);
  const [dw, du] = grad(f, { argnums: [0, 1] })(f64(w), f64(u));
  expect(dw.item()).toBeCloseTo(wanted.dw, 12);
  expect(du.item()).toBeCloseTo(wanted.du, 12);
  expect(jvp(f, [f64(w), f64(u)], [f64(1), f64(0)])[1].item()).toBeCloseTo(wanted.dw, 12);
  expect(jvp(f, [f64(w), f64(u)], [f64(0), f64(1)])[1].item()).toBeCloseTo(wanted.du, 12);
});
