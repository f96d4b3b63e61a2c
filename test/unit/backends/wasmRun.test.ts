/** Programs on the wasm device: what goes in and out, and what is left in the memory afterwards. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { right } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { Launcher } from "../../../src/backends/wasm/launch.js";
import { Heap, OutOfMemoryError } from "../../../src/backends/wasm/memory.js";
import { compileProgram } from "../../../src/backends/wasm/run.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import type { Program, Step } from "../../../src/compiler/program.js";
import { ConcreteArray } from "../../../src/core/array.js";
import { aval } from "../../../src/core/aval.js";
import { allocate, type DType, settle, type TypedArray } from "../../../src/core/dtype.js";
import { InternalError } from "../../../src/core/errors.js";
import * as ir from "../../../src/core/ir/ops.js";
import { Buffer, type Expr } from "../../../src/core/ir/types.js";
import { Literal, Var } from "../../../src/core/jaxpr.js";
import { definePrimitive } from "../../../src/core/primitive.js";
import { itemKernel } from "../compiler/kernels.js";

/** Stores a function of the elements of one buffer in another. */
const map = (from: Buffer, to: Buffer, f: (x: Expr) => Expr): Step => ({
  kind: "kernel",
  kernel: itemKernel(to.size, [from, to], (item) => [ir.store(to, item, f(ir.load(from, item)))]),
});

const samples: Record<Exclude<DType, "float0">, (i: number) => number> = {
  float32: (i) => i * 0.25 - 7,
  float64: (i) => i * 0.1 - 7,
  float16: (i) => (i % 300) - 3,
  int32: (i) => 1000 - i * 7,
  uint32: (i) => 4294967295 - i,
  uint8: (i) => i & 255,
  bool: (i) => (i % 3) & 1,
};

const filled = (dtype: Exclude<DType, "float0">, size: number): TypedArray =>
  settle(
    dtype,
    allocate(dtype, size).map((_, i) => samples[dtype](i)),
  );

/** A program that adds `times` twos, one kernel for each, through temporaries; `not` for bools. */
function chain(dtype: DType, size: number, times: number): Program {
  const buffers = Array.from({ length: times + 1 }, (_, i) => new Buffer(`b${i}`, dtype, size));
  const f = (x: Expr): Expr => (dtype === "bool" ? ir.not(x) : ir.add(x, 2));
  return {
    name: "chain",
    inputs: [buffers[0]],
    outputs: [buffers[times]],
    steps: buffers.slice(1).map((to, i) => map(buffers[i], to, f)),
    temporaries: buffers.slice(1, -1),
  };
}

const newHeap = (options: { residentBudget?: number; shared?: boolean; maximumPages?: number } = {}): Heap =>
  new Heap({ maximumPages: 2048, ...options });

describe("running programs", () => {
  for (const dtype of Object.keys(samples) as Exclude<DType, "float0">[])
    it.each([0, 1, 5, 16, 17, 5000])(`${dtype}, %i elements`, (size) => {
      const heap = newHeap();
      const program = chain(dtype, size, 3);
      const input = filled(dtype, size);
      const before = input.slice();
      const compiled = compileProgram(program, { heap });
      const [once] = compiled.run([input]);
      expect(once).toEqual(runProgram(program, [input])[0]);
      expect(input).toEqual(before);
      // Again, on what may lie in the memory now.
      const [twice] = compiled.run([once]);
      expect(twice).toEqual(runProgram(program, [once])[0]);
      expect(heap.statistics.live).toBe(heap.statistics.resident);
    });

  it("leaves large outputs where they are, and uses them where they are", () => {
    const heap = newHeap();
    const compiled = compileProgram(chain("float32", 5000, 2), { heap });
    const [x] = compiled.run([filled("float32", 5000)]);
    expect(heap.contains(x)).toBe(true);
    const { peak } = heap.statistics;
    const [y] = compiled.run([x]);
    expect(heap.contains(y)).toBe(true);
    // The first run had its input copied: the second has one array more, and no copy.
    expect(heap.statistics.peak).toBe(peak);
    expect(heap.release(x) && heap.release(y)).toBe(true);
    expect(heap.statistics).toMatchObject({ live: 0, resident: 0 });
  });

  it("copies large outputs where growing the memory would detach them", () => {
    const heap = newHeap({ shared: false });
    const compiled = compileProgram(chain("float32", 5000, 2), { heap });
    const [x] = compiled.run([filled("float32", 5000)]);
    heap.malloc(2 ** 24);
    const [y] = compiled.run([x]);
    expect(y).toEqual(filled("float32", 5000).map((v) => v + 2 + 2 + 2 + 2));
    expect(heap.statistics.resident).toBe(0);
  });

  it("an output may be an input, or occur twice", () => {
    const [x, y] = [new Buffer("x", "float32", 3), new Buffer("y", "float32", 3)];
    const program: Program = {
      name: "pairs",
      inputs: [x],
      outputs: [y, x, y, x],
      steps: [map(x, y, (e) => ir.mul(e, 2))],
      temporaries: [],
    };
    const input = Float32Array.of(1, 2, 3);
    const outputs = compileProgram(program, { heap: newHeap() }).run([input]);
    expect(outputs.map((o) => [...o])).toEqual([
      [2, 4, 6],
      [1, 2, 3],
      [2, 4, 6],
      [1, 2, 3],
    ]);
    expect(outputs[1]).toBe(input);
    expect(outputs[2]).toBe(outputs[0]);
  });

  it("programs without steps, and with float0", () => {
    const [x, z] = [new Buffer("x", "float32", 2), new Buffer("z", "float0", 5)];
    const program: Program = {
      name: "identity",
      inputs: [x, z],
      outputs: [z, x],
      steps: [],
      temporaries: [],
    };
    const inputs = [Float32Array.of(1, 2), allocate("float0", 5)];
    expect(compileProgram(program, { heap: newHeap() }).run(inputs)).toEqual([inputs[1], inputs[0]]);
  });

  it("refuses inputs of another number or size", () => {
    const compiled = compileProgram(chain("float32", 4, 1), { heap: newHeap() });
    expect(() => compiled.run([])).toThrow(InternalError);
    expect(() => compiled.run([new Float32Array(5)])).toThrow(InternalError);
  });

  it("says before it runs how many bytes it takes", () => {
    const heap = newHeap();
    // 3 temporaries, of which one has the memory of the output before it is there, and an input: 16 KiB each.
    const compiled = compileProgram(chain("float64", 2048, 4), { heap });
    expect(compiled.peakBytes).toBe(3 * 16384);
    compiled.run([filled("float64", 2048)]);
    expect(heap.statistics.peak).toBe(3 * 16384);
  });

  const donating = (size: number): Program => {
    const program = chain("float32", size, 3);
    return { ...program, donated: new Set(program.inputs) };
  };

  it("a donated input gives its block to the output", () => {
    const heap = newHeap();
    const compiled = compileProgram(donating(5000), { heap });
    const [x] = compiled.run([filled("float32", 5000)]);
    const { live, arrays } = heap.statistics;
    expect(arrays).toBe(1);
    let started = 0;
    const [y] = compiled.run([x], () => started++);
    expect(y).toEqual(filled("float32", 5000).map((v) => v + 12));
    expect([started, y.byteOffset, heap.owns(y), heap.owns(x)]).toEqual([1, x.byteOffset, true, false]);
    expect(heap.statistics).toMatchObject({ live, arrays: 1, resident: live });
    // x, and two of 20,000 bytes that temporaries share: in blocks of 20,480.
    expect(heap.statistics.peak).toBeLessThanOrEqual(3 * 20480);
    expect(heap.release(x)).toBe(false);
    expect(heap.release(y)).toBe(true);
    expect(heap.statistics.live).toBe(0);
  });

  it("a donated input stays if there is no room", () => {
    const heap = newHeap({ maximumPages: 64 });
    const compiled = compileProgram(donating(2 ** 18), { heap });
    const [x] = compiled.run([filled("float32", 2 ** 18)]);
    const blocks = Array.from({ length: 3 }, () => heap.malloc(2 ** 20 - 2 ** 17));
    const start = x.slice(0, 9);
    expect(() => compiled.run([x], () => expect.fail("started"))).toThrow(OutOfMemoryError);
    expect(x.slice(0, 9)).toEqual(start);
    for (const block of blocks) heap.free(block);
    const [y] = compiled.run([x]);
    expect(y[3]).toBe(start[3] + 6);
  });

  it("prints its kernels", () => {
    const text = compileProgram(chain("float32", 4, 2)).toText();
    expect(text.match(/\(func \$test/g)).toHaveLength(2);
    expect(text).toContain("f32.const 2");
  });
});

// ---------------------------------------------------------------------------------------------------------------------

let onEvaluate: (inputs: readonly ConcreteArray[]) => void = () => {};

const hostPrimitive = (name: string, effectful: boolean) =>
  definePrimitive({
    name,
    family: "test",
    summary: "the operand times the second operand, by JavaScript",
    abstractEval: ([x]) => right([x]),
    evaluate: (inputs, _, [out]) => {
      onEvaluate(inputs);
      const [x, by] = inputs;
      return [
        new ConcreteArray(
          x.values.map((v) => v * by.values[0]),
          out,
        ),
      ];
    },
    jvp: () => {
      throw new InternalError("not differentiated here");
    },
    batch: () => {
      throw new InternalError("not batched here");
    },
    cost: () => ({ operations: 0, multiplications: 0, transcendentals: 0, bytes: 0 }),
    laws: { kind: "none" } as never,
    effectful,
  });

const pure = hostPrimitive("wasm_test_times", false);
const impure = hostPrimitive("wasm_test_times_seen", true);

/** x -> (x + 2) times a literal, by the host, + 2. */
function withHostStep(dtype: DType, size: number, by: number, primitive = pure): Program {
  const [x, a, b, out] = ["x", "a", "b", "out"].map((name) => new Buffer(name, dtype, size));
  const type = aval([size], dtype);
  const eqn = {
    primitive,
    inputs: [new Var(0, type), new Literal(by, aval([], dtype))],
    params: {},
    outputs: [new Var(1, type)],
    source: undefined,
  };
  return {
    name: "host",
    inputs: [x],
    outputs: [out],
    steps: [
      map(x, a, (e) => ir.add(e, 2)),
      { kind: "host", eqn, inputs: [a, undefined], outputs: [b] },
      map(b, out, (e) => ir.add(e, 2)),
    ],
    temporaries: [a, b],
  };
}

describe("steps on the host", () => {
  for (const dtype of ["float32", "float16", "int32"] as const)
    it.each([0, 3, 5000])(`${dtype}, %i elements`, (size) => {
      const x = filled(dtype, size);
      const [y] = compileProgram(withHostStep(dtype, size, 3), { heap: newHeap() }).run([x]);
      expect(y).toEqual(
        settle(
          dtype,
          x.map((v) => (v + 2) * 3 + 2),
        ),
      );
    });

  it("may run programs and make the memory grow", () => {
    for (const shared of [true, false]) {
      const heap = newHeap({ shared });
      const inner = compileProgram(chain("float32", 2 ** 20, 3), { heap });
      onEvaluate = () => {
        expect(inner.run([new Float32Array(2 ** 20)])[0][9]).toBe(6);
      };
      const [y] = compileProgram(withHostStep("float32", 5000, 3), { heap }).run([
        new Float32Array(5000).fill(1),
      ]);
      onEvaluate = () => {};
      expect(y).toEqual(new Float32Array(5000).fill(11));
    }
  });

  it("with effects may keep what they see", () => {
    let seen: TypedArray | undefined;
    onEvaluate = ([x]) => {
      seen = x.values;
    };
    const compiled = compileProgram(withHostStep("float32", 5000, 3, impure), { heap: newHeap() });
    compiled.run([new Float32Array(5000).fill(1)]);
    onEvaluate = () => {};
    compiled.run([new Float32Array(5000).fill(100)]);
    expect(seen).toEqual(new Float32Array(5000).fill(3));
  });

  it("that fail leave nothing behind", () => {
    const heap = newHeap();
    const compiled = compileProgram(withHostStep("float16", 5000, 3), { heap });
    onEvaluate = () => {
      throw new Error("no");
    };
    expect(() => compiled.run([new Float32Array(5000)])).toThrow("no");
    onEvaluate = () => {};
    expect(heap.statistics.live).toBe(0);
    expect(compiled.run([new Float32Array(5000)])[0][0]).toBe(8);
  });

  it("are not reached if there is no room", () => {
    const heap = newHeap({ maximumPages: 190 });
    let calls = 0;
    onEvaluate = () => {
      calls++;
    };
    const compiled = compileProgram(withHostStep("float32", 2 ** 20, 3), { heap });
    expect(() => compiled.run([new Float32Array(2 ** 20)])).toThrow(OutOfMemoryError);
    onEvaluate = () => {};
    expect(calls).toBe(0);
    expect(heap.statistics.live).toBe(0);
    const smaller = compileProgram(withHostStep("float32", 2 ** 18, 3), { heap });
    expect(smaller.run([new Float32Array(2 ** 18)])[0][5]).toBe(8);
  });
});

// ---------------------------------------------------------------------------------------------------------------------

describe("memory over many runs", () => {
  it("a loop that never yields stays within its budget: 20,000 outputs of 1 MiB", () => {
    const heap = newHeap({ residentBudget: 8 * 2 ** 20, maximumPages: 512 });
    // One element is written, so that the loop is about memory and not about arithmetic.
    const [x, y] = [new Buffer("x", "float32", 1), new Buffer("y", "float32", 2 ** 18)];
    const program: Program = {
      name: "large",
      inputs: [x],
      outputs: [y],
      steps: [{ kind: "kernel", kernel: itemKernel(1, [x, y], () => [ir.store(y, 77, ir.load(x, 0))]) }],
      temporaries: [],
    };
    const compiled = compileProgram(program, { heap });
    const input = new Float32Array(1);
    let residents = 0;
    for (let i = 0; i < 20_000; i++) {
      input[0] = i;
      const [out] = compiled.run([input]);
      if (out[77] !== i) throw new Error(`run ${i} gave ${out[77]}`);
      if (heap.contains(out)) residents++;
    }
    expect(residents).toBe(8);
    expect(heap.statistics.resident).toBe(8 * 2 ** 20);
    expect(heap.statistics.peak).toBeLessThan(10 * 2 ** 20);
    expect((process as unknown as NodeJS.Process).memoryUsage().arrayBuffers).toBeLessThan(2 ** 30);
  });

  it("arrays that nobody holds are freed once the program yields", async () => {
    setFlagsFromString("--expose_gc");
    const gc = runInNewContext("gc") as () => void;
    const heap = newHeap({ residentBudget: 2 ** 20 });
    const compiled = compileProgram(chain("float32", 2 ** 16, 1), { heap });
    const input = filled("float32", 2 ** 16);
    const kept = compiled.run([input])[0];
    for (let i = 0; i < 3; i++) compiled.run([input]);
    expect(heap.statistics.resident).toBe(2 ** 20);
    for (let i = 0; i < 50 && heap.statistics.resident > 2 ** 18; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(heap.statistics.resident).toBe(2 ** 18);
    expect(kept).toEqual(input.map((v) => v + 2));
    expect(heap.contains(compiled.run([input])[0])).toBe(true);
  });
});

describe("launching", () => {
  const spend = (ms: number): void => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };

  it.each([0, 1, 4, 5, 1000, 100_000])("walks %i items in parts that follow each other", (extent) => {
    const parts: [number, number][] = [];
    const launcher = new Launcher((begin, end) => {
      parts.push([begin, end]);
    });
    launcher.run(extent, []);
    launcher.run(extent, []);
    let next = 0;
    for (const [begin, end] of parts) {
      expect(begin).toBe(next % Math.max(1, extent));
      expect(end).toBeGreaterThan(begin);
      next = end;
    }
    expect(next).toBe(extent);
  });

  it("makes slow calls short and quick ones long", () => {
    const lengths: number[] = [];
    const slow = new Launcher((begin, end) => {
      lengths.push(end - begin);
      spend((end - begin) * 0.5);
    });
    slow.run(64, []);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(16);
    let calls = 0;
    const quick = new Launcher(() => {
      calls++;
    });
    quick.run(1_000_000, []);
    expect(calls).toBeLessThan(12);
    calls = 0;
    quick.run(1_000_000, []);
    expect(calls).toBeLessThan(3);
  });

  it("hands over the addresses", () => {
    const seen: number[][] = [];
    new Launcher((...args) => {
      seen.push(args);
    }).run(3, [100, 200]);
    expect(seen).toEqual([[0, 3, 100, 200]]);
  });
});
