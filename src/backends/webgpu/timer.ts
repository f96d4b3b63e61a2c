/**
 * Times kernels while a profile is being taken. Where the GPU has a clock for that each kernel gets a pass of its own, which
 * notes when it began and ended. Elsewhere all that is submitted at once is timed by the host.
 */
import { activeProfile, type Profiler, type Span, type Submission } from "../../core/profiler.js";
import { BufferUsage, MapMode } from "./flags.js";

export type TimedKernel = Span["kernels"][number];

/** Bytes of a time. */
const timeBytes = 8;

interface Queries {
  readonly set: GPUQuerySet;
  readonly resolved: GPUBuffer;
}

export class KernelTimer {
  private profile: Profiler | undefined;
  private kernels: TimedKernel[] = [];
  /** Of the submission that was recorded last. */
  private staging: GPUBuffer | undefined;
  private queries: Queries | undefined;
  private readonly spare: GPUBuffer[] = [];
  /** When the host found the submission before done. */
  private done = 0;

  constructor(
    private readonly device: GPUDevice,
    /** Kernels that a submission has at most. */
    private readonly most: number,
  ) {}

  private get hasClock(): boolean {
    return this.device.features.has("timestamp-query");
  }

  /** What the pass of the next kernel is to note, if it needs a pass of its own. */
  next(kernel: TimedKernel): GPUComputePassTimestampWrites | undefined {
    this.profile ??= activeProfile();
    if (this.profile === undefined) return undefined;
    const at = 2 * this.kernels.push(kernel) - 2;
    if (!this.hasClock) return undefined;
    this.queries ??= this.makeQueries();
    return {
      querySet: this.queries.set,
      beginningOfPassWriteIndex: at,
      endOfPassWriteIndex: at + 1,
    };
  }

  private makeQueries(): Queries {
    const { device, most } = this;
    const usage = BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC;
    return {
      set: device.createQuerySet({ type: "timestamp", count: 2 * most }),
      resolved: device.createBuffer({ size: 2 * most * timeBytes, usage }),
    };
  }

  /** Ends the commands of a submission with those that bring the times. */
  finish(encoder: GPUCommandEncoder): void {
    const { queries, kernels } = this;
    if (queries === undefined || kernels.length === 0) return;
    const count = 2 * kernels.length;
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    this.staging = this.spare.pop() ?? this.device.createBuffer({ size: 2 * this.most * timeBytes, usage });
    encoder.resolveQuerySet(queries.set, 0, count, queries.resolved, 0);
    encoder.copyBufferToBuffer(queries.resolved, 0, this.staging, 0, count * timeBytes);
  }

  /** Promises the profile the times of what has just been submitted. */
  submitted(): void {
    const { profile, kernels, staging } = this;
    this.profile = undefined;
    this.kernels = [];
    this.staging = undefined;
    if (profile === undefined || kernels.length === 0) return;
    const now = performance.now();
    profile.later(staging === undefined ? this.whole(now, kernels) : this.each(now, kernels, staging));
  }

  private async each(
    submitted: number,
    kernels: readonly TimedKernel[],
    staging: GPUBuffer,
  ): Promise<Submission> {
    const bytes = 2 * kernels.length * timeBytes;
    await staging.mapAsync(MapMode.READ, 0, bytes);
    const times = new BigUint64Array(staging.getMappedRange(0, bytes).slice(0));
    staging.unmap();
    this.spare.push(staging);
    const inMs = (i: number): number => Number(times[i]) / 1e6;
    const spans = kernels.map((kernel, i) => ({
      kernels: [kernel],
      begin: inMs(2 * i),
      end: inMs(2 * i + 1),
    }));
    return { submitted, timestamps: true, spans };
  }

  private async whole(submitted: number, kernels: readonly TimedKernel[]): Promise<Submission> {
    await this.device.queue.onSubmittedWorkDone();
    const begin = Math.max(submitted, this.done);
    this.done = performance.now();
    return { submitted, timestamps: false, spans: [{ kernels, begin, end: this.done }] };
  }
}
