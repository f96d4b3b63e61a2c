/** How long programs take on the current device: compiled and warm, measured side by side. */

import { blockUntilReady, defaultDevice } from "../../backends/devices.js";
import type { NDArray } from "../../core/array.js";
import { type Aval, bytesOf } from "../../core/aval.js";
import { isFloat } from "../../core/dtype.js";
import { hasEffects } from "../../core/effects.js";
import { evalJaxpr } from "../../core/eval.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { showTime } from "../../core/table.js";
import { convertElementType } from "../../primitives/cast.js";
import { zeros } from "../../primitives/filled.js";
import { foldIn, key } from "../../random/keys.js";
import { uniform } from "../../random/uniform.js";
import { jit } from "../../transforms/jit.js";
import { ShapeDtype } from "../../transforms/makeJaxpr.js";
import { tidy } from "../../transforms/tidy.js";
import { showBytes } from "../table.js";

export interface TimingLimits {
  /** A program that needs more bytes than this is not run. */
  readonly memoryLimit: number;
  /** Milliseconds for one program; what would take longer for one run is not run. */
  readonly timeLimit: number;
}

export interface TimedProgram {
  readonly jaxpr: Jaxpr;
  /** Arrays to run it on; asked for only if it is run. */
  readonly inputs: () => readonly NDArray[];
  /** By which the time is estimated before anything runs. */
  readonly operations: number;
}

/** The median of some runs in milliseconds, or why there were none. */
export type Timing = { readonly ms: number } | { readonly skipped: string };

/** Runs of a program in one sample fill about this many milliseconds. */
const sampleMs = 2;
const warmMs = 20;
const samples = 9;

/**
 * A new array of a type: floats uniform in [0, 1) from a fixed key, integers and booleans 0, which is in bounds of any index.
 *
 * @param position tells arrays from each other.
 */
export function exampleArray({ shape, dtype, weakType }: Aval, position: number): NDArray {
  if (!isFloat(dtype)) return zeros({ shape, dtype, weakType });
  const drawn = uniform(foldIn(key(0), position), shape, { dtype });
  return weakType ? convertElementType(drawn, dtype, true) : drawn;
}

class Run {
  readonly times: number[] = [];
  private calls = 1;
  private spent = 0;

  constructor(
    private readonly call: () => void,
    private readonly timeLimit: number,
  ) {}

  get isDone(): boolean {
    return this.spent >= this.timeLimit || this.times.length >= samples;
  }

  /** Milliseconds for one call; compilation is left out. */
  async warmUp(): Promise<void> {
    await this.timed(1);
    const first = await this.timed(1);
    // A single run that takes as long as all should is the measurement.
    if (first >= this.timeLimit) {
      this.times.push(first);
      this.spent = first;
      return;
    }
    // Until enough calls fill a sample, and for long enough that an engine has compiled what it runs often.
    const patience = Math.min(warmMs, this.timeLimit);
    for (let spent = first; ; ) {
      const elapsed = await this.timed(this.calls);
      spent += elapsed;
      if (elapsed < sampleMs)
        this.calls = Math.max(2 * this.calls, Math.ceil((this.calls * sampleMs) / Math.max(elapsed, 0.001)));
      else if (spent >= patience) return;
    }
  }

  async sample(): Promise<void> {
    const elapsed = await this.timed(this.calls);
    this.times.push(elapsed / this.calls);
    this.spent += elapsed;
  }

  private async timed(calls: number): Promise<number> {
    const isRemote = defaultDevice() === "webgpu";
    if (isRemote) await blockUntilReady();
    const start = performance.now();
    for (let i = 0; i < calls; i++) this.call();
    if (isRemote) await blockUntilReady();
    return performance.now() - start;
  }
}

/** Times programs, in turns so that what else happens on the machine happens to all. */
export async function timePrograms(
  programs: readonly TimedProgram[],
  { memoryLimit, timeLimit }: TimingLimits,
): Promise<Timing[]> {
  const runs: (Run | { readonly skipped: string })[] = [];
  // Of the programs so far, milliseconds for an operation where that was least. Not even a fast device beats the start.
  let perOperation = 1e-6;
  for (const { jaxpr, inputs, operations } of programs) {
    if (hasEffects(jaxpr)) {
      runs.push({ skipped: "has effects, which every run would have again" });
      continue;
    }
    const estimate = operations * perOperation;
    if (estimate > timeLimit) {
      runs.push({ skipped: `would take about ${showTime(estimate)}` });
      continue;
    }
    const compiled = jit((...xs: NDArray[]) => evalJaxpr(jaxpr, xs));
    const needed = bytesNeeded(jaxpr, memoryLimit, () => compiled.lower(...jaxpr.inAvals.map(abstract)));
    if (needed > memoryLimit) {
      runs.push({ skipped: `needs ${showBytes(needed)}` });
      continue;
    }
    const arrays = inputs();
    const call = (): void => {
      compiled(...arrays);
    };
    const run = new Run(() => tidy(call), timeLimit);
    await run.warmUp();
    if (!run.isDone) await run.sample();
    perOperation = Math.min(perOperation, run.times[0] / operations);
    runs.push(run);
  }
  const timed = runs.filter((run) => run instanceof Run);
  while (timed.some((run) => !run.isDone)) for (const run of timed) if (!run.isDone) await run.sample();
  return runs.map((run) => (run instanceof Run ? { ms: median(run.times) } : run));
}

const abstract = ({ shape, dtype, weakType }: Aval): ShapeDtype => new ShapeDtype(shape, dtype, { weakType });

/** The memory of a run; what cannot even hold its results is not compiled to find out. */
function bytesNeeded(
  { inAvals, outAvals }: Jaxpr,
  limit: number,
  lower: () => { memoryAnalysis(): { readonly peakBytes: number } },
): number {
  const ends = [...inAvals, ...outAvals].reduce((sum, type) => sum + bytesOf(type), 0);
  return ends > limit ? ends : lower().memoryAnalysis().peakBytes;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
