/** Programs that may use the memory of their arguments: random ones, and what they save. */
import fc from "fast-check";
import { grad, jit, type NDArray, numpy as np, ShapeDtype, tidy, tree } from "fluxion";
import { describe, expect, it } from "vitest";
import { wasmDevice } from "../../../src/backends/wasm/device.js";
import { planProgram, storedBytes } from "../../../src/backends/wasm/layout.js";
import { deviceHeap } from "../../../src/backends/wasm/memory.js";
import { assignSlots } from "../../../src/backends/webgpu/slots.js";
import { compile, donationOf, wasmOptions, webgpuOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import { buffersOf, type Program } from "../../../src/compiler/program.js";
import { type ConcreteArray, concreteArray } from "../../../src/core/array.js";
import { aval, sizeOf } from "../../../src/core/aval.js";
import type { Buffer } from "../../../src/core/ir/types.js";
import { wholeNumbers } from "../../equivalence/operations.js";
import { evaluated, programOf, steps } from "../../equivalence/programs.js";
import { generator } from "../examples.js";

/** Large enough for blocks of their own, and of the same size in several shapes and dtypes. */
const shapes = [[1600], [40, 40], [4, 400], [1200], [40, 30], [40], [1]];
const dtypes = ["float32", "int32", "uint8", "float16"] as const;

const cases = fc.record({
  program: steps(12),
  dtype: fc.constantFrom(...dtypes),
  inputShapes: fc.array(fc.constantFrom(...shapes), { minLength: 1, maxLength: 3 }),
  donated: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  seed: fc.nat(),
});

type Drawn = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function made({ program, dtype, inputShapes, donated, seed }: Drawn) {
  const avals = inputShapes.map((shape) => aval(shape, dtype));
  const random = generator(seed);
  const jaxpr = programOf(avals, program, Object.values(wholeNumbers));
  const inputs = avals.map(({ shape }) =>
    concreteArray(
      Array.from({ length: sizeOf(shape) }, () => Math.floor(random() * 8)),
      shape,
      dtype,
    ),
  );
  return { jaxpr, inputs, donated: donated.slice(0, avals.length) };
}

/** The same elements in the memory of the device. */
const resident = (x: ConcreteArray): ConcreteArray => wasmDevice.run(copying(x), [x])[0];

const copies = new Map<string, ReturnType<typeof programOf>>();
function copying(x: ConcreteArray): ReturnType<typeof programOf> {
  const key = `${x.dtype}${x.shape}`;
  let jaxpr = copies.get(key);
  if (jaxpr === undefined) {
    jaxpr = programOf([x.aval], [{ op: 0, x: 0, y: 0, numbers: [0] }], [(a) => np.maximum(a, a)]);
    copies.set(key, jaxpr);
  }
  return jaxpr;
}

type PlaceOf = (b: Buffer) => { readonly memory: unknown; readonly offset: number; readonly bytes: number };

/** Two buffers that have the same memory at the same time, but for a step that computes in place. */
function clash(program: Program, placeOf: PlaceOf): string | undefined {
  const all = [...new Set([...program.inputs, ...program.outputs, ...program.temporaries])];
  const uses = all.map((b) => {
    const times = program.steps.flatMap((s, i) => (buffersOf(s).includes(b) ? [i] : []));
    const isInput = program.inputs.includes(b);
    const isKept = program.outputs.includes(b) || (isInput && !program.donated?.has(b));
    const first = isInput ? -1 : (times[0] ?? program.steps.length);
    return { b, first, last: isKept ? Number.POSITIVE_INFINITY : (times.at(-1) ?? -1), ...placeOf(b) };
  });
  for (const x of uses)
    for (const y of uses) {
      if (x === y || x.memory !== y.memory || x.first > y.first) continue;
      if (x.offset + x.bytes <= y.offset || y.offset + y.bytes <= x.offset) continue;
      const step = program.steps[y.first];
      const handedOn = step?.kind === "kernel" && step.inPlace?.get(y.b) === x.b;
      if (x.last > y.first || (x.last === y.first && !handedOn)) return `${x.b.name} and ${y.b.name}`;
    }
  return undefined;
}

describe("random programs with donated arguments", () => {
  it.each([wasmOptions, webgpuOptions])("give the same by the interpreter, for $target", (options) => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const { jaxpr, inputs, donated } = made(drawn);
        const values = inputs.map((x) => x.values);
        const wanted = evaluated(jaxpr, inputs).map((x) => x.values);
        expect(runProgram(compile(jaxpr, options, donationOf(donated)), values)).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });

  it("never have two values in one place at a time", () => {
    let [inPlace, inside] = [0, 0];
    fc.assert(
      fc.property(cases, (drawn) => {
        const { jaxpr, donated } = made(drawn);
        const forCpu = compile(jaxpr, wasmOptions, donationOf(donated));
        const plan = planProgram(forCpu);
        const onCpu = clash(forCpu, (b) => {
          const [room, offset, bytes] = [plan.inside.get(b), plan.offsets.get(b), storedBytes(b)];
          if (room !== undefined) return { memory: room.host, offset: room.offset, bytes };
          return offset === undefined ? { memory: b, offset: 0, bytes } : { memory: "arena", offset, bytes };
        });
        const forGpu = compile(jaxpr, webgpuOptions, donationOf(donated));
        const slots = assignSlots(forGpu, (b) => 4 * b.size);
        const onGpu = clash(forGpu, (b) => {
          const memory = slots.of.get(b) ?? slots.inside.get(b) ?? b;
          return { memory, offset: 0, bytes: 1 };
        });
        expect([onCpu, onGpu]).toEqual([undefined, undefined]);
        for (const s of forCpu.steps) if (s.kind === "kernel") inPlace += s.inPlace?.size ?? 0;
        inside += plan.inside.size;
      }),
      { numRuns: 100 },
    );
    // The programs are such that there is something to see.
    expect(inPlace).toBeGreaterThan(10);
    expect(inside).toBeGreaterThan(20);
  });

  it.each([false, true])(
    "give the same on the device, and leave nothing behind; resident: %s",
    (isResident) => {
      fc.assert(
        fc.property(cases, (drawn) => {
          const { jaxpr, inputs, donated } = made(drawn);
          const wanted = evaluated(jaxpr, inputs).map((x) => x.values.slice());
          const before = deviceHeap().statistics.live;
          const given = isResident ? inputs.map(resident) : inputs;
          const kept = given.map((x) => x.values.slice());
          const results = wasmDevice.run(jaxpr, given, donated);
          expect(results.map((y) => y.values.slice())).toEqual(wanted);
          for (const [i, x] of given.entries()) {
            expect(x.isDisposed).toBe(donated[i]);
            if (!donated[i]) expect(x.values).toEqual(kept[i]);
          }
          for (const x of [...results, ...given]) x.dispose();
          expect(deviceHeap().statistics.live).toBe(before);
        }),
        { numRuns: 80 },
      );
    },
  );
});

// ---------------------------------------------------------------------------------------------------------------------

interface Layer {
  readonly w: NDArray;
  readonly b: NDArray;
}

const layers = (sizes: readonly number[]): Layer[] =>
  sizes.slice(1).map((n, i) => ({
    w: np.sin(np.arange(sizes[i] * n).reshape(sizes[i], n)).mul(0.1),
    b: np.zeros([n]).add(0),
  }));

const loss = (p: readonly Layer[], x: NDArray, y: NDArray): NDArray => {
  const out = p.reduce((h, { w, b }, i) => {
    const z = h.matmul(w).add(b);
    return i === p.length - 1 ? z : np.tanh(z);
  }, x);
  return np.mean(np.square(out.sub(y)));
};

const sgd = (p: Layer[], x: NDArray, y: NDArray): Layer[] =>
  tree.map((a: NDArray, d: NDArray) => a.sub(d.mul(0.1)), p, grad(loss)(p, x, y) as Layer[]);

const sizes = [64, 256, 256, 32];
const parameterBytes = 4 * sizes.slice(1).reduce((sum, n, i) => sum + n * (sizes[i] + 1), 0);

describe("a training step with donated parameters", () => {
  const types = tree.map(
    (a: NDArray) => new ShapeDtype(a.shape),
    tidy(() => layers(sizes)),
  );
  const data = [new ShapeDtype([16, 64]), new ShapeDtype([16, 32])] as const;
  const plain = jit(sgd);
  const donating = jit(sgd, { donateArgnums: 0 });

  it("needs no second copy of them, says memoryAnalysis", () => {
    const before = plain.lower(types, ...data).memoryAnalysis();
    const after = donating.lower(types, ...data).memoryAnalysis();
    expect(before.aliasBytes).toBe(0);
    expect(after.aliasBytes).toBe(parameterBytes);
    expect(after.outputBytes).toBe(before.outputBytes);
    // Without donation temporaries have the memory of the results for a while: not all of it is saved.
    expect(before.peakBytes - after.peakBytes).toBeGreaterThan(0.7 * parameterBytes);
    expect(String(donating.lower(types, ...data))).toContain("in the memory of donated arguments");
  });

  it("nor does it take one", () => {
    const [x, y] = tidy(() => [np.cos(np.arange(16 * 64).reshape(16, 64)), np.ones([16, 32]).mul(0.5)]);
    const grown = (step: (p: Layer[], x: NDArray, y: NDArray) => Layer[]): number => {
      let p = tidy(() => layers(sizes));
      // What compiling takes is not to be counted.
      p = step(p, x, y);
      const { live } = deviceHeap().statistics;
      const peak = peakOf(() => {
        p = step(p, x, y);
      });
      for (const leaf of tree.leaves(p) as NDArray[]) leaf.dispose();
      return peak - live;
    };
    const [before, after] = [grown(plain), grown(donating)];
    expect(before - after).toBeGreaterThan(0.7 * parameterBytes);
  });

  it("computes the same", () => {
    const [x, y] = [np.cos(np.arange(16 * 64).reshape(16, 64)), np.ones([16, 32]).mul(0.5)];
    let [p, q] = [layers(sizes), layers(sizes)];
    for (let i = 0; i < 3; i++) [p, q] = [plain(p, x, y), donating(q, x, y)];
    const [wanted, got] = [p, q].map((t) => tree.leaves(t) as NDArray[]);
    for (const [i, a] of wanted.entries()) expect(got[i].dataSync()).toEqual(a.dataSync());
  });
});

/** The most bytes that were in use while `body` ran: they are looked at whenever some are taken. */
function peakOf(body: () => void): number {
  const heap = deviceHeap();
  const { malloc } = heap;
  let peak = 0;
  heap.malloc = (bytes) => {
    const address = malloc.call(heap, bytes);
    peak = Math.max(peak, heap.statistics.live);
    return address;
  };
  try {
    body();
  } finally {
    heap.malloc = malloc;
  }
  return peak;
}
