/**
 * Sparsity patterns: which elements of a result can depend on which elements of an input. A pattern says where a matrix may
 * have nonzeros, in compressed rows (CSR); one that says "anywhere" stores nothing.
 *
 * What is computed here is always a superset: where an exact answer would need more entries than a limit, it is "anywhere".
 */
import { ArgumentError, ShapeError } from "./errors.js";

/** Patterns of more entries than this are taken to be full: 16 MB of column numbers. */
export const defaultLimit = 2 ** 22;

/** Full patterns list their entries only up to this many. */
const listable = 2 ** 28;

/** Rows and columns up to which a pattern prints itself as dots. */
const printable = 40;

/**
 * Where a matrix may have nonzeros. Rows are elements of a result, columns elements of an input, both counted in row-major
 * order. Immutable.
 *
 * @example
 * const pattern = SparsityPattern.ofEntries(2, 3, [0, 0, 1], [0, 2, 1]); // entries (0, 0), (0, 2) and (1, 1)
 * pattern.nonzeros; // 3
 * pattern.has(1, 1); // true
 * [...pattern.transposed().indices]; // [0, 1, 0]
 */
export class SparsityPattern {
  private constructor(
    readonly rows: number,
    readonly columns: number,
    private readonly kind: "listed" | "full" | "identity",
    /** Of a full pattern and of the identity the entries are listed when they are asked for. */
    private list?: { readonly offsets: Int32Array; readonly indices: Int32Array },
  ) {}

  // -------------------------------------------------------------------------------------------------------------------
  // Making
  // -------------------------------------------------------------------------------------------------------------------

  /**
   * A pattern from compressed rows: the columns of row i, increasing, are `indices[offsets[i]]` to `indices[offsets[i + 1] - 1]`.
   * The arrays are kept, not copied.
   *
   * @throws ShapeError if the lengths do not fit.
   */
  static ofRows(rows: number, columns: number, offsets: Int32Array, indices: Int32Array): SparsityPattern {
    if (offsets.length !== rows + 1 || offsets[rows] !== indices.length)
      throw new ShapeError(
        `SparsityPattern: ${rows} rows need ${rows + 1} offsets that end with the number of entries (${indices.length}), got ${offsets.length} that end with ${offsets[offsets.length - 1]}`,
      );
    const full = rows > 0 && columns > 0 && indices.length === rows * columns;
    return new SparsityPattern(rows, columns, full ? "full" : "listed", { offsets, indices });
  }

  /** The pattern with nonzeros anywhere. It stores nothing. */
  static all(rows: number, columns: number): SparsityPattern {
    if (rows === 0 || columns === 0) return SparsityPattern.none(rows, columns);
    return new SparsityPattern(rows, columns, "full");
  }

  /** The pattern of a zero matrix. */
  static none(rows: number, columns: number): SparsityPattern {
    return new SparsityPattern(rows, columns, "listed", {
      offsets: new Int32Array(rows + 1),
      indices: new Int32Array(0),
    });
  }

  /** The pattern of the identity. */
  static identity(n: number): SparsityPattern {
    return new SparsityPattern(n, n, "identity");
  }

  /** At most one entry in each row: its column, or -1 for none. */
  static ofSources(sources: Int32Array, columns: number): SparsityPattern {
    const offsets = new Int32Array(sources.length + 1);
    const indices = new Int32Array(sources.length);
    let at = 0;
    for (let i = 0; i < sources.length; i++) {
      if (sources[i] >= 0) indices[at++] = sources[i];
      offsets[i + 1] = at;
    }
    return SparsityPattern.ofRows(sources.length, columns, offsets, indices.subarray(0, at));
  }

  /** A pattern from its entries, in any order, repeated or not: (row, column) pairs in two lists. */
  static ofEntries(
    rows: number,
    columns: number,
    rowOf: ArrayLike<number>,
    columnOf: ArrayLike<number>,
  ): SparsityPattern {
    const offsets = new Int32Array(rows + 1);
    for (let k = 0; k < rowOf.length; k++) offsets[rowOf[k] + 1]++;
    for (let i = 0; i < rows; i++) offsets[i + 1] += offsets[i];
    const next = offsets.slice(0, rows);
    const indices = new Int32Array(rowOf.length);
    for (let k = 0; k < rowOf.length; k++) indices[next[rowOf[k]]++] = columnOf[k];
    return tidyRows(rows, columns, offsets, indices);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Reading
  // -------------------------------------------------------------------------------------------------------------------

  /** Whether every entry may be nonzero, and no list of entries is stored. */
  get isFull(): boolean {
    return this.kind === "full";
  }

  /** Whether no entry is nonzero. */
  get isEmpty(): boolean {
    return this.nonzeros === 0;
  }

  /** Whether it is the identity; false for an identity that was not made as one. @internal */
  get isIdentity(): boolean {
    return this.kind === "identity";
  }

  /** The number of entries that may be nonzero. */
  get nonzeros(): number {
    if (this.kind === "identity") return this.rows;
    return this.kind === "full" ? this.rows * this.columns : this.indices.length;
  }

  /** The share of all entries that may be nonzero, from 0 to 1; 0 where there are no entries. */
  get density(): number {
    const size = this.rows * this.columns;
    return size === 0 ? 0 : this.nonzeros / size;
  }

  /** Where each row begins in `indices`, and behind the last row the number of entries: `rows + 1` numbers. */
  get offsets(): Int32Array {
    return this.listed().offsets;
  }

  /** Columns of all entries, row by row, increasing within a row. */
  get indices(): Int32Array {
    return this.listed().indices;
  }

  private listed(): { readonly offsets: Int32Array; readonly indices: Int32Array } {
    if (this.list !== undefined) return this.list;
    const { rows, columns } = this;
    const width = this.kind === "full" ? columns : 1;
    if (rows * width > listable)
      throw new ArgumentError(
        `SparsityPattern: this one is full, and its ${rows} × ${columns} entries are too many to list; ask isFull first`,
      );
    const offsets = new Int32Array(rows + 1);
    for (let i = 0; i < rows; i++) offsets[i + 1] = (i + 1) * width;
    const indices = new Int32Array(rows * width);
    for (let at = 0; at < indices.length; at++) indices[at] = this.kind === "full" ? at % columns : at;
    this.list = { offsets, indices };
    return this.list;
  }

  /** Whether the entry in row i and column j may be nonzero. False outside of the matrix. */
  has(i: number, j: number): boolean {
    if (!(i >= 0 && i < this.rows && j >= 0 && j < this.columns)) return false;
    if (this.kind === "identity") return i === j;
    if (this.kind === "full") return true;
    const { offsets, indices } = this;
    let from = offsets[i];
    let to = offsets[i + 1];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (indices[middle] < j) from = middle + 1;
      else to = middle;
    }
    return from < offsets[i + 1] && indices[from] === j;
  }

  /** Whether it has every entry of another pattern of the same size. */
  covers(other: SparsityPattern): boolean {
    if (this.isFull || other === this) return true;
    if (other.nonzeros > this.nonzeros) return false;
    for (let i = 0; i < other.rows; i++)
      for (let k = other.offsets[i]; k < other.offsets[i + 1]; k++)
        if (!this.has(i, other.indices[k])) return false;
    return true;
  }

  /** The pattern of the transposed matrix. */
  transposed(): SparsityPattern {
    const { rows, columns } = this;
    if (this.kind === "identity") return this;
    if (this.kind === "full") return SparsityPattern.all(columns, rows);
    const { offsets, indices } = this;
    const begins = new Int32Array(columns + 1);
    for (let k = 0; k < indices.length; k++) begins[indices[k] + 1]++;
    for (let j = 0; j < columns; j++) begins[j + 1] += begins[j];
    const next = begins.slice(0, columns);
    const turned = new Int32Array(indices.length);
    for (let i = 0; i < rows; i++)
      for (let k = offsets[i]; k < offsets[i + 1]; k++) turned[next[indices[k]]++] = i;
    return SparsityPattern.ofRows(columns, rows, begins, turned);
  }

  /** Rows of dots and crosses up to 40 × 40; larger ones tell their size alone. */
  toString(): string {
    const { rows, columns, nonzeros } = this;
    const title = `SparsityPattern(${rows} × ${columns}, ${nonzeros} nonzero${nonzeros === 1 ? "" : "s"}, density ${Number(this.density.toPrecision(3))})`;
    if (rows === 0 || columns === 0 || rows > printable || columns > printable) return title;
    const line = (i: number) =>
      Array.from({ length: columns }, (_, j) => (this.has(i, j) ? "×" : "·")).join(" ");
    return [title, ...Array.from({ length: rows }, (_, i) => line(i))].join("\n");
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Sorts the columns of each row and drops what is there twice. The arrays are used up. */
export function tidyRows(
  rows: number,
  columns: number,
  offsets: Int32Array,
  indices: Int32Array,
): SparsityPattern {
  let at = 0;
  let from = 0;
  for (let i = 0; i < rows; i++) {
    const to = offsets[i + 1];
    sortRange(indices, from, to);
    for (let k = from; k < to; k++)
      if (k === from || indices[k] !== indices[k - 1]) indices[at++] = indices[k];
    from = to;
    offsets[i + 1] = at;
  }
  return SparsityPattern.ofRows(
    rows,
    columns,
    offsets,
    at === indices.length ? indices : indices.slice(0, at),
  );
}

/** Sorts part of a list of numbers. Most rows have a few entries, nearly in order. */
export function sortRange(list: Int32Array, from: number, to: number): void {
  if (to - from > 32) {
    list.subarray(from, to).sort();
    return;
  }
  for (let k = from + 1; k < to; k++) {
    const x = list[k];
    let at = k - 1;
    for (; at >= from && list[at] > x; at--) list[at + 1] = list[at];
    list[at + 1] = x;
  }
}
