/** The report of a profile: rows for kernels and for everything else, as data, as a table and as a picture. */
import type { DeviceName } from "../core/device.js";
import type { Work } from "../core/profiler.js";
import { type ChromeTrace, chromeTrace } from "./chromeTrace.js";
import { Facts, type KernelFacts } from "./facts.js";
import type { Phase, Recorder, Tally } from "./recorder.js";
import { medianOf } from "./samples.js";
import { table } from "./table.js";

export interface ProfileRow {
  /** What kind of work it is: see `Work` in the documentation of profiles. */
  readonly kind: Work;
  /** What a kernel is called in `explain` and `lower`; the name of a pass, of a jitted function, of a primitive. */
  readonly name: string;
  /** How often it was done in all calls. */
  readonly calls: number;
  /** In all calls, without what has rows of its own. */
  readonly totalMs: number;
  /** Of once. */
  readonly medianMs: number;
  /** Of the time of all calls, from 0 to 1. */
  readonly share: number;
}

/** A step of a program, or operations that ran by their `evaluate` rule. Numbers are those of one run, on average. */
export interface KernelRow extends ProfileRow, KernelFacts {
  /** Read and written, in 10⁹ bytes a second. Sizes of buffers, each counted once a run. */
  readonly gigabytesPerSecond: number;
  /** Counted operations in 10⁹ a second. */
  readonly gigaflops: number;
}

/** What some calls of the function did. */
export interface ProfilePhase {
  readonly calls: number;
  /** Of all calls together. */
  readonly wallMs: number;
  /** Of one. */
  readonly medianMs: number;
  /** Longest first. */
  readonly kernels: readonly KernelRow[];
  /** Everything else, longest first. */
  readonly host: readonly ProfileRow[];
  /**
   * Time in which a GPU computed while the host did something that has a row as well. Rows add up to `wallMs + overlapMs`, and
   * shares are of that. 0 on the CPU.
   */
  readonly overlapMs: number;
}

/**
 * What measured kernels: `host`, the clock of the host; `timestamps`, the GPU's own; `submissions`: the GPU has no clock for
 * that, and rows are of all that was submitted to it at once, by the clock of the host.
 */
export type KernelClock = "host" | "timestamps" | "submissions";

export class ProfileReport implements ProfilePhase {
  readonly device: DeviceName;
  readonly kernelClock: KernelClock;
  readonly calls: number;
  readonly wallMs: number;
  readonly medianMs: number;
  readonly kernels: readonly KernelRow[];
  readonly host: readonly ProfileRow[];
  readonly overlapMs: number;
  /** The calls before the measured ones. */
  readonly warmup: ProfilePhase;
  private readonly recorder: Recorder;
  private readonly facts: Facts;

  /** @internal */
  constructor(recorder: Recorder, before: Phase, measured: Phase, device: DeviceName) {
    this.recorder = recorder;
    this.facts = new Facts(recorder);
    this.device = [...recorder.programs.values()].at(-1)?.device ?? device;
    const [first] = recorder.submissions;
    this.kernelClock = first === undefined ? "host" : first.timestamps ? "timestamps" : "submissions";
    this.warmup = summarise(before, this.facts);
    const { calls, wallMs, medianMs, kernels, host, overlapMs } = summarise(measured, this.facts);
    this.calls = calls;
    this.wallMs = wallMs;
    this.medianMs = medianMs;
    this.kernels = kernels;
    this.host = host;
    this.overlapMs = overlapMs;
  }

  /** The rows as text, longest first. @param rows so many of the measured ones at most. */
  table(rows = 30): string {
    return table(this, rows);
  }

  toString(): string {
    return this.table();
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * All calls on a time line, in Chrome's Trace Event Format: written as JSON it opens in chrome://tracing and in
   * https://ui.perfetto.dev. Each thread has a lane, and so has the GPU.
   */
  chromeTrace(): ChromeTrace {
    return chromeTrace(this.recorder, this.facts);
  }
}

const isStep = ({ kind }: Tally): boolean =>
  kind === "kernel" || kind === "host" || kind === "control" || kind === "operation";

/** The first that is zero without a divisor. */
const ratio = (x: number, y: number): number => (y > 0 ? x / y : 0);

function summarise({ calls, tallies }: Phase, facts: Facts): ProfilePhase {
  const all = [...tallies.values()];
  const wallMs = calls.reduce((sum, time) => sum + time, 0);
  const [times, overlapMs] = withoutOverlap(all);
  const rowOf = (tally: Tally): ProfileRow => {
    const { kind, count, samples } = tally;
    const totalMs = times.get(tally) ?? tally.total;
    const name = kind === "call" ? "the function itself" : tally.name;
    const share = ratio(totalMs, wallMs + overlapMs);
    return { kind, name, calls: count, totalMs, medianMs: samples.median, share };
  };
  const longestFirst = (x: ProfileRow, y: ProfileRow): number => y.totalMs - x.totalMs;
  const operations = facts.operationsIn(all.filter(isStep));
  const kernels = all.filter(isStep).map((tally): KernelRow => {
    const row = rowOf(tally);
    const own = { ...facts.of(tally), operations: operations.get(tally) ?? 0 };
    const perMs = (n: number): number => ratio(n * tally.count, 1e6 * tally.total);
    return {
      ...row,
      ...own,
      gigabytesPerSecond: perMs(own.bytesRead + own.bytesWritten),
      gigaflops: perMs(own.operations),
    };
  });
  return {
    calls: calls.length,
    wallMs,
    medianMs: medianOf(calls),
    kernels: kernels.sort(longestFirst),
    host: all
      .filter((tally) => !isStep(tally))
      .map(rowOf)
      .sort(longestFirst),
    overlapMs,
  };
}

/**
 * A GPU computes while the host waits for it: that time is the kernels', and waiting is what remains. What it computed while
 * the host did something else is the overlap.
 */
function withoutOverlap(all: readonly Tally[]): [times: Map<Tally, number>, overlap: number] {
  const times = new Map<Tally, number>();
  let hidden = all.reduce((sum, tally) => (tally.onGpu ? sum + tally.total : sum), 0);
  for (const tally of all) {
    if (tally.kind !== "wait") continue;
    const taken = Math.min(hidden, tally.total);
    times.set(tally, tally.total - taken);
    hidden -= taken;
  }
  return [times, hidden];
}
