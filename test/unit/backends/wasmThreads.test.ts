/** Kernels on several threads: the same bits as on one, and errors that are those of one. */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { compileKernels } from "../../../src/backends/wasm/launch.js";
import { Heap } from "../../../src/backends/wasm/memory.js";
import { type Job, poolOf, type SharedCode, ThreadPool } from "../../../src/backends/wasm/pool.js";
import { compileProgram } from "../../../src/backends/wasm/run.js";
import type { ThreadOptions } from "../../../src/backends/wasm/threads.js";
import { compile, wasmOptions } from "../../../src/compiler/compile.js";
import { type ConcreteArray, concreteArray } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { buildJaxpr } from "../../../src/core/build.js";
import { DeviceError } from "../../../src/core/errors.js";
import * as ir from "../../../src/core/ir/ops.js";
import { Buffer, type Kernel } from "../../../src/core/ir/types.js";
import type { Jaxpr } from "../../../src/core/jaxpr.js";
import { grad, lax, type NDArray, nn, numpy as np, vmap } from "../../../src/index.js";
import { casesOf } from "../../equivalence/cases.js";
import { forgiving, movements, wholeNumbers } from "../../equivalence/operations.js";
import { programOf, steps } from "../../equivalence/programs.js";
import { itemKernel } from "../compiler/kernels.js";
import { chosen, draw, generator } from "../examples.js";

const heaps: Heap[] = [];

const newHeap = (threads: ThreadOptions): Heap => {
  const heap = new Heap({ maximumPages: 8192, threads });
  heaps.push(heap);
  return heap;
};

afterAll(() => {
  for (const heap of heaps) poolOf(heap).close();
});
afterEach(() => void vi.restoreAllMocks());

/** A heap whose threads have started. All kernels are shared. */
async function heapWith(threads: ThreadOptions & { count: number }): Promise<Heap> {
  const heap = newHeap({ worth: 0, ...threads });
  const pool = poolOf(heap);
  pool.offer(1000);
  await vi.waitUntil(() => pool.running(Number.POSITIVE_INFINITY) === threads.count, { timeout: 50_000 });
  return heap;
}

const run = (jaxpr: Jaxpr, inputs: readonly ConcreteArray[], heap: Heap) => {
  const program = compileProgram(compile(jaxpr, wasmOptions), { heap });
  return program.run(inputs.map((x) => x.values)).map((y) => {
    const copy = y.slice();
    heap.release(y);
    return copy;
  });
};

describe("items of a kernel may be computed in any order", () => {
  const plain = newHeap({ count: 1 });
  const backwards = newHeap({ count: 2, worth: 0 });

  /** As many chunks as there can be, the last one first. */
  const turnAround = (): { chunks: number } => {
    const count = { chunks: 0 };
    vi.spyOn(ThreadPool.prototype, "offer").mockImplementation(() => {});
    vi.spyOn(ThreadPool.prototype, "running").mockReturnValue(2 ** 31);
    vi.spyOn(ThreadPool.prototype, "run").mockImplementation(({ call, from, to, chunk, addresses }: Job) => {
      for (let n = Math.ceil((to - from) / chunk) - 1; n >= 0; n--) {
        call(from + n * chunk, Math.min(to, from + (n + 1) * chunk), ...addresses);
        count.chunks++;
      }
      return { items: 0, time: 0 };
    });
    return count;
  };

  it.each(chosen.filter((p) => p.lower !== undefined).map((p) => [p.name, p] as const))(
    "%s",
    (_, primitive) => {
      const cases = [...casesOf(primitive, { float64: true, flushes: false })].filter(
        ({ jaxpr }) =>
          jaxpr.outAvals.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0) < 50_000,
      );
      turnAround();
      const every = Math.ceil(cases.length / 24);
      for (const [i, { jaxpr, draws }] of cases.entries()) {
        if (i % every !== 0) continue;
        const inputs = draws[0]();
        expect(run(jaxpr, inputs, backwards)).toEqual(run(jaxpr, inputs, plain));
      }
    },
  );

  it("random programs", () => {
    const count = turnAround();
    const table = Object.values({ ...movements, ...wholeNumbers, ...forgiving });
    const shapes = [[5], [3, 5], [2, 3, 4], [37], [16, 17]];
    fc.assert(
      fc.property(
        steps(9),
        fc.array(fc.constantFrom(...shapes), { minLength: 1 }),
        fc.nat(),
        (list, types, seed) => {
          const avals = types.map((shape) => aval(shape, "float32"));
          const jaxpr = programOf(avals, list, table);
          const random = generator(seed);
          const inputs = avals.map((a) => draw(a, random, [-2, 2], false));
          expect(run(jaxpr, inputs, backwards)).toEqual(run(jaxpr, inputs, plain));
        },
      ),
      { numRuns: 100, seed: 4 },
    );
    expect(count.chunks).toBeGreaterThan(1000);
  });
});

const operand = (shape: readonly number[], seed: number): ConcreteArray =>
  draw(aval(shape, "float32"), generator(seed), [-2, 2], false);

const mlp = (w1: NDArray, w2: NDArray, x: NDArray): NDArray =>
  np.mean(nn.logSoftmax(nn.relu(x.matmul(w1)).matmul(w2)).square());

const programs: Readonly<Record<string, readonly [readonly ConcreteArray[], (...xs: NDArray[]) => NDArray]>> =
  {
    elementwise: [[operand([300_001], 1)], (x) => np.tanh(x).mul(np.exp(x.neg()))],
    "float64 functions of JavaScript": [
      [operand([30_001], 2)],
      (x) => np.sin(x.astype("float64")).astype("float32"),
    ],
    product: [[operand([301, 203], 3), operand([203, 307], 4)], (x, y) => x.matmul(y)],
    convolution: [
      [operand([3, 5, 33, 31], 5), operand([7, 5, 3, 3], 6)],
      (x, w) => lax.convGeneralDilated(x, w, { windowStrides: [1, 1], padding: "SAME" }),
    ],
    softmax: [[operand([301, 203], 7)], (x) => nn.softmax(x)],
    "sums of columns": [[operand([2001, 31], 8)], (x) => np.sum(x, 0)],
    "sums of rows": [[operand([301, 1003], 9)], (x) => np.sum(x, 1)],
    sort: [[operand([37, 2003], 10)], (x) => np.sort(x)],
    cumsum: [[operand([67, 1003], 11)], (x) => np.cumsum(x, { axis: 1 })],
    "updates to the same elements": [
      [operand([100, 16], 12), operand([20_000, 16], 13)],
      (x, updates) =>
        lax.scatterAdd(x, lax.reshape(lax.rem(lax.iota("int32", 20_000), 97), [20_000, 1]), updates, {
          updateWindowDims: [1],
          insertedWindowDims: [0],
          scatterDimsToOperandDims: [0],
        }),
    ],
    "batched updates": [
      [operand([64, 50], 14), operand([64, 500], 15)],
      (x, updates) =>
        vmap((row: NDArray, u: NDArray) => row.at(np.arange(500).mod(47)).add(u))(x, updates) as NDArray,
    ],
    "bools and bytes": [
      [operand([100_003], 16)],
      (x) => np.greater(x, 0.5).astype("uint8").mul(x.astype("uint8")),
    ],
    halves: [[operand([100_003], 17)], (x) => np.exp(x.astype("float16")).astype("float32")],
    "gradient of an MLP": [
      [operand([64, 96], 18), operand([96, 10], 19), operand([200, 64], 20)],
      (w1, w2, x) => (grad(mlp) as (...xs: NDArray[]) => NDArray)(w1, w2, x),
    ],
  };

describe.each([2, 3, 4])("%i threads give the same bits as one", (count) => {
  const one = newHeap({ count: 1 });
  let several: Heap;
  beforeAll(async () => {
    several = await heapWith({ count });
  }, 60_000);

  it.each(Object.entries(programs))("%s", (name, [inputs, f]) => {
    const jaxpr = buildJaxpr(
      name,
      inputs.map((x) => x.aval),
      (xs) => [f(...xs)],
    );
    const wanted = run(jaxpr, inputs, one);
    for (let round = 0; round < 3; round++) expect(run(jaxpr, inputs, several)).toEqual(wanted);
  });

  it("and not because they do nothing", () => {
    expect(poolOf(several).shared).toBeGreaterThan(0);
    expect(poolOf(one).shared).toBe(0);
  });
});

/** A kernel of four items that say in `seen` that they were begun, and then do something else. */
function kernelOf(
  after: (item: ReturnType<typeof ir.i32>, seen: Buffer) => ReturnType<typeof ir.store>[] | Kernel["body"],
) {
  const seen = new Buffer("seen", "int32", 4);
  return itemKernel(4, [seen], (item) => [
    ir.store(seen, ir.min(item, 3), ir.i32(1)),
    ...after(item as never, seen),
  ]);
}

/** Compiles the kernel; gives the job of its four items, of which the main thread does the first, once all others are begun. */
function jobWaitingForOthers(heap: Heap, kernel: Kernel): Job {
  const [launcher] = compileKernels([kernel], heap);
  const { code, fn } = (launcher as unknown as { sharing: { code: SharedCode; fn: number } }).sharing;
  const address = heap.malloc(16);
  const seen = heap.views.i32.subarray(address / 4, address / 4 + 4).fill(0);
  let isFirst = true;
  return {
    code,
    fn,
    from: 0,
    to: 4,
    chunk: 1,
    chunkTime: 0,
    addresses: [address],
    call: (begin, end, ...addresses) => {
      if (!isFirst) return launcher.call(begin, end, ...addresses);
      isFirst = false;
      const deadline = performance.now() + 30_000;
      // Of items that never end there is one for each worker.
      while (seen.reduce((sum, x) => sum + x) < poolOf(heap).running(0) - 1 && performance.now() < deadline);
    },
  };
}

describe("when a worker fails", () => {
  it("the error is that of one thread", async () => {
    const heap = await heapWith({ count: 2 });
    // All items but the first divide by zero: a trap.
    const kernel = kernelOf((item, seen) => [
      ir.when(ir.gt(item, 0), [
        ir.store(seen, item, ir.div(ir.i32(7), ir.sub(ir.load(seen, item), ir.i32(1)))),
      ]),
    ]);
    const job = jobWaitingForOthers(heap, kernel);
    let alone: unknown;
    try {
      compileKernels([kernel], heap)[0].call(1, 2, ...job.addresses);
    } catch (error) {
      alone = error;
    }
    expect(alone).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(() => poolOf(heap).run(job)).toThrow((alone as Error).message);
    // And the threads are there for the next program.
    expect(poolOf(heap).running(0)).toBe(2);
    const x = operand([100_000], 1);
    const jaxpr = buildJaxpr("f", [x.aval], ([a]) => [np.sin(a)]);
    expect(run(jaxpr, [x], heap)).toEqual(run(jaxpr, [x], newHeap({ count: 1 })));
  });

  it("an error of the main thread waits for the others", async () => {
    const heap = await heapWith({ count: 2 });
    const job = jobWaitingForOthers(
      heap,
      kernelOf(() => []),
    );
    // So many that the worker cannot have done all of them before the main thread comes.
    const to = 2_000_000;
    const call: Job["call"] = (...args) => {
      job.call(...args);
      throw new RangeError("here");
    };
    expect(() => poolOf(heap).run({ ...job, to, call })).toThrow(new RangeError("here"));
    expect(
      run(
        buildJaxpr("two", [], () => [np.ones([2000]).add(1)]),
        [],
        heap,
      )[0][1999],
    ).toBe(2);
  });

  it("and does not come back, it is an error, and one thread is left", async () => {
    const heap = await heapWith({ count: 2, patience: 300 });
    const endless = kernelOf((item) => [
      ir.when(ir.gt(item, 0), [{ kind: "while", cond: ir.eq(item, item), body: [] }]),
    ]);
    const { call, ...job } = jobWaitingForOthers(heap, endless);
    let begun = false;
    const once: Job["call"] = (...args) => {
      // The items that a worker has not begun are not begun here either.
      if (!begun) call(...args);
      begun = true;
    };
    const pool = poolOf(heap);
    expect(() => pool.run({ ...job, call: once })).toThrow(DeviceError);
    expect(pool.threads).toBe(1);
    const x = concreteArray([1, 2, 3], [3], "float32");
    const jaxpr = buildJaxpr("f", [x.aval], ([a]) => [a.add(1)]);
    expect(run(jaxpr, [x], heap)).toEqual([Float32Array.of(2, 3, 4)]);
  });
});

describe("threads are started", () => {
  it("only when there has been work for them", () => {
    const pool = poolOf(newHeap({ count: 2 }));
    for (let i = 0; i < 4; i++) pool.offer(4);
    expect(pool.hasTeam).toBe(false);
    pool.offer(4);
    expect(pool.hasTeam).toBe(true);
  });

  it("never by what is too short to share", () => {
    const heap = newHeap({ count: 2, worth: 1_000_000 });
    const offer = vi.spyOn(ThreadPool.prototype, "offer");
    const x = operand([20_000], 1);
    const jaxpr = buildJaxpr("f", [x.aval], ([a]) => [a.add(1)]);
    for (let i = 0; i < 20; i++) run(jaxpr, [x], heap);
    expect(offer).not.toHaveBeenCalled();
  });

  it("not where the memory cannot be shared", () => {
    const heap = new Heap({ shared: false, maximumPages: 2048, threads: { count: 4, worth: 0 } });
    expect(poolOf(heap).threads).toBe(1);
    const x = operand([100_000], 1);
    const jaxpr = buildJaxpr("f", [x.aval], ([a]) => [np.sin(a)]);
    expect(run(jaxpr, [x], heap)).toEqual(run(jaxpr, [x], newHeap({ count: 1 })));
  });
});
