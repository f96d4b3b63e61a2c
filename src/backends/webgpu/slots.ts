/**
 * Which temporaries of a program share memory. A slot is a buffer of its own, since a dispatch may not read one part of a
 * buffer and write another. Two temporaries can have the same slot if the one is last used in a step before that in which
 * the other is first written.
 */
import { buffersOf } from "../../compiler/plan.js";
import type { Program } from "../../compiler/program.js";
import type { Buffer } from "../../core/ir/types.js";

export interface Slots {
  /** Bytes of each slot. */
  readonly sizes: readonly number[];
  /** The slot of each temporary that a step uses. */
  readonly of: ReadonlyMap<Buffer, number>;
}

/** @param bytesOf how much memory a buffer takes. */
export function assignSlots(program: Program, bytesOf: (b: Buffer) => number): Slots {
  const temporaries = new Set(program.temporaries);
  for (const b of [...program.inputs, ...program.outputs]) temporaries.delete(b);
  const last = new Map<Buffer, number>();
  program.steps.forEach((step, time) => {
    for (const b of buffersOf(step)) if (temporaries.has(b)) last.set(b, time);
  });
  const sizes: number[] = [];
  const of = new Map<Buffer, number>();
  const idle: number[] = [];
  program.steps.forEach((step, time) => {
    const used = [...new Set(buffersOf(step))].filter((b) => temporaries.has(b));
    // Large ones choose first.
    const fresh = used.filter((b) => !of.has(b)).sort((a, b) => bytesOf(b) - bytesOf(a));
    for (const b of fresh) of.set(b, choose(bytesOf(b), idle, sizes));
    for (const b of used) if (last.get(b) === time) idle.push(of.get(b) as number);
  });
  return { sizes, of };
}

/** The smallest idle slot that is large enough; else the largest, which grows; else a new one. */
function choose(bytes: number, idle: number[], sizes: number[]): number {
  if (idle.length === 0) return sizes.push(bytes) - 1;
  idle.sort((a, b) => sizes[a] - sizes[b]);
  const found = idle.findIndex((slot) => sizes[slot] >= bytes);
  const [slot] = idle.splice(found === -1 ? idle.length - 1 : found, 1);
  sizes[slot] = Math.max(sizes[slot], bytes);
  return slot;
}
