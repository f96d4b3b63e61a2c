/**
 * How long a GPU takes: by its own clock where it has one that can be read (`timestamp-query`), else from submitting until the
 * work is done. Either way nothing else may be under way, and the work should take a millisecond or more: clocks of GPUs are
 * read to about 0.1 ms (https://www.w3.org/TR/webgpu/#timestamp), and a round trip takes about as long.
 */
import { BufferUsage, MapMode } from "./flags.js";

export class Stopwatch {
  private readonly queries: GPUQuerySet | undefined;

  constructor(
    private readonly device: GPUDevice,
    /** Submits what was recorded. */
    private readonly flush: () => void,
  ) {
    if (device.features.has("timestamp-query"))
      this.queries = device.createQuerySet({ type: "timestamp", count: 2 });
  }

  /** Seconds that the commands take which `record` records. */
  async seconds(record: () => void): Promise<number> {
    this.flush();
    await this.device.queue.onSubmittedWorkDone();
    const start = performance.now();
    this.mark({ beginningOfPassWriteIndex: 0 });
    record();
    this.flush();
    this.mark({ endOfPassWriteIndex: 1 });
    await this.device.queue.onSubmittedWorkDone();
    const around = (performance.now() - start) / 1000;
    const own = await this.between();
    // A clock that stood still, or was set back meanwhile, says nothing.
    return own !== undefined && own > 0 && own <= around ? own : around;
  }

  /** Writes the time into a query, in a pass of its own: after all before, and before all after. */
  private mark(index: { beginningOfPassWriteIndex: 0 } | { endOfPassWriteIndex: 1 }): void {
    if (this.queries === undefined) return;
    const encoder = this.device.createCommandEncoder();
    encoder.beginComputePass({ timestampWrites: { querySet: this.queries, ...index } }).end();
    this.device.queue.submit([encoder.finish()]);
  }

  private async between(): Promise<number | undefined> {
    if (this.queries === undefined) return undefined;
    const words = this.device.createBuffer({
      size: 16,
      usage: BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC,
    });
    const copy = this.device.createBuffer({ size: 16, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
    const encoder = this.device.createCommandEncoder();
    encoder.resolveQuerySet(this.queries, 0, 2, words, 0);
    encoder.copyBufferToBuffer(words, 0, copy, 0, 16);
    this.device.queue.submit([encoder.finish()]);
    await copy.mapAsync(MapMode.READ);
    const [from, to] = new BigUint64Array(copy.getMappedRange());
    const seconds = Number(to - from) / 1e9;
    copy.unmap();
    words.destroy();
    copy.destroy();
    return seconds;
  }

  close(): void {
    this.queries?.destroy();
  }
}
