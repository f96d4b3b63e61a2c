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

test("a chain needs two places: a slot, and the output before it is there", () => {
  const [x, a, b, c, d, y] = ["x", "a", "b", "c", "d", "y"].map((name) => buffer(name, 8));
  const program = programOf(
    [x],
    [y],
    [
      [x, a],
      [a, b],
      [b, c],
      [c, d],
      [d, y],
    ],
  );
  const { sizes, of, inside } = assignSlots(program, bytesOf);
  expect(sizes).toEqual([32]);
  expect([...of.keys()]).toEqual([b, d]);
  expect([...inside]).toEqual([
    [a, y],
    [c, y],
  ]);
  // A donated input has the place of the output, and before that of another value.
  const donating = assignSlots({ ...program, donated: new Set([x]) }, bytesOf);
  expect([...donating.inside]).toEqual([
    [y, x],
    [b, x],
  ]);
  expect(donating.sizes).toEqual([32, 32]);
});

test("a value computed in place has the place of the one before", () => {
  const [x, a, b, y] = ["x", "a", "b", "y"].map((name) => buffer(name, 8));
  const program = programOf(
    [x],
    [y],
    [
      [x, a],
      [a, b],
      [x, b, y],
    ],
  );
  const inPlace = [undefined, new Map([[b, a]]), new Map([[y, b]])];
  const steps = program.steps.map((s, i) => ({ ...s, inPlace: inPlace[i] }) as Program["steps"][number]);
  const { sizes, inside } = assignSlots({ ...program, steps }, bytesOf);
  expect(sizes).toEqual([]);
  expect([...inside]).toEqual([
    [a, y],
    [b, y],
  ]);
});

test("what a kernel reads and what it writes never share", () => {
  const [x, a, b, y] = ["x", "a", "b", "y"].map((name) => buffer(name, 8));
  const steps = [
    [x, a],
    [a, b],
    [b, y],
  ];
  const { of, inside } = assignSlots(programOf([x], [y], steps), bytesOf);
  expect(of.has(b)).toBe(true);
  expect(inside.get(a)).toBe(y);
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
      const { sizes, of, inside } = assignSlots(program, bytesOf);
      const life = new Map<Buffer, { first: number; last: number }>();
      steps.forEach((s, time) => {
        for (const k of s) life.set(buffers[k], { first: life.get(buffers[k])?.first ?? time, last: time });
      });
      const placeOf = (b: Buffer): unknown => of.get(b) ?? inside.get(b) ?? b;
      for (const b of program.temporaries) {
        const host = inside.get(b);
        expect(bytesOf(b)).toBeLessThanOrEqual(host ? bytesOf(host) : sizes[of.get(b) as number]);
        for (const c of [...program.temporaries, ...program.outputs]) {
          if (b === c || placeOf(b) !== placeOf(c)) continue;
          // An output that no step makes is there at the end only.
          const never = { first: steps.length, last: steps.length };
          const [l, m] = [life.get(b) ?? never, life.get(c) ?? never];
          const isApart = l.last < m.first || (m.last < l.first && !program.outputs.includes(c));
          expect(isApart).toBe(true);
        }
      }
    }),
  );
});
