/** Explanations as text and data: why a function was traced, and why values are stored between the steps of a program. */
import { FluxionError } from "../core/errors.js";
import type { Boundary, LoweredStep } from "../core/lowered.js";
import { showChange, type TraceReason } from "./traces.js";

/** `1.5 KiB` */
export function showBytes(bytes: number): string {
  for (const [unit, size] of [
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
  ] as const)
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${unit}`;
  return `${bytes} B`;
}

/** Why values are stored between the steps of a program. Prints as text. */
export class FusionExplanation {
  /** @internal */
  constructor(
    private readonly steps: readonly LoweredStep[],
    /** One for each value that one step stores and another reads; those of bodies are with the bodies. */
    readonly boundaries: readonly Boundary[],
  ) {}

  /** @internal */
  get lines(): readonly string[] {
    return [...showBoundaries(this.steps, this.boundaries), ...insideOf(this.steps)];
  }

  toString(): string {
    const { lines } = this;
    return lines.length === 0 ? "no value is stored between steps" : lines.join("\n");
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function showBoundaries(steps: readonly LoweredStep[], boundaries: readonly Boundary[]): string[] {
  return boundaries.flatMap(({ value, bytes, from, to, reasons }) => {
    const made = value.source === undefined ? "" : ` (at ${value.source})`;
    return [
      `${value.primitive} ${value.type}${made}, ${showBytes(bytes)}: ` +
        `stored by ${from}. ${steps[from].name}, read by ${to}. ${steps[to].name}`,
      ...reasons.map((reason) => `  ${reason}`),
    ];
  });
}

/** The same for the bodies of branches and loops. */
const insideOf = (steps: readonly LoweredStep[]): string[] =>
  steps.flatMap((step, i) =>
    step.kind !== "control"
      ? []
      : step.bodies.flatMap((body) => {
          const lines = [...showBoundaries(body.steps, body.boundaries()), ...insideOf(body.steps)];
          return lines.length === 0
            ? []
            : [`in ${i}. ${step.name}, ${body.name}:`, ...lines.map((line) => `  ${line}`)];
        }),
  );

/** One time that a jitted function was traced. */
export interface TraceExplanation extends TraceReason {
  /**
   * Why values are stored between the steps of the program that was made then; undefined if that is no longer kept. It is
   * lowered for this, so the errors of `lower` may be thrown.
   */
  fusion(): FusionExplanation | undefined;
}

/** Why a jitted function was traced as often as it was. Prints as text. */
export class JitExplanation {
  /** @internal */
  constructor(
    private readonly label: string,
    /** How often the function was traced in all. */
    readonly count: number,
    /** The traces that are remembered, the first one first. */
    readonly traces: readonly TraceExplanation[],
  ) {}

  toString(): string {
    const { label, count, traces } = this;
    const lines = [`${label} was traced ${count === 1 ? "once" : `${count} times`}`];
    if (traces.length < count) lines.push(`  (the first ${count - traces.length} are forgotten)`);
    const known = new Map<string, number>();
    for (const { number, calledAt, nearest, changes, fusion } of traces) {
      const against = nearest === undefined ? "" : ` unlike trace ${nearest}`;
      const where = calledAt === undefined ? "" : ` (at ${calledAt})`;
      lines.push(`${number}.${number === 1 ? " the first" : against}${where}`);
      lines.push(...changes.map((change) => `   ${showChange(change)}`));
      const boundaries = inLines(fusion);
      // Programs for other shapes mostly have the same boundaries.
      const outline = boundaries.join("\n").replaceAll(/\d+/g, "");
      const same = known.get(outline);
      if (boundaries.length === 0) continue;
      lines.push(
        ...(same === undefined ? boundaries : [`as in trace ${same}`]).map((line) => `   | ${line}`),
      );
      if (same === undefined) known.set(outline, number);
    }
    return lines.join("\n");
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function inLines(fusion: TraceExplanation["fusion"]): readonly string[] {
  try {
    return fusion()?.lines ?? [];
  } catch (error) {
    if (error instanceof FluxionError) return [`it cannot be compiled: ${error.message}`];
    throw error;
  }
}
