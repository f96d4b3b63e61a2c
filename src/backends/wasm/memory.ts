/**
 * The memory that kernels work on: one linear memory of WebAssembly that grows, and an allocator in it.
 *
 * Where SharedArrayBuffer exists the memory is a shared one: views on it stay valid when it grows, so that arrays can
 * live in it. An ordinary memory would leave them detached.
 */
import type { TypedArray } from "../../core/dtype.js";
import { DeviceError, InternalError } from "../../core/errors.js";
import { timed } from "../../core/profiler.js";
import { type Collect, findCollect } from "../collect.js";
import { Allocator } from "./allocator.js";
import { lowestAddress, maximumPages } from "./module.js";
import type { ThreadOptions } from "./threads.js";

/** The memory of a device has no room for what a program needs. Nothing has been computed or lost. */
export class OutOfMemoryError extends DeviceError {
  override readonly name = "OutOfMemoryError";
  constructor(
    message: string,
    /** Bytes that were asked for. */
    readonly requested: number,
  ) {
    super(message);
  }
}

export interface HeapOptions {
  /** The largest size in pages of 64 KiB. Default: 65536 (4 GiB), or as much as can be reserved. */
  readonly maximumPages?: number;
  /** Bytes of arrays that may live in the memory. Default: 1 GiB. */
  readonly residentBudget?: number;
  /** Whether threads can share the memory. Default: where that is possible. */
  readonly shared?: boolean;
  /** The threads that kernels run on. Default: those of the device. */
  readonly threads?: ThreadOptions;
  /** Collects garbage at once; `null` if that is not to be done. Default: what Node offers. */
  readonly collect?: Collect | null;
}

export interface HeapStatistics {
  /** Bytes that the memory has now. */
  readonly reserved: number;
  /** Bytes that are in use. */
  readonly live: number;
  /** The most bytes that were in use at a time. */
  readonly peak: number;
  /** Bytes of arrays that live here. */
  readonly resident: number;
  /** How many there are. */
  readonly arrays: number;
}

const pageBytes = 65536;
const mebibyte = 2 ** 20;
/** The least by which the memory grows, in pages. */
const growth = 256;
/** Bytes of arrays that are not worth a search for dead ones. */
const quiet = 32 * mebibyte;

export const megabytes = (bytes: number): string => `${(bytes / mebibyte).toFixed(1)} MiB`;

/** Views of the whole memory. */
export interface Views {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  readonly residentBudget: number;
  readonly threads: ThreadOptions;
  private readonly maximum: number;
  private readonly allocator = new Allocator(lowestAddress);
  /** Buffers of the memory, of all sizes that it has had. */
  private readonly buffers = new WeakSet<ArrayBufferLike>();
  private current: Views;
  private residentBytes = 0;
  private residentArrays = 0;
  private readonly arrays: FinalizationRegistry<number>;
  private readonly addresses = new WeakMap<TypedArray, number>();
  /** Arrays by address, to find dead ones in a loop that never yields; only where that can be done. */
  private readonly weak = new Map<number, WeakRef<TypedArray>>();
  private readonly collect: Collect | undefined;
  /** Bytes of arrays at which dead ones are looked for. */
  private searchAt = quiet;

  constructor(options: HeapOptions = {}) {
    this.shared = options.shared ?? typeof SharedArrayBuffer === "function";
    this.residentBudget = options.residentBudget ?? 1024 * mebibyte;
    this.threads = options.threads ?? {};
    const { memory, maximum } = reserve(options.maximumPages ?? maximumPages, this.shared);
    this.memory = memory;
    this.maximum = maximum;
    this.collect = options.collect === null ? undefined : (options.collect ?? findCollect());
    this.current = this.refresh();
    this.arrays = new FinalizationRegistry((address) => this.evict(address));
  }

  private refresh(): Views {
    const { buffer } = this.memory;
    this.buffers.add(buffer);
    this.current = {
      u8: new Uint8Array(buffer),
      i32: new Int32Array(buffer),
      u32: new Uint32Array(buffer),
      f32: new Float32Array(buffer),
      f64: new Float64Array(buffer),
    };
    return this.current;
  }

  /** Views of the memory as large as it is now; `malloc` makes it grow. */
  get views(): Views {
    return this.current;
  }

  /** Whether an array lies in this memory. */
  contains(values: TypedArray): boolean {
    return this.buffers.has(values.buffer);
  }

  /** The address of a block, which is a multiple of 64. Its contents are anything. */
  malloc(bytes: number): number {
    let address = this.allocator.allocate(bytes);
    if (address === undefined) {
      this.grow(bytes);
      address = this.allocator.allocate(bytes);
    }
    if (address === undefined) throw this.outOfMemory(bytes);
    return address;
  }

  free(address: number): void {
    this.allocator.free(address);
  }

  /** Makes room for a block at the end of the memory. */
  private grow(bytes: number): void {
    const now = this.memory.buffer.byteLength / pageBytes;
    const needed = Math.ceil((this.allocator.top + this.allocator.blockBytes(bytes)) / pageBytes);
    if (needed > this.maximum) throw this.outOfMemory(bytes);
    const wanted = Math.min(this.maximum, Math.max(needed, now + growth, Math.ceil(now * 1.25)));
    for (const target of [wanted, needed]) {
      try {
        this.memory.grow(target - now);
        this.refresh();
        this.allocator.limit = this.memory.buffer.byteLength;
        return;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
    throw this.outOfMemory(bytes);
  }

  private outOfMemory(bytes: number): OutOfMemoryError {
    const { live } = this.allocator;
    return new OutOfMemoryError(
      `the memory of the wasm device has no room for ${megabytes(bytes)}: ${megabytes(live)} of ${megabytes(
        this.maximum * pageBytes,
      )} are in use, ${megabytes(this.residentBytes)} of them by arrays`,
      bytes,
    );
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Arrays that live here
  // -------------------------------------------------------------------------------------------------------------------

  /** Whether arrays of so many bytes in all may be left in the memory. */
  canKeep(bytes: number): boolean {
    if (this.shared && this.residentBytes + bytes > this.searchAt) this.reclaim();
    return this.shared && this.residentBytes + bytes <= this.residentBudget;
  }

  /** Leaves a block to an array: it is freed once JavaScript's garbage collector has found that nobody holds the view. */
  keep<T extends TypedArray>(view: T): T {
    const address = view.byteOffset;
    this.residentBytes += this.allocator.sizeOf(address);
    this.residentArrays += 1;
    this.addresses.set(view, address);
    const ref = new WeakRef<TypedArray>(view);
    this.arrays.register(view, address, ref);
    this.weak.set(address, ref);
    return view;
  }

  /**
   * A copy of an array that lives here; undefined if there is no room for it.
   *
   * @param view makes the view of a block.
   */
  adopt<T extends TypedArray>(values: T, view: (address: number) => T): T | undefined {
    let address: number;
    try {
      address = this.malloc(values.byteLength);
    } catch (error) {
      if (error instanceof OutOfMemoryError) return undefined;
      throw error;
    }
    const own = view(address);
    timed("transfer", "copy in", () => own.set(values));
    return this.keep(own);
  }

  /** Whether the array has a block of its own here. */
  owns(view: TypedArray): boolean {
    return this.addresses.has(view);
  }

  /** Frees the blocks of arrays that nobody holds any more, as far as the host lets one know before the job is over. */
  private reclaim(): void {
    if (this.collect !== undefined) {
      timed("memory", "collect garbage", this.collect);
      for (const [address, ref] of this.weak)
        if (ref.deref() === undefined) {
          this.arrays.unregister(ref);
          this.evict(address);
        }
    }
    // Searching again pays once there is twice as much.
    this.searchAt = Math.max(quiet, 2 * this.residentBytes);
  }

  /** Frees the block of such an array at once; nobody may use it any more. False if it is not one. */
  release(view: TypedArray): boolean {
    const address = this.addresses.get(view);
    if (address === undefined) return false;
    this.forget(view, address);
    this.evict(address);
    return true;
  }

  /** Leaves the block of one array to another view of it; nobody may use the first one any more. */
  handOver<T extends TypedArray>(from: TypedArray, to: T): T {
    const address = this.addresses.get(from);
    if (address === undefined) throw new InternalError("an array without a block of its own was donated");
    this.forget(from, address);
    this.residentBytes -= this.allocator.sizeOf(address);
    this.residentArrays -= 1;
    return this.keep(to);
  }

  /** Frees nothing when the array is collected. */
  private forget(view: TypedArray, address: number): void {
    this.addresses.delete(view);
    const ref = this.weak.get(address);
    if (ref !== undefined) this.arrays.unregister(ref);
  }

  private evict(address: number): void {
    this.residentBytes -= this.allocator.sizeOf(address);
    this.residentArrays -= 1;
    this.weak.delete(address);
    this.allocator.free(address);
  }

  get statistics(): HeapStatistics {
    const { live, peak } = this.allocator;
    const { residentBytes: resident, residentArrays: arrays } = this;
    return { reserved: this.memory.buffer.byteLength, live, peak, resident, arrays };
  }
}

/** A memory that may grow to as many pages, or to fewer where the system does not reserve that many addresses. */
function reserve(pages: number, shared: boolean): { memory: WebAssembly.Memory; maximum: number } {
  for (let maximum = pages; ; maximum = Math.floor(maximum / 2)) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 1, maximum, shared }), maximum };
    } catch (error) {
      if (maximum < 256)
        throw new DeviceError(`the wasm device cannot reserve memory: ${(error as Error).message}`);
    }
  }
}

let own: Heap | undefined;

/** The memory of the device, made when it is first asked for. */
export function deviceHeap(): Heap {
  own ??= new Heap();
  return own;
}
