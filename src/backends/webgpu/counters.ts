/**
 * How far loops are, for the kernels inside. The numbers of a dispatch are in a part of a buffer that the dispatch names by
 * its offset; the parts are written together before the commands that use them are submitted. So a step of a loop costs
 * nothing but its kernels.
 */
import { BufferUsage } from "./flags.js";
import { mostCounters } from "./wgsl.js";

/** Bytes of a part: offsets have to be multiples of 256 (https://www.w3.org/TR/webgpu/#limits). */
export const counterBytes = 4 * mostCounters;
/** Parts: there are no more dispatches in a batch. */
export const mostParts = 64;

export class Counters {
  readonly buffer: GPUBuffer;
  private readonly values = new Int32Array(mostParts * mostCounters);
  private used = 0;

  constructor(device: GPUDevice) {
    this.buffer = device.createBuffer({
      size: mostParts * counterBytes,
      usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST,
    });
  }

  /** The offset of a part with these numbers: the one handed out last, if it has them. */
  offsetOf(counts: readonly number[]): number {
    let start = (this.used - 1) * mostCounters;
    let same = this.used > 0;
    for (let i = 0; same && i < counts.length; i++) same = this.values[start + i] === counts[i];
    if (!same) {
      start = this.used++ * mostCounters;
      this.values.set(counts, start);
    }
    return start * 4;
  }

  /** The parts that were handed out, to be written; then it begins again. */
  take(): Int32Array<ArrayBuffer> {
    const parts = this.values.subarray(0, this.used * mostCounters);
    this.used = 0;
    return parts;
  }
}
