/** Arithmetic of patterns, against that of matrices of booleans. */

import fc from "fast-check";
import { SparsityPattern } from "fluxion/analysis";
import { describe, expect, it } from "vitest";
import { throughRelation } from "../../../src/core/dependence.js";
import {
  besides,
  closure,
  compose,
  cut,
  everyRow,
  everyStep,
  placed,
  selectRows,
  stacked,
  union,
} from "../../../src/core/patternAlgebra.js";

type Matrix = readonly (readonly boolean[])[];

const matrix = (rows: number, columns: number): fc.Arbitrary<Matrix> =>
  fc.array(fc.array(fc.boolean(), { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  });

/** Sparse ones of a few rows and columns, which need not be square. */
const size = fc.integer({ min: 0, max: 6 });

const patternOf = (m: Matrix, columns: number): SparsityPattern => {
  const entries = m.flatMap((row, i) => row.flatMap((is, j) => (is ? [[i, j]] : [])));
  return SparsityPattern.ofEntries(
    m.length,
    columns,
    entries.map(([i]) => i),
    entries.map(([, j]) => j),
  );
};

const matrixOf = (p: SparsityPattern): Matrix =>
  Array.from({ length: p.rows }, (_, i) => Array.from({ length: p.columns }, (__, j) => p.has(i, j)));

/** Rows in order, columns increasing, and as many as it says. */
function expectSound(p: SparsityPattern): void {
  expect(p.offsets.length).toBe(p.rows + 1);
  expect(p.offsets[p.rows]).toBe(p.nonzeros);
  expect(matrixOf(p).flat().filter(Boolean).length).toBe(p.nonzeros);
  for (let i = 0; i < p.rows; i++)
    for (let k = p.offsets[i] + 1; k < p.offsets[i + 1]; k++)
      expect(p.indices[k]).toBeGreaterThan(p.indices[k - 1]);
}

const check = <T>(arbitrary: fc.Arbitrary<T>, property: (x: T) => void): void =>
  fc.assert(fc.property(arbitrary, property), { seed: 7, numRuns: 200 });

const product = (a: Matrix, b: Matrix, columns: number): Matrix =>
  a.map((row) => Array.from({ length: columns }, (_, j) => row.some((is, k) => is && b[k][j])));

describe("patterns", () => {
  it("are what they were made of", () => {
    check(
      fc.tuple(size, size).chain(([m, n]) => matrix(m, n).map((a) => [a, n] as const)),
      ([a, n]) => {
        const p = patternOf(a, n);
        expectSound(p);
        expect(matrixOf(p)).toEqual(a);
        expectSound(p.transposed());
        expect(matrixOf(p.transposed())).toEqual(Array.from({ length: n }, (_, j) => a.map((row) => row[j])));
        expect(p.covers(p)).toBe(true);
        expect(p.isEmpty).toBe(p.nonzeros === 0);
      },
    );
  });

  it("compose as matrices multiply", () => {
    check(
      fc
        .tuple(size, size, size)
        .chain(([m, k, n]) => fc.tuple(matrix(m, k), matrix(k, n), fc.constant([k, n] as const))),
      ([a, b, [k, n]]) => {
        const p = compose(patternOf(a, k), patternOf(b, n));
        expectSound(p);
        expect(matrixOf(p)).toEqual(product(a, b, n));
        // With far more columns than entries another way is taken.
        const wide = compose(patternOf(a, k), placed(patternOf(b, n), k, n + 1000, 0, 900));
        expect(matrixOf(cut(wide, 0, a.length, 900, n))).toEqual(product(a, b, n));
        expectSound(wide);
      },
    );
  });

  it("unite, stack and are cut", () => {
    check(
      fc.tuple(size, size).chain(([m, n]) => fc.tuple(matrix(m, n), matrix(m, n), fc.constant(n))),
      ([a, b, n]) => {
        const [p, q] = [patternOf(a, n), patternOf(b, n)];
        const both = union(p, q);
        expectSound(both);
        expect(matrixOf(both)).toEqual(a.map((row, i) => row.map((is, j) => is || b[i][j])));
        expect(both.covers(p) && both.covers(q)).toBe(true);
        const below = stacked([p, undefined, q], a.length, n);
        expectSound(below);
        expect(matrixOf(below)).toEqual([...a, ...a.map((row) => row.map(() => false)), ...b]);
        const aside = besides(
          [
            { pattern: p, column: 0 },
            { pattern: q, column: n },
          ],
          a.length,
          2 * n,
        );
        expectSound(aside);
        expect(matrixOf(aside)).toEqual(a.map((row, i) => [...row, ...b[i]]));
        expect(matrixOf(cut(aside, 0, a.length, n, n))).toEqual(b);
        expect(matrixOf(everyStep(p, 2))).toEqual(a.map((row) => [...row, ...row]));
        expect(matrixOf(everyRow(p, 3))).toEqual(
          Array.from({ length: 3 }, () => Array.from({ length: n }, (_, j) => a.some((row) => row[j]))),
        );
      },
    );
  });

  it("reach what any number of steps reaches", () => {
    check(
      size.chain((n) => matrix(n, n)),
      (a) => {
        const n = a.length;
        let reached: Matrix = a.map((row, i) => row.map((is, j) => is || i === j));
        for (let k = 0; k < n; k++) reached = product(reached, reached, n);
        expect(matrixOf(closure(patternOf(a, n)))).toEqual(reached);
      },
    );
  });

  it("move rows", () => {
    const p = patternOf(
      [
        [true, false],
        [true, true],
      ],
      2,
    );
    const sources = Int32Array.of(1, -1, 0);
    const moved = [
      [true, true],
      [false, false],
      [true, false],
    ];
    expect(matrixOf(selectRows(p, sources))).toEqual(moved);
    expect(matrixOf(compose(SparsityPattern.ofSources(sources, 2), p))).toEqual(moved);
    expect(matrixOf(selectRows(SparsityPattern.all(2, 1), sources))).toEqual([[true], [false], [true]]);
  });

  it("are full beyond a limit, never less than they should be", () => {
    const dense = SparsityPattern.ofEntries(3, 9, [0, 0, 1, 2], [1, 2, 3, 4]);
    const other = SparsityPattern.ofEntries(3, 9, [0, 1, 2], [5, 6, 7]);
    expect(union(dense, other, 6).isFull).toBe(true);
    expect(union(dense, other, 7).isFull).toBe(false);
    expect(everyRow(dense, 3, 11).isFull).toBe(true);
    expect(selectRows(dense, Int32Array.of(0, 0, 0), 5).isFull).toBe(true);
    expect(compose(SparsityPattern.all(3, 3), dense, 11).isFull).toBe(true);
    expect(stacked([dense, dense], 3, 9, 7).isFull).toBe(true);
    expect(placed(dense, 6, 9, 0, 0, 3).isFull).toBe(true);
  });
});

describe("full and empty patterns", () => {
  it("store nothing, and behave as others", () => {
    const full = SparsityPattern.all(100_000, 100_000);
    expect(full.nonzeros).toBe(1e10);
    expect(full.density).toBe(1);
    expect(full.has(99_999, 0)).toBe(true);
    expect(full.has(100_000, 0)).toBe(false);
    expect(() => full.indices).toThrow(/full, and its 100000 × 100000 entries are too many to list/);
    expect(matrixOf(SparsityPattern.all(2, 2))).toEqual([
      [true, true],
      [true, true],
    ]);
    expect([...SparsityPattern.all(2, 2).indices]).toEqual([0, 1, 0, 1]);
    expect(SparsityPattern.all(0, 5).isFull).toBe(false);
    expect(SparsityPattern.none(2, 3).density).toBe(0);
    expect(SparsityPattern.none(0, 0).density).toBe(0);
    // What depends on nothing does not depend on everything because something else does.
    const some = compose(SparsityPattern.ofEntries(2, 3, [0], [1]), SparsityPattern.all(3, 4));
    expect(matrixOf(some)).toEqual([
      [true, true, true, true],
      [false, false, false, false],
    ]);
    expect(throughRelation("all", SparsityPattern.none(2, 2), 2, 100)?.isEmpty).toBe(true);
  });

  it("refuse lists that do not fit", () => {
    expect(() => SparsityPattern.ofRows(2, 2, Int32Array.of(0, 1), Int32Array.of(0))).toThrow(
      /2 rows need 3 offsets that end with the number of entries \(1\), got 2 that end with 1/,
    );
  });
});

describe("printing", () => {
  it("shows dots and crosses while that is readable, else the size", () => {
    expect(String(SparsityPattern.ofEntries(2, 3, [0, 1], [0, 2]))).toBe(
      "SparsityPattern(2 × 3, 2 nonzeros, density 0.333)\n× · ·\n· · ×",
    );
    expect(String(SparsityPattern.identity(41))).toBe(
      "SparsityPattern(41 × 41, 41 nonzeros, density 0.0244)",
    );
    expect(String(SparsityPattern.none(0, 2))).toBe("SparsityPattern(0 × 2, 0 nonzeros, density 0)");
  });
});
