/** `profile`: where the time of a function goes, kernel by kernel. All it needs is loaded when it is first called. */
import { ArgumentError } from "../core/errors.js";
import type { ProfileReport } from "./report.js";

export interface ProfileOptions {
  /** Calls that are measured. Default: 20. */
  readonly calls?: number;
  /**
   * Calls before these, in which functions are traced and compiled, threads started, and caches filled. They are reported by
   * themselves. Default: 3.
   */
  readonly warmup?: number;
  /** Events that are kept for the picture (`chromeTrace`). Rows are complete also beyond. Default: 200000. */
  readonly mostEvents?: number;
}

let running = false;

/**
 * Calls a function several times and says where the time went: for each kernel of the programs that ran how often and how
 * long, what it read, wrote and computed a second, and what else there was, from tracing to copies.
 *
 * Times are those of the whole process: what else runs while an asynchronous function waits counts as part of it. On a GPU each
 * call is waited for, and kernels are measured by the GPU's own clock where it has one for that (`timestamp-query`).
 *
 * @param f a function without arguments; it may be asynchronous. What it returns is waited for and dropped.
 * @throws (when awaited) ArgumentError while another profile is being taken; what `f` throws.
 * @example
 * const x = np.ones([100000]);
 * const step = jit((x) => np.sum(np.tanh(x)));
 * const report = await profile(() => step(x), { calls: 5 });
 * report.kernels[0].calls; // 5
 * report.kernels[0].primitives; // ["tanh", "reduceSum"]
 * const text = String(report); // a table
 * const picture = JSON.stringify(report.chromeTrace()); // for chrome://tracing and ui.perfetto.dev
 */
export async function profile(f: () => unknown, options: ProfileOptions = {}): Promise<ProfileReport> {
  if (typeof f !== "function") throw new ArgumentError(`profile takes a function, got a ${typeof f}`);
  const { calls = 20, warmup = 3, mostEvents = 200_000 } = options;
  requireCount("calls", calls, 1);
  requireCount("warmup", warmup, 0);
  requireCount("mostEvents", mostEvents, 0);
  if (running)
    throw new ArgumentError("profile: another profile is being taken; await its report before the next one");
  running = true;
  try {
    const { takeProfile } = await import("./take.js");
    return await takeProfile(f, { calls, warmup, mostEvents });
  } finally {
    running = false;
  }
}

function requireCount(name: string, count: number, least: number): void {
  if (!Number.isInteger(count) || count < least)
    throw new ArgumentError(`profile: ${name} must be an integer, ${least} or more, got ${String(count)}`);
}
