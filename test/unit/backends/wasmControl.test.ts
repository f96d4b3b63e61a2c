/** Branches and loops on the CPU device: random programs, and what they leave in memory. */
import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { Heap } from "../../../src/backends/wasm/memory.js";
import { poolOf } from "../../../src/backends/wasm/pool.js";
import { compileProgram } from "../../../src/backends/wasm/run.js";
import { compile, donationOf, wasmOptions } from "../../../src/compiler/compile.js";
import { kernelsOf } from "../../../src/compiler/program.js";
import { eachStmt } from "../../../src/compiler/walk.js";
import { scalar } from "../../../src/core/array.js";
import { type Aval, aval } from "../../../src/core/aval.js";
import { buildJaxpr } from "../../../src/core/build.js";
import type { DType, TypedArray } from "../../../src/core/dtype.js";
import type { Jaxpr } from "../../../src/core/jaxpr.js";
import { bind } from "../../../src/core/trace.js";
import { lax, numpy as np } from "../../../src/index.js";
import {
  body,
  hostOperation,
  Maker,
  seen,
  testCond,
  testScan,
  testWhile,
} from "../compiler/controlPrograms.js";
import { evaluatedSteps } from "../compiler/controlTools.js";
import { array } from "../compiler/lowered.js";
import { generator } from "../examples.js";

const failAt = { step: -1 };
/** The first operand, unless it is the step that fails. */
const testFailing = hostOperation("testFailing", ([x, i]) => {
  if (i.values[0] === failAt.step) throw new Error(`step ${failAt.step} fails`);
  return x;
});

const nested: { run: (values: TypedArray) => void } = { run: () => {} };
/** The operand, after something else has been run. */
const testNested = hostOperation("testNested", ([x]) => {
  nested.run(x.values);
  return x;
});

const dtypes: readonly DType[] = ["float32", "int32", "float16", "uint8", "bool", "float64"];

/** Fills memory that is not in use with something else than zeros. */
function soil(heap: Heap): void {
  const bytes = 2 ** 16;
  const address = heap.malloc(bytes);
  heap.views.u8.fill(0x5b, address, address + bytes);
  heap.free(address);
}

describe("random programs with branches and loops", () => {
  const heap = new Heap({ maximumPages: 8192, threads: { count: 1 } });

  it.each([2, 3])("give the very same as their evaluate rules, nested %i deep", (depth) => {
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), (seed, donates) => {
        const maker = new Maker(generator(seed), { dtypes, host: true });
        const avals = maker.types(4);
        const jaxpr = maker.program(avals, depth);
        const inputs = avals.map((type) => maker.array(type));
        const wanted = evaluatedSteps(jaxpr, inputs);
        const program = compileProgram(compile(jaxpr, wasmOptions, donationOf(avals.map(() => donates))), {
          heap,
        });
        const { live } = heap.statistics;
        for (let run = 0; run < 2; run++) {
          soil(heap);
          seen.length = 0;
          const results = program.run(inputs.map((x) => x.values.slice()));
          expect(results).toEqual(wanted.values);
          for (const y of results) heap.release(y);
          expect(seen).toEqual(wanted.seen);
          expect(heap.statistics.live).toBe(live);
        }
      }),
      { numRuns: 100 },
    );
  });
});

// ---------------------------------------------------------------------------------------------------------------------

const f32 = (...shape: number[]): Aval => aval(shape, "float32");
const i32 = aval([], "int32");
const constants = { reverse: false, consts: 0 } as const;

/** A program of one scan, whose operands are its arguments. */
const scanOf = (
  step: Jaxpr,
  {
    length,
    consts = 0,
    carries,
    reverse = false,
  }: { length: number; consts?: number; carries: number; reverse?: boolean },
): Jaxpr => {
  const avals = step.inAvals.map((type, i) =>
    i < consts + carries ? type : aval([length, ...type.shape], type.dtype),
  );
  return buildJaxpr("test", avals, (xs) =>
    bind(testScan, xs, { body: step, length, reverse, consts, carries }),
  );
};

const whileOf = (cond: Jaxpr, step: Jaxpr): Jaxpr =>
  buildJaxpr("test", step.inAvals, (xs) =>
    bind(testWhile, xs, { cond, body: step, condConsts: 0, bodyConsts: 0 }),
  );

/** Runs a program on a heap of its own; says how many bytes were copied from place to place. */
function measured(jaxpr: Jaxpr, inputs: readonly TypedArray[], donated: readonly boolean[] = []) {
  const heap = new Heap({ maximumPages: 8192, threads: { count: 1 } });
  const program = compileProgram(compile(jaxpr, wasmOptions, donationOf(donated)), { heap });
  program.prepare();
  let copied = 0;
  const copyWithin = vi.spyOn(Uint8Array.prototype, "copyWithin").mockImplementation(function (
    this: Uint8Array,
    to: number,
    from: number,
    end?: number,
  ) {
    copied += (end as number) - from;
    this.set(this.slice(from, end), to);
    return this;
  });
  try {
    return { results: program.run(inputs).map((y) => y.slice()), copied, peakBytes: program.peakBytes };
  } finally {
    copyWithin.mockRestore();
  }
}

const counting = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i);

describe("carries", () => {
  const n = 2000;
  const bytes = 4 * n;

  it("are copied once, before the first step", () => {
    const step = body([f32(n)], (x) => [np.add(x, 1)]);
    const { results, copied } = measured(scanOf(step, { length: 10, carries: 1 }), [counting(n)]);
    expect(results[0]).toEqual(counting(n).map((x) => x + 10));
    expect(copied).toBe(bytes);
  });

  it("are not copied at all if the argument is donated", () => {
    const step = body([f32(n)], (x) => [np.add(x, 1)]);
    const { results, copied } = measured(scanOf(step, { length: 10, carries: 1 }), [counting(n)], [true]);
    expect(results[0]).toEqual(counting(n).map((x) => x + 10));
    expect(copied).toBe(0);
  });

  it("change places instead of being copied: a history of three", () => {
    const step = body([f32(n), f32(n), f32(n)], (a, b, c) => [b, c, np.add(np.flip(a), c)]);
    for (const length of [0, 1, 2, 3, 4, 7, 12, 1001]) {
      const inputs = [counting(n), counting(n).fill(1), counting(n).fill(2)];
      const jaxpr = scanOf(step, { length, carries: 3 });
      const { results, copied } = measured(jaxpr, inputs);
      let [a, b, c] = inputs;
      for (let t = 0; t < length; t++) {
        const [old, last] = [a.slice().reverse(), c];
        [a, b, c] = [b, c, old.map((x, i) => x + last[i])];
      }
      expect(results).toEqual([a, b, c]);
      expect(copied).toBe(3 * bytes);
    }
  });

  it("that take turns end in their places, also when nobody knows how many turns there are", () => {
    const cond = body([i32, f32(n), f32(n)], (i) => [np.less(i, 5)]);
    const step = body([i32, f32(n), f32(n)], (i, a, b) => [np.add(i, 1), b, a]);
    for (const start of [0, 1, 5, 6]) {
      const inputs = [Int32Array.of(start), counting(n), counting(n).fill(7)];
      const { results } = measured(whileOf(cond, step), inputs);
      const turned = Math.max(0, 5 - start) % 2 === 1;
      expect(results[1]).toEqual(turned ? inputs[2] : inputs[1]);
      expect(results[2]).toEqual(turned ? inputs[1] : inputs[2]);
    }
  });

  it("need two places where a step needs all of the old value for each element of the new one", () => {
    const step = body([f32(n)], (x) => [np.add(np.flip(x), np.sum(x))]);
    const long = measured(scanOf(step, { length: 2, carries: 1 }), [counting(n).fill(1)]);
    // Sums of equal elements are exact as long as they are small.
    expect(long.results[0]).toEqual(counting(n).fill((1 + n) ** 2));
    expect(long.copied).toBe(bytes);
  });
});

describe("x.at[i].set in a loop", () => {
  const updating = (n: number): Jaxpr =>
    body([i32, f32(n)], (i, x) => {
      const before = lax.dynamicSlice(x, [i], [1]);
      return [np.add(i, 1), lax.dynamicUpdateSlice(x, np.add(before, 2), [i])];
    });
  const scattering = (n: number): Jaxpr =>
    body([i32, f32(n)], (i, x) => [np.add(i, 1), x.at(i).set(lax.convertElementType(i, "float32"))]);

  it.each([
    ["by a slice", updating],
    ["by a scatter", scattering],
  ])("touches only the element: %s", (_, step) => {
    for (const n of [10, 100_000]) {
      const program = compile(scanOf(step(n), { length: 10, carries: 2 }), wasmOptions);
      const kernels = kernelsOf(program);
      expect(kernels.length).toBeGreaterThan(0);
      for (const { launch } of kernels) expect(launch.kind === "range" && launch.extent).toBe(1);
      for (const { body: stmts } of kernels)
        eachStmt(stmts, (s) => {
          // The only loop is that over the one item.
          if (s.kind === "for") expect(s.from.op).toBe("get");
        });
    }
  });

  it("copies the array once, or never if it is donated", () => {
    const n = 100_000;
    const jaxpr = scanOf(updating(n), { length: 1000, carries: 2 });
    const wanted = counting(n).map((x, i) => (i < 1000 ? x + 2 : x));
    for (const donated of [false, true]) {
      const { results, copied, peakBytes } = measured(
        jaxpr,
        [Int32Array.of(0), counting(n)],
        [false, donated],
      );
      expect(results[1]).toEqual(wanted);
      expect(copied).toBe(donated ? 4 : 4 * n + 4);
      expect(peakBytes).toBeLessThan((donated ? 4 : 8) * n + 1000);
    }
  });

  it("stays so in a loop in a loop, and in a branch", () => {
    const n = 64;
    const inner = body([i32, i32, f32(n, n)], (i, j, x) => [
      i,
      np.add(j, 1),
      bind(testCond, [lax.convertElementType(np.equal(i, j), "int32"), i, j, x], {
        branches: [
          body([i32, i32, f32(n, n)], (_i, _j, a) => [a]),
          body([i32, i32, f32(n, n)], (p, q, a) => [
            lax.dynamicUpdateSlice(a, np.reshape(lax.convertElementType(np.add(p, 1), "float32"), [1, 1]), [
              p,
              q,
            ]),
          ]),
        ],
      })[0],
    ]);
    const outer = body([i32, f32(n, n)], (i, x) => [
      np.add(i, 1),
      bind(testScan, [i, scalar(0, "int32"), x], { body: inner, length: n, ...constants, carries: 3 })[2],
    ]);
    const { results, copied } = measured(scanOf(outer, { length: n, carries: 2 }), [
      Int32Array.of(0),
      new Float32Array(n * n),
    ]);
    expect(results[1]).toEqual(
      Float32Array.from({ length: n * n }, (_, k) => (k % n === Math.floor(k / n) ? (k % n) + 1 : 0)),
    );
    // The array once; beside it only counters.
    expect(copied).toBeLessThan(4 * n * n + 1000);
  });

  it("an update of what somebody still needs leaves that as it is", () => {
    const n = 100;
    const step = body([i32, f32(n)], (i, x) => [
      np.add(i, 1),
      lax.dynamicUpdateSlice(x, np.ones([1]), [i]),
      x,
    ]);
    const jaxpr = scanOf(
      body([i32, f32(n)], (i, x) => {
        const [next, updated, old] = bind(testCond, [scalar(0, "int32"), i, x], { branches: [step] });
        return [next, updated, np.sum(old)];
      }),
      { length: 5, carries: 2 },
    );
    const { results } = measured(jaxpr, [Int32Array.of(0), new Float32Array(n)]);
    expect(results[1]).toEqual(counting(n).map((_, i) => (i < 5 ? 1 : 0)));
    expect([...results[2]]).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("stacked arrays", () => {
  it("are read and written in place, entries of any size, from either end", () => {
    for (const reverse of [false, true]) {
      const step = body([f32(3), f32(3)], (c, x) => [np.add(c, x), np.subtract(c, x)]);
      const xs = counting(15);
      const { results, copied } = measured(scanOf(step, { length: 5, carries: 1, reverse }), [
        counting(3),
        xs,
      ]);
      let carry = [0, 1, 2];
      const ys = new Float32Array(15);
      for (let t = 0; t < 5; t++) {
        const at = reverse ? 4 - t : t;
        const x = [...xs.slice(3 * at, 3 * at + 3)];
        ys.set(
          carry.map((c, i) => c - x[i]),
          3 * at,
        );
        carry = carry.map((c, i) => c + x[i]);
      }
      expect(results).toEqual([Float32Array.from(carry), ys]);
      expect(copied).toBe(12);
    }
  });

  it("may have entries that start at odd addresses, and loops that end in one", () => {
    // The results of the inner loop are entries of 3 bytes, while it computes with float64.
    const inner = body([aval([3], "uint8"), aval([2], "float64")], (a, b) => [
      np.add(np.flip(a), 1),
      np.add(np.flip(b), np.sum(b)),
    ]);
    const outer = body([aval([2], "float64"), aval([3], "uint8")], (c, x) => {
      const [a, b] = bind(testScan, [x, c], { body: inner, length: 3, ...constants, carries: 2 });
      return [b, a];
    });
    const jaxpr = scanOf(outer, { length: 4, carries: 1 });
    const inputs = [array([2], "float64"), array([4, 3], "uint8")];
    const { results } = measured(
      jaxpr,
      inputs.map((x) => x.values),
    );
    expect(results).toEqual(evaluatedSteps(jaxpr, inputs).values);
  });

  it("of zero steps leave the carry as it is", () => {
    const step = body([f32(2), f32(2)], (c, x) => [np.add(c, x), c]);
    const { results } = measured(scanOf(step, { length: 0, carries: 1 }), [counting(2), new Float32Array(0)]);
    expect(results).toEqual([counting(2), new Float32Array(0)]);
  });
});

describe("what runs on the host", () => {
  const failing = body([i32, f32(1500)], (i, x) => [np.add(i, 1), bind(testFailing, [x, i], {})[0]]);

  it("may fail in the middle: everything is given back, and the program can run again", () => {
    const heap = new Heap({ maximumPages: 8192, threads: { count: 1 } });
    const jaxpr = scanOf(failing, { length: 10, carries: 2 });
    const program = compileProgram(compile(jaxpr, wasmOptions), { heap });
    const { live } = heap.statistics;
    failAt.step = 5;
    expect(() => program.run([Int32Array.of(0), counting(1500)])).toThrow("step 5 fails");
    expect(heap.statistics.live).toBe(live);
    failAt.step = -1;
    const [i, x] = program.run([Int32Array.of(0), counting(1500)]);
    expect([...i]).toEqual([10]);
    expect(x).toEqual(counting(1500));
    heap.release(x);
    expect(heap.statistics.live).toBe(live);
  });

  it("may run the very program that it is called from", () => {
    const heap = new Heap({ maximumPages: 8192, threads: { count: 1 } });
    const step = body([f32(3)], (x) => [np.add(bind(testNested, [x], {})[0], 1)]);
    const program = compileProgram(compile(scanOf(step, { length: 2, carries: 1 }), wasmOptions), { heap });
    const seenInside: number[][] = [];
    nested.run = (values) => {
      nested.run = () => {};
      seenInside.push([...program.run([values.slice() as Float32Array])[0]]);
    };
    expect(program.run([Float32Array.of(1, 2, 3)])).toEqual([Float32Array.of(3, 4, 5)]);
    expect(seenInside).toEqual([[3, 4, 5]]);
  });
});

describe("threads", () => {
  const heap = new Heap({ maximumPages: 8192, threads: { count: 2, worth: 0 } });
  afterAll(() => poolOf(heap).close());

  it("share the kernels of bodies", async () => {
    const pool = poolOf(heap);
    pool.offer(1000);
    await vi.waitUntil(() => pool.running(Number.POSITIVE_INFINITY) === 2, { timeout: 50_000 });
    const n = 50_000;
    const step = body([f32(n), f32(n)], (c, x) => {
      const next = np.add(np.multiply(c, 0.5), np.sin(x));
      return [next, np.multiply(next, x)];
    });
    const jaxpr = scanOf(step, { length: 6, carries: 1 });
    const inputs = [counting(n), Float32Array.from({ length: 6 * n }, (_, i) => i % 7)];
    const before = pool.shared;
    const wanted = measured(jaxpr, inputs).results;
    expect(pool.shared).toBe(before);
    const program = compileProgram(compile(jaxpr, wasmOptions), { heap });
    // On a busy machine the other thread may come too late for some runs.
    for (let run = 0; run < 3 || (pool.shared === before && run < 500); run++) {
      const results = program.run(inputs);
      expect(results.map((y) => y.slice())).toEqual(wanted);
      for (const y of results) heap.release(y);
    }
    expect(pool.shared).toBeGreaterThan(before);
  });
});
