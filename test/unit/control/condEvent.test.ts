/**
 * A ball that falls, hits the ground and bounces: the step that contains the impact is another one than the others, which
 * `lax.cond` decides. Where the ball is after a fixed time depends on its initial height also through the time of the impact.
 */
import { grad, jit, jvp, lax, type NDArray, numpy as np, vmap } from "fluxion";
import { describe, expect, it } from "vitest";

const g = 9.81;
const restitution = 0.8;
const dt = 0.125;
const steps = 12;
const T = dt * steps;

const f64 = (x: number): NDArray => np.array(x, "float64");

type State = { readonly h: NDArray; readonly v: NDArray };

/** Free flight for a time. */
const fly = ({ h, v }: State, t: NDArray): State => ({
  h: h.add(v.mul(t)).sub(t.mul(t).mul(g / 2)),
  v: v.sub(t.mul(g)),
});

/** Flight to the ground, the bounce, and flight for the rest of the step. */
function bounce({ h, v }: State): State {
  const impact = v
    .add(
      v
        .mul(v)
        .add(h.mul(2 * g))
        .sqrt(),
    )
    .div(g);
  const down = fly({ h, v }, impact);
  return fly({ h: h.mul(0), v: down.v.mul(-restitution) }, impact.neg().add(dt));
}

const step = (state: State): State => {
  const free = fly(state, f64(dt));
  return lax.cond(free.h.less(0), bounce, () => free, state) as State;
};

/** The height after `steps` steps. */
const height = (h0: NDArray): NDArray => {
  let state: State = { h: h0, v: h0.mul(0) };
  for (let i = 0; i < steps; i++) state = step(state);
  return state.h;
};

/** The same as one program that does not grow with the number of steps. */
const scanned = (h0: NDArray): NDArray => {
  const first: State = { h: h0, v: h0.mul(0) };
  const [last] = lax.scan((state: State) => [step(state), null] as const, first, null, { length: steps });
  return last.h;
};

/** With impact speed a = √(2gh₀) at time a/g: h(T) = e·a·(T - a/g) - g/2·(T - a/g)², as long as there is one bounce. */
function closed(h0: number): { height: number; slope: number; bend: number } {
  const e = restitution;
  const a = Math.sqrt(2 * g * h0);
  const rest = T - a / g;
  expect(rest).toBeGreaterThan(0);
  expect(rest).toBeLessThan((2 * e * a) / g);
  // By a: h' = e(T - 2a/g) + rest, h'' = -(2e + 1)/g; by h₀: da = g/a, d²a = -g²/a³.
  const byA = e * (T - (2 * a) / g) + rest;
  return {
    height: e * a * rest - (g / 2) * rest * rest,
    slope: (byA * g) / a,
    bend: (-(2 * e + 1) / g) * (g / a) ** 2 - (byA * g * g) / a ** 3,
  };
}

describe.each<[string, (h0: NDArray) => NDArray]>([
  ["step by step", height],
  ["by scan", scanned],
])("a bouncing ball, %s", (_, h) => {
  // Impacts in different steps of the twelve.
  it.each([2, 3, 4.2, 5])("is where the closed form says, with its derivatives, dropped from %d", (h0) => {
    const wanted = closed(h0);
    for (const f of [h, jit(h)]) {
      expect(f(f64(h0)).item()).toBeCloseTo(wanted.height, 11);
      expect(grad(f)(f64(h0)).item()).toBeCloseTo(wanted.slope, 10);
      expect(jvp(f, [f64(h0)], [1])[1].item()).toBeCloseTo(wanted.slope, 10);
      expect(grad(grad(f))(f64(h0)).item()).toBeCloseTo(wanted.bend, 9);
      expect(jvp(grad(f) as typeof h, [f64(h0)], [1])[1].item()).toBeCloseTo(wanted.bend, 9);
    }
  });

  it("many balls at once hit the ground in different steps", () => {
    const heights = [2, 3, 4.2, 5];
    const all = vmap(grad(h))(np.array(heights, "float64"));
    for (const [i, slope] of (all.tolist() as number[]).entries())
      expect(slope).toBeCloseTo(closed(heights[i]).slope, 10);
  });
});
