/**
 * A GPU through WebGPU: arrays in its memory, programs that run on them, and reads that bring them back.
 *
 * Everything but reading is queued and returns at once. Errors that the GPU itself finds (a shader that it refuses, memory
 * that it does not have) are therefore thrown by the next `read` or `blockUntilReady`.
 */
import type { Program } from "../../compiler/program.js";
import type { DType, TypedArray } from "../../core/dtype.js";
import { DeviceError, InternalError } from "../../core/errors.js";
import type { MatrixUnit } from "../../core/ir/tiling.js";
import { timed } from "../../core/profiler.js";
import { type Collect, findCollect } from "../collect.js";
import { type AdapterOptions, type Found, openDevice } from "./adapter.js";
import { Batch } from "./batch.js";
import { GpuBuffer, Owners } from "./buffers.js";
import { bindingBytes, fromGpu, toGpu } from "./convert.js";
import { Counters } from "./counters.js";
import { DeviceLostError, OutOfMemoryError } from "./errors.js";
import { Faults } from "./faults.js";
import type { SubgroupSizes } from "./matrixWgsl.js";
import { firstNan } from "./nan.js";
import { Order } from "./order.js";
import { Pipelines } from "./pipeline.js";
import type { Prepared } from "./plan.js";
import { type Chunk, type MemoryUse, Pool } from "./pool.js";
import { type GpuLimits, type PrepareOptions, prepare } from "./prepare.js";
import { Reader } from "./read.js";
import { Recorder } from "./recorder.js";
import { Stopwatch } from "./stopwatch.js";
import type { AdapterInfo } from "./tuning.js";

export interface GpuOptions extends AdapterOptions {
  /**
   * Bytes that arrays may take at a time; what is beyond is an `OutOfMemoryError`. WebGPU does not say how much memory there
   * is. Default: 4 GiB, on a software GPU 2 GiB.
   */
  readonly memoryBudget?: number;
  /**
   * Collects garbage at once, so that a loop that never awaits does not run out of memory; `null` if that is not to be done.
   * Default: what Node offers; browsers have no such thing.
   */
  readonly collect?: Collect | null;
}

export class GpuDevice {
  private readonly device: GPUDevice;
  private readonly faults = new Faults();
  private readonly batch: Batch;
  private readonly order: Order;
  private readonly pool: Pool;
  private readonly owners: Owners;
  private readonly pipelines: Pipelines;
  private readonly reader: Reader;
  private readonly prepared = new WeakMap<Program, Prepared>();
  private lost: DeviceLostError | undefined;
  /** Errors that the GPU has reported. */
  private refused = 0;
  /** The last of the functions that wait for elements. */
  private callbacks: Promise<void> = Promise.resolve();
  private readonly nanPrograms = new Map<string, Program>();

  /** What the GPU is called. */
  readonly name: string;
  /** Whether it is emulated on the CPU. */
  readonly software: boolean;
  /** Whether float16 takes two bytes (`shader-f16`); otherwise it is kept in words. */
  readonly float16: boolean;
  readonly limits: GpuLimits;
  readonly info: AdapterInfo;
  /** What it multiplies in one operation of a subgroup, if that was asked for. */
  readonly matrixUnits: readonly MatrixUnit[];
  private readonly subgroups: SubgroupSizes | undefined;

  private constructor(found: Found, options: GpuOptions) {
    const { device, name, software, features, info, matrixUnits } = found;
    this.info = info;
    this.matrixUnits = matrixUnits;
    this.subgroups = matrixUnits.length > 0 ? found.subgroups : undefined;
    this.device = device;
    this.name = name;
    this.software = software;
    this.float16 = features.has("shader-f16");
    const { limits } = device;
    this.limits = {
      buffers: limits.maxStorageBuffersPerShaderStage,
      workgroupThreads: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
      workgroupBytes: limits.maxComputeWorkgroupStorageSize,
      bufferBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
    };
    const collect = options.collect === null ? undefined : (options.collect ?? findCollect());
    const counters = new Counters(device);
    this.batch = new Batch(device, counters, () => this.lost === undefined);
    this.owners = new Owners(() => this.pool, collect);
    this.pool = new Pool(device, {
      budget: options.memoryBudget ?? (software ? 2 : 4) * 2 ** 30,
      largest: this.limits.bufferBytes,
      reclaim: () => this.owners.reclaim(),
      flush: () => this.batch.flush(),
    });
    this.pipelines = new Pipelines(device, this.faults, counters);
    this.reader = new Reader(device, this.batch);
    this.order = new Order(
      async ({ chunk, words }) => new Int32Array(await this.reader.read(chunk, 4 * words)),
      () => this.refused,
      (cause) => this.faults.add(new InternalError(`a program on the GPU was given up: ${cause.message}`), 3),
    );
    this.listen();
  }

  /**
   * A device on the best GPU that there is.
   *
   * @throws NoAdapterError if there is none, or only one emulated on the CPU and `allowSoftware` is not set.
   */
  static async open(options: GpuOptions = {}): Promise<GpuDevice> {
    return new GpuDevice(await openDevice(options), options);
  }

  private listen(): void {
    this.device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.refused++;
      const { error } = event as GPUUncapturedErrorEvent;
      const memory = error.constructor.name === "GPUOutOfMemoryError";
      this.faults.add(
        memory
          ? new OutOfMemoryError(`the GPU has no more memory (${error.message}); lower memoryBudget`)
          : new InternalError(`the GPU reports: ${error.message}`),
        memory ? 1 : 2,
      );
    });
    void this.device.lost.then(({ reason, message }) => {
      this.lost ??= new DeviceLostError(
        `the GPU ${this.name} was lost (${reason === "destroyed" ? reason : message || "no reason given"}); initialise it again`,
      );
      this.order.abort(this.lost);
    });
  }

  /** Whether the device is gone: every call fails then. */
  get isLost(): boolean {
    return this.lost !== undefined;
  }

  /** @throws DeviceLostError if the device is gone. */
  alive(): void {
    if (this.lost !== undefined) throw new DeviceLostError(this.lost.message);
  }

  /** Memory in arrays and kept for later. */
  get memory(): MemoryUse & { readonly arrays: number } {
    return { ...this.pool.use, arrays: this.owners.count };
  }

  /** Sets the bytes that arrays may take at a time. */
  set memoryBudget(bytes: number) {
    this.pool.setBudget(bytes);
  }

  /** How many times a program has waited for the GPU to learn whether a loop goes on. */
  get waits(): number {
    return this.order.waits;
  }

  /** Dispatches recorded so far. */
  get dispatches(): number {
    return this.batch.total;
  }

  /** Shaders compiled so far. */
  get shaders(): number {
    return this.pipelines.size;
  }

  /**
   * Copies elements, as `allocate` makes them, to the GPU.
   * @throws DtypeError for float64, OutOfMemoryError, DeviceLostError.
   */
  upload(dtype: DType, values: TypedArray): GpuBuffer {
    this.alive();
    const bytes = bindingBytes(dtype, values.length, this.float16);
    const chunk = this.pool.take(bytes);
    if (values.length > 0)
      timed("transfer", "upload", () => this.write(chunk, toGpu(dtype, values, this.float16)));
    return new GpuBuffer(this.owners, dtype, values.length, chunk);
  }

  private write(chunk: Chunk, bytes: Uint8Array<ArrayBuffer>): void {
    // What is written later must not have changed by then.
    const kept = this.order.isOpen ? bytes.slice() : bytes;
    this.order.add({
      chunks: [chunk],
      record: () => {
        this.batch.write(chunk, kept);
        return undefined;
      },
    });
  }

  /** Makes a program ready to run: its shaders are compiled. Errors in them are thrown when it is run. */
  compile(program: Program): void {
    this.alive();
    this.prepare(program);
  }

  /**
   * Runs a program. The work is queued; the outputs can be used at once. Donated inputs are overwritten: they are to be
   * released, and nothing else may hold their memory.
   * @throws OutOfMemoryError and DeviceLostError before anything runs; the inputs stay as they are.
   */
  run(program: Program, inputs: readonly GpuBuffer[]): GpuBuffer[] {
    this.alive();
    const ready = this.prepare(program);
    const given = this.check(program, inputs);
    for (const { error } of ready.pipelines) if (error !== undefined) throw new InternalError(error.message);
    const taken: Chunk[] = [];
    let memory: Chunk[];
    let made: GpuBuffer[];
    try {
      const take = (bytes: number): Chunk => {
        const chunk = this.pool.take(bytes);
        taken.push(chunk);
        return chunk;
      };
      memory = [...given, ...ready.made.map(({ bytes }) => take(bytes))];
      // What loops fill has to be something until they do.
      for (const place of ready.places)
        memory.push(place === undefined ? memory[0] : typeof place === "number" ? take(place) : place);
      made = ready.made.map(
        ({ buffer: { dtype, size } }, i) => new GpuBuffer(this.owners, dtype, size, taken[i]),
      );
    } catch (error) {
      for (const chunk of taken) this.pool.give(chunk);
      throw error;
    }
    const recorder = new Recorder(this.batch, this.pipelines, memory);
    this.order.add({ chunks: [...given, ...taken], record: () => recorder.record(ready.plan) });
    for (const chunk of taken.slice(made.length)) this.pool.give(chunk);
    return this.outputs(ready, inputs, made);
  }

  /** Each result is an array of its own, so that one can be released without the others. */
  private outputs(ready: Prepared, inputs: readonly GpuBuffer[], made: readonly GpuBuffer[]): GpuBuffer[] {
    const first = new Set<number>();
    return ready.outputs.map((output) => {
      if ("made" in output && !first.has(output.made)) {
        first.add(output.made);
        return made[output.made];
      }
      const { chunk } = "input" in output ? inputs[output.input] : made[output.made];
      const { dtype, size } = "input" in output ? output.buffer : made[output.made];
      return new GpuBuffer(this.owners, dtype, size, this.pool.share(chunk));
    });
  }

  /** What it runs for a program. @internal */
  prepare(program: Program): Prepared {
    let ready = this.prepared.get(program);
    if (ready === undefined) {
      const options: PrepareOptions = {
        limits: this.limits,
        float16: this.float16,
        subgroups: this.subgroups,
        pipelineOf: (shader, name) => this.pipelines.of(shader, name),
        constant: (words) => this.pool.constant(words),
      };
      ready = timed("compile", "prepare", () => prepare(program, options));
      this.prepared.set(program, ready);
    }
    return ready;
  }

  private check(program: Program, inputs: readonly GpuBuffer[]): Chunk[] {
    if (inputs.length !== program.inputs.length)
      throw new InternalError(
        `program ${program.name} of ${program.inputs.length} inputs was given ${inputs.length}`,
      );
    return program.inputs.map(({ name, dtype, size }, i) => {
      const input = inputs[i];
      if (!input.isOf(this.owners)) throw new DeviceError(`input ${i} of ${program.name} is on another GPU`);
      if (input.dtype !== dtype || input.size !== size)
        throw new InternalError(
          `input ${name} of ${program.name} needs ${size} ${dtype} and was given ${input.size} ${input.dtype}`,
        );
      return input.chunk;
    });
  }

  /**
   * A copy of the elements.
   * @throws DeviceLostError, and errors that the GPU has found since the last time.
   */
  async read(buffer: GpuBuffer): Promise<TypedArray> {
    let failure: unknown;
    const values = await this.copyOf(buffer).catch((error: unknown) => {
      failure = error;
    });
    if (!(failure instanceof DeviceLostError)) await this.faults.raise();
    if (values === undefined) throw failure;
    return values;
  }

  private async copyOf(buffer: GpuBuffer): Promise<TypedArray> {
    this.alive();
    const { dtype, size, chunk } = buffer;
    if (!buffer.isOf(this.owners)) throw new DeviceError("an array was read from a GPU that it is not on");
    const bytes = bindingBytes(dtype, size, this.float16);
    let copy: ArrayBuffer;
    try {
      copy = await this.inOrder([chunk], () => this.reader.read(chunk, bytes));
    } catch (error) {
      // A failed wait is most often a lost device, which is known a moment later.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.alive();
      throw new InternalError(
        `a read from the GPU failed: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return fromGpu(dtype, size, copy, this.float16);
  }

  /** What `begin` gives, called when all commands before have been recorded. */
  private inOrder<T>(chunks: readonly Chunk[], begin: () => Promise<T>): Promise<T> {
    return new Promise((resolve, fail) => {
      const record = (): undefined => {
        begin().then(resolve, fail);
        return undefined;
      };
      this.order.add({ chunks, record, fail });
    });
  }

  /**
   * Calls a function with copies of arrays as they are now, once these are here, and after the functions that were handed in
   * before. What it throws is thrown by the next call that waits for the GPU.
   */
  afterwards(buffers: readonly GpuBuffer[], then: (values: readonly TypedArray[]) => void): void {
    this.alive();
    const copies = Promise.all(buffers.map((buffer) => this.copyOf(buffer)));
    const before = this.callbacks;
    const call = async (): Promise<void> => {
      const values = await copies;
      await before;
      then(values);
    };
    this.callbacks = call().catch((error: unknown) => {
      this.faults.add(error instanceof Error ? error : new InternalError(String(error)), 0);
    });
    this.faults.watch(this.callbacks);
  }

  /** Looks for NaN. If there is one, the next call that waits for the GPU throws what `report` makes of its position. */
  checkNans(buffer: GpuBuffer, report: (at: number) => Error): void {
    const { dtype, size } = buffer;
    const key = `${dtype}${size}`;
    let program = this.nanPrograms.get(key);
    if (program === undefined) {
      program = firstNan(dtype, size, this.limits.workgroupThreads);
      this.nanPrograms.set(key, program);
    }
    const [first] = this.run(program, [buffer]);
    this.afterwards([first], ([[at]]) => {
      if (at < size) throw report(at);
    });
    first.release();
  }

  /**
   * Waits until all that was queued is done. Memory of arrays that are no longer reachable may be found meanwhile.
   * @throws DeviceLostError, and errors that the GPU has found since the last time.
   */
  async blockUntilReady(): Promise<void> {
    this.alive();
    await this.inOrder([], () => {
      this.batch.flush();
      return this.device.queue.onSubmittedWorkDone();
    });
    this.alive();
    await this.faults.raise();
  }

  /** Seconds that the GPU takes for what `record` runs on it, from when all before is done. */
  async seconds(record: () => void): Promise<number> {
    this.alive();
    const stopwatch = new Stopwatch(this.device, () => this.batch.flush());
    try {
      return await stopwatch.seconds(record);
    } finally {
      stopwatch.close();
    }
  }

  /** Frees the memory that is kept for later. */
  trim(): void {
    this.alive();
    this.pool.trim();
  }

  /**
   * Waits for work that is under way and gives the device back. Every later call fails with `DeviceLostError`, and so do
   * reads that wait for a loop to end. Calling it again does nothing.
   */
  async destroy(): Promise<void> {
    if (this.lost === undefined) {
      this.batch.flush();
      this.lost = new DeviceLostError(`the GPU device ${this.name} was destroyed; initialise it again`);
      this.order.abort(this.lost);
      // Dawn would block the thread for as long as work is under way.
      await this.device.queue.onSubmittedWorkDone().catch(() => undefined);
      await this.reader.idle();
      await this.callbacks;
      this.device.destroy();
    }
    await this.device.lost;
  }
}
