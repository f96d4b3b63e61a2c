/**
 * Gives out addresses. Blocks have few different sizes (four between a power of two and the next), and one that is freed
 * goes to the next who asks for its size. Only when there is none, and no room at the end, are free blocks that lie side
 * by side joined to cut others out of them.
 */
import { InternalError } from "../../core/errors.js";

/** Blocks start at multiples of this. */
const alignment = 64;

interface Hole {
  readonly start: number;
  readonly bytes: number;
}

export class Allocator {
  /** Addresses below this can be given out. */
  limit: number;
  /** Nothing at or above this has been given out. */
  top: number;
  /** Bytes of the blocks in use, and the most there were. */
  live = 0;
  peak = 0;
  private readonly sizes = new Map<number, number>();
  private readonly idle = new Map<number, number[]>();
  private holes: Hole[] = [];

  constructor(start: number) {
    this.top = start;
    this.limit = start;
  }

  /** The size of the block for so many bytes: at most a quarter more (but 64 at least). */
  blockBytes(bytes: number): number {
    if (bytes <= alignment) return alignment;
    const power = 2 ** Math.max(6, Math.floor(Math.log2(bytes)) - 2);
    return Math.ceil(bytes / power) * power;
  }

  /** The size of a block in use. */
  sizeOf(address: number): number {
    const size = this.sizes.get(address);
    if (size === undefined) throw new InternalError(`no block of memory is in use at ${address}`);
    return size;
  }

  /** An address; undefined if there is no room below the limit. */
  allocate(bytes: number): number | undefined {
    const size = this.blockBytes(bytes);
    const address = this.idle.get(size)?.pop() ?? this.extend(size) ?? this.cut(size);
    if (address === undefined) return undefined;
    this.sizes.set(address, size);
    this.live += size;
    if (this.live > this.peak) this.peak = this.live;
    return address;
  }

  free(address: number): void {
    const size = this.sizeOf(address);
    this.sizes.delete(address);
    this.live -= size;
    const list = this.idle.get(size);
    if (list === undefined) this.idle.set(size, [address]);
    else list.push(address);
  }

  private extend(size: number): number | undefined {
    const address = this.top;
    if (address + size > this.limit) return undefined;
    this.top += size;
    return address;
  }

  /** Takes a block out of what is free, joined. */
  private cut(size: number): number | undefined {
    this.join();
    let best = -1;
    for (let i = 0; i < this.holes.length; i++) {
      const { bytes } = this.holes[i];
      if (bytes >= size && (best < 0 || bytes < this.holes[best].bytes)) best = i;
    }
    if (best < 0) return this.extend(size);
    const { start, bytes } = this.holes[best];
    if (bytes === size) this.holes.splice(best, 1);
    else this.holes[best] = { start: start + size, bytes: bytes - size };
    return start;
  }

  /** Makes holes of the free blocks. The last, if it ends where nothing was given out, is given back. */
  private join(): void {
    const all = [...this.holes];
    for (const [bytes, list] of this.idle) for (const start of list) all.push({ start, bytes });
    this.idle.clear();
    all.sort((x, y) => x.start - y.start);
    const joined: Hole[] = [];
    for (const hole of all) {
      const last = joined.at(-1);
      if (last !== undefined && last.start + last.bytes === hole.start)
        joined[joined.length - 1] = { start: last.start, bytes: last.bytes + hole.bytes };
      else joined.push(hole);
    }
    const last = joined.at(-1);
    if (last !== undefined && last.start + last.bytes === this.top) {
      this.top = last.start;
      joined.pop();
    }
    this.holes = joined;
  }
}
