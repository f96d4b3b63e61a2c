/** Reverse mode through scans in bounded memory: the schedule, the same numbers, what is stored, and what it costs. */
import {
  ArgumentError,
  type Eqn,
  grad,
  type Jaxpr,
  jaxprCost,
  jit,
  jvp,
  lax,
  linearize,
  makeJaxpr,
  type NDArray,
  numpy as np,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { type Atom, subJaxprs } from "../../../src/core/jaxpr.js";
import { leastSlots, levelsOf } from "../../../src/primitives/control/scanCheckpoint.js";
import { expectClose, expectError, f64, plain } from "../values.js";

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

describe("the schedule", () => {
  it.each([0, 1, 2, 3, 10, 97, 100, 1000, 100_000, 10_000_000])(
    "of %i steps fits whatever is enough",
    (n) => {
      const least = leastSlots(n);
      expect(least).toBeLessThanOrEqual(Math.ceil((3 * Math.log(Math.max(n, 1))) / Math.log(3)) + 2);
      for (const slots of [least, least + 1, 2 * least + 3, 50 + least, n + 1]) {
        const levels = levelsOf(n, slots) as readonly number[];
        expect(sum(levels)).toBeLessThanOrEqual(Math.max(slots, 1));
        expect(product(levels)).toBeGreaterThanOrEqual(n);
        // One level less would not be enough: no way to share the slots gives more blocks than equal shares.
        const fewer = levels.length - 1;
        if (fewer > 0)
          expect(
            product(Array.from({ length: fewer }, (_, i) => Math.floor((slots + i) / fewer))),
          ).toBeLessThan(n);
      }
      if (least > 0) expect(levelsOf(n, least - 1)).toBeUndefined();
    },
  );

  it("takes one level where all carries fit, and at most logarithmically many", () => {
    expect(levelsOf(100, 100)).toEqual([100]);
    expect(levelsOf(100, 20)).toEqual([10, 10]);
    expect((levelsOf(100_000, leastSlots(100_000)) as number[]).length).toBeLessThanOrEqual(
      Math.log2(100_000),
    );
  });
});

const chain =
  (length: number, options: object = {}) =>
  (w: NDArray, h: NDArray, xs: NDArray): NDArray => {
    const [last, ys] = lax.scan((c, x) => [np.sin(c.mul(w)).add(x), c.mul(x)], h, xs, { length, ...options });
    return last.sum().add(ys.sum());
  };
const inputs = (n: number): [NDArray, NDArray, NDArray] => [
  f64(1.2),
  f64([0.3, -0.4]),
  np.sin(np.arange(2 * n).astype("float64")).reshape([n, 2]),
];

describe("the numbers", () => {
  it.each([
    [1, 1, false],
    [7, 7, false],
    [10, 7, false],
    [10, 7, true],
    [23, 10, false],
    [23, 9, true],
    [64, 12, false],
    [0, 5, false],
  ])("are those without it: %i steps, %i slots, reverse %s", (n, slots, reverse) => {
    const f = chain(n, { reverse });
    const g = chain(n, { reverse, checkpoint: { slots } });
    const args = inputs(n);
    const argnums = [0, 1, 2] as const;
    expectClose(g(...args), plain(f(...args)), 1e-14);
    const wanted = plain(grad(f, { argnums })(...args));
    expectClose(grad(g, { argnums })(...args), wanted, 1e-13);
    expectClose(jit(grad(g, { argnums }))(...args), wanted, 1e-13);
    expectClose(jvp(g, args, args)[1], plain(jvp(f, args, args)[1]), 1e-13);
    expectClose(linearize(g, ...args)[1](...args), plain(linearize(f, ...args)[1](...args)), 1e-13);
  });

  it("to second order, and under vmap", () => {
    const [n, slots] = [11, 8];
    const args = inputs(n);
    const [f, g] = [chain(n), chain(n, { checkpoint: { slots } })];
    const second = (p: typeof f) => (w: NDArray) => grad((z: NDArray) => grad(p)(z, args[1], args[2]))(w);
    expectClose(second(g)(args[0]), plain(second(f)(args[0])), 1e-12);
    const batch = f64([0.5, 1, 2]);
    expectClose(
      vmap(grad(g), { inAxes: [0, null, null] })(batch, args[1], args[2]),
      plain(vmap(grad(f), { inAxes: [0, null, null] })(batch, args[1], args[2])),
      1e-13,
    );
  });

  it("of a foriLoop", () => {
    const power = (options: object) => (x: NDArray) =>
      lax.foriLoop(0, 12, (_, c) => c.mul(x), f64(1), options);
    expectClose(grad(power({ checkpoint: { slots: 8 } }))(f64(1.1)), 12 * 1.1 ** 11, 1e-13);
  });
});

/** The most carries that are stored at a time: in stacks, each from the scan that writes it to the last that reads it. */
function storedAtOnce(jaxpr: Jaxpr, isCarry: (eqn: Eqn, k: number) => boolean): number {
  const lastUse = new Map<Atom, number>();
  for (const [i, eqn] of jaxpr.eqns.entries()) for (const a of eqn.inputs) lastUse.set(a, i);
  let most = 0;
  let live: { until: number; carries: number }[] = [];
  for (const [i, eqn] of jaxpr.eqns.entries()) {
    if (eqn.primitive.name === "scan")
      for (const [k, v] of eqn.outputs.entries())
        if (isCarry(eqn, k)) live.push({ until: lastUse.get(v) ?? i, carries: eqn.params.length as number });
    const inner = subJaxprs(eqn.params).map((body) => storedAtOnce(body, isCarry));
    most = Math.max(most, sum(live.map(({ carries }) => carries)) + Math.max(0, ...inner));
    live = live.filter(({ until }) => until > i);
  }
  return most;
}

describe("what is stored", () => {
  // A carry of a length that nothing else has, so that stacks of it are told by their shape.
  const size = 17;
  const f = (n: number, options: object) => (h: NDArray) =>
    lax.scan((c) => [np.sin(c).mul(np.cos(c)), null], h, null, { length: n, ...options })[0].sum();
  const programOf = (n: number, options: object): Jaxpr =>
    makeJaxpr(grad(f(n, options)))(np.ones([size], "float64")).jaxpr;
  const isStack = (eqn: Eqn, k: number): boolean => {
    const { shape } = eqn.outputs[k].aval;
    return k >= (eqn.params.carries as number) && shape.length === 2 && shape[1] === size;
  };

  it("are residuals of every step without it", () => {
    expect(storedAtOnce(programOf(1000, {}), isStack)).toBeGreaterThanOrEqual(1000);
  });

  it.each([
    [100, 100],
    [100, 20],
    [1000, 100],
    [1000, 30],
    [1000, leastSlots(1000)],
    [100_000, 150],
    [100_000, leastSlots(100_000)],
  ])("of %i steps with %i slots is no more than that", (n, slots) => {
    const program = programOf(n, { checkpoint: { slots } });
    // Beside carries the backward pass of a single step has residuals of its own, which are no stacks.
    expect(storedAtOnce(program, isStack)).toBeLessThanOrEqual(slots);
  });

  it("is bounded by bytes", () => {
    const program = programOf(1000, { checkpoint: { budgetBytes: 30 * size * 8 } });
    expect(storedAtOnce(program, isStack)).toBeLessThanOrEqual(30);
  });

  it("costs one more forward run for each level", () => {
    const forward = jaxprCost(makeJaxpr(f(4096, {}))(np.ones([size], "float64")).jaxpr).operations;
    const costs = [
      {},
      { checkpoint: { slots: 4096 } },
      { checkpoint: { slots: 128 } },
      { checkpoint: { slots: 48 } },
    ].map((options) => jaxprCost(programOf(4096, options)).operations / forward);
    for (const [level, cost] of costs.entries()) {
      if (level === 0) continue;
      expect(cost - costs[0]).toBeLessThanOrEqual(level + 0.1);
      expect(cost).toBeGreaterThan(costs[level - 1]);
    }
  });
});

describe("what is refused", () => {
  const run = (length: number, checkpoint: unknown) => () =>
    lax.scan((c) => [c.mul(2), null], np.ones([4], "float64"), null, { length, checkpoint } as never);

  it("too few slots, with both numbers", () => {
    expectError(
      run(1000, { slots: 5 }),
      ArgumentError,
      "argument",
      "5 slots",
      "1000 steps",
      `at least ${leastSlots(1000)}`,
    );
    expectError(run(5, { slots: 0 }), ArgumentError, "argument", "0 slots");
  });

  it("too few bytes, with both numbers", () => {
    expectError(
      run(1000, { budgetBytes: 100 }),
      ArgumentError,
      "argument",
      "100 bytes",
      `${leastSlots(1000) * 32} bytes`,
      "a carry of 32 bytes",
    );
    expect(plain(run(3, { budgetBytes: 32 * 3 })()[0])).toEqual([8, 8, 8, 8]);
  });

  it.each([
    [true],
    [3],
    [null],
    [{}],
    [{ slots: 3, budgetBytes: 100 }],
    [{ slots: -1 }],
    [{ slots: 2.5 }],
    [{ slots: 9, levels: 2 }],
    [{ bytes: 3 }],
  ])("the option %o", (checkpoint) => {
    expectError(
      run(4, checkpoint),
      ArgumentError,
      "argument",
      "checkpoint must be { slots } or { budgetBytes }",
    );
  });
});
