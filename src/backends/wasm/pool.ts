/** The threads of a heap: started when there is work for them, they run kernels on its memory together with the main thread. */
import { DeviceError } from "../../core/errors.js";
import { activeProfile, type Profiler } from "../../core/profiler.js";
import { makeControl, stamps, word } from "./control.js";
import type { KernelFunction } from "./launch.js";
import type { Heap } from "./memory.js";
import { threadCount } from "./threads.js";
import { findWorkers, type Worker } from "./workers.js";

/** A module that workers can make for themselves. */
export class SharedCode {
  private static count = 0;
  readonly id = SharedCode.count++;
  /** What workers read: see `instantiate` of their source. */
  readonly block: Uint8Array;

  /** @param math for each function that the module imports its name, and the name in `Math` of the function ("": not there). */
  constructor(code: Uint8Array, math: readonly (readonly [string, string])[]) {
    const names = new TextEncoder().encode(JSON.stringify(math));
    this.block = new Uint8Array(4 + names.length + code.length);
    new DataView(this.block.buffer).setUint32(0, names.length, true);
    this.block.set(names, 4);
    this.block.set(code, 4 + names.length);
  }
}

/** A kernel to be run for a range of items, chunk by chunk. */
export interface Job {
  readonly code: SharedCode;
  /** The number of the function among the exports of the module. */
  readonly fn: number;
  readonly call: KernelFunction;
  readonly from: number;
  readonly to: number;
  /** Items of a chunk. */
  readonly chunk: number;
  /** How long a chunk is expected to take, in ms. */
  readonly chunkTime: number;
  readonly addresses: readonly number[];
}

/** Work in ms that threads could have shared before they are started: starting one takes about 20 ms. */
const startAfter = 20;
/** How long the main thread looks for the last worker to leave, in looks, before it sleeps. */
const looks = 2000;

/** How long workers are left alone when they made jobs slower, in ms: at first, and at most. */
const shortestPause = 10;
const longestPause = 1000;

/** The workers, and the words that they share with the main thread. */
class Team {
  readonly control = makeControl();
  /** For modules the workers that have them, as bits. */
  readonly known = new WeakMap<SharedCode, number>();
  private readonly workers: (Worker | undefined)[] = [];

  constructor(
    memory: WebAssembly.Memory,
    readonly size: number,
  ) {
    const start = findWorkers();
    if (start === undefined) return;
    for (let index = 0; index < size; index++)
      try {
        this.workers.push(start({ control: this.control, memory, index }, () => this.lose(index)));
      } catch {
        // The host does not allow a thread: there are fewer.
        this.workers.push(undefined);
      }
  }

  private lose(index: number): void {
    this.workers[index]?.end();
    this.workers[index] = undefined;
    Atomics.and(this.control, word.ready, ~(1 << index));
  }

  close(): void {
    for (const index of this.workers.keys()) this.lose(index);
  }
}

/** Whether the thread may sleep: the main thread of a page may not, it waits by looking again and again. */
function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** Workers of a pool that nobody holds any more have nothing to do. */
const abandoned = new FinalizationRegistry<Team>((team) => team.close());

export class ThreadPool {
  private team: Team | undefined;
  /** Work in ms that there would have been for threads so far. */
  private missed = 0;
  private broken = false;
  private readonly sleeps = maySleep();
  /** The time of jobs, as a fraction of what the main thread alone would have taken. */
  private fraction = 0.5;
  private pause = shortestPause;
  private pausedUntil = 0;
  /** Items that workers have done. */
  shared = 0;

  constructor(private readonly heap: Heap) {}

  /** Work in ms that is worth to be shared. */
  get worth(): number {
    return this.heap.threads.worth ?? 0.12;
  }

  /** Threads that there may be, the main thread among them. */
  get threads(): number {
    return this.broken || !this.heap.shared ? 1 : (this.heap.threads.count ?? threadCount());
  }

  /** Whether workers have been started. */
  get hasTeam(): boolean {
    return this.team !== undefined;
  }

  /** Threads that there are for a job: workers take a while to start, and are left alone where they do not help. */
  running(now: number): number {
    if (now < this.pausedUntil) return 1;
    const ready = this.team === undefined ? 0 : Atomics.load(this.team.control, word.ready);
    let count = 1;
    for (let bits = ready; bits !== 0; bits &= bits - 1) count++;
    return count;
  }

  /**
   * On a machine that is busy with something else a worker may be asleep in the middle of a chunk while the main thread
   * waits for it. If jobs take longer than on one thread, there is one thread for a while.
   */
  private judge(fraction: number, now: number): void {
    this.fraction += (Math.min(fraction, 4) - this.fraction) / 8;
    if (this.fraction < 0.8) this.pause = shortestPause;
    if (this.fraction < 1) return;
    this.pausedUntil = now + this.pause;
    this.pause = Math.min(2 * this.pause, longestPause);
    this.fraction = 0.9;
  }

  /** Says that there is work of so many ms for threads. They are started when that is worth it. */
  offer(work: number): void {
    const wanted = this.threads - 1;
    if (this.team?.size === wanted) return;
    this.close();
    if (wanted === 0) return;
    this.missed += work;
    if (this.missed < startAfter) return;
    this.team = new Team(this.heap.memory, wanted);
    abandoned.register(this, this.team, this.team);
  }

  /** Ends the workers. They are started again when there is work for them. */
  close(): void {
    if (this.team === undefined) return;
    abandoned.unregister(this.team);
    this.team.close();
    this.team = undefined;
  }

  /**
   * Runs a job on all threads; returns how many items the main thread has done, and in what time (in ms).
   *
   * @throws what the kernel throws; DeviceError if a worker died in the middle of it.
   */
  run(job: Job): { readonly items: number; readonly time: number } {
    const team = this.team;
    if (team === undefined) throw new DeviceError("the wasm device has no threads yet");
    const { control, known } = team;
    const profile = activeProfile();
    const before = performance.now();
    const had = known.get(job.code) ?? 0;
    const block = (Atomics.load(control, word.ready) & ~had) === 0 ? 0 : this.lend(job.code);
    try {
      this.describe(control, job, block);
      control[word.stamped] = profile === undefined ? 0 : 1;
      if (profile !== undefined) stampsOf(control).fill(0);
      Atomics.store(control, word.gate, -2147483648);
      Atomics.add(control, word.epoch, 1);
      const chunks = Math.ceil((job.to - job.from) / job.chunk);
      Atomics.notify(control, word.epoch, chunks - 1);
      let done: { readonly items: number; readonly time: number };
      try {
        done = takeChunks(control, job);
      } finally {
        // Also after an error nobody may be left in the kernel: its memory is about to be used for something else.
        Atomics.store(control, word.next, chunks);
        this.awaitLast(control, job);
      }
      if (profile !== undefined) tellLanes(profile, control);
      known.set(job.code, (had & ~control[word.lacks]) | control[word.has]);
      this.rethrow(control, job);
      this.shared += job.to - job.from - done.items;
      const now = performance.now();
      if (done.time > 0) this.judge(((now - before) * done.items) / (done.time * (job.to - job.from)), now);
      return done;
    } finally {
      if (block !== 0) this.heap.free(block);
    }
  }

  /** Puts a module where workers can read it; 0 if there is no room. */
  private lend({ block }: SharedCode): number {
    let address: number;
    try {
      address = this.heap.malloc(block.length);
    } catch {
      return 0;
    }
    this.heap.views.u8.set(block, address);
    return address;
  }

  private describe(control: Int32Array, job: Job, block: number): void {
    control[word.next] = 0;
    control[word.has] = 0;
    control[word.lacks] = 0;
    control[word.failed] = 0;
    control[word.module] = job.code.id;
    control[word.address] = block;
    control[word.bytes] = job.code.block.length;
    control[word.fn] = job.fn;
    control[word.from] = job.from;
    control[word.to] = job.to;
    control[word.chunk] = job.chunk;
    control[word.pages] = this.heap.memory.buffer.byteLength / 65536;
    control[word.count] = job.addresses.length;
    control.set(job.addresses, word.addresses);
  }

  /** Closes the gate, and waits for those that are inside. */
  private awaitLast(control: Int32Array<SharedArrayBuffer>, { chunkTime }: Job): void {
    let inside = Atomics.and(control, word.gate, 0x7fffffff) & 0x7fffffff;
    for (let i = 0; i < looks && inside !== 0; i++) inside = Atomics.load(control, word.gate);
    if (inside === 0) return;
    const deadline = performance.now() + (this.heap.threads.patience ?? 10_000) + 50 * chunkTime;
    while (inside !== 0) {
      if (performance.now() > deadline) {
        this.broken = true;
        this.close();
        throw new DeviceError(
          "a thread of the wasm device does not answer any more; what was computed is lost, and from now on there is one thread",
        );
      }
      if (this.sleeps) Atomics.wait(control, word.gate, inside, 100);
      inside = Atomics.load(control, word.gate);
    }
  }

  /** An error has its message and its place in the kernel from the thread that it happens on, so it has to happen here, again. */
  private rethrow(control: Int32Array, { call, from, to, chunk, addresses }: Job): void {
    const failed = control[word.failed];
    if (failed === 0) return;
    const begin = from + (failed - 1) * chunk;
    call(begin, Math.min(to, begin + chunk), ...addresses);
    throw new DeviceError("a thread of the wasm device failed where the main thread does not");
  }
}

const stampsOf = ({ buffer }: Int32Array<SharedArrayBuffer>): Float64Array =>
  new Float64Array(buffer, stamps.at, stamps.count);

/** Tells when workers were busy with the job that is done. */
function tellLanes(profile: Profiler, control: Int32Array<SharedArrayBuffer>): void {
  const times = stampsOf(control);
  const { timeOrigin } = performance;
  for (let i = 0; i < times.length; i += 2)
    if (times[i] !== 0) profile.lane(`worker ${i / 2 + 1}`, times[i] - timeOrigin, times[i + 1] - timeOrigin);
}

/** Runs chunks until there are none. */
function takeChunks(control: Int32Array, { call, from, to, chunk, addresses }: Job) {
  const before = performance.now();
  let items = 0;
  for (;;) {
    const begin = from + Atomics.add(control, word.next, 1) * chunk;
    if (begin >= to) return { items, time: performance.now() - before };
    const end = Math.min(to, begin + chunk);
    call(begin, end, ...addresses);
    items += end - begin;
  }
}

const pools = new WeakMap<Heap, ThreadPool>();

/** The threads of a heap. */
export function poolOf(heap: Heap): ThreadPool {
  let pool = pools.get(heap);
  if (pool === undefined) {
    pool = new ThreadPool(heap);
    pools.set(heap, pool);
  }
  return pool;
}
