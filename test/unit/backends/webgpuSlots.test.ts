/** Memory of temporaries on the GPU: shared as far as it can be, never by two that are alive together. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { assignSlots } from "../../../src/backends/webgpu/slots.js";
import type { Program } from "../../../src/compiler/program.js";
import { Buffer, type Kernel, Local } from "../../../src/core/ir/types.js";

const buffer = (name: string, size: number): Buffer => new Buffer(name, "float32", size);

const bytesOf = (b: Buffer): number => 4 * b.size;

function kernelOf(buffers: readonly Buffer[]): Kernel {
  const [group, thread] = [new Local("group", "i32"), new Local("thread", "i32")];
  return {
    name: "k",
    launch: { kind: "grid", groups: 1, threads: 1, group, thread },
    buffers,
    scratch: [],
    body: [],
  };
}

function programOf(
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
  steps: readonly (readonly Buffer[])[],
): Program {
  const all = new Set(steps.flat());
  return {
    name: "p",
    inputs,
    outputs,
    steps: steps.map((buffers) => ({ kind: "kernel", kernel: kernelOf(buffers) })),
    temporaries: [...all].filter((b) => !inputs.includes(b) && !outputs.includes(b)),
  };
}

test("a chain needs two slots", () => {
  const [x, a, b, c, d, y] = ["x", "a", "b", "c", "d", "y"].map((name) => buffer(name, 8));
  const { sizes, of } = assignSlots(
    programOf(
      [x],
      [y],
      [
        [x, a],
        [a, b],
        [b, c],
        [c, d],
        [d, y],
      ],
    ),
    bytesOf,
  );
  expect(sizes).toEqual([32, 32]);
  expect(of.get(a)).toBe(of.get(c));
  expect(of.get(b)).toBe(of.get(d));
  expect(of.has(x) || of.has(y)).toBe(false);
});

test("what a kernel reads and what it writes never share", () => {
  const [x, a, b, y] = ["x", "a", "b", "y"].map((name) => buffer(name, 8));
  const { of } = assignSlots(
    programOf(
      [x],
      [y],
      [
        [x, a],
        [a, b],
        [b, y],
      ],
    ),
    bytesOf,
  );
  expect(of.get(a)).not.toBe(of.get(b));
});

test("the best fit is taken, and the largest grows", () => {
  const x = buffer("x", 1);
  const [small, large, fits, grows] = [
    buffer("small", 4),
    buffer("large", 64),
    buffer("fits", 3),
    buffer("grows", 99),
  ];
  const steps = [[x, small, large], [x], [x, fits], [x, grows, fits]];
  const { sizes, of } = assignSlots(programOf([x], [], steps), bytesOf);
  expect(of.get(fits)).toBe(of.get(small));
  expect(of.get(grows)).toBe(of.get(large));
  expect([...sizes].sort((a, b) => a - b)).toEqual([16, 396]);
});

test("random programs: no two temporaries that are alive together share, and all fit", () => {
  const stepsOf = fc.array(fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 20,
  });
  const sizesOf = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(stepsOf, sizesOf, (steps, lengths) => {
      const buffers = lengths.map((size, k) => buffer(`b${k}`, size));
      const program = programOf(
        [buffers[0]],
        [buffers[1]],
        steps.map((s) => s.map((k) => buffers[k])),
      );
      const { sizes, of } = assignSlots(program, bytesOf);
      const life = new Map<Buffer, { first: number; last: number }>();
      steps.forEach((s, time) => {
        for (const k of s) life.set(buffers[k], { first: life.get(buffers[k])?.first ?? time, last: time });
      });
      for (const b of program.temporaries) {
        expect(bytesOf(b)).toBeLessThanOrEqual(sizes[of.get(b) as number]);
        for (const c of program.temporaries) {
          if (b === c || of.get(b) !== of.get(c)) continue;
          const [l, m] = [life.get(b), life.get(c)] as { first: number; last: number }[];
          expect(l.last < m.first || m.last < l.first).toBe(true);
        }
      }
    }),
  );
});
