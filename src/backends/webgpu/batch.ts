/**
 * Commands on their way to the GPU. Dispatches are collected and submitted together: when there are many, when something
 * has to come after them (an upload into a buffer that they use, a read), and at the latest when the running job ends.
 */
import { type Counters, mostParts } from "./counters.js";
import type { Chunk } from "./pool.js";
import { KernelTimer, type TimedKernel } from "./timer.js";

/** So many dispatches keep the GPU busy while the next are recorded. */
const most = mostParts;

export interface Dispatch {
  readonly kernel: TimedKernel;
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly workgroups: readonly [number, number];
  /** Where the number of workgroups is, if the GPU has it. */
  readonly indirect: { readonly chunk: Chunk; readonly offset: number } | undefined;
  /** How far loops are, if the kernel asks for it. */
  readonly counts: readonly number[] | undefined;
  /** The memory that is bound. */
  readonly chunks: readonly Chunk[];
}

export class Batch {
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private count = 0;
  private scheduled = false;
  /** The number of the batch that is being recorded. */
  private number = 0;
  private readonly timer: KernelTimer;
  /** Dispatches since the beginning. */
  total = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly counters: Counters,
    /** Whether anything can still be submitted. */
    private readonly isAlive: () => boolean,
  ) {
    this.timer = new KernelTimer(device, most);
  }

  dispatch({ kernel, pipeline, bindings, workgroups, indirect, counts, chunks }: Dispatch): void {
    this.encoder ??= this.device.createCommandEncoder();
    const timestampWrites = this.timer.next(kernel);
    if (timestampWrites !== undefined) this.endPass();
    this.pass ??= this.encoder.beginComputePass({ timestampWrites });
    this.pass.setPipeline(pipeline);
    if (counts === undefined) this.pass.setBindGroup(0, bindings);
    else this.pass.setBindGroup(0, bindings, [this.counters.offsetOf(counts)]);
    for (const chunk of chunks) chunk.batch = this.number;
    if (indirect === undefined) this.pass.dispatchWorkgroups(...workgroups);
    else {
      this.pass.dispatchWorkgroupsIndirect(indirect.chunk.buffer, indirect.offset);
      indirect.chunk.batch = this.number;
    }
    if (timestampWrites !== undefined) this.endPass();
    this.total++;
    if (++this.count >= most) this.flush();
    else this.schedule();
  }

  copy(from: Chunk, to: GPUBuffer, bytes: number): void {
    this.encoder ??= this.device.createCommandEncoder();
    this.endPass();
    this.encoder.copyBufferToBuffer(from.buffer, 0, to, 0, bytes);
    from.batch = this.number;
    this.schedule();
  }

  /** Writes to a chunk, after all commands recorded so far. */
  write(chunk: Chunk, bytes: Uint8Array<ArrayBuffer>): void {
    if (chunk.batch === this.number) this.flush();
    this.device.queue.writeBuffer(chunk.buffer, 0, bytes);
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = undefined;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /** Submits what was recorded. */
  flush(): void {
    if (this.encoder === undefined) return;
    const { encoder } = this;
    this.endPass();
    this.timer.finish(encoder);
    this.encoder = undefined;
    this.count = 0;
    this.number++;
    const counts = this.counters.take();
    if (!this.isAlive()) return;
    if (counts.length > 0) this.device.queue.writeBuffer(this.counters.buffer, 0, counts);
    this.device.queue.submit([encoder.finish()]);
    this.timer.submitted();
  }
}
