/** `checkpointReport`: what a policy or a budget makes `checkpoint` store, and the work that is paid for the rest. */
import { passes } from "../core/passes.js";
import { grouped } from "../core/table.js";
import { jaxprCost } from "../primitives/call.js";
import type { StorageChoice } from "../primitives/checkpointBudget.js";
import { type StorageAnalysis, splitCheckpoint } from "../primitives/checkpointSplit.js";
import { readStorage, type StorageOptions } from "./checkpoint.js";
import { nameOf, requireOptions } from "./functions.js";
import { jvpJaxpr } from "./jvp.js";
import type { AbstractArgs } from "./makeJaxpr.js";
import {
  columns,
  Describer,
  type SavedResidual,
  sorted,
  type TracedForReverse,
  traceForReverse,
} from "./residuals.js";
import type { Fn } from "./types.js";

/** What storing certain values means. */
export interface StorageCost {
  /** Of stored values, beside arguments and constants. */
  readonly bytes: number;
  /** Scalar operations of the forward pass that are done again. */
  readonly extraOperations: number;
}

/** What `checkpoint` stores of a function, and what it pays. Prints as a table. */
export class CheckpointReport implements StorageCost {
  readonly bytes: number;
  readonly extraOperations: number;

  /** @internal */
  constructor(
    private readonly label: string,
    readonly budgetBytes: number | undefined,
    chosen: StorageCost,
    /** As it would be without `checkpoint`. */
    readonly everything: StorageCost,
    /** As it would be with nothing stored. */
    readonly nothing: StorageCost,
    /** Operations of one forward pass. */
    readonly forwardOperations: number,
    /** What is stored, the largest first. */
    readonly stored: readonly SavedResidual[],
  ) {
    this.bytes = chosen.bytes;
    this.extraOperations = chosen.extraOperations;
  }

  toString(): string {
    const { label, budgetBytes, forwardOperations } = this;
    const line = (what: string, { bytes, extraOperations }: StorageCost): string[] => {
      const share =
        forwardOperations === 0 ? "" : ` (${Math.round((100 * extraOperations) / forwardOperations)} %)`;
      return [grouped(bytes), `${grouped(extraOperations)}${share}`, what];
    };
    const room = budgetBytes === undefined ? "" : `, in ${grouped(budgetBytes)} bytes`;
    return [
      `${label}: ${grouped(forwardOperations)} operations forward`,
      columns([
        ["bytes", "operations again", "storing"],
        line("everything", this.everything),
        line(`what was chosen${room}`, this),
        line("nothing", this.nothing),
      ]),
      ...this.stored.map(({ what, bytes, source, name }) => {
        const called = name === undefined ? "" : ` ${JSON.stringify(name)}`;
        return `stored: ${what}${called}, ${grouped(bytes)} bytes${source === undefined ? "" : ` (at ${source})`}`;
      }),
    ].join("\n");
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

const costOf = ({ bytes, operations }: StorageChoice): StorageCost => ({
  bytes,
  extraOperations: operations,
});

/**
 * What `checkpoint(f, options)` stores when all arguments that are floats are differentiated, and the operations that it
 * does again, against storing everything and storing nothing. Nothing is computed.
 *
 * @param f a function of trees of arrays.
 * @param options `policy` or `budgetBytes`, as for `checkpoint`.
 * @param args arguments of `f`; arrays and numbers may be given as `ShapeDtype`s.
 * @throws as `checkpoint` does.
 * @example
 * const f = (x) => np.exp(np.sin(np.exp(np.sin(x))));
 * const report = checkpointReport(f, { budgetBytes: 1000 }, new ShapeDtype([100]));
 * report.bytes; // 800
 * report.extraOperations; // 200
 * report.everything; // { bytes: 1600, extraOperations: 0 }
 * report.nothing; // { bytes: 0, extraOperations: 600 }
 */
export function checkpointReport<F extends Fn>(
  f: F,
  options: StorageOptions,
  ...args: AbstractArgs<F>
): CheckpointReport {
  requireOptions(options, ["policy", "budgetBytes"], "checkpointReport");
  const traced = traceForReverse(f, args as readonly unknown[], "checkpointReport");
  return reportOf(traced, options, `checkpoint(${nameOf(f)})`);
}

/** What `checkpoint` stores of a traced function for the inputs that are active. */
export function reportOf(traced: TracedForReverse, options: StorageOptions, label: string): CheckpointReport {
  const rule = readStorage(options, "checkpointReport");
  const { jaxpr, active } = traced;
  const pushed = jvpJaxpr(jaxpr, active).jaxpr;
  const { analysis } = splitCheckpoint(
    pushed,
    pushed.inputs.map((_, i) => i >= jaxpr.inputs.length),
    rule,
    passes,
  );
  return new CheckpointReport(
    label,
    options.budgetBytes,
    costOf(analysis.chosen),
    costOf(analysis.everything),
    costOf(analysis.nothing),
    jaxprCost(jaxpr).operations,
    storedValues(analysis, new Describer(traced)),
  );
}

const storedValues = ({ chosen, values, origins }: StorageAnalysis, describer: Describer): SavedResidual[] =>
  sorted(chosen.stored.map((v) => describer.residual(origins, values[v])));
