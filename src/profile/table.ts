/** A profile as a table. */
import { alignColumns, showTime } from "../core/table.js";
import type { KernelRow, ProfilePhase, ProfileReport, ProfileRow } from "./report.js";

/** Rows of the calls before the measured ones. */
const rowsOfWarmup = 12;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Three digits, or nothing for nothing. */
const rate = (x: number): string => (x > 0 ? String(Number(x.toPrecision(3))) : "");

const heads = ["share", "total", "median", "calls", "items", "GB/s", "GFLOP/s", ""];

/** What a row is about. */
function subject(row: ProfileRow | KernelRow): string {
  if (!("program" in row)) return row.kind === "call" ? row.name : `${row.kind} ${row.name}`;
  if (row.kind === "operation") return `operation ${row.name}`;
  const place = row.position === undefined ? row.name : `${row.position}. ${row.name}`;
  const inside = row.inside === "" ? "" : `in ${row.inside}: `;
  const source = row.source === undefined ? "" : `  (${row.source.split("/").at(-1)})`;
  return `${row.program === "" ? "" : `${row.program}  `}${inside}${place}${source}`;
}

function cells(row: ProfileRow | KernelRow): string[] {
  const { share, totalMs, medianMs, calls } = row;
  const own =
    "program" in row
      ? [row.items === undefined ? "" : String(row.items), rate(row.gigabytesPerSecond), rate(row.gigaflops)]
      : ["", "", ""];
  return [percent(share), showTime(totalMs), showTime(medianMs), String(calls), ...own, subject(row)];
}

/** Aligned to the right, but for the last column. */
const align = (lines: readonly (readonly string[])[]): string[] =>
  alignColumns(lines, (k) => k === heads.length - 1);

function rowsOf({ kernels, host, wallMs }: ProfilePhase, most: number): string[] {
  const all = [...kernels, ...host].sort((x, y) => y.totalMs - x.totalMs);
  if (wallMs === 0) return [];
  const shown = all.slice(0, most);
  const rest = all.slice(most);
  const left = rest.reduce((sum, { share }) => sum + share, 0);
  return [
    ...align([heads, ...shown.map(cells)]),
    ...(rest.length === 0 ? [] : [`and ${rest.length} more, ${percent(left)}`]),
  ];
}

const clocks = {
  host: "",
  timestamps: "; kernels by the clock of the GPU",
  submissions: "; this GPU has no clock for kernels, so what was submitted at once is one row",
};

const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

export function table(report: ProfileReport, rows: number): string {
  const { calls, device, medianMs, wallMs, kernels, kernelClock, warmup, overlapMs } = report;
  const inKernels = kernels.reduce((sum, { share }) => sum + share, 0);
  const overlap =
    overlapMs === 0 ? "" : `; ${showTime(overlapMs)} of the GPU's work ran beside that of the host`;
  return [
    `${plural(calls, "call")} on ${device}, ${showTime(wallMs / calls)} each (median ${showTime(medianMs)}), ` +
      `${percent(inKernels)} in kernels${clocks[kernelClock]}${overlap}`,
    ...rowsOf(report, rows),
    ...(warmup.calls === 0
      ? []
      : [
          `before that ${plural(warmup.calls, "call")} in ${showTime(warmup.wallMs)}`,
          ...rowsOf(warmup, rowsOfWarmup),
        ]),
  ].join("\n");
}
