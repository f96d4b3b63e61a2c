import { SparsityPattern } from "fluxion/analysis";
import { describe, expect, it } from "vitest";
import { type Colouring, colourColumns, widestRow } from "../../../src/analysis/jacobian/colouring.js";
import { cheapestCover } from "../../../src/analysis/jacobian/cover.js";
import { colourSymmetric, recovery, symmetrised } from "../../../src/analysis/jacobian/starColouring.js";
import { draws } from "./draws.js";

const patternOf = (
  rows: number,
  columns: number,
  has: (i: number, j: number) => boolean,
): SparsityPattern => {
  const [is, js]: [number[], number[]] = [[], []];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      if (has(i, j)) {
        is.push(i);
        js.push(j);
      }
  return SparsityPattern.ofEntries(rows, columns, is, js);
};

/** No two columns of one colour have an entry in the same row, and all with entries have a colour. */
function checkColouring(pattern: SparsityPattern, { count, colours }: Colouring): void {
  for (let i = 0; i < pattern.rows; i++) {
    const own = Array.from(
      pattern.indices.subarray(pattern.offsets[i], pattern.offsets[i + 1]),
      (j) => colours[j]!,
    );
    expect(new Set(own).size).toBe(own.length);
    for (const c of own) {
      expect(c).toBeGreaterThanOrEqual(0);
      expect(c).toBeLessThan(count);
    }
  }
}

describe("colours of columns", () => {
  it.each([
    ["a diagonal", 1, patternOf(9, 9, (i, j) => i === j)],
    ["a tridiagonal matrix", 3, patternOf(50, 50, (i, j) => Math.abs(i - j) <= 1)],
    ["a band of 7", 7, patternOf(60, 60, (i, j) => Math.abs(i - j) <= 3)],
    ["a ring", 3, patternOf(30, 30, (i, j) => (i - j + 31) % 30 <= 2)],
    ["blocks", 5, patternOf(40, 40, (i, j) => Math.floor(i / 5) === Math.floor(j / 5))],
    ["a full row", 20, patternOf(20, 20, (i, j) => i === 0 || i === j)],
    ["a full column", 2, patternOf(20, 20, (i, j) => j === 0 || i === j)],
    ["nothing", 0, patternOf(4, 6, () => false)],
    ["a full matrix", 45, SparsityPattern.all(3, 45)],
    ["more than 32 colours", 40, patternOf(80, 80, (i, j) => Math.floor(i / 40) === Math.floor(j / 40))],
  ])("%s: %i", (_, count, pattern) => {
    const colouring = colourColumns(pattern);
    expect(colouring.count).toBe(count);
    checkColouring(pattern, colouring);
  });

  it("leaves columns without entries without a colour", () => {
    expect([...colourColumns(patternOf(3, 4, (i, j) => j === 2 && i === 0)).colours]).toEqual([
      -1, -1, 0, -1,
    ]);
  });

  it("hold for any pattern, and are at least as many as the entries of a row", () => {
    const random = draws(7);
    for (let k = 0; k < 60; k++) {
      const [rows, columns, density] = [1 + random(30), 1 + random(70), 1 + random(12)];
      const pattern = patternOf(rows, columns, () => random(density + 1) === 0);
      const colouring = colourColumns(pattern);
      checkColouring(pattern, colouring);
      expect(colouring.count).toBeGreaterThanOrEqual(widestRow(pattern));
    }
  });

  it("takes the order that needs fewest: an arrangement in which the natural order is not best", () => {
    // The crown: pairs of columns that do not meet come one after another, and so get a colour each, or one for both.
    const n = 8;
    const pairs: [number, number][] = [];
    for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) if (a !== b) pairs.push([a, n + b]);
    const crown = (order: (v: number) => number) =>
      SparsityPattern.ofEntries(
        pairs.length,
        2 * n,
        pairs.flatMap((_, k) => [k, k]),
        pairs.flatMap(([a, b]) => [order(a), order(b)]),
      );
    const worst = crown((v) => (v < n ? 2 * v : 2 * (v - n) + 1));
    const colouring = colourColumns(worst);
    checkColouring(worst, colouring);
    expect(colouring.count).toBe(2);
    expect(["smallest last", "incidence degree"]).toContain(colouring.order);
  });
});

describe("star colourings", () => {
  /** A path of four vertices may not have two colours, and neighbours differ. */
  function checkStars(pattern: SparsityPattern, colours: Int32Array): void {
    const n = pattern.rows;
    const meets = (a: number, b: number) => a !== b && pattern.has(a, b);
    for (let a = 0; a < n; a++)
      for (let b = 0; b < n; b++)
        if (meets(a, b)) {
          expect(colours[a]).not.toBe(colours[b]);
          for (let c = 0; c < n; c++)
            if (c !== a && meets(b, c) && colours[a] === colours[c])
              for (let d = 0; d < n; d++)
                if (d !== b && d !== a && meets(c, d)) expect(colours[b] === colours[d]).toBe(false);
        }
  }

  /** Every entry of a symmetric matrix is found in the products with the sums of columns of a colour. */
  function checkRecovery(pattern: SparsityPattern, colours: Int32Array, count: number): void {
    const value = (i: number, j: number) => 1 + Math.min(i, j) * 1000 + Math.max(i, j);
    const products = Array.from({ length: count }, (_, c) =>
      Array.from({ length: pattern.rows }, (__, i) => {
        let sum = 0;
        for (let j = 0; j < pattern.rows; j++) if (colours[j] === c && pattern.has(i, j)) sum += value(i, j);
        return sum;
      }),
    );
    const { row, colour } = recovery(pattern, { colours });
    for (let i = 0; i < pattern.rows; i++)
      for (let k = pattern.offsets[i]!; k < pattern.offsets[i + 1]!; k++)
        expect(products[colour[k]!]![row[k]!]).toBe(value(i, pattern.indices[k]!));
  }

  it.each([
    ["an arrow", 2, patternOf(30, 30, (i, j) => i === j || i === 0 || j === 0)],
    ["an arrow of three heads", 4, patternOf(30, 30, (i, j) => i === j || i < 3 || j < 3)],
    ["a tridiagonal matrix", 3, patternOf(40, 40, (i, j) => Math.abs(i - j) <= 1)],
    ["a diagonal", 1, patternOf(5, 5, (i, j) => i === j)],
    ["a full matrix", 12, patternOf(12, 12, () => true)],
  ])("%s: %i", (_, count, pattern) => {
    const colouring = colourSymmetric(pattern);
    expect(colouring.count).toBe(count);
    checkRecovery(pattern, colouring.colours, colouring.count);
    if (colouring.symmetric) checkStars(pattern, colouring.colours);
  });

  it("an arrow of 100,000 takes no longer than its entries", () => {
    const n = 100_000;
    const [is, js]: [number[], number[]] = [[], []];
    for (let i = 0; i < n; i++) {
      is.push(i, i, 0);
      js.push(i, 0, i);
    }
    const arrow = SparsityPattern.ofEntries(n, n, is, js);
    expect(colourSymmetric(arrow).count).toBe(2);
    // And no memory for as many colours as it has columns, if it is not seen as symmetric.
    expect(colourColumns(arrow).count).toBe(n);
  });

  it("hold for any symmetric pattern", () => {
    const random = draws(11);
    for (let k = 0; k < 40; k++) {
      const n = 2 + random(20);
      const sparse = 2 + random(8);
      const chosen = Array.from({ length: n * n }, () => random(sparse) === 0);
      const pattern = patternOf(n, n, (i, j) =>
        i === j ? chosen[i]! : chosen[Math.min(i, j) * n + Math.max(i, j)]!,
      );
      const { colours, count, symmetric } = colourSymmetric(pattern);
      checkRecovery(pattern, colours, count);
      if (symmetric) checkStars(pattern, colours);
    }
  });

  it("an entry without its mirror image cannot be in a symmetric matrix", () => {
    const pattern = symmetrised(
      patternOf(4, 4, (i, j) => i === j || (i === 0 && j > 0) || (i === 2 && j === 0)),
    );
    expect([...pattern.indices]).toEqual([0, 2, 1, 0, 2, 3]);
  });
});

describe("the cheapest cover", () => {
  /** By trying all. */
  function cheapest(
    marked: readonly boolean[][],
    rows: readonly number[],
    columns: readonly number[],
  ): number {
    let best = Number.POSITIVE_INFINITY;
    for (let set = 0; set < 1 << (rows.length + columns.length); set++) {
      const hasRow = (o: number) => ((set >> o) & 1) === 1;
      const hasColumn = (i: number) => ((set >> (rows.length + i)) & 1) === 1;
      if (!marked.every((row, o) => row.every((is, i) => !is || hasRow(o) || hasColumn(i)))) continue;
      const weight = [
        ...rows.map((w, o) => (hasRow(o) ? w : 0)),
        ...columns.map((w, i) => (hasColumn(i) ? w : 0)),
      ];
      best = Math.min(
        best,
        weight.reduce((a, b) => a + b, 0),
      );
    }
    return best;
  }

  it("is as cheap as the best of all, and covers everything", () => {
    const random = draws(3);
    for (let k = 0; k < 80; k++) {
      const [m, n] = [1 + random(5), 1 + random(5)];
      const marked = Array.from({ length: m }, () => Array.from({ length: n }, () => random(2) === 0));
      const rows = Array.from({ length: m }, () => random(20));
      const columns = Array.from({ length: n }, () => random(20));
      const cover = cheapestCover(marked, rows, columns);
      expect(marked.every((row, o) => row.every((is, i) => !is || cover.rows[o] || cover.columns[i]))).toBe(
        true,
      );
      const weight = [
        ...rows.map((w, o) => (cover.rows[o] ? w : 0)),
        ...columns.map((w, i) => (cover.columns[i] ? w : 0)),
      ].reduce((a, b) => a + b, 0);
      expect(weight).toBe(cheapest(marked, rows, columns));
    }
  });
});
