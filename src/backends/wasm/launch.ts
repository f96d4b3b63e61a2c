/** Makes kernels callable, and calls them for a range of items: on one thread, or on several where that is worth it. */
import { noting } from "../../core/ir/notes.js";
import { isConst } from "../../core/ir/ops.js";
import type { Kernel } from "../../core/ir/types.js";
import { timed } from "../../core/profiler.js";
import { mostAddresses } from "./control.js";
import { encodeModule } from "./encoder.js";
import type { Heap } from "./memory.js";
import type { HostFunction } from "./module.js";
import { poolOf, SharedCode, type ThreadPool } from "./pool.js";
import { type CodeFacts, printKernels } from "./print.js";

/** A kernel: first item, end of the range, and the addresses of its buffers. */
export type KernelFunction = (begin: number, end: number, ...addresses: number[]) => void;

/** The clock of a part of a range, in ms: long enough for a call to cost nothing, short enough to wait for. */
const shortest = 1;
const longest = 8;

/** Chunks for each thread. With many of them threads end at about the same time, whatever else they are busy with. */
const chunksEach = 16;
/** Bounds of the time of a chunk in ms. */
const shortestChunk = 0.02;
const longestChunk = 4;
/** Of calls that are not measured anyway, one in so many is. */
const sampling = 16;

/** What it takes to run a kernel on several threads. */
export interface Sharing {
  readonly pool: ThreadPool;
  readonly code: SharedCode;
  /** The number of the function among the exports of its module. */
  readonly fn: number;
  /** Items that are computed together, in the lanes of vectors: chunks are multiples of it. */
  readonly grain: number;
}

/**
 * A kernel function and how many items it may be given at once.
 *
 * V8 runs a function by code of its baseline compiler until better code is ready, which it takes up at the next call. One
 * call for all items would stay in slow code to its end, so a long range is walked in parts.
 */
export class Launcher {
  private part = 4;
  /** What an item takes, in ms; 0 until it has been measured. */
  private itemTime = 0;
  private calls = 0;

  constructor(
    /** The function itself. */
    readonly call: KernelFunction,
    /** Undefined for a kernel that runs on one thread. */
    private readonly sharing?: Sharing,
  ) {}

  run(extent: number, addresses: readonly number[]): void {
    if (extent === 0) return;
    if (extent > this.part || this.isWorthAClock(extent)) this.runInParts(extent, addresses);
    else this.call(0, extent, ...addresses);
  }

  private isWorthAClock(extent: number): boolean {
    const { sharing } = this;
    if (sharing === undefined || extent <= sharing.grain) return false;
    return extent * this.itemTime >= sharing.pool.worth || this.calls++ % sampling === 0;
  }

  /** Runs parts one after the other; all that is left is shared, as soon as it is known to be worth it. */
  private runInParts(extent: number, addresses: readonly number[]): void {
    const { sharing } = this;
    let offered = false;
    let before = performance.now();
    for (let begin = 0; begin < extent; ) {
      const left = (extent - begin) * this.itemTime;
      if (sharing !== undefined && left >= sharing.pool.worth && extent - begin > sharing.grain) {
        if (!offered) sharing.pool.offer(left);
        offered = true;
        const threads = sharing.pool.running(before);
        if (threads > 1) {
          this.share(sharing, threads, begin, extent, addresses);
          return;
        }
      }
      const end = Math.min(extent, begin + this.part);
      this.call(begin, end, ...addresses);
      const now = performance.now();
      const took = now - before;
      // A part that was cut short says nothing about a whole one.
      const whole = end - begin === this.part;
      if (whole || end - begin === extent) this.note(took / (end - begin));
      if (took < shortest && whole) this.part *= 4;
      else if (took > longest && this.part > 4) this.part /= 4;
      before = now;
      begin = end;
    }
  }

  private share(
    { pool, code, fn, grain }: Sharing,
    threads: number,
    from: number,
    to: number,
    addresses: readonly number[],
  ): void {
    const { call, itemTime } = this;
    const even = ((to - from) * itemTime) / (threads * chunksEach);
    const time = Math.min(longestChunk, Math.max(shortestChunk, even));
    const items = Math.min(time / itemTime, (to - from) / threads);
    const chunk = Math.max(1, Math.floor(items / grain)) * grain;
    const done = pool.run({ code, fn, call, from, to, chunk, chunkTime: chunk * itemTime, addresses });
    if (done.items > 0) this.note(done.time / done.items);
  }

  /** Times are believed at once when they are shorter; when they are longer the machine may only have been busy. */
  private note(time: number): void {
    const known = this.itemTime;
    this.itemTime = known === 0 || time < known ? time : known + (time - known) / 4;
  }
}

/** The name in `Math` under which workers find a function that a module imports; "" if they do not. */
function nameInMath({ fn }: Pick<HostFunction, "fn">): string {
  const { name } = fn;
  return (Math as unknown as Record<string, unknown>)[name] === fn ? name : "";
}

/**
 * Whether several threads may run parts of a kernel. Its items are independent, but for atomic operations: on one thread
 * they go in the order of the items, so that float sums are always the same.
 */
function isDivisible({ launch, buffers }: Kernel, { hasAtomics, calls }: CodeFacts): boolean {
  if (launch.kind !== "range" || buffers.length > mostAddresses || hasAtomics) return false;
  for (const f of calls) if (nameInMath(f) === "") return false;
  return true;
}

/** Items that a kernel computes together: the steps of the loops over its items. */
function grainOf({ launch, body }: Kernel): number {
  let grain = 1;
  for (const s of body)
    if (launch.kind === "range" && s.kind === "for" && !isConst(s.from)) grain = Math.max(grain, s.step);
  return grain;
}

/** Compiles kernels into functions on the memory of a heap, in the order of the kernels. */
export function compileKernels(kernels: readonly Kernel[], heap: Heap): Launcher[] {
  if (kernels.length === 0) return [];
  const { module, functions, facts } = timed("compile", "print", () =>
    noting(() => printKernels(kernels, { sharedMemory: heap.shared })),
  );
  const host = Object.fromEntries(module.imports.map((f) => [f.name, f.fn]));
  const bytes = timed("compile", "encode", () => encodeModule(module));
  const { exports } = timed(
    "compile",
    "compile wasm",
    () => new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: heap.memory }, host }),
  );
  // Kernels with the same code are one function and share what is known about it.
  const byFunction = new Map<KernelFunction, Set<Kernel>>();
  const calls = functions.map(({ name }, i) => {
    const call = exports[name] as KernelFunction;
    const original = kernels[i].copyOf ?? kernels[i];
    const same = byFunction.get(call);
    if (same === undefined) byFunction.set(call, new Set([original]));
    else same.add(original);
    return call;
  });
  const all = Object.values(exports);
  let code: SharedCode | undefined;
  const sharingOf = (call: KernelFunction, same: readonly Kernel[]): Sharing | undefined => {
    if (!heap.shared || !same.some(({ launch }) => launch.kind === "range" && launch.extent > 1))
      return undefined;
    if (!same.every((k) => isDivisible(k, facts.get(k) as CodeFacts))) return undefined;
    code ??= new SharedCode(
      bytes,
      module.imports.map((f) => [f.name, nameInMath(f)]),
    );
    return { pool: poolOf(heap), code, fn: all.indexOf(call), grain: Math.max(...same.map(grainOf)) };
  };
  const launchers = new Map<KernelFunction, Launcher>();
  for (const [call, same] of byFunction) launchers.set(call, new Launcher(call, sharingOf(call, [...same])));
  return calls.map((call) => launchers.get(call) as Launcher);
}
