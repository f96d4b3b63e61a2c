/** `ModeComparison`: what `compareModes` found, as data, as a table, as a sentence and as a picture. */
import type { DeviceName } from "../../core/device.js";
import { showTime } from "../../core/table.js";
import type { ProgramCost } from "../programCost.js";
import { plural, rounded, showBytes, showCount, si, table } from "../table.js";

/** A way to compute the whole Jacobian. */
export type JacobianMode = "forward" | "reverse" | "compressedForward" | "compressedReverse";

export interface ModeRow extends ProgramCost {
  /**
   * `value`: the function itself. `jvp`, `vjp`: its value and one pass. The others: the whole Jacobian, without the value.
   */
  readonly kind: "value" | "jvp" | "vjp" | JacobianMode;
  /** What the table calls it: `gradient by vjp`. */
  readonly label: string;
  /** How many tangents are pushed forward, or cotangents pulled back. */
  readonly passes: number;
  /** What is kept from the forward pass for the backward pass: nothing in forward mode. */
  readonly residuals: { readonly count: number; readonly bytes: number };
  /** Median time of a run in milliseconds, if it was measured. */
  readonly ms: number | undefined;
  /** Why it was not measured, though it was asked for. */
  readonly skipped: string | undefined;
}

/** A row that there is not, because the function has no derivative in that mode. */
export interface MissingRow {
  readonly kind: ModeRow["kind"];
  readonly label: string;
  /** Says why, as `jvp` or `vjp` of the function would. */
  readonly error: Error;
}

/** The better of the ways, and by how much. */
export interface ModeVerdict {
  /** By counted operations; bytes moved decide between equals. */
  readonly mode: JacobianMode;
  /** What it is compared with: the better of the other ways that are not compressed; undefined if there is none. */
  readonly over: "forward" | "reverse" | undefined;
  /** How many times as many operations the other takes: at least 1, and infinity if this one takes none; 1 if there is no other. */
  readonly factor: number;
  /** The fastest of those that were measured; undefined if fewer than two were. */
  readonly measured:
    | { readonly mode: JacobianMode; readonly over: JacobianMode; readonly factor: number }
    | undefined;
}

/** What `compareModes` has found out. @internal */
export interface ModeFindings {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly rows: readonly ModeRow[];
  readonly missing: readonly MissingRow[];
  /** Operations of the Jacobian that are done once, however many passes there are. */
  readonly sharedOperations: number;
  readonly device: DeviceName | undefined;
}

const jacobianModes: readonly JacobianMode[] = [
  "forward",
  "reverse",
  "compressedForward",
  "compressedReverse",
];

/** The costs of both modes for one function. Prints as a table with a verdict; `svg()` draws them. */
export class ModeComparison {
  /** The function's name. */
  readonly name: string;
  /** How many elements it is differentiated by. */
  readonly inputs: number;
  /** How many elements its result has. */
  readonly outputs: number;
  readonly rows: readonly ModeRow[];
  /** Rows that there are not; mostly none. */
  readonly missing: readonly MissingRow[];
  /** On which device the times are, if they were asked for. */
  readonly device: DeviceName | undefined;
  readonly verdict: ModeVerdict;
  /**
   * For how many inputs both modes would take the same operations, if outputs and the cost of a pass stayed what they are: below it
   * forward mode is cheaper, above it reverse mode. NaN if there is only one of them, or both compute nothing.
   */
  readonly crossover: number;
  /** Operations of the Jacobian by k jvps: `shared + k · perPass`; undefined if there is no forward mode. */
  readonly forwardLine: { readonly shared: number; readonly perPass: number } | undefined;

  /** @internal */
  constructor({ name, inputs, outputs, rows, missing, sharedOperations, device }: ModeFindings) {
    this.name = name;
    this.inputs = inputs;
    this.outputs = outputs;
    this.rows = rows;
    this.missing = missing;
    this.device = device;
    this.verdict = judge(this.jacobians, missing);
    const [forward, reverse] = [this.find("forward"), this.find("reverse")];
    this.forwardLine = forward && lineOf(forward.operations, sharedOperations, inputs);
    const { shared, perPass } = this.forwardLine ?? { shared: 0, perPass: Number.NaN };
    this.crossover = reverse === undefined ? Number.NaN : Math.max(0, reverse.operations - shared) / perPass;
  }

  /**
   * The figures of one way.
   * @throws RangeError for a way that the comparison does not have, or the function has not.
   */
  row(kind: ModeRow["kind"]): ModeRow {
    const found = this.find(kind);
    if (found === undefined)
      throw new RangeError(
        `there is no row "${kind}"; the rows are ${this.rows.map((row) => row.kind).join(", ")}${this.whyMissing(kind)}`,
      );
    return found;
  }

  find(kind: ModeRow["kind"]): ModeRow | undefined {
    return this.rows.find((row) => row.kind === kind);
  }

  private whyMissing(kind: ModeRow["kind"]): string {
    const found = this.missing.find((row) => row.kind === kind);
    return found === undefined ? "" : `: ${found.error.message}`;
  }

  /** The rows of whole Jacobians. */
  get jacobians(): readonly (ModeRow & { readonly kind: JacobianMode })[] {
    return this.rows.filter((row): row is ModeRow & { readonly kind: JacobianMode } =>
      jacobianModes.includes(row.kind as JacobianMode),
    );
  }

  /** The verdict in words: a line on what was counted, and where it was asked for one on what was measured. */
  get sentence(): string {
    const sizes = `${plural(this.inputs, "input")}, ${plural(this.outputs, "output")}`;
    return [`${sizes}: ${this.counted()}`, this.crossing(), ...this.timed()].join("\n");
  }

  private counted(): string {
    const { mode, over, factor } = this.verdict;
    const best = this.row(mode);
    if (this.inputs === 0 || this.find("reverse")?.passes === 0)
      return "the result does not depend on the inputs.";
    if (best.operations === 0) return `${this.named(best)}, which takes no operations.`;
    if (over === undefined) return `${this.named(best)} is the only way.`;
    const compressed = mode === "compressedForward" || mode === "compressedReverse";
    const than = compressed ? ` than ${modeName(over)}` : "";
    if (factor < 1.05) return `${this.named(best)}; ${modeName(over)} costs about the same.`;
    return `${this.named(best)}, ${times(factor)} cheaper${than}.`;
  }

  private named({ kind, passes }: ModeRow): string {
    if (kind === "compressedForward") return `sparse, ${plural(passes, "compressed jvp")}`;
    if (kind === "compressedReverse") return `sparse, ${plural(passes, "compressed vjp")}`;
    return modeName(kind as "forward" | "reverse");
  }

  private crossing(): string {
    const { crossover } = this;
    for (const mode of ["forward", "reverse"] as const) {
      if (this.find(mode) === undefined) return `There is no ${modeName(mode)}${this.whyMissing(mode)}.`;
    }
    if (Number.isNaN(crossover)) return "Neither mode has anything to compute.";
    if (crossover === Number.POSITIVE_INFINITY) return "A pass of forward mode costs nothing.";
    if (crossover <= 1) return "Forward mode would not be cheaper even with a single input.";
    const { outputs } = this;
    return `Both would cost the same at ${rounded(crossover)} inputs and ${plural(outputs, "output")}.`;
  }

  private timed(): string[] {
    if (this.device === undefined) return [];
    const { measured } = this.verdict;
    const skipped = this.rows.flatMap(({ label, skipped: why }) =>
      why === undefined ? [] : [`Not measured: ${label}, which ${why}.`],
    );
    if (measured === undefined) return skipped;
    const fastest = this.named(this.row(measured.mode));
    const than = ` than ${this.named(this.row(measured.over))}`;
    const line =
      measured.factor < 1.05
        ? `${fastest} and ${this.named(this.row(measured.over))} take about as long`
        : `${fastest}, ${times(measured.factor)} faster${than}`;
    return [`Measured on ${this.device}: ${line}.`, ...skipped];
  }

  toString(): string {
    const timed = this.device !== undefined;
    const head = ["", "passes", "multiplications", "operations", "bytes moved", "peak memory", "residuals"];
    const lines = this.rows.map((row) => [
      row.label,
      showCount(row.passes),
      si(row.multiplications),
      si(row.operations),
      showBytes(row.bytesMoved),
      showBytes(row.peakBytes),
      row.residuals.count === 0 ? "" : `${showBytes(row.residuals.bytes)} in ${row.residuals.count}`,
      ...(timed ? [row.ms === undefined ? "–" : showTime(row.ms)] : []),
    ]);
    return `${table([[...head, ...(timed ? ["time"] : [])], ...lines])}\n${this.sentence}`;
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * Draws the operations of both modes against the number of inputs, both axes logarithmic, with the crossover: a line for
   * forward mode, whose passes are as many as the inputs, and a level one for reverse mode. Needs the package `echarts`.
   *
   * @returns the text of an SVG file.
   * @throws MissingPackageError if `echarts` is not installed.
   */
  async svg(): Promise<string> {
    const { comparisonPlot } = await import("./picture.js");
    return comparisonPlot(this);
  }
}

const modeName = (mode: "forward" | "reverse"): string => `${mode} mode`;

/** `163,000 times` */
const times = (factor: number): string => `${rounded(factor)} times`;

const isDense = ({ kind }: ModeRow): boolean => kind === "forward" || kind === "reverse";

/** What is shared by all passes, and what each takes. */
function lineOf(operations: number, sharedOperations: number, passes: number) {
  const shared = Math.min(sharedOperations, operations);
  return { shared, perPass: passes === 0 ? 0 : (operations - shared) / passes };
}

/** @throws why there is no way, if there is none. */
function judge(
  rows: readonly (ModeRow & { readonly kind: JacobianMode })[],
  missing: readonly MissingRow[],
): ModeVerdict {
  if (rows.length === 0) throw missing[0].error;
  const byCount = [...rows].sort((a, b) => a.operations - b.operations || a.bytesMoved - b.bytesMoved);
  const [best] = byCount;
  const other = byCount.find((row) => row !== best && isDense(row));
  const byTime = rows.filter((row) => row.ms !== undefined).sort((a, b) => Number(a.ms) - Number(b.ms));
  const next = byTime.slice(1).find(isDense) ?? byTime[1];
  return {
    mode: best.kind,
    over: other?.kind as "forward" | "reverse" | undefined,
    factor: other === undefined ? 1 : ratio(other.operations, best.operations),
    measured:
      next === undefined
        ? undefined
        : { mode: byTime[0].kind, over: next.kind, factor: ratio(Number(next.ms), Number(byTime[0].ms)) },
  };
}

const ratio = (a: number, b: number): number => (a === b ? 1 : a / b);
