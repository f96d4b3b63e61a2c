/**
 * Arithmetic of sparsity patterns, each operation a superset of the truth: where a result would need more entries than the
 * limit, it is full. Loops are over typed arrays, since patterns have a million rows.
 */
import { defaultLimit, SparsityPattern, sortRange, tidyRows } from "./pattern.js";

/** So many entries are looked at for each that a pattern may have: a product that takes more is taken to be full. */
const worthwhile = 8;

/** Where either has an entry. Both are of one size. */
export function union(a: SparsityPattern, b: SparsityPattern, limit: number = defaultLimit): SparsityPattern {
  if (a === b || b.isEmpty || a.isFull || (a.isIdentity && b.isIdentity)) return a;
  if (a.isEmpty || b.isFull) return b;
  const { rows, columns } = a;
  const [from, into] = [a.indices, b.indices];
  const offsets = new Int32Array(rows + 1);
  const indices = new Int32Array(from.length + into.length);
  let at = 0;
  for (let i = 0; i < rows; i++) {
    let k = a.offsets[i];
    let l = b.offsets[i];
    const kEnd = a.offsets[i + 1];
    const lEnd = b.offsets[i + 1];
    while (k < kEnd && l < lEnd) {
      const x = from[k];
      const y = into[l];
      indices[at++] = x < y ? x : y;
      if (x <= y) k++;
      if (y <= x) l++;
    }
    while (k < kEnd) indices[at++] = from[k++];
    while (l < lEnd) indices[at++] = into[l++];
    offsets[i + 1] = at;
  }
  if (at > limit) return SparsityPattern.all(rows, columns);
  return SparsityPattern.ofRows(rows, columns, offsets, indices.slice(0, at));
}

/** `union` of what may be absent: nothing is no entry. */
export const unionOf = (
  a: SparsityPattern | undefined,
  b: SparsityPattern | undefined,
  limit?: number,
): SparsityPattern | undefined => (a === undefined ? b : b === undefined ? a : union(a, b, limit));

/** Row i is row `sources[i]`, or has no entry where that is -1. */
export function selectRows(
  pattern: SparsityPattern,
  sources: Int32Array,
  limit: number = defaultLimit,
): SparsityPattern {
  const { columns } = pattern;
  const rows = sources.length;
  if (pattern.isIdentity) return SparsityPattern.ofSources(sources, columns);
  const offsets = new Int32Array(rows + 1);
  let total = 0;
  for (let i = 0; i < rows; i++) {
    const from = sources[i];
    if (from >= 0) total += pattern.isFull ? columns : pattern.offsets[from + 1] - pattern.offsets[from];
    if (total > limit) return SparsityPattern.all(rows, columns);
    offsets[i + 1] = total;
  }
  const indices = new Int32Array(total);
  for (let i = 0; i < rows; i++) {
    const from = sources[i];
    if (from < 0) continue;
    const at = offsets[i];
    if (pattern.isFull) for (let j = 0; j < columns; j++) indices[at + j] = j;
    else
      for (let k = pattern.offsets[from], to = at; k < pattern.offsets[from + 1]; k++)
        indices[to++] = pattern.indices[k];
  }
  return SparsityPattern.ofRows(rows, columns, offsets, indices);
}

/** Every one of so many rows has the columns that some row has. */
export function everyRow(
  pattern: SparsityPattern,
  rows: number,
  limit: number = defaultLimit,
): SparsityPattern {
  const { columns } = pattern;
  if (pattern.isEmpty) return SparsityPattern.none(rows, columns);
  if (pattern.isFull || pattern.isIdentity) return SparsityPattern.all(rows, columns);
  const seen = new Uint8Array(columns);
  const { indices } = pattern;
  for (let k = 0; k < indices.length; k++) seen[indices[k]] = 1;
  let count = 0;
  for (let j = 0; j < columns; j++) count += seen[j];
  if (rows * count > limit || count === columns) return SparsityPattern.all(rows, columns);
  const row = new Int32Array(count);
  for (let j = 0, at = 0; j < columns; j++) if (seen[j] === 1) row[at++] = j;
  const repeated = new Int32Array(rows * count);
  for (let i = 0; i < rows; i++) repeated.set(row, i * count);
  const offsets = new Int32Array(rows + 1);
  for (let i = 0; i < rows; i++) offsets[i + 1] = (i + 1) * count;
  return SparsityPattern.ofRows(rows, columns, offsets, repeated);
}

/**
 * The pattern of a product of matrices: row i has the columns of all rows of `inner` that are columns of row i of `outer`. This
 * is the chain rule for patterns.
 */
export function compose(
  outer: SparsityPattern,
  inner: SparsityPattern,
  limit: number = defaultLimit,
): SparsityPattern {
  if (inner.isIdentity) return outer;
  if (outer.isIdentity) return inner;
  const { rows } = outer;
  const { columns } = inner;
  if (outer.isEmpty || inner.isEmpty) return SparsityPattern.none(rows, columns);
  if (outer.isFull) return everyRow(inner, rows, limit);
  const from = outer.offsets;
  const through = outer.indices;
  if (inner.isFull) {
    // Rows that depend on anything depend on everything.
    const one = Int32Array.from({ length: rows }, (_, i) => (from[i + 1] > from[i] ? 0 : -1));
    return one.includes(-1)
      ? selectRows(SparsityPattern.all(1, columns), one, limit)
      : SparsityPattern.all(rows, columns);
  }
  const innerOffsets = inner.offsets;
  const innerIndices = inner.indices;
  const offsets = new Int32Array(rows + 1);
  let indices = new Int32Array(Math.max(16, Math.min(limit, through.length + innerIndices.length)));
  // The row for which a column was found last: a set that empties itself. Where there are far more columns than entries, what is
  // there twice is dropped after sorting instead.
  const wide = columns > 4 * (through.length + innerIndices.length);
  const seen = new Int32Array(wide ? 0 : columns).fill(-1);
  let at = 0;
  let work = 0;
  for (let i = 0; i < rows; i++) {
    const start = at;
    // A row that has all columns gets no more.
    for (let k = from[i]; k < from[i + 1] && at - start < columns; k++) {
      const r = through[k];
      const end = innerOffsets[r + 1];
      work += end - innerOffsets[r];
      if (at + end - innerOffsets[r] > indices.length) indices = grown(indices, at + end - innerOffsets[r]);
      for (let l = innerOffsets[r]; l < end; l++) {
        const j = innerIndices[l];
        if (!wide) {
          if (seen[j] === i) continue;
          seen[j] = i;
        }
        indices[at++] = j;
      }
    }
    if (at > limit || work > worthwhile * limit) return SparsityPattern.all(rows, columns);
    if (from[i + 1] - from[i] > 1) {
      sortRange(indices, start, at);
      if (wide) at = withoutRepeats(indices, start, at);
    }
    offsets[i + 1] = at;
  }
  return SparsityPattern.ofRows(rows, columns, offsets, indices.slice(0, at));
}

/** Moves the different ones of a sorted range together; gives where they end. */
function withoutRepeats(list: Int32Array, from: number, to: number): number {
  let at = from;
  for (let k = from; k < to; k++) if (k === from || list[k] !== list[k - 1]) list[at++] = list[k];
  return at;
}

function grown(list: Int32Array, needed: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(Math.max(needed, list.length * 2));
  longer.set(list);
  return longer;
}

/** A pattern as part of a larger one: its first entry comes to stand in the given row and column. */
export function placed(
  pattern: SparsityPattern,
  rows: number,
  columns: number,
  row: number,
  column: number,
  limit: number = defaultLimit,
): SparsityPattern {
  if (pattern.rows === rows && pattern.columns === columns) return pattern;
  const total = pattern.nonzeros;
  if (total > limit) return SparsityPattern.all(rows, columns);
  const offsets = new Int32Array(rows + 1);
  for (let i = 0; i <= pattern.rows; i++) offsets[row + i] = pattern.offsets[i];
  offsets.fill(total, row + pattern.rows);
  const indices = column === 0 ? pattern.indices : pattern.indices.map((j) => j + column);
  return SparsityPattern.ofRows(rows, columns, offsets, indices);
}

/** Patterns with as many columns, one below the other; undefined stands for one of `height` rows without entries. */
export function stacked(
  parts: readonly (SparsityPattern | undefined)[],
  height: number,
  columns: number,
  limit: number = defaultLimit,
): SparsityPattern {
  const rows = parts.length * height;
  const total = parts.reduce((sum, part) => sum + (part?.nonzeros ?? 0), 0);
  if (total > limit) return SparsityPattern.all(rows, columns);
  const offsets = new Int32Array(rows + 1);
  const indices = new Int32Array(total);
  let at = 0;
  for (const [p, part] of parts.entries()) {
    const first = p * height;
    if (part !== undefined) indices.set(part.indices, at);
    for (let i = 0; i < height; i++) offsets[first + i + 1] = at + (part?.offsets[i + 1] ?? 0);
    at += part?.nonzeros ?? 0;
  }
  return SparsityPattern.ofRows(rows, columns, offsets, indices);
}

/** Patterns with as many rows, side by side: each with its first column. */
export const besides = (
  parts: readonly { readonly pattern: SparsityPattern; readonly column: number }[],
  rows: number,
  columns: number,
  limit: number = defaultLimit,
): SparsityPattern =>
  recurring(
    parts.map((part) => ({ ...part, step: 0 })),
    1,
    rows,
    columns,
    limit,
  );

/** Entries that come again in each of so many blocks of rows, so many columns further to the right each time. */
export interface Recurring {
  readonly pattern: SparsityPattern;
  readonly column: number;
  readonly step: number;
}

/** Blocks of `height` rows, one for each step, of what comes again in each. */
export function recurring(
  parts: readonly Recurring[],
  steps: number,
  height: number,
  columns: number,
  limit: number = defaultLimit,
): SparsityPattern {
  const rows = steps * height;
  const total = steps * parts.reduce((sum, { pattern }) => sum + pattern.nonzeros, 0);
  if (total > limit) return SparsityPattern.all(rows, columns);
  const offsets = new Int32Array(rows + 1);
  const indices = new Int32Array(total);
  let at = 0;
  for (let t = 0; t < steps; t++)
    for (let i = 0; i < height; i++) {
      for (const { pattern, column, step } of parts)
        for (let k = pattern.offsets[i]; k < pattern.offsets[i + 1]; k++)
          indices[at++] = pattern.indices[k] + column + t * step;
      offsets[t * height + i + 1] = at;
    }
  return tidyRows(rows, columns, offsets, indices);
}

/** The same entries in each of so many blocks of columns: a dependence on some step is one that any step may bring. */
export function everyStep(
  pattern: SparsityPattern,
  steps: number,
  limit: number = defaultLimit,
): SparsityPattern {
  const columns = pattern.columns;
  if (pattern.nonzeros * steps > limit) return SparsityPattern.all(pattern.rows, columns * steps);
  const parts = Array.from({ length: steps }, (_, t) => ({ pattern, column: t * columns }));
  return besides(parts, pattern.rows, columns * steps, limit);
}

/** Part of a pattern: so many rows and columns from the given ones on. */
export function cut(
  pattern: SparsityPattern,
  row: number,
  rows: number,
  column: number,
  columns: number,
): SparsityPattern {
  if (rows === pattern.rows && columns === pattern.columns) return pattern;
  if (pattern.isFull) return SparsityPattern.all(rows, columns);
  const { offsets: from, indices: all } = pattern;
  const offsets = new Int32Array(rows + 1);
  const indices = new Int32Array(from[row + rows] - from[row]);
  let at = 0;
  for (let i = 0; i < rows; i++) {
    for (let k = from[row + i]; k < from[row + i + 1]; k++) {
      const j = all[k] - column;
      if (j >= 0 && j < columns) indices[at++] = j;
    }
    offsets[i + 1] = at;
  }
  return SparsityPattern.ofRows(rows, columns, offsets, indices.slice(0, at));
}

/** What can be reached in any number of steps, none included: patterns of all powers of a square matrix together. */
export function closure(pattern: SparsityPattern, limit: number = defaultLimit): SparsityPattern {
  let reached = union(SparsityPattern.identity(pattern.rows), pattern, limit);
  for (;;) {
    const further = compose(reached, reached, limit);
    if (further.nonzeros === reached.nonzeros) return reached;
    reached = further;
  }
}
