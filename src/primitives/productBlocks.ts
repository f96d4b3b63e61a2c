/**
 * Products block by block, whatever computes a tile. Tiles form blocks, so that what is read again comes from the cache; a
 * block is a work item. Long sums are cut into stretches of terms: a panel of one stretch stays in the first-level cache,
 * and rounding errors do not grow with the number of terms. The sums of a block lie in a temporary until they are complete.
 */
import { indexAdd, indexMul, indexSub, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import { add, eq, get, i32, load, min, rem, store, sub, when } from "../core/ir/ops.js";
import { type Expr, Local, type Stmt } from "../core/ir/types.js";
import { type Product, storageOf } from "./product.js";

/** Sums in a block, and rows of x in it: the block and what it reads of x for a stretch stay in the second-level cache. */
const blockSums = 8192;
const blockRows = 128;
/** Blocks that are enough for several threads, and products that are worth a block of their own. */
const manyBlocks = 16;
const blockProducts = 2 ** 18;

export interface Tile {
  readonly rows: number;
  /** Rows of y. */
  readonly columns: number;
}

/** What a tile adds up: `vectors[r]` are the sums of row r, side by side. */
export interface TileSums {
  readonly stmts: readonly Stmt[];
  readonly vectors: readonly (readonly Expr[])[];
}

/** Computes the sums of one tile over the terms `from` up to `to`; rows of x and y that do not exist may have any sum. */
export type TileKernel = (batch: Expr, rowTile: Expr, columnTile: Expr, from: Expr, to: Expr) => TileSums;

/** How the terms are cut: `terms` of them (or runs of terms) into stretches of `stretch`. */
export interface Stretches {
  readonly terms: number;
  readonly stretch: number;
}

export function emitBlocks(
  ctx: KernelContext,
  p: Product,
  tile: Tile,
  { terms, stretch }: Stretches,
  kernel: TileKernel,
): void {
  const rowTiles = Math.ceil(p.x.rows / tile.rows);
  const columnTiles = Math.ceil(p.y.rows / tile.columns);
  const wanted = Math.min(manyBlocks, (p.batch * p.x.rows * p.y.rows * p.terms) / blockProducts);
  const mostRows = Math.max(1, Math.min(rowTiles, Math.floor(blockRows / tile.rows)));
  const wide = Math.max(1, Math.floor(blockSums / (mostRows * tile.rows * tile.columns)));
  // Blocks of about the same size, and enough of them for several threads.
  const columnBlocks = Math.min(
    columnTiles,
    Math.ceil(Math.max(columnTiles / wide, wanted / (Math.ceil(rowTiles / mostRows) * p.batch))),
  );
  const rowBlocks = Math.ceil(
    Math.max(rowTiles / mostRows, Math.min(rowTiles, wanted / (columnBlocks * p.batch))),
  );
  const perBlock = Math.ceil(rowTiles / rowBlocks);
  const across = Math.ceil(columnTiles / columnBlocks);
  const extents = [p.batch, Math.ceil(rowTiles / perBlock), Math.ceil(columnTiles / across)];
  const [height, width] = [perBlock * tile.rows, across * tile.columns];
  const stretches = Math.ceil(terms / stretch);
  const items = extents.reduce((a, b) => a * b);
  const sums = ctx.temporary("sums", storageOf(p.type), items * height * width);

  /** How many of `count` from the first on there are, of `all`. */
  const upTo = (first: Expr, count: number, all: number): Expr =>
    all % count === 0 ? i32(count) : min(indexSub(all, first), count);

  ctx.parallel(p.name, items, (item) => {
    const [b, rowBlock, columnBlock] = unravel(item, extents);
    const [firstTile, firstTileAcross] = [indexMul(rowBlock, perBlock), indexMul(columnBlock, across)];
    const [firstRow, firstColumn] = [indexMul(rowBlock, height), indexMul(columnBlock, width)];
    const place = (i: Expr, j: Expr): Expr =>
      indexAdd(indexMul(item, height * width), indexAdd(indexMul(i, width), j));

    const overStretch = (number: Expr): Stmt => {
      const from = indexMul(number, stretch);
      const to = stretches === 1 ? i32(terms) : min(indexAdd(from, stretch), terms);
      return counting("columnTile", across, upTo(firstTileAcross, across, columnTiles), (j) => [
        counting("rowTile", perBlock, upTo(firstTile, perBlock, rowTiles), (i) => {
          const { stmts, vectors } = kernel(
            b,
            indexAdd(firstTile, i),
            indexAdd(firstTileAcross, j),
            from,
            to,
          );
          const each = (make: (at: Expr, value: Expr) => Stmt): Stmt[] =>
            vectors.flatMap((row, r) =>
              row.map((value, v) => {
                const column = indexAdd(indexMul(j, tile.columns), v * value.lanes);
                return make(place(indexAdd(indexMul(i, tile.rows), r), column), value);
              }),
            );
          const first = each((at, value) => store(sums, at, value));
          if (stretches === 1) return [...stmts, ...first];
          const later = each((at, value) =>
            store(sums, at, add(load(sums, at, undefined, value.lanes), value)),
          );
          return [...stmts, when(eq(number, 0), first, later)];
        }),
      ]);
    };

    const rows = (body: (i: Expr) => readonly Stmt[]): Stmt =>
      counting("row", height, upTo(firstRow, height, p.x.rows), body);
    const columns = (body: (j: Expr) => readonly Stmt[]): Stmt =>
      counting("column", width, upTo(firstColumn, width, p.y.rows), body);
    const write = (i: Expr, j: Expr): readonly Stmt[] =>
      p.write(b, indexAdd(firstRow, i), indexAdd(firstColumn, j), load(sums, place(i, j)));
    return [
      stretches === 1
        ? overStretch(i32(0))
        : counting("stretch", stretches, i32(stretches), (s) => [overStretch(s)]),
      p.byColumns ? columns((j) => [rows((i) => write(i, j))]) : rows((i) => [columns((j) => write(i, j))]),
    ];
  });
}

/** A loop from 0 up to `to`, which is at most `bound`. */
export function counting(
  name: string,
  bound: number,
  to: Expr,
  body: (counter: Expr) => readonly Stmt[],
): Stmt {
  const local = new Local(name, "i32", 1, false, bound);
  return { kind: "for", local, from: i32(0), to, step: 1, body: body(get(local)) };
}

/** Equal stretches of at most about `longest` terms, a multiple of what is written out. */
export function stretchOf(terms: number, longest: number): number {
  if (terms <= longest * 1.5) return terms;
  const length = Math.ceil(terms / Math.ceil(terms / longest));
  return Math.ceil(length / 16) * 16;
}

/**
 * Loops over terms: the first takes as many at a time as the first of `steps` says, the next what that leaves, and so on.
 * The last step is 1. Every stretch begins at a multiple of all of them.
 */
export function overTerms(
  terms: number,
  from: Expr,
  to: Expr,
  steps: readonly number[],
  body: (k: Expr, step: number) => readonly Stmt[],
): Stmt[] {
  const loops: Stmt[] = [];
  let next = from;
  for (const [i, step] of steps.entries()) {
    const local = new Local("k", "i32", 1, false, terms);
    const all = terms % step === 0;
    const limit = all ? to : sub(to, rem(to, steps[i]));
    loops.push({ kind: "for", local, from: next, to: limit, step, body: body(get(local), step) });
    if (all) break;
    next = limit;
  }
  return loops;
}
