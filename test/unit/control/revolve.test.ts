/** The schedule by which loops are run backwards: no other one repeats fewer steps, and programs keep to it. */
import {
  bind,
  definePrimitive,
  grad,
  jit,
  lax,
  makeJaxpr,
  type NDArray,
  numpy as np,
  valueAndGrad,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { advanceOf, scheduleOf } from "../../../src/primitives/control/revolve.js";

/** The fewest steps that any schedule repeats, by trying all of them. */
function fewest(): (steps: number, slots: number) => number {
  const known = new Map<string, number>();
  const best = (steps: number, slots: number): number => {
    if (steps <= 1) return 0;
    if (slots === 1) return (steps * (steps - 1)) / 2;
    const key = `${steps},${slots}`;
    let found = known.get(key);
    if (found !== undefined) return found;
    found = Number.POSITIVE_INFINITY;
    for (let m = 1; m < steps; m++) found = Math.min(found, m + best(steps - m, slots - 1) + best(m, slots));
    known.set(key, found);
    return found;
  };
  return best;
}

const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);

describe("the schedule", () => {
  it("repeats as few steps as any schedule can, and stores no more states than it may", () => {
    const best = fewest();
    for (let slots = 1; slots <= 9; slots++)
      for (let steps = 0; steps <= 120; steps++) {
        const { repeated, stored } = scheduleOf(steps, slots);
        expect(repeated, `${steps} steps, ${slots} slots`).toBe(best(steps, slots));
        expect(stored).toBeLessThanOrEqual(slots);
      }
  });

  it("repeats nothing more than once where all states but one fit, and each step r times at most", () => {
    expect(scheduleOf(32, 32)).toEqual({ repeated: 31, stored: 31 });
    expect(scheduleOf(33, 32)).toEqual({ repeated: 32, stored: 32 });
    // r n - β(s + 1, r - 1) steps for n = β(s, r): theorem 1 of Griewank and Walther.
    for (const [slots, r] of [
      [32, 3],
      [32, 4],
      [8, 5],
      [3, 40],
      [2, 300],
    ]) {
      const steps = choose(slots + r, slots);
      expect(scheduleOf(steps, slots).repeated).toBe(r * steps - choose(slots + r, slots + 1));
    }
  });

  it("goes on by a step that exists, for any length and room", () => {
    for (const length of [2, 3, 1000, 46_341, 65_537, 2 ** 20 + 1, 2 ** 30, 2 ** 31 - 1])
      for (const slots of [2, 3, 7, 32, 1000, 2 ** 15, 2 ** 20]) {
        const m = advanceOf(length, slots);
        expect(m >= 1 && m < length && Number.isInteger(m), `${length}, ${slots}: ${m}`).toBe(true);
      }
  });
});

let evaluated = 0;

/** The identity, which counts how often it is computed. */
const counted = definePrimitive({
  name: "testCountedIdentity",
  family: "elementwise",
  summary: "x, and counts",
  abstractEval: (inputs) => ({ _tag: "Right", right: inputs }),
  evaluate: (inputs) => {
    evaluated += 1;
    return inputs;
  },
  jvp: (primals, tangents) => ({ outputs: bind(counted, primals, {}), tangents }),
  batch: (_, inputs) => ({ outputs: bind(counted, inputs, {}), batched: [true] }),
  cost: () => ({ operations: 0, multiplications: 0, transcendentals: 0 }),
  laws: { examples: [], differentiable: true },
});

const loop = (steps: number, slots: number) => (x: NDArray) =>
  lax.whileLoop(
    ([i]) => i.less(steps),
    ([i, y]) => [i.add(1), np.sin(bind(counted, [y], {})[0]).mul(1.25)] as const,
    [0, x] as const,
    { checkpoint: { slots } },
  )[1];

/** The loop and its derivative by the chain rule, in plain numbers. */
function plain(steps: number, x: number): [value: number, derivative: number] {
  let [y, dy] = [x, 1];
  for (let i = 0; i < steps; i++) [y, dy] = [1.25 * Math.sin(y), 1.25 * Math.cos(y) * dy];
  return [y, dy];
}

describe("the program of a gradient", () => {
  it.each([
    [0, 3],
    [1, 3],
    [2, 1],
    [7, 1],
    [2, 2],
    [3, 3],
    [4, 3],
    [5, 4],
    [20, 2],
    [35, 3],
    [36, 3],
    [60, 5],
    [60, 100],
  ])("of %i steps with %i slots makes the steps of the schedule", (steps, slots) => {
    evaluated = 0;
    const [value, gradient] = valueAndGrad(loop(steps, slots))(np.array(0.7, "float64"));
    const { repeated } = scheduleOf(steps, slots);
    // Forwards once; backwards the repeated ones, and each once more beside its derivative.
    expect(evaluated).toBe(2 * steps + repeated);
    expect(value.item()).toBeCloseTo(plain(steps, 0.7)[0], 13);
    expect(gradient.item()).toBeCloseTo(plain(steps, 0.7)[1], 13);
  });

  it("has room for as many states as there are slots, however many steps there are", () => {
    const text = String(makeJaxpr(grad(loop(1_000_000, 7)))(np.array(0.7, "float64")));
    const lengths = [...text.matchAll(/f64\[(\d+)\]/g)].map(([, n]) => Number(n));
    expect(Math.max(...lengths)).toBe(7);
  });

  it("runs 10,000 steps with 8 slots", () => {
    const steps = 10_000;
    const f = (x: NDArray) =>
      lax.whileLoop(
        ([i]) => i.less(steps),
        ([i, y]) => [i.add(1), y.add(np.sin(y).mul(1e-4))] as const,
        [0, x] as const,
        { checkpoint: { slots: 8 } },
      )[1];
    let [y, dy] = [1.5, 1];
    for (let i = 0; i < steps; i++) [y, dy] = [y + 1e-4 * Math.sin(y), dy * (1 + 1e-4 * Math.cos(y))];
    const x = np.array(1.5, "float64");
    expect(jit(grad(f))(x).item()).toBeCloseTo(dy, 11);
  });

  it("keeps a schedule for each row of a batch", () => {
    const f = (x: NDArray, n: NDArray) =>
      lax.whileLoop(
        ([i]) => i.less(n),
        ([i, y]) => [i.add(1), np.sin(y).mul(1.25)] as const,
        [0, x] as const,
        { checkpoint: { slots: 3 } },
      )[1];
    const lengths = [0, 1, 2, 9, 40];
    const xs = [0.1, 0.4, 0.7, 1, 1.3];
    const gradients = vmap(grad(f))(np.array(xs, "float64"), np.array(lengths, "int32")).tolist() as number[];
    for (const [i, g] of gradients.entries()) expect(g).toBeCloseTo(plain(lengths[i], xs[i])[1], 13);
  });
});
