/**
 * Memory of the GPU: buffers are made in classes of sizes, kept when they are given back, and counted against a budget.
 * Devices have no way to say how much memory there is, and running out of it may end the process, so that the budget is
 * what says no.
 */
import { OutOfMemoryError } from "./errors.js";
import { BufferUsage } from "./flags.js";

/** A buffer of the pool. */
export interface Chunk {
  readonly id: number;
  readonly buffer: GPUBuffer;
  /** Bytes: the size of its class. */
  readonly size: number;
  /** How many arrays and running programs hold it. */
  holders: number;
  /** The last batch of commands that uses it. */
  batch: number;
  /** How many commands that are not recorded yet will use it (see order.ts). */
  awaited: number;
}

export interface PoolOptions {
  /** Bytes that the pool may have at a time. */
  readonly budget: number;
  /** Bytes that one buffer may have. */
  readonly largest: number;
  /** Looks for chunks whose holders are gone and gives them back. */
  readonly reclaim: () => void;
  /** Submits commands that are being collected: a buffer must not be destroyed before commands that use it are. */
  readonly flush: () => void;
}

/** Counts for tests and for people who wonder. */
export interface MemoryUse {
  /** Bytes in arrays. */
  readonly used: number;
  /** Bytes kept for later. */
  readonly free: number;
  readonly budget: number;
}

const smallest = 256;
/** Live bytes below which looking for dead arrays is not worth the time. */
const quiet = 256 * 2 ** 20;
/**
 * So many arrays weigh as much as `quiet`, however small they are: a loop that never awaits is to come back to the same
 * buffers soon, for each set of buffers that meets in a dispatch has to be bound anew.
 */
const crowd = 1024;

/** Sizes in four steps for each power of two: at most a fifth is wasted. */
export function sizeClass(bytes: number): number {
  if (bytes <= smallest) return smallest;
  const step = Math.max(smallest, 2 ** (Math.floor(Math.log2(bytes - 1)) - 2));
  return Math.ceil(bytes / step) * step;
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 2 : 0)} MiB`;

export class Pool {
  private readonly spare = new Map<number, Chunk[]>();
  private used = 0;
  private free = 0;
  private count = 0;
  private nextId = 0;
  /** When so much is live it is time to look for dead arrays. */
  private threshold: number;
  private budget: number;

  constructor(
    private readonly device: GPUDevice,
    private readonly options: PoolOptions,
  ) {
    this.budget = options.budget;
    this.threshold = this.floor;
  }

  private get floor(): number {
    return Math.min(quiet, this.budget / 4);
  }

  /** What an array weighs beside its elements. */
  private get overhead(): number {
    return this.floor / crowd;
  }

  get use(): MemoryUse {
    return { used: this.used, free: this.free, budget: this.budget };
  }

  /** From now on the pool may have so many bytes. What is in arrays stays, also if it is more. */
  setBudget(bytes: number): void {
    this.budget = bytes;
    this.threshold = this.floor;
    this.trim(bytes);
  }

  /**
   * A chunk of at least so many bytes; what is in it is left over from others.
   * @throws OutOfMemoryError before anything is allocated, if it is too large or the budget is spent.
   */
  take(bytes: number): Chunk {
    const { largest } = this.options;
    const { budget } = this;
    const size = Math.min(sizeClass(bytes), largest);
    if (bytes > largest)
      throw new OutOfMemoryError(
        `an array of ${mebibytes(bytes)} does not fit into a buffer of this GPU, which has at most ${mebibytes(largest)}`,
      );
    if (this.used + this.count * this.overhead + size > this.threshold) {
      this.options.reclaim();
      this.threshold = Math.max(this.floor, 2 * (this.used + this.count * this.overhead));
    }
    // What is spare may be more than a budget that has been lowered.
    let chunk = this.used + size <= budget ? this.spare.get(size)?.pop() : undefined;
    if (chunk === undefined) chunk = this.make(size, budget);
    else this.free -= size;
    this.used += chunk.size;
    this.count++;
    chunk.holders = 1;
    return chunk;
  }

  private make(size: number, budget: number): Chunk {
    const room = (): boolean => this.used + this.free + size <= budget;
    if (!room()) this.trim(budget - size);
    if (!room()) {
      this.options.reclaim();
      const spare = this.spare.get(size)?.pop();
      if (spare !== undefined) {
        this.free -= size;
        return spare;
      }
      this.trim(budget - size);
    }
    if (!room())
      throw new OutOfMemoryError(
        `${mebibytes(size)} more would exceed the memory budget of the GPU: ${mebibytes(this.used)} of ${mebibytes(budget)} ` +
          "are in arrays. Arrays that are no longer reachable are freed when the program awaits something; " +
          "or raise the budget (memoryBudget)",
      );
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST | BufferUsage.INDIRECT;
    return this.chunk(this.device.createBuffer({ size, usage }), size);
  }

  private chunk(buffer: GPUBuffer, size: number): Chunk {
    return { id: this.nextId++, buffer, size, holders: 0, batch: -1, awaited: 0 };
  }

  /** A few words that never change. They belong to no array, and to whoever holds the chunk. */
  constant(words: Uint32Array): Chunk {
    const size = Math.ceil(words.byteLength / 16) * 16;
    const buffer = this.device.createBuffer({ size, usage: BufferUsage.STORAGE, mappedAtCreation: true });
    new Uint32Array(buffer.getMappedRange()).set(words);
    buffer.unmap();
    return this.chunk(buffer, size);
  }

  /** One more holder for a chunk. */
  share(chunk: Chunk): Chunk {
    chunk.holders++;
    return chunk;
  }

  /** One holder less; without any it is kept for the next who asks. Commands that use it may still be under way. */
  give(chunk: Chunk): void {
    if (--chunk.holders > 0) return;
    this.used -= chunk.size;
    this.free += chunk.size;
    this.count--;
    const spare = this.spare.get(chunk.size);
    if (spare === undefined) this.spare.set(chunk.size, [chunk]);
    else spare.push(chunk);
  }

  /**
   * Frees spare chunks, the largest first, until the pool has at most so many bytes. Those that commands are still to use
   * stay: to destroy them would spoil these.
   */
  trim(target = 0): void {
    if (this.used + this.free <= target || this.free === 0) return;
    this.options.flush();
    for (const size of [...this.spare.keys()].sort((a, b) => b - a)) {
      const chunks = this.spare.get(size) as Chunk[];
      const kept: Chunk[] = [];
      while (chunks.length > 0 && this.used + this.free > target) {
        const chunk = chunks.pop() as Chunk;
        if (chunk.awaited > 0) {
          kept.push(chunk);
          continue;
        }
        chunk.buffer.destroy();
        this.free -= size;
      }
      chunks.push(...kept);
      if (chunks.length === 0) this.spare.delete(size);
    }
    // Memory of a destroyed buffer is given back when the queue next has something submitted to it.
    this.device.queue.submit([]);
  }
}
