/**
 * Arrays on the GPU and who owns their memory: JavaScript's garbage collector, unless somebody releases one earlier. Dead
 * ones are found by a `FinalizationRegistry` while the program awaits, and in the middle of a job by weak references, where
 * something can collect (see collect.ts).
 */
import type { DType } from "../../core/dtype.js";
import { DeviceError } from "../../core/errors.js";
import { disposeSymbol } from "../../core/lifetime.js";
import { timed } from "../../core/profiler.js";
import type { Collect } from "../collect.js";
import type { Chunk, Pool } from "./pool.js";

/** What an array holds; alive as long as it is. */
interface Ticket {
  readonly chunk: Chunk;
}

/** An array in the memory of a GPU. */
export class GpuBuffer {
  private ticket: Ticket | undefined;
  /** Never used: it weighs on V8's scales for what is on the GPU. @internal */
  ballast: ArrayBuffer | undefined;

  /** @internal */
  constructor(
    private readonly owner: Owners,
    readonly dtype: DType,
    /** Elements. */
    readonly size: number,
    chunk: Chunk,
  ) {
    this.ticket = { chunk };
    this.ballast = owner.ballastFor(chunk);
    owner.add(this, this.ticket);
  }

  get released(): boolean {
    return this.ticket === undefined;
  }

  /** @internal */
  get chunk(): Chunk {
    if (this.ticket === undefined)
      throw new DeviceError(
        `an array of ${this.size} ${this.dtype} on the GPU was used after its memory was released`,
      );
    return this.ticket.chunk;
  }

  /** Whether no other array, and no program under way, holds the memory. @internal */
  get isAlone(): boolean {
    return this.chunk.holders === 1;
  }

  /** @internal */
  isOf(owner: Owners): boolean {
    return this.owner === owner;
  }

  /** Gives the memory back before the garbage collector would. Work that uses it and is under way is not disturbed. */
  release(): void {
    if (this.ticket === undefined) return;
    this.owner.release(this.ticket);
    this.ticket = undefined;
    this.ballast = undefined;
  }

  /** `using x = ...` releases it at the end of the block. */
  [disposeSymbol](): void {
    this.release();
  }
}

export class Owners {
  private readonly weak = new Map<Ticket, WeakRef<GpuBuffer>>();
  private readonly registry = new FinalizationRegistry<Ticket>((ticket) => this.give(ticket));

  constructor(
    private readonly pool: () => Pool,
    /** Absent where nobody can collect in the middle of a job. */
    private readonly collect: Collect | undefined,
  ) {}

  /** Arrays that are alive, as far as is known. */
  private alive = 0;

  get count(): number {
    return this.alive;
  }

  /**
   * Where nobody can collect at will, V8 has to see a reason to: memory that it counts, a quarter of what is on the GPU.
   * Nothing is ever written to it, so that it need not exist.
   */
  ballastFor({ size }: Chunk): ArrayBuffer | undefined {
    return this.collect === undefined && size >= 4096 ? new ArrayBuffer(size / 4) : undefined;
  }

  add(buffer: GpuBuffer, ticket: Ticket): void {
    this.alive++;
    this.registry.register(buffer, ticket, ticket);
    if (this.collect !== undefined) this.weak.set(ticket, new WeakRef(buffer));
  }

  release(ticket: Ticket): void {
    this.registry.unregister(ticket);
    this.give(ticket);
  }

  private give(ticket: Ticket): void {
    this.alive--;
    this.weak.delete(ticket);
    this.pool().give(ticket.chunk);
  }

  /** Collects garbage, and gives back the memory of arrays that nobody can reach. */
  reclaim(): void {
    if (this.collect === undefined) return;
    timed("memory", "collect garbage", this.collect);
    for (const [ticket, ref] of this.weak) if (ref.deref() === undefined) this.release(ticket);
  }
}
