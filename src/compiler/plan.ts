/**
 * Where temporaries lie in memory. A buffer needs its place from the first step that uses it to the last; buffers that
 * are never needed at the same time may have the same place.
 *
 * The largest are placed first, each at the lowest address that is free for as long as it is needed ("greedy by size" in
 * Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference, 2020).
 */
import type { Buffer } from "../core/ir/types.js";
import type { Program, Step } from "./program.js";

export interface BufferPlan {
  /** For each temporary that a step uses the distance of its first byte from the start. A multiple of 64. */
  readonly offsets: ReadonlyMap<Buffer, number>;
  /** Memory for all of them: a multiple of 64. */
  readonly bytes: number;
}

const alignment = 64;

/** The next multiple of 64: lines of the cache are as long, and no vector is longer. */
export const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

interface Placed {
  readonly buffer: Buffer;
  readonly bytes: number;
  readonly first: number;
  last: number;
  offset: number;
}

/** The buffers that a step reads or writes. */
export const buffersOf = (step: Step): readonly Buffer[] =>
  step.kind === "kernel"
    ? step.kernel.buffers
    : [...step.inputs.filter((b) => b !== undefined), ...step.outputs];

/** Places the temporaries of a program; `sizeOf` gives their sizes in bytes. */
export function planBuffers(program: Program, sizeOf: (buffer: Buffer) => number): BufferPlan {
  const used = lifetimes(program, sizeOf);
  used.sort((x, y) => y.bytes - x.bytes || x.first - y.first);
  const offsets = new Map<Buffer, number>();
  // In the order of their offsets.
  const placed: Placed[] = [];
  let total = 0;
  for (const item of used) {
    item.offset = firstGap(placed, item);
    insert(placed, item);
    offsets.set(item.buffer, item.offset);
    total = Math.max(total, item.offset + item.bytes);
  }
  return { offsets, bytes: total };
}

function lifetimes(program: Program, sizeOf: (buffer: Buffer) => number): Placed[] {
  const temporaries = new Set(program.temporaries);
  const found = new Map<Buffer, Placed>();
  program.steps.forEach((step, i) => {
    for (const buffer of buffersOf(step)) {
      if (!temporaries.has(buffer)) continue;
      const item = found.get(buffer);
      if (item !== undefined) item.last = i;
      else found.set(buffer, { buffer, bytes: aligned(sizeOf(buffer)), first: i, last: i, offset: 0 });
    }
  });
  return [...found.values()];
}

/** The lowest offset at which the item meets none that is needed while it is. */
function firstGap(placed: readonly Placed[], { bytes, first, last }: Placed): number {
  let offset = 0;
  for (const other of placed) {
    if (other.last < first || other.first > last) continue;
    if (other.offset - offset >= bytes) return offset;
    offset = Math.max(offset, other.offset + other.bytes);
  }
  return offset;
}

function insert(placed: Placed[], item: Placed): void {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (placed[middle].offset <= item.offset) low = middle + 1;
    else high = middle;
  }
  placed.splice(low, 0, item);
}
