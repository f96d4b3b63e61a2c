/**
 * Where temporaries lie in memory. A buffer needs its place from the first step that uses it to the last; buffers that
 * are never needed at the same time may have the same place.
 *
 * The largest are placed first, each at the lowest address that is free for as long as it is needed ("greedy by size" in
 * Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference, 2020): in the memory of a result that is
 * not yet there, or of a donated argument that is no longer needed, if there is room, else in memory of their own.
 */
import type { Buffer } from "../core/ir/types.js";
import { hostsOf, type Life, type Place, placesOf } from "./places.js";
import type { Program } from "./program.js";

/** Part of the memory of an input or an output. */
export interface Room {
  readonly host: Buffer;
  /** The distance from its start. */
  readonly offset: number;
}

export interface BufferPlan {
  /** For each temporary that a step uses the distance of its first byte from the start, unless it is `inside`. A multiple of 64. */
  readonly offsets: ReadonlyMap<Buffer, number>;
  /** Memory for all of them: a multiple of 64. */
  readonly bytes: number;
  /** Temporaries that lie in the memory of an input or output, and outputs that lie in that of a donated input. */
  readonly inside: ReadonlyMap<Buffer, Room>;
}

const alignment = 64;

/** The next multiple of 64: lines of the cache are as long, and no vector is longer. */
export const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

interface Placed extends Life {
  readonly bytes: number;
  readonly offset: number;
}

/**
 * Places the temporaries of a program.
 *
 * @param sizeOf their sizes in bytes.
 * @param isBlock which inputs and outputs have blocks of their own, of whole multiples of 64 bytes. In other inputs and
 *   outputs there is room for what is computed in place only.
 */
export function planBuffers(
  program: Program,
  sizeOf: (buffer: Buffer) => number,
  isBlock: (buffer: Buffer) => boolean = () => false,
): BufferPlan {
  const places = placesOf(program, sizeOf, isBlock);
  const inside = new Map<Buffer, Room>();
  for (const [buffer, host] of hostsOf(places)) inside.set(buffer, { host, offset: 0 });
  const homes = places.homes.flatMap(({ buffer, bytes, tenants }) =>
    isBlock(buffer) ? [{ buffer, block: new Block(bytes, tenants) }] : [],
  );
  const arena = new Block(Number.POSITIVE_INFINITY);
  const offsets = new Map<Buffer, number>();
  // Of equal ones the latest first: those that meet a result leave its memory to those before them.
  for (const guest of [...places.guests].sort((x, y) => y.bytes - x.bytes || y.last - x.last)) {
    const room = roomIn(homes, guest);
    if (room !== undefined) for (const b of guest.buffers) inside.set(b, room);
    else {
      const offset = arena.place(guest) as number;
      for (const b of guest.buffers) offsets.set(b, offset);
    }
  }
  return { offsets, bytes: arena.bytes, inside };
}

function roomIn(
  homes: readonly { readonly buffer: Buffer; readonly block: Block }[],
  guest: Place,
): Room | undefined {
  for (const { buffer, block } of homes) {
    const offset = block.place(guest);
    if (offset !== undefined) return { host: buffer, offset };
  }
  return undefined;
}

/** Memory, and what lies in it when. */
class Block {
  /** In the order of their offsets. */
  private readonly placed: Placed[] = [];
  /** The end of what was placed. */
  bytes = 0;

  constructor(
    private readonly capacity: number,
    tenants: readonly Place[] = [],
  ) {
    for (const { first, last, bytes } of tenants) this.insert({ first, last, bytes, offset: 0 });
  }

  /** The lowest offset at which the place meets none that is needed while it is; undefined if there is no room. */
  place(place: Place): number | undefined {
    const { first, last, bytes: needed } = place;
    const bytes = aligned(needed);
    if (needed > this.capacity) return undefined;
    let offset = 0;
    for (const other of this.placed) {
      if (other.last < first || other.first > last) continue;
      if (other.offset - offset >= bytes) break;
      offset = Math.max(offset, other.offset + other.bytes);
    }
    if (offset + needed > this.capacity) return undefined;
    this.insert({ first, last, bytes, offset });
    return offset;
  }

  private insert(item: Placed): void {
    let low = 0;
    let high = this.placed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.placed[middle].offset <= item.offset) low = middle + 1;
      else high = middle;
    }
    this.placed.splice(low, 0, item);
    this.bytes = Math.max(this.bytes, item.offset + item.bytes);
  }
}
