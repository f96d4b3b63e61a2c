/**
 * `npm run laws:deep`: tries all laws on random programs, 100,000 if not told otherwise, in several processes. The run can
 * be interrupted and resumed; a failure is shrunk, printed as a jaxpr and as TypeScript, and can be replayed alone.
 */
import { SingleBar } from "cli-progress";
import { type DeepOptions, readOptions, usage } from "./options.js";
import { describeFailure, report } from "./report.js";
import { openState, saveState } from "./state.js";
import { merge } from "./tally.js";
import { kindOf, shrunkFailure, tryProgram } from "./trial.js";
import { runChunks } from "./workers.js";

const chunkSize = 50;

/** Says how far the run is: a bar on a terminal, else a line now and then. */
class Progress {
  private readonly bar: SingleBar | undefined;
  private readonly began = Date.now();
  private lastLine = Date.now();
  private done: number;
  private readonly before: number;

  constructor(
    private readonly total: number,
    done: number,
  ) {
    this.done = done;
    this.before = done;
    if (process.stderr.isTTY !== true) return;
    this.bar = new SingleBar({
      format:
        "{bar} {percentage}% | {value}/{total} programs | {failures} failures | {duration_formatted} | {left}",
      hideCursor: true,
    });
    this.bar.start(total, done, { failures: 0, left: "" });
  }

  private get left(): string {
    const speed = (this.done - this.before) / (Date.now() - this.began);
    const minutes = (this.total - this.done) / speed / 60_000;
    return Number.isFinite(minutes) ? `${Math.ceil(minutes)} min left` : "";
  }

  program(): void {
    this.done++;
    this.bar?.increment(1, { left: this.left });
  }

  failures(count: number): void {
    this.bar?.update({ failures: count });
    if (this.bar !== undefined || Date.now() - this.lastLine < 30_000) return;
    this.lastLine = Date.now();
    console.error(`${this.done}/${this.total} programs, ${count} failures, ${this.left}`);
  }

  stop(): void {
    this.bar?.stop();
  }
}

/** Tries one program of the run and prints it. */
function replay(options: DeepOptions, index: number): number {
  const { seed, laws } = options;
  const trial = tryProgram(seed, index, laws);
  console.log(`program ${index} of seed ${seed} (${kindOf(index)}):\n${trial.program}\n`);
  for (const { law, kind, milliseconds } of trial.outcomes)
    console.log(`${kind.padEnd(9)} ${law} (${milliseconds.toFixed(1)} ms)`);
  for (const failed of trial.failed)
    console.log(`\n${describeFailure(shrunkFailure(trial, failed, seed), seed)}`);
  return trial.failed.length === 0 ? 0 : 1;
}

async function run(options: DeepOptions): Promise<number> {
  const { programs, seed, jobs, laws, every } = options;
  const state = openState(options);
  const before = state.seconds;
  const began = Date.now();
  const done = new Set(state.done);
  const starts = Array.from({ length: Math.ceil(programs / chunkSize) }, (_, i) => i * chunkSize);
  const chunks = starts
    .filter((start) => !done.has(start))
    .map((start) => ({
      seed,
      start,
      end: Math.min(programs, start + chunkSize),
      laws: laws.map((l) => l.name),
      every,
    }));
  console.error(
    `seed ${seed}: ${laws.length} laws on ${programs} programs, ${state.tally.programs} of them done; again: npm run laws:deep -- --seed ${seed} --programs ${programs} --resume`,
  );
  const progress = new Progress(programs, state.tally.programs);
  let saved = Date.now();
  const save = (): void => {
    state.seconds = before + (Date.now() - began) / 1000;
    saveState(options, state);
    saved = Date.now();
  };
  process.once("SIGINT", () => {
    save();
    progress.stop();
    process.exit(130);
  });
  try {
    await runChunks(
      chunks,
      jobs,
      () => progress.program(),
      ({ start }, tallies) => {
        for (const tally of tallies) merge(state.tally, tally);
        state.done.push(start);
        progress.failures(state.tally.failures.length);
        if (Date.now() - saved > 5000) save();
      },
    );
  } finally {
    save();
    progress.stop();
  }
  console.log(report(state));
  return Object.values(state.tally.laws).some(({ failed }) => failed > 0) ? 1 : 0;
}

async function main(): Promise<number> {
  let options: DeepOptions;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  return options.replay === undefined ? run(options) : replay(options, options.replay);
}

process.exitCode = await main();
