/** The buffer plan: no two temporaries that are needed at the same time share memory. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planBuffers } from "../../../src/compiler/plan.js";
import { buffersOf, type Program } from "../../../src/compiler/program.js";
import { itemSize } from "../../../src/core/dtype.js";
import { Buffer } from "../../../src/core/ir/types.js";
import { itemKernel } from "../compiler/kernels.js";

const bytesOf = (b: Buffer): number => b.size * itemSize(b.dtype);

/** A program with one kernel for each list of buffers; only the temporaries matter here. */
const programOf = (
  inputs: readonly Buffer[],
  temporaries: readonly Buffer[],
  uses: readonly Buffer[][],
): Program => ({
  name: "test",
  inputs,
  outputs: [],
  steps: uses.map((buffers) => ({ kind: "kernel", kernel: itemKernel(1, buffers, () => []) })),
  temporaries,
});

const programs = fc
  .record({
    sizes: fc.array(fc.nat(5000), { minLength: 1, maxLength: 30 }),
    steps: fc.array(fc.uniqueArray(fc.nat(29), { maxLength: 4 }), { maxLength: 40 }),
  })
  .map(({ sizes, steps }) => {
    const input = new Buffer("input", "float64", 100_000);
    const temporaries = sizes.map((n, i) => new Buffer(`t${i}`, i % 2 === 0 ? "float32" : "uint8", n));
    const uses = steps.map((list) => [input, ...list.flatMap((k) => temporaries[k] ?? [])]);
    return programOf([input], temporaries, uses);
  });

/** For each temporary that is used the first and the last step that does. */
function lifetimes({ steps, temporaries }: Program): Map<Buffer, [number, number]> {
  const lives = new Map<Buffer, [number, number]>();
  for (const b of temporaries) {
    const used = steps.flatMap((s, i) => (buffersOf(s).includes(b) ? [i] : []));
    if (used.length > 0) lives.set(b, [used[0], used[used.length - 1]]);
  }
  return lives;
}

describe("planBuffers", () => {
  it("gives disjoint places to temporaries that are needed at the same time", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const { offsets, bytes } = planBuffers(program, bytesOf);
        const lives = lifetimes(program);
        expect(new Set(offsets.keys())).toEqual(new Set(lives.keys()));
        for (const [x, [firstX, lastX]] of lives) {
          const startX = offsets.get(x) as number;
          expect(startX % 64).toBe(0);
          expect(startX + bytesOf(x)).toBeLessThanOrEqual(bytes);
          for (const [y, [firstY, lastY]] of lives) {
            if (x === y || lastX < firstY || lastY < firstX) continue;
            const startY = offsets.get(y) as number;
            expect(startX + bytesOf(x) <= startY || startY + bytesOf(y) <= startX).toBe(true);
          }
        }
      }),
    );
  });

  it("takes no more than all of them, nor less than the most needed at a step", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const { bytes } = planBuffers(program, bytesOf);
        const round = (b: Buffer): number => Math.ceil(bytesOf(b) / 64) * 64;
        const lives = [...lifetimes(program)];
        const total = lives.reduce((sum, [b]) => sum + round(b), 0);
        const most = program.steps.map((_, i) =>
          lives.reduce((sum, [b, [first, last]]) => (first <= i && i <= last ? sum + round(b) : sum), 0),
        );
        expect(bytes).toBeLessThanOrEqual(total);
        expect(bytes).toBeGreaterThanOrEqual(Math.max(0, ...most));
      }),
    );
  });

  it("runs a chain of any length in two buffers", () => {
    const chain = Array.from({ length: 100 }, (_, i) => new Buffer(`t${i}`, "float32", 256));
    const uses = chain.slice(1).map((b, i) => [chain[i], b]);
    expect(planBuffers(programOf([], chain, uses), bytesOf).bytes).toBe(2048);
  });

  it("plans ten thousand temporaries within seconds", () => {
    const chain = Array.from({ length: 10_000 }, (_, i) => new Buffer(`t${i}`, "float32", (i * 7919) % 5000));
    const uses = chain.slice(5).map((b, i) => [chain[i], chain[i + 2], b]);
    const before = performance.now();
    planBuffers(programOf([], chain, uses), bytesOf);
    expect(performance.now() - before).toBeLessThan(3000);
  });
});
