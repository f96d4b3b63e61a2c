/**
 * Colours for the columns of a sparse matrix: columns that share no row can be had from one product with the matrix, since
 * each row of the product then holds an entry of one of them (Curtis, Powell & Reid, "On the estimation of sparse Jacobian
 * matrices", 1974).
 *
 * Few colours are found greedily. How few depends on the order of the columns: as they come is best for bands; largest
 * first, smallest last and incidence degree are those of Coleman & Moré, "Estimation of sparse Jacobian matrices and graph
 * coloring problems", 1983. (Gebremedhin, Manne & Pothen, "What color is your Jacobian?", 2005, section 3.)
 */
import type { SparsityPattern } from "../../core/pattern.js";

export type ColouringOrder = "natural" | "largest first" | "smallest last" | "incidence degree";

export interface Colouring {
  readonly count: number;
  /** The colour of each column; -1 for those without entries, which need none. */
  readonly colours: Int32Array;
  /** How the columns were gone through. */
  readonly order: ColouringOrder;
}

/** Orders that look at all pairs of columns with a row in common are not worth more than so many pairs. */
const mostPairs = 2 ** 22;

/** With so many colours in so many rows that their bits take more than 256 MB, little would be saved. */
const mostWords = 2 ** 26;

const eachItsOwn = (columns: number): Colouring => ({
  count: columns,
  colours: naturalOrder(columns),
  order: "natural",
});

/**
 * A colouring of the columns in which no two of one colour have an entry in the same row; the best of several.
 *
 * @param transposed the pattern of the transposed matrix, if it is at hand.
 */
export function colourColumns(
  pattern: SparsityPattern,
  transposed: SparsityPattern = pattern.transposed(),
): Colouring {
  // The columns with an entry in one row all differ.
  const bound = widestRow(pattern);
  if (pattern.rows * ((bound >>> 5) + 1) > mostWords) return eachItsOwn(pattern.columns);
  let best = colourGreedily(pattern, transposed, bound, naturalOrder(pattern.columns), "natural");
  if (best.count === bound) return best;
  const consider = (order: ColouringOrder, columns: Int32Array): void => {
    const found = colourGreedily(pattern, transposed, bound, columns, order);
    if (found.count < best.count) best = found;
  };
  consider("largest first", byDegree(pattern, transposed));
  if (best.count === bound || pairsOf(pattern) > mostPairs) return best;
  for (const order of ["smallest last", "incidence degree"] as const)
    if (best.count > bound) consider(order, dynamicOrder(pattern, transposed, order));
  return best;
}

/** The most entries of a row: no colouring has fewer colours. */
export function widestRow(pattern: SparsityPattern): number {
  if (pattern.isFull) return pattern.columns;
  const { rows, offsets } = pattern;
  let most = 0;
  for (let i = 0; i < rows; i++) most = Math.max(most, offsets[i + 1] - offsets[i]);
  return most;
}

/** Pairs of entries in one row. */
function pairsOf({ rows, offsets }: SparsityPattern): number {
  let pairs = 0;
  for (let i = 0; i < rows; i++) pairs += (offsets[i + 1] - offsets[i]) ** 2;
  return pairs;
}

/**
 * Gives each column in turn the first colour that no row of it has yet. Each row has a bit for every colour, so that this
 * takes as many steps as there are entries, times a word for each 32 colours.
 */
function colourGreedily(
  pattern: SparsityPattern,
  transposed: SparsityPattern,
  bound: number,
  columns: Int32Array,
  order: ColouringOrder,
): Colouring {
  const { offsets, indices } = transposed;
  let words = (bound >>> 5) + 1;
  let used = new Uint32Array(pattern.rows * words);
  const colours = new Int32Array(pattern.columns).fill(-1);
  let count = 0;
  for (const j of columns) {
    const from = offsets[j];
    const to = offsets[j + 1];
    if (from === to) continue;
    let colour = -1;
    for (let w = 0; w < words && colour < 0; w++) {
      let taken = 0;
      for (let k = from; k < to; k++) taken |= used[indices[k] * words + w];
      if (~taken !== 0) colour = 32 * w + 31 - Math.clz32(~taken & -~taken);
    }
    if (colour < 0) {
      colour = 32 * words;
      used = widened(used, words, 2 * words);
      words *= 2;
    }
    const bit = 1 << (colour & 31);
    for (let k = from; k < to; k++) used[indices[k] * words + (colour >>> 5)] |= bit;
    colours[j] = colour;
    if (colour >= count) count = colour + 1;
  }
  return { count, colours, order };
}

function widened(bits: Uint32Array, words: number, more: number): Uint32Array<ArrayBuffer> {
  const rows = bits.length / words;
  const wide = new Uint32Array(rows * more);
  for (let i = 0; i < rows; i++) for (let w = 0; w < words; w++) wide[i * more + w] = bits[i * words + w];
  return wide;
}

const naturalOrder = (n: number): Int32Array => Int32Array.from({ length: n }, (_, j) => j);

/** The columns with the most entries beside theirs first; a column that meets another in two rows counts it twice. */
function byDegree(pattern: SparsityPattern, transposed: SparsityPattern): Int32Array {
  const degrees = new Float64Array(pattern.columns);
  const { offsets } = pattern;
  const { offsets: begins, indices } = transposed;
  for (let j = 0; j < pattern.columns; j++)
    for (let k = begins[j]; k < begins[j + 1]; k++)
      degrees[j] += offsets[indices[k] + 1] - offsets[indices[k]] - 1;
  return naturalOrder(pattern.columns).sort((a, b) => degrees[b] - degrees[a] || a - b);
}

/**
 * Smallest last: the column that meets the fewest of those left goes to the end, again and again. Incidence degree: next
 * comes the column that meets the most of those before it.
 */
function dynamicOrder(
  pattern: SparsityPattern,
  transposed: SparsityPattern,
  order: "smallest last" | "incidence degree",
): Int32Array {
  const n = pattern.columns;
  const last = order === "smallest last";
  const met = new Int32Array(n).fill(-1);
  /** Calls `visit` on each column that shares a row with column j. */
  const neighbours = (j: number, visit: (other: number) => void): void => {
    met[j] = j;
    for (let k = transposed.offsets[j]; k < transposed.offsets[j + 1]; k++) {
      const i = transposed.indices[k];
      for (let l = pattern.offsets[i]; l < pattern.offsets[i + 1]; l++) {
        const other = pattern.indices[l];
        if (met[other] === j) continue;
        met[other] = j;
        visit(other);
      }
    }
  };
  const keys = new Int32Array(n);
  if (last)
    for (let j = 0; j < n; j++)
      neighbours(j, () => {
        keys[j]++;
      });
  met.fill(-1);
  const queue = new Buckets(keys);
  const columns = new Int32Array(n);
  for (let k = 0; k < n; k++) {
    const j = last ? queue.takeLeast() : queue.takeMost();
    columns[last ? n - 1 - k : k] = j;
    neighbours(j, (other) => {
      if (queue.has(other)) queue.change(other, last ? -1 : 1);
    });
  }
  return columns;
}

/** Columns by a small key that changes by one: lists for each key, doubly linked. */
class Buckets {
  private readonly heads: Int32Array;
  private readonly next: Int32Array;
  private readonly before: Int32Array;
  private readonly taken: Uint8Array;
  private at = 0;

  constructor(private readonly keys: Int32Array) {
    const n = keys.length;
    this.heads = new Int32Array(n + 1).fill(-1);
    this.next = new Int32Array(n);
    this.before = new Int32Array(n);
    this.taken = new Uint8Array(n);
    // The first column is put in last, so that it comes out first among equals.
    for (let j = n - 1; j >= 0; j--) this.put(j);
  }

  has(j: number): boolean {
    return this.taken[j] === 0;
  }

  change(j: number, by: 1 | -1): void {
    this.remove(j);
    this.keys[j] += by;
    this.put(j);
  }

  takeLeast(): number {
    // Between two calls keys fall by one, those of columns that met the one that was taken.
    if (this.at > 0) this.at--;
    while (this.heads[this.at] < 0) this.at++;
    return this.take();
  }

  takeMost(): number {
    this.at++;
    while (this.heads[this.at] < 0) this.at--;
    return this.take();
  }

  private take(): number {
    const j = this.heads[this.at];
    this.remove(j);
    this.taken[j] = 1;
    return j;
  }

  private put(j: number): void {
    const key = this.keys[j];
    const head = this.heads[key];
    this.next[j] = head;
    this.before[j] = -1;
    if (head >= 0) this.before[head] = j;
    this.heads[key] = j;
  }

  private remove(j: number): void {
    const [before, next] = [this.before[j], this.next[j]];
    if (before >= 0) this.next[before] = next;
    else this.heads[this.keys[j]] = next;
    if (next >= 0) this.before[next] = before;
  }
}
