/** How the figures of this entry are written: aligned tables, and numbers with units. */
import { alignColumns, grouped } from "../core/table.js";

export { showTime } from "../core/table.js";

export interface TableOptions {
  /** Columns that are aligned to the left, as words are; figures are aligned to the right. Default: the first. */
  readonly left?: readonly number[];
  /** Spaces in front of each line. Default 0. */
  readonly indent?: number;
}

/** Rows of cells as text, a line for each row; the first row is often one of headings. */
export const table = (
  rows: readonly (readonly string[])[],
  { left = [0], indent = 0 }: TableOptions = {},
): string =>
  alignColumns(rows, (k) => left.includes(k))
    .map((line) => (line === "" ? line : " ".repeat(indent) + line))
    .join("\n");

const prefixes = ["", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q"];

/**
 * A number with an SI prefix: `5.2 M`, `980`, `12.9 k`. Counts below 1000 are written out.
 * Beyond 10³³ it is a power of ten: `4.0e+40`.
 */
export function si(n: number, unit = ""): string {
  if (!Number.isFinite(n)) return `${String(n).replace("Infinity", "∞")}${unit === "" ? "" : ` ${unit}`}`;
  const sign = n < 0 ? "-" : "";
  let size = Math.abs(n);
  let power = 0;
  // 999,960 is 1.0 M, not 1000.0 k.
  while (size >= (power > 0 ? 999.95 : 999.5)) {
    size /= 1000;
    power++;
  }
  if (power >= prefixes.length) return `${n.toExponential(1)}${unit === "" ? "" : ` ${unit}`}`;
  const digits = power === 0 ? String(Number(size.toPrecision(3))) : size.toFixed(1);
  const written = `${prefixes[power]}${unit}`;
  return `${sign}${digits}${written === "" ? "" : ` ${written}`}`;
}

/** A number of bytes, in powers of 1000: `1.9 MB`, `104 B`. */
export const showBytes = (n: number): string => si(n, "B");

/** A whole number in full: `203,530`; from 10¹⁵ on with a prefix. */
export const showCount = (n: number): string => (Math.abs(n) < 1e15 ? grouped(Math.round(n), ",") : si(n));

/** A number to so many significant digits, written out: `163,000`, `1.31`, `0.0042`. */
export function rounded(n: number, digits = 3): string {
  if (!Number.isFinite(n) || Math.abs(n) >= 1e15) return si(n);
  return grouped(Number(n.toPrecision(digits)), ",");
}

/** `1 pass`, `12 passes`, `203,530 inputs`. */
export const plural = (n: number, noun: string, many = `${noun}s`): string =>
  `${showCount(n)} ${n === 1 ? noun : many}`;
