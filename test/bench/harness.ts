/** What a benchmark file exports: cases, each of which measures itself once a round. */
export interface Case {
  readonly name: string;
  readonly unit: string;
  /** One round, in `unit`. */
  readonly measure: () => number | Promise<number>;
  /** Rounds that count, after `warmup` rounds that do not. */
  readonly rounds?: number;
  readonly warmup?: number;
  /** The bound the project holds itself to: at least or at most this much. */
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
  /** Counted, not measured: beyond its bound the run fails. */
  readonly strict?: boolean;
}

export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The median and the quartiles: on a shared machine the mean belongs to whoever else was running. */
export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number => {
    const place = q * (sorted.length - 1);
    const below = sorted[Math.floor(place)]!;
    return below + (place - Math.floor(place)) * (sorted[Math.ceil(place)]! - below);
  };
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** Microseconds per call of `f`, over as many calls as fill about `milliseconds`. What `f` returns is kept, so that it is not optimised away. */
export function microsecondsPerCall(f: () => unknown, milliseconds = 40): number {
  let calls = 1;
  for (;;) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) kept = f();
    const elapsed = performance.now() - start;
    if (elapsed >= milliseconds) return (elapsed * 1000) / calls;
    calls = Math.max(calls * 2, Math.ceil((calls * milliseconds) / Math.max(elapsed, 0.01)));
  }
}

export let kept: unknown;

export async function runCase(c: Case): Promise<Summary> {
  for (let i = 0; i < (c.warmup ?? 3); i++) await c.measure();
  const values: number[] = [];
  for (let i = 0; i < (c.rounds ?? 15); i++) values.push(await c.measure());
  return summarize(values);
}

/** Four significant digits at most, thousands apart. */
export function readable(value: number): string {
  const digits = Math.max(0, 3 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-3))));
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.min(digits, 3) });
}

const isMet = ({ goal }: Case, median: number): boolean =>
  goal === undefined || ("atLeast" in goal ? median >= goal.atLeast : median <= goal.atMost);

export function row(c: Case, { median, low, high }: Summary): readonly string[] {
  const { goal } = c;
  const measured = [c.name, readable(median), c.unit, `${readable(low)} … ${readable(high)}`];
  if (goal === undefined) return [...measured, "", ""];
  const bound = "atLeast" in goal ? `≥ ${readable(goal.atLeast)}` : `≤ ${readable(goal.atMost)}`;
  return [...measured, bound, isMet(c, median) ? "met" : "MISSED"];
}

/** Runs the cases and prints a line for each. */
export async function printCases(cases: readonly Case[]): Promise<void> {
  for (const c of cases) {
    const summary = await runCase(c);
    console.log(line(row(c, summary)));
    if (c.strict && !isMet(c, summary.median)) process.exitCode = 1;
  }
}

const widths = [46, 12, 12, 24, 12, 7];
const toTheRight = [false, true, false, true, true, false];

/** One line of the table. Columns have fixed widths, because every file prints its own rows from its own process. */
export function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => (toTheRight[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
    .join("  ")
    .trimEnd();
}

export const header: readonly string[] = ["", "median", "", "quartiles", "goal", ""];
export const rule: string = "─".repeat(widths.reduce((a, b) => a + b + 2, -2));
