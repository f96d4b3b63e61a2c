/**
 * Colours for a symmetric matrix: a star colouring, in which neighbours differ and every path of four vertices has three
 * colours. Then two colours together induce stars, so that of the entries (i, j) and (j, i) at least one can be read off the
 * products with the sums of the columns of each colour (Coleman & Moré, "Estimation of sparse Hessian matrices and graph
 * coloring problems", 1984; Gebremedhin, Manne & Pothen, "What color is your Jacobian?", 2005, section 4). An arrow matrix,
 * which has no two columns without a row in common, takes two.
 */
import { SparsityPattern } from "../../core/pattern.js";
import { colourColumns, widestRow } from "./colouring.js";

export interface StarColouring {
  readonly count: number;
  /** The colour of each column; -1 for those without entries. */
  readonly colours: Int32Array;
  /** Whether symmetry was made use of, or the columns are coloured as those of any matrix. */
  readonly symmetric: boolean;
}

/** A search may look at so many paths; vertices with more neighbours than that allows get a colour of their own. */
const mostPaths = 2 ** 26;

/** A star colouring of a symmetric pattern, the best of several. */
export function colourSymmetric(pattern: SparsityPattern): StarColouring {
  let best: StarColouring = {
    count: pattern.rows,
    colours: Int32Array.from({ length: pattern.rows }, (_, j) => j),
    symmetric: false,
  };
  if (pattern.isFull) return best;
  for (const hubs of candidateHubs(pattern)) {
    const found = colourStars(pattern, hubs);
    if (found.count <= best.count) best = found;
  }
  if (widestRow(pattern) > best.count) return best;
  // As many colours without use of symmetry are as good, and the entries are read where they are.
  const { count, colours } = colourColumns(pattern, pattern);
  return count <= best.count ? { count, colours, symmetric: false } : best;
}

/**
 * Sets of vertices to get a colour of their own: a path through one has that colour once, so it cannot be wrong, and the
 * rest of the graph is what is left to colour. None at all, where that is not too much work; those with far more neighbours
 * than most; and those with so many that the rest would be too much work.
 */
function candidateHubs(pattern: SparsityPattern): Uint8Array[] {
  const n = pattern.rows;
  const degrees = Int32Array.from({ length: n }, (_, i) => pattern.offsets[i + 1] - pattern.offsets[i]);
  const widest = widestRow(pattern);
  const median = degrees.slice().sort()[n >>> 1] ?? 0;
  const found: Uint8Array[] = [];
  const seen = new Set<number>();
  let limit = Number.POSITIVE_INFINITY;
  for (const most of [Number.POSITIVE_INFINITY, 8 * median + 8, 2 * median + 2]) {
    limit = Math.min(limit, most);
    let hubs = above(degrees, limit);
    while (pathsOf(pattern, degrees, hubs) > mostPaths) {
      limit = Math.min(limit, widest) / 2;
      hubs = above(degrees, limit);
    }
    const count = hubs.reduce((sum, isHub) => sum + isHub, 0);
    if (seen.has(count)) continue;
    seen.add(count);
    found.push(hubs);
  }
  return found;
}

const above = (degrees: Int32Array, limit: number): Uint8Array =>
  Uint8Array.from(degrees, (d) => (d > limit ? 1 : 0));

/** How many paths of four vertices the search will look at, at most. */
function pathsOf({ offsets, indices }: SparsityPattern, degrees: Int32Array, hubs: Uint8Array): number {
  let paths = 0;
  for (let w = 0; w < degrees.length; w++) {
    if (hubs[w]) continue;
    let further = 0;
    for (let k = offsets[w]; k < offsets[w + 1]; k++) if (!hubs[indices[k]]) further += degrees[indices[k]];
    paths += degrees[w] * further;
  }
  return paths;
}

/** Vertices with the most neighbours first, each with the first colour that makes no path of four with two colours. */
function colourStars({ rows: n, offsets, indices }: SparsityPattern, hubs: Uint8Array): StarColouring {
  const colours = new Int32Array(n).fill(-1);
  const order = Int32Array.from({ length: n }, (_, i) => i)
    .filter((i) => !hubs[i] && offsets[i + 1] > offsets[i])
    .sort((a, b) => offsets[b + 1] - offsets[b] - (offsets[a + 1] - offsets[a]) || a - b);
  /** For which vertex a colour was last forbidden. */
  const forbidden = new Int32Array(n + 1).fill(-1);
  /** Of which vertex a colour is that of two neighbours. */
  const repeated = new Int32Array(n + 1).fill(-1);
  let count = 0;
  for (const v of order) {
    for (let k = offsets[v]; k < offsets[v + 1]; k++) {
      const own = indices[k] === v ? -1 : colours[indices[k]];
      if (own < 0) continue;
      if (forbidden[own] === v) repeated[own] = v;
      forbidden[own] = v;
    }
    for (let k = offsets[v]; k < offsets[v + 1]; k++) {
      const w = indices[k];
      if (w === v || hubs[w]) continue;
      const own = colours[w];
      for (let l = offsets[w]; l < offsets[w + 1]; l++) {
        const x = indices[l];
        if (x === v || x === w || colours[x] < 0) continue;
        // v and x may have one colour on both sides of w if neither has another neighbour of the colour of w, which one that
        // has no colour yet might get.
        if (own < 0 || repeated[own] === v || hasOther(x, w, own)) forbidden[colours[x]] = v;
      }
    }
    let colour = 0;
    while (forbidden[colour] === v) colour++;
    colours[v] = colour;
    if (colour >= count) count = colour + 1;
  }
  for (let i = 0; i < n; i++) if (hubs[i]) colours[i] = count++;
  return { count, colours, symmetric: true };

  /** Whether x has a neighbour beside w of a colour. */
  function hasOther(x: number, w: number, colour: number): boolean {
    for (let k = offsets[x]; k < offsets[x + 1]; k++) {
      const y = indices[k];
      if (y !== w && y !== x && colours[y] === colour) return true;
    }
    return false;
  }
}

/**
 * For each entry (i, j) of a symmetric pattern, row by row, where its value is read: `row` of the product for `colour`. That is
 * row i for the colour of j, unless another column of that colour has an entry in row i; then it is row j for that of i.
 */
export function recovery(
  pattern: SparsityPattern,
  { colours }: Pick<StarColouring, "colours">,
): { readonly row: Int32Array; readonly colour: Int32Array } {
  const { rows, offsets, indices, nonzeros } = pattern;
  const row = new Int32Array(nonzeros);
  const colour = new Int32Array(nonzeros);
  /** In which row a colour was last met, and whether more than once. */
  const metIn = new Int32Array(rows + 1).fill(-1);
  const twice = new Uint8Array(rows + 1);
  for (let i = 0; i < rows; i++) {
    for (let k = offsets[i]; k < offsets[i + 1]; k++) {
      const c = colours[indices[k]];
      twice[c] = metIn[c] === i ? 1 : 0;
      metIn[c] = i;
    }
    for (let k = offsets[i]; k < offsets[i + 1]; k++) {
      const j = indices[k];
      const alone = twice[colours[j]] === 0;
      row[k] = alone ? i : j;
      colour[k] = colours[alone ? j : i];
    }
  }
  return { row, colour };
}

/** The entries that a symmetric matrix can have: those of the pattern whose mirror image is in it, too. */
export function symmetrised(pattern: SparsityPattern): SparsityPattern {
  if (pattern.isFull) return pattern;
  const { rows, offsets, indices } = pattern;
  const mirror = pattern.transposed();
  const kept = new Int32Array(indices.length);
  const begins = new Int32Array(rows + 1);
  let at = 0;
  for (let i = 0; i < rows; i++) {
    let m = mirror.offsets[i];
    const end = mirror.offsets[i + 1];
    for (let k = offsets[i]; k < offsets[i + 1]; k++) {
      while (m < end && mirror.indices[m] < indices[k]) m++;
      if (m < end && mirror.indices[m] === indices[k]) kept[at++] = indices[k];
    }
    begins[i + 1] = at;
  }
  return SparsityPattern.ofRows(rows, rows, begins, kept.slice(0, at));
}
