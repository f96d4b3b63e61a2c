/** Bringing elements back: a copy to a buffer that the CPU can map. These are kept for later reads while they are small. */
import type { Batch } from "./batch.js";
import { BufferUsage, MapMode } from "./flags.js";
import { type Chunk, sizeClass } from "./pool.js";

/** Bytes in staging buffers that are kept. */
const keep = 16 * 2 ** 20;

export class Reader {
  private readonly spare = new Map<number, GPUBuffer[]>();
  private kept = 0;
  private readonly pending = new Set<Promise<unknown>>();

  constructor(
    private readonly device: GPUDevice,
    private readonly batch: Batch,
  ) {}

  /** The first so many bytes of a chunk, as all commands recorded so far leave them. */
  async read(chunk: Chunk, bytes: number): Promise<ArrayBuffer> {
    const size = bytes > keep ? bytes : sizeClass(bytes);
    const staging = this.take(size);
    this.batch.copy(chunk, staging, bytes);
    this.batch.flush();
    const mapped = staging.mapAsync(MapMode.READ, 0, bytes);
    this.pending.add(mapped);
    await mapped.finally(() => this.pending.delete(mapped));
    const copy = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    this.give(staging, size);
    return copy;
  }

  /** Waits for the reads that are under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.pending);
  }

  private take(size: number): GPUBuffer {
    const spare = this.spare.get(size)?.pop();
    if (spare === undefined)
      return this.device.createBuffer({ size, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
    this.kept -= size;
    return spare;
  }

  private give(staging: GPUBuffer, size: number): void {
    if (this.kept + size > keep) {
      staging.destroy();
      this.device.queue.submit([]);
      return;
    }
    this.kept += size;
    const spare = this.spare.get(size);
    if (spare === undefined) this.spare.set(size, [staging]);
    else spare.push(staging);
  }
}
