/** What a budget stores: never more than fits, the best choice for small programs, and what the report says of it. */

import fc from "fast-check";
import {
  ArgumentError,
  bind,
  checkpoint,
  checkpointReport,
  definePrimitive,
  grad,
  jit,
  lax,
  type NDArray,
  numpy as np,
  ShapeDtype,
  savedResiduals,
  setDefaultDevice,
  vmap,
} from "fluxion";
import { right } from "fp-ts/lib/Either.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  chooseStored,
  type Step,
  type StorageChoice,
  type StorageProblem,
  storing,
} from "../../../src/primitives/checkpointBudget.js";
import { expectSameBits, wave } from "./tools.js";

beforeAll(() => setDefaultDevice("reference"));
afterAll(() => setDefaultDevice("wasm"));

/** Programs of so many steps on two arguments; a step reads up to three earlier values and makes one or two. */
const problems = (most: number): fc.Arbitrary<StorageProblem> =>
  fc
    .array(
      fc.record({
        operations: fc.nat(20),
        reads: fc.array(fc.nat(1000), { maxLength: 3 }),
        makes: fc.integer({ min: 1, max: 2 }),
        stored: fc.option(fc.constantFrom("never" as const, "always" as const), { freq: 8, nil: undefined }),
      }),
      { minLength: 1, maxLength: most },
    )
    .chain((drawn) => {
      let count = 2;
      const steps = drawn.map(({ operations, reads, makes, stored }): Step => {
        const before = count;
        count += makes;
        return {
          operations,
          reads: reads.map((r) => r % before),
          makes: Array.from({ length: makes }, (_, k) => before + k),
          stored,
        };
      });
      return fc.record({
        steps: fc.constant(steps),
        bytes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: count, maxLength: count }),
        wanted: fc.array(fc.nat(count - 1), { minLength: 1, maxLength: 5 }).map((w) => [...new Set(w)]),
      });
    });

/** The values that must be stored for `stored` to suffice: found forwards, unlike in the library. */
function operationsFor({ steps, wanted }: StorageProblem, stored: ReadonlySet<number>): number {
  const maker = new Map(steps.flatMap((s) => s.makes.map((v) => [v, s] as const)));
  const run = new Set<Step>();
  const visit = (v: number): void => {
    const step = maker.get(v);
    if (step === undefined || stored.has(v) || run.has(step)) return;
    run.add(step);
    step.reads.forEach(visit);
  };
  wanted.forEach(visit);
  return [...run].reduce((sum, s) => sum + s.operations, 0);
}

/** Every set of steps is tried. */
function bruteForce(problem: StorageProblem, budget: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let set = 0; set < 1 << problem.steps.length; set++) {
    const { bytes, operations } = storing(problem, (i) => ((set >> i) & 1) === 1);
    if (bytes <= budget) best = Math.min(best, operations);
  }
  return best;
}

const sizeOf = ({ stored }: StorageChoice, { bytes }: StorageProblem): number =>
  stored.reduce((sum, v) => sum + bytes[v], 0);

describe("the choice", () => {
  it("is the best for programs of up to 12 steps", () => {
    let better = 0;
    fc.assert(
      fc.property(problems(12), fc.nat(40), (problem, budget) => {
        const least = bruteForce(problem, budget);
        fc.pre(Number.isFinite(least));
        const choice = chooseStored(problem, budget);
        expect(choice.operations).toBe(least);
        if (least > 0 && least < storing(problem, () => false).operations) better++;
      }),
      { numRuns: 200, seed: 7 },
    );
    // Not all of them were trivial.
    expect(better).toBeGreaterThan(15);
  });

  it("fits, and says truly what it stores and pays, for programs of any size", () => {
    fc.assert(
      fc.property(problems(120), fc.nat(200), (problem, budget) => {
        const must = storing(problem, () => false).bytes;
        const choice = chooseStored(problem, budget);
        expect(choice.bytes).toBe(sizeOf(choice, problem));
        expect(choice.operations).toBe(operationsFor(problem, new Set(choice.stored)));
        if (must <= budget) expect(choice.bytes).toBeLessThanOrEqual(budget);
        expect(choice.operations).toBeLessThanOrEqual(storing(problem, () => false).operations);
      }),
      { numRuns: 200, seed: 11 },
    );
  });

  it("spends the whole budget on a long chain", () => {
    // A chain of n steps of which all values are wanted: whatever is stored saves one step.
    const n = 300;
    const steps = Array.from({ length: n }, (_, i): Step => ({ operations: 10, reads: [i], makes: [i + 1] }));
    const problem = { steps, bytes: new Array<number>(n + 1).fill(1), wanted: steps.map((_, i) => i + 1) };
    expect(chooseStored(problem, 100)).toMatchObject({ bytes: 100, operations: 10 * (n - 100) });
  });

  it("exchanges what the order of gains would store first", () => {
    // The small value saves most for a byte, but leaves no room for the large one, which saves more.
    const steps: Step[] = [
      { operations: 12, reads: [0], makes: [1] },
      { operations: 100, reads: [0], makes: [2] },
    ];
    const problem = { steps, bytes: [1, 1, 10], wanted: [1, 2] };
    expect(chooseStored(problem, 10)).toMatchObject({ stored: [2], operations: 12 });
  });
});

describe("programs", () => {
  const unary = [np.sin, np.exp, np.tanh, np.cos, np.square] as const;
  /** Random programs of vectors and sums. */
  const programs = fc.array(
    fc.record({ f: fc.nat(unary.length), a: fc.nat(100), b: fc.nat(100), reduce: fc.boolean() }),
    { minLength: 1, maxLength: 12 },
  );
  const build =
    (drawn: readonly { f: number; a: number; b: number; reduce: boolean }[]) =>
    (x: NDArray): NDArray => {
      const values = [x];
      for (const { f, a, b, reduce } of drawn) {
        const [u, v] = [values[a % values.length], values[b % values.length]];
        const y = f < unary.length ? unary[f](u) : u.mul(v);
        values.push(reduce ? np.tanh(y.sum()).add(v) : np.tanh(y));
      }
      return values[values.length - 1].sum();
    };

  it("stores no more than the budget in random programs, and the gradient stays", () => {
    fc.assert(
      fc.property(programs, fc.nat(400), (drawn, budgetBytes) => {
        const f = build(drawn);
        const x = wave([4]);
        const c = checkpoint(f, { budgetBytes });
        const stored = [...savedResiduals(c, x)].filter(({ what }) => what !== "argument 0");
        const bytes = stored.reduce((sum, r) => sum + r.bytes, 0);
        expect(bytes).toBeLessThanOrEqual(budgetBytes);
        const report = checkpointReport(f, { budgetBytes }, x);
        expect(report.bytes).toBe(bytes);
        expect(report.extraOperations).toBeLessThanOrEqual(report.nothing.extraOperations);
        if (budgetBytes >= report.everything.bytes) expect(report.extraOperations).toBe(0);
        expectSameBits(grad(c)(x), grad(jit(f))(x));
      }),
      { numRuns: 60, seed: 3 },
    );
  });

  it("counts the whole batch under vmap", () => {
    const f = (x: NDArray) => np.exp(np.sin(np.exp(np.sin(x)))).sum();
    const c = checkpoint(f, { budgetBytes: 80 });
    const beside = (h: (x: NDArray) => NDArray, x: NDArray) =>
      [...savedResiduals(h, x)]
        .filter(({ what }) => what !== "argument 0")
        .reduce((sum, r) => sum + r.bytes, 0);
    expect(beside(c, wave([10]))).toBe(80);
    expect(beside((xs) => vmap(c)(xs).sum(), wave([2, 10]))).toBe(0);
    expect(beside((xs) => vmap(c)(xs).sum(), wave([2, 5]))).toBe(80);
  });

  it("stores nothing for a budget of nothing", () => {
    const f = (x: NDArray) => np.exp(np.sin(x)).sum();
    expect([...savedResiduals(checkpoint(f, { budgetBytes: 0 }), wave([4]))].map(({ what }) => what)).toEqual(
      ["argument 0"],
    );
  });

  it("stores what an effect gives, and refuses a budget that it exceeds", () => {
    let runs = 0;
    const measured = definePrimitive({
      name: "checkpointTestMeasured",
      family: "test",
      summary: "the identity, counted",
      effectful: true,
      abstractEval: (inputs) => right(inputs),
      evaluate: ([v], _, [out]) => {
        runs++;
        return [v.alias(out)];
      },
      jvp: ([v], [t], params) => ({ outputs: bind(measured, [v], params), tangents: [t] }),
      batch: (_, inputs, batched, params) => ({ outputs: bind(measured, inputs, params), batched }),
      cost: () => ({ operations: 0, multiplications: 0, transcendentals: 0 }),
      laws: { differentiable: true, examples: [] },
    });
    const f = (x: NDArray) => np.exp(np.sin(bind(measured, [np.sin(x)], {})[0])).sum();
    const x = wave([4]);
    expectSameBits(grad(checkpoint(f))(x), grad(f)(x));
    expect(runs).toBe(2);
    expect(checkpointReport(f, { budgetBytes: 32 }, x).bytes).toBe(32);
    for (const act of [
      () => checkpointReport(f, { budgetBytes: 31 }, x),
      () => grad(checkpoint(f, { budgetBytes: 31 }))(x),
    ]) {
      expect(act).toThrow(ArgumentError);
      expect(act).toThrow(/the budget is 31 bytes, but results of operations with effects.*take 32/);
    }
  });
});

describe("the report", () => {
  const f = (x: NDArray) => np.exp(np.sin(np.exp(np.sin(x))));
  const x = new ShapeDtype([100]);

  it("counts in closed form", () => {
    // Wanted are two cosines and two exponentials, 400 bytes each; nothing stored, four functions and two cosines.
    const full = checkpointReport(f, { budgetBytes: 1600 }, x);
    expect(full.forwardOperations).toBe(400);
    expect(full).toMatchObject({ bytes: 1600, extraOperations: 0 });
    expect(full.everything).toEqual({ bytes: 1600, extraOperations: 0 });
    expect(full.nothing).toEqual({ bytes: 0, extraOperations: 600 });
    const half = checkpointReport(f, { budgetBytes: 800 }, x);
    // The two exponentials, of which both cosines follow.
    expect(half).toMatchObject({ bytes: 800, extraOperations: 200 });
    expect(half.stored.map(({ what }) => what)).toHaveLength(2);
  });

  it("reports policies", () => {
    const report = checkpointReport(f, { policy: ({ primitive }) => primitive === "exp" }, x);
    expect(report).toMatchObject({ bytes: 800, budgetBytes: undefined, extraOperations: 200 });
    expect(report.stored.every(({ what }) => what === "output of exp")).toBe(true);
  });

  it("prints", () => {
    const lines = String(checkpointReport(f, { budgetBytes: 800 }, x)).split("\n");
    expect(lines[0]).toBe("checkpoint(f): 400 operations forward");
    expect(lines[1]).toBe("bytes  operations again  storing");
    expect(lines[2]).toBe("1 600  0 (0 %)           everything");
    expect(lines[3]).toBe("  800  200 (50 %)        what was chosen, in 800 bytes");
    expect(lines[4]).toBe("    0  600 (150 %)       nothing");
    expect(lines[5]).toMatch(/^stored: output of \w+, 400 bytes \(at .*budget\.test\.ts:\d+:\d+\)$/);
    expect(lines).toHaveLength(7);
  });

  it("refuses what checkpoint refuses", () => {
    expect(() => checkpointReport(f, { budgetBytes: -1 }, x)).toThrow(/budgetBytes/);
    expect(() => checkpointReport(f, { budget: 1 } as never, x)).toThrow(/no option "budget"/);
    expect(() => checkpointReport(3 as never, {}, ...([] as never))).toThrow(/takes a function/);
  });

  it("looks into calls, so that what they compute can be stored", () => {
    const h = (v: NDArray) => jit(f)(lax.sin(v));
    expect(checkpointReport(h, { budgetBytes: 800 }, x).bytes).toBe(800);
  });
});
