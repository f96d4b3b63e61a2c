/** Tables as text: rows under one another, cells of a column in line. */

/**
 * Rows of as many cells each as lines of text.
 *
 * @param isLeft whether a column is aligned to the left; the others are to the right, as figures are.
 */
export function alignColumns(
  rows: readonly (readonly string[])[],
  isLeft: (column: number) => boolean,
): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, k) =>
    Math.max(...rows.map((row) => widthOf(row[k] ?? ""))),
  );
  return rows.map((row) =>
    row
      .map((cell, k) => {
        const space = " ".repeat(widths[k] - widthOf(cell));
        return isLeft(k) ? cell + space : space + cell;
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Characters, not UTF-16 units. */
const widthOf = (text: string): number => [...text].length;

/** 1234567 as `1 234 567`, or with another sign between the groups. */
export function grouped(n: number, separator = " "): string {
  const [whole, ...fraction] = String(n).split(".");
  return [whole.replace(/\B(?=(\d{3})+(?!\d))/g, separator), ...fraction].join(".");
}

/** `1.23 ms` */
export function showTime(ms: number): string {
  for (const [unit, size] of [
    ["s", 1000],
    ["ms", 1],
    ["µs", 0.001],
  ] as const)
    if (ms >= size || unit === "µs") return `${Number((ms / size).toPrecision(3))} ${unit}`;
  return "";
}
