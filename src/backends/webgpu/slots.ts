/**
 * Which values of a program share memory on a GPU. A slot is a buffer of its own, since a dispatch may not read one part of
 * a buffer and write another; for the same reason only one value at a time can have the memory of an input or an output.
 */
import { hostsOf, meet, type Place, placesOf } from "../../compiler/places.js";
import type { Program } from "../../compiler/program.js";
import type { Buffer } from "../../core/ir/types.js";

export interface Slots {
  /** Bytes of each slot. */
  readonly sizes: readonly number[];
  /** The slot of each temporary that a step uses, unless it is `inside`. */
  readonly of: ReadonlyMap<Buffer, number>;
  /** The input or output whose memory a temporary has, or the donated input whose memory an output has. */
  readonly inside: ReadonlyMap<Buffer, Buffer>;
}

/**
 * @param bytesOf how much memory a buffer takes.
 * @param isBlock which inputs and outputs have memory of their own, in which other values may lie for a time.
 */
export function assignSlots(
  program: Program,
  bytesOf: (b: Buffer) => number,
  isBlock: (b: Buffer) => boolean = () => true,
): Slots {
  const places = placesOf(program, bytesOf, isBlock);
  const homes = places.homes.filter(({ buffer }) => isBlock(buffer)).sort((x, y) => x.bytes - y.bytes);
  const sizes: number[] = [];
  const of = new Map<Buffer, number>();
  const busy: Place[] = [];
  const idle: number[] = [];
  // In their order of time, and of those that begin together large ones choose first.
  for (const guest of [...places.guests].sort((x, y) => x.first - y.first || y.bytes - x.bytes)) {
    const home = homes.find(
      ({ bytes, tenants }) => bytes >= guest.bytes && !tenants.some((t) => meet(t, guest)),
    );
    if (home !== undefined) {
      home.tenants.push(guest);
      continue;
    }
    for (let i = busy.length - 1; i >= 0; i--)
      if (busy[i].last < guest.first) idle.push(of.get(busy.splice(i, 1)[0].buffers[0]) as number);
    const slot = choose(guest.bytes, idle, sizes);
    for (const b of guest.buffers) of.set(b, slot);
    busy.push(guest);
  }
  return { sizes, of, inside: hostsOf(places) };
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
