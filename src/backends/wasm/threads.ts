/** How many threads the wasm device computes with. */
import { ArgumentError } from "../../core/errors.js";
import { mostWorkers } from "./control.js";
import { findWorkers, processors } from "./workers.js";

export interface ThreadOptions {
  /** Threads, the main thread among them. Default: `threadCount()`. */
  readonly count?: number;
  /** Work in ms that is worth to be shared. Default: 0.12; to wake a worker and to wait for it takes 20 to 50 µs. */
  readonly worth?: number;
  /**
   * How long the main thread waits for a worker to finish its chunk, in ms, beside 50 times what it should take; then the
   * worker is taken for dead. Default: 10 s.
   */
  readonly patience?: number;
}

/**
 * Threads without being asked. What most kernels wait for is memory, which a few threads exhaust; and the main thread wakes
 * the others one after the other, 10 µs each.
 */
const usual = 8;

let chosen: number | undefined;

const fromEnvironment = (): string | undefined =>
  (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.FLUXION_THREADS;

function checked(count: number, what: string, given: unknown): number {
  if (Number.isInteger(count) && count >= 1 && count <= mostWorkers + 1) return count;
  throw new ArgumentError(
    `${what}: ${typeof given === "string" ? JSON.stringify(given) : String(given)} is not a number of threads; give a whole number from 1 to ${mostWorkers + 1}`,
  );
}

/** Chooses how many threads there are, the main thread among them. @throws ArgumentError */
export function setThreadCount(count: number): void {
  chosen = checked(count, "init: threads", count);
}

/** Whether threads can share the memory of the device here. */
export const canShare = (): boolean => typeof SharedArrayBuffer === "function" && findWorkers() !== undefined;

/**
 * Threads that kernels may run on, the main thread among them: what was chosen, else what `FLUXION_THREADS` says, else one
 * for each processor, but no more than 8. One where threads cannot share memory.
 *
 * @throws ArgumentError if `FLUXION_THREADS` is not a number of threads.
 */
export function threadCount(): number {
  if (chosen === undefined) {
    const asked = fromEnvironment();
    chosen =
      asked === undefined || asked === ""
        ? Math.max(1, Math.min(usual, processors()))
        : checked(Number(asked), "FLUXION_THREADS", asked);
  }
  return canShare() ? chosen : 1;
}
