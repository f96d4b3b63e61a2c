/** A process that tries laws on programs of a run, a chunk at a time. */
import { emptyTally, record, type Tally } from "./tally.js";
import { programLaws, shrunkFailure, tryProgram } from "./trial.js";

export interface Chunk {
  readonly seed: number;
  readonly start: number;
  readonly end: number;
  readonly laws: readonly string[];
  readonly every: number;
}

export type Message =
  /** The program with this number is next. */
  | { readonly kind: "at"; readonly index: number }
  | { readonly kind: "done"; readonly tally: Tally; readonly bytes: number };

/** So many failures of one law are shrunk and told; the others are only counted. */
const told = 2;
const timesTold = new Map<string, number>();

const say = (message: Message): void => void process.send?.(message);

function work({ seed, start, end, laws, every }: Chunk): void {
  const chosen = programLaws.filter(({ name }) => laws.includes(name));
  const tally = emptyTally();
  for (let index = start; index < end; index++) {
    say({ kind: "at", index });
    const trial = tryProgram(seed, index, chosen, every);
    record(tally, trial);
    for (const failed of trial.failed) {
      const times = timesTold.get(failed.law.name) ?? 0;
      timesTold.set(failed.law.name, times + 1);
      if (times < told) tally.failures.push(shrunkFailure(trial, failed, seed));
    }
  }
  say({ kind: "done", tally, bytes: process.memoryUsage.rss() });
}

process.on("message", (chunk: Chunk) => work(chunk));
