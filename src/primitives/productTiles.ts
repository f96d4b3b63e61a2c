/**
 * Products in tiles that stay in registers, for the CPU: a few rows of x by a few vectors of sums for neighbouring rows of y.
 * The element of x is the same in all lanes. y is read in panels, in which the elements of neighbouring rows lie side by
 * side, term after term.
 */
import { indexAdd, indexMul } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import { add, assign, constant, get, i32, letIn, load, lt, mul, splat, when } from "../core/ir/ops.js";
import { type Expr, type Lanes, Local, type ScalarType, type Stmt } from "../core/ir/types.js";
import { type Layout, lanesOf, type Product, type Runs } from "./product.js";
import { emitBlocks, type Stretches, stretchOf, type Tile } from "./productBlocks.js";
import { directReader, pack } from "./productReaders.js";

/** Terms of a stretch; sums that are not much longer are not cut. */
export const stretchTerms = 256;
/** So many terms are written out in the innermost loop. */
const termsInLoop = 4;
/** Rows of a panel of x, if it is copied: elements that fill a line of the cache. */
const panelRows = 16;

/** Rows of x, and vectors of sums for rows of y. */
export interface AcrossTile {
  readonly rows: number;
  readonly vectors: number;
}

/**
 * Tiles whose sums, and what is loaded for a term, fit the 15 registers that compilers of WebAssembly have for vectors,
 * and how fast each is (in GFLOP/s of one machine; only ratios matter).
 */
const tilesOfRows: readonly (AcrossTile & { readonly speed: number })[] = [
  { rows: 2, vectors: 4, speed: 60 },
  { rows: 4, vectors: 2, speed: 60 },
  { rows: 2, vectors: 3, speed: 57 },
  { rows: 7, vectors: 1, speed: 53 },
];
const tilesOfOneRow: readonly (AcrossTile & { readonly speed: number })[] = [
  { rows: 1, vectors: 6, speed: 56 },
  { rows: 1, vectors: 5, speed: 53 },
  { rows: 1, vectors: 4, speed: 49 },
  { rows: 1, vectors: 2, speed: 25 },
  { rows: 1, vectors: 1, speed: 13 },
];

/** The fastest tile, with all the sums in it that nobody asked for. */
export function acrossTile(rowsOfX: number, rowsOfY: number, type: ScalarType): AcrossTile {
  const needed = Math.ceil(rowsOfY / lanesOf(type));
  const filled = (size: number, count: number): number => Math.ceil(count / size) * size;
  const time = ({ rows, vectors, speed }: AcrossTile & { speed: number }): number =>
    (filled(rows, rowsOfX) * filled(vectors, needed)) / speed;
  const tiles = rowsOfX === 1 ? tilesOfOneRow : tilesOfRows;
  const { rows, vectors } = tiles.reduce((best, tile) => (time(tile) < time(best) ? tile : best));
  return { rows: Math.min(rows, rowsOfX), vectors };
}

/** Whether kernels across read y as it is: its rows lie side by side. */
export const isAcross = ({ rowStep, termStep }: Layout, rows: number, lanes: Lanes): boolean =>
  rowStep === 1 && termStep !== undefined && rows % lanes === 0;

export function productAcross(ctx: KernelContext, p: Product, { rows, vectors }: AcrossTile): void {
  const lanes = lanesOf(p.type);
  const tile: Tile = { rows, columns: vectors * lanes };
  const side = Math.ceil(Math.min(panelRows, p.x.rows) / rows);
  const xs = directReader(p.x, rows) ?? pack(ctx, p, p.x, rows, side);
  const ys = directReader(p.y, tile.columns, lanes) ?? pack(ctx, p, p.y, tile.columns);
  const runs = p.x.direct?.runs;
  emitBlocks(ctx, p, tile, stretchesOf(p, runs), (b, i, j, from, to) => {
    const x = xs.tile(b, i);
    const y = ys.tile(b, j);
    const sums = Array.from({ length: rows }, (_, r) =>
      Array.from({ length: vectors }, (__, v) => new Local(`sum${r}_${v}`, p.type, lanes, true)),
    );
    /** Adds the products of term k, which x has at `inX`. */
    const step = (k: Expr, inX: Expr): Stmt[] => {
      const stmts: Stmt[] = [];
      const named = Array.from({ length: vectors }, (_, v) => {
        const local = new Local(`y${v}`, p.type, lanes);
        stmts.push(letIn(local, load(ys.buffer, y.place(k, v * lanes), undefined, lanes)));
        return get(local);
      });
      for (let r = 0; r < rows; r++) {
        const element = new Local(`x${r}`, p.type, lanes);
        stmts.push(letIn(element, splat(load(xs.buffer, x.place(inX, r)), lanes)));
        for (let v = 0; v < vectors; v++)
          stmts.push(assign(sums[r][v], add(get(sums[r][v]), mul(get(element), named[v]))));
      }
      return stmts;
    };
    const overRun = (run: Expr): Stmt[] => {
      const { length, offset } = runs as Runs;
      const start = new Local("run", "i32", 1, false, p.x.direct?.buffer.size);
      return [
        letIn(start, offset(run)),
        termByTerm(length, i32(0), i32(length), (k) =>
          step(indexAdd(indexMul(run, length), k), indexAdd(get(start), k)),
        ),
      ];
    };
    const run = new Local("r", "i32", 1, false, runs?.count);
    return {
      stmts: [
        ...x.stmts,
        ...y.stmts,
        ...sums.flat().map((s) => letIn(s, constant(p.type, 0, lanes))),
        runs === undefined
          ? termByTerm(p.terms, from, to, (k) => step(k, k))
          : { kind: "for", local: run, from, to, step: 1, body: overRun(get(run)) },
      ],
      vectors: sums.map((row) => row.map(get)),
    };
  });
}

function stretchesOf({ terms }: Product, runs: Runs | undefined): Stretches {
  const stretch = stretchOf(terms, stretchTerms);
  if (runs === undefined) return { terms, stretch };
  return { terms: runs.count, stretch: Math.max(1, Math.floor(stretch / runs.length)) };
}

/**
 * A loop over terms, a few of them written out, each behind the condition that it exists. That does more than to find the
 * end: compilers may order the instructions between two branches anew, and V8 up to version 12 puts all loads first. Terms
 * that are not kept apart then need more registers than there are, at half the speed.
 */
function termByTerm(terms: number, from: Expr, to: Expr, body: (k: Expr) => readonly Stmt[]): Stmt {
  const local = new Local("k", "i32", 1, false, terms);
  const written = (u: number): readonly Stmt[] => {
    const k = indexAdd(get(local), u);
    const next = u + 1 === termsInLoop ? [] : [when(lt(indexAdd(k, 1), to), written(u + 1))];
    return [...body(k), ...next];
  };
  return { kind: "for", local, from, to, step: termsInLoop, body: written(0) };
}
