/** From measurements to lines: ratios, verdicts, and the tables as text or as Markdown. Pure. */
import { readable } from "../harness.js";
import type { Failure } from "./contract.js";
import type { Factor, ModeRow, Row, Target } from "./rows.js";

export interface Figure {
  /** The median, and the quartiles, in milliseconds. */
  readonly ms: number;
  readonly low: number;
  readonly high: number;
  /** The largest error of the outputs, as a part of the largest value, and whether that is within the work's bound. */
  readonly error: number;
  readonly right: boolean;
}

/** What was measured of one library: by the name of the work, `first:` before it for the first call alone, or `start`. */
export interface Column {
  readonly name: string;
  readonly figures: ReadonlyMap<string, Figure | Failure>;
}

export type Verdict = "" | "met" | "MISSED" | "WRONG" | "FAILED";

export interface Line {
  readonly label: string;
  readonly ours: string;
  readonly best: string;
  readonly ratio: string;
  readonly target: string;
  readonly verdict: Verdict;
  readonly error: string;
  /** What a cell cannot hold: why somebody has no figure, or a wrong one. */
  readonly notes: readonly string[];
}

export const duration = (ms: number): string => (ms < 1 ? `${readable(ms * 1000)} µs` : `${readable(ms)} ms`);

const times = (ratio: number): string => `${ratio.toFixed(ratio < 10 ? 2 : 1)} ×`;

/** A part of the largest value; nothing is more exact than 0. */
export const relativeError = (error: number): string =>
  error === 0 ? "0" : Number.isFinite(error) ? error.toExponential(0) : "∞";

const factorOf = (factor: Factor, relaxed: boolean): number =>
  typeof factor === "number" ? factor : relaxed ? factor.relaxed : factor.plain;

function describe(target: Target | undefined, relaxed: boolean): string {
  if (target === undefined) return "";
  if ("works" in target) return "works";
  return "faster" in target ? `≥ ${factorOf(target.faster, relaxed)} ×` : `≤ ${target.atMost} ×`;
}

const figureIn = (column: Column, key: string | undefined): Figure | undefined => {
  const found = key === undefined ? undefined : column.figures.get(key);
  return found === undefined || "failed" in found ? undefined : found;
};

/** A column's time for a row, or the quotient that the row asks for. */
function valueIn(column: Column, key: string | undefined, over: string | undefined): number | undefined {
  const above = figureIn(column, key)?.ms;
  if (above === undefined || over === undefined) return above;
  const below = figureIn(column, over)?.ms;
  return below === undefined ? undefined : above / below;
}

/**
 * Sets a row of `ours` against the best of the others. Where nobody else has a figure the target is met by having one, unless
 * there are no others at all, and so nothing to judge by.
 */
export function judge(row: Row, ours: Column, others: readonly Column[], relaxed: boolean): Line {
  const { label, over, target } = row;
  const show = over === undefined ? duration : times;
  const own = valueIn(ours, row.ours, over);
  const keyOf = ({ name }: Column): string | undefined =>
    row.theirs !== undefined && name in row.theirs ? row.theirs[name as keyof typeof row.theirs] : row.ours;
  const [best] = others
    .map((column) => ({ name: column.name, value: valueIn(column, keyOf(column), over) }))
    .filter((x): x is { name: string; value: number } => x.value !== undefined)
    .sort((a, b) => a.value - b.value);
  const ratio = own === undefined || best === undefined || over !== undefined ? undefined : best.value / own;
  const figure = figureIn(ours, row.ours);

  const verdict = ((): Verdict => {
    if (own === undefined) return "FAILED";
    if (figure !== undefined && !figure.right) return "WRONG";
    if (target === undefined) return "";
    if ("works" in target) return "met";
    if ("atMost" in target) return own <= target.atMost ? "met" : "MISSED";
    if (ratio === undefined) return others.length === 0 ? "" : "met";
    return ratio >= factorOf(target.faster, relaxed) ? "met" : "MISSED";
  })();

  return {
    label,
    ours: own === undefined ? "–" : show(own),
    best: best === undefined ? "–" : show(best.value) + (others.length > 1 ? ` (${best.name})` : ""),
    ratio: ratio === undefined ? "" : times(ratio),
    target: describe(target, relaxed),
    verdict,
    error: figure === undefined || over !== undefined ? "" : relativeError(figure.error),
    notes:
      over === undefined ? [ours, ...others].flatMap((c) => noteOn(c, c === ours ? row.ours : keyOf(c))) : [],
  };
}

function noteOn({ name, figures }: Column, key: string | undefined): readonly string[] {
  const found = key === undefined ? undefined : figures.get(key);
  if (found === undefined) return [];
  if ("failed" in found) return found.missing ? [] : [`${name}, ${key}: ${found.failed}`];
  return found.right ? [] : [`${name}, ${key}: its relative error is ${relativeError(found.error)}`];
}

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const tableOf = (lines: readonly Line[], ours: string, others: string): Table => ({
  header: ["", ours, others, "ratio", "target", "", "rel. error"],
  rows: lines.map((l) => [l.label, l.ours, l.best, l.ratio, l.target, l.verdict, l.error]),
});

/** The modes on functions of more and more inputs, by one library. */
export function modeTable(rows: readonly ModeRow[], column: Column): Table {
  const of = (key: string | undefined): number | undefined => figureIn(column, key)?.ms;
  const cell = (ms: number | undefined): string => (ms === undefined ? "–" : duration(ms));
  const quotient = (a: number | undefined, b: number | undefined): string =>
    a === undefined || b === undefined ? "–" : times(a / b);
  return {
    header: [
      "inputs",
      "f",
      "one jvp",
      "jvp / f",
      "gradient",
      "gradient / f",
      "by jvps",
      "by jvps / gradient",
    ],
    rows: rows.map((row) => {
      const [f, jvp, grad, forward] = [of(row.f), of(row.jvp), of(row.grad), of(row.jacfwd)];
      return [
        row.label,
        cell(f),
        cell(jvp),
        quotient(jvp, f),
        cell(grad),
        quotient(grad, f),
        cell(forward),
        quotient(forward, grad),
      ];
    }),
  };
}

/** Columns as wide as their widest cells; the first is a text, the others are numbers. */
export function asText({ header, rows }: Table): string {
  const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => row[i].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd();
  const rule = "─".repeat(widths.reduce((a, b) => a + b + 2, -2));
  return [line(header), rule, ...rows.map(line)].join("\n");
}

export function asMarkdown({ header, rows }: Table): string {
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map(line)].join("\n");
}

/** Whether the run has to fail: a result was wrong, or there was none. A target that is missed is only said. */
export const isWrong = (lines: readonly Line[]): boolean =>
  lines.some(({ verdict }) => verdict === "WRONG" || verdict === "FAILED");
