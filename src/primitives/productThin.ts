/**
 * Products of a matrix with one, two or three vectors, for the CPU. Such a product waits for the memory of the matrix, each
 * element of which is read once. It is read in several streams, each in one piece, as processors do that fastest:
 *
 * - along: the terms of a row lie side by side. Several rows at a time; a vector holds parts of one sum.
 * - thin: the elements of neighbouring rows lie side by side. Several terms at a time; a vector holds neighbouring sums,
 *   which lie in memory that stays in the first-level cache.
 */
import { indexAdd, indexMul, indexSub, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import {
  add,
  assign,
  constant,
  div,
  eq,
  extract,
  get,
  i32,
  letIn,
  load,
  min,
  mul,
  store,
  when,
} from "../core/ir/ops.js";
import { type Buffer, type Expr, type Lanes, Local, type Stmt } from "../core/ir/types.js";
import { lanesOf, type Product, type Side, storageOf } from "./product.js";
import { counting, overTerms, stretchOf } from "./productBlocks.js";
import { pack } from "./productReaders.js";

/** Terms that a lane adds up before they join others. */
const stretchTerms = 256;

// ---------------------------------------------------------------------------------------------------------------------
// Along
// ---------------------------------------------------------------------------------------------------------------------

/** Rows of x at a time, by rows of y: as many sums as fit into registers. */
const rowsAtATime = [8, 4, 2];
/** Rows of x of an item. */
const rowsOfItem = 64;

/** All sums of few rows of y with rows of x that are read as they are stored, if their terms lie side by side. */
export function productAlong(ctx: KernelContext, p: Product): void {
  const { x, y, type, terms, batch } = p;
  const columns = y.rows;
  const rows = Math.min(rowsAtATime[columns - 1], x.rows);
  const height = Math.min(rowsOfItem, Math.ceil(x.rows / rows) * rows);
  const blocks = Math.ceil(x.rows / height);
  const items = batch * blocks;
  const stretch = stretchOf(terms, stretchTerms * lanesOf(type));
  const stretches = Math.ceil(terms / stretch);
  const readers = [alongReader(ctx, p, x), alongReader(ctx, p, y)];
  // The last tile begins earlier, so that its rows exist: there is room for sums of rows in front of the first.
  const spare = x.rows % rows === 0 ? 0 : rows;
  const own = (spare + height) * columns;
  const sums = ctx.temporary("sums", storageOf(type), items * own);
  ctx.parallel(p.name, items, (item) => {
    const [b, block] = unravel(item, [batch, blocks]);
    const firstRow = indexMul(block, height);
    const place = (i: Expr, j: Expr | number): Expr =>
      indexAdd(indexMul(item, own), indexAdd(indexMul(indexAdd(i, spare), columns), j));
    const left = blocks === 1 ? i32(x.rows) : min(indexSub(x.rows, firstRow), height);
    const tiles = x.rows % height === 0 ? i32(height / rows) : div(add(left, rows - 1), rows);

    const tileSums = (tile: Expr, s: Expr): Stmt[] => {
      const inItem = indexMul(tile, rows);
      const row = spare === 0 ? inItem : min(inItem, indexSub(x.rows - rows, firstRow));
      const firstOfTile = new Local("row", "i32");
      const from = indexMul(s, stretch);
      const to = stretches === 1 ? i32(terms) : min(indexAdd(from, stretch), terms);
      const bases = readers.map(
        ({ first, buffer }, i) =>
          [
            first(b, i === 0 ? indexAdd(firstRow, get(firstOfTile)) : i32(0)),
            new Local("base", "i32", 1, false, buffer.size),
          ] as const,
      );
      const { stmts, totals } = sumsAlong(p, [rows, columns], from, to, (side, r, k, width) => {
        const { buffer, step } = readers[side];
        return load(buffer, indexAdd(get(bases[side][1]), indexAdd(k, r * step)), undefined, width);
      });
      const each = (make: (at: Expr, total: Expr) => Stmt): Stmt[] =>
        totals.flatMap((inRow, r) =>
          inRow.map((total, j) => make(place(indexAdd(get(firstOfTile), r), j), total)),
        );
      const first = each((at, total) => store(sums, at, total));
      const later = each((at, total) => store(sums, at, add(load(sums, at), total)));
      return [
        letIn(firstOfTile, row),
        ...bases.map(([value, local]) => letIn(local, value)),
        ...stmts,
        ...(stretches === 1 ? first : [when(eq(s, 0), first, later)]),
      ];
    };
    return [
      counting("tile", height / rows, tiles, (tile) => [
        counting("stretch", stretches, i32(stretches), (s) => tileSums(tile, s)),
      ]),
      counting("row", height, left, (i) => [
        counting("column", columns, i32(columns), (j) =>
          p.write(b, indexAdd(firstRow, i), j, load(sums, place(i, j))),
        ),
      ]),
    ];
  });
}

/** Sums of rows of x with rows of y over the terms `from` up to `to`, that lie side by side; `read` is for side, row and term. */
function sumsAlong(
  { type, terms }: Product,
  [rows, columns]: readonly [number, number],
  from: Expr,
  to: Expr,
  read: (side: 0 | 1, row: number, k: Expr, width: Lanes) => Expr,
): { readonly stmts: readonly Stmt[]; readonly totals: readonly (readonly Expr[])[] } {
  const lanes = lanesOf(type);
  const hasRest = terms % lanes !== 0;
  // Chains of additions that do not wait for each other.
  const chains = Math.max(1, Math.min(4, Math.floor(8 / (rows * columns))));
  const grid = <T>(make: (r: number, c: number) => T): T[][] =>
    Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (__, c) => make(r, c)));
  const parts = grid((r, c) =>
    Array.from({ length: chains }, (_, u) => new Local(`part${r}_${c}_${u}`, type, lanes, true)),
  );
  const rests = grid((r, c) => new Local(`rest${r}_${c}`, type, 1, true));
  const step = (k: Expr, width: Lanes, cell: (r: number, c: number) => Local): Stmt[] => {
    const others = Array.from({ length: columns }, (_, c) => new Local(`y${c}`, type, width));
    const own = Array.from({ length: rows }, (_, r) => new Local(`x${r}`, type, width));
    return [
      ...others.map((y, c) => letIn(y, read(1, c, k, width))),
      ...own.flatMap((x, r) => [
        letIn(x, read(0, r, k, width)),
        ...others.map((y, c) => assign(cell(r, c), add(get(cell(r, c)), mul(get(x), get(y))))),
      ]),
    ];
  };
  const cells = [...parts.flat(2), ...(hasRest ? rests.flat() : [])];
  const stmts = [
    ...cells.map((s) => letIn(s, constant(type, 0, s.lanes))),
    ...overTerms(terms, from, to, [...new Set([chains * lanes, lanes, 1])], (k, width) =>
      width === 1
        ? step(k, 1, (r, c) => rests[r][c])
        : Array.from({ length: width / lanes }, (_, u) =>
            step(indexAdd(k, u * lanes), lanes, (r, c) => parts[r][c][u]),
          ).flat(),
    ),
  ];
  const totals = grid((r, c) => {
    const total = inLanes(parts[r][c].map(get).reduce(add));
    return hasRest ? add(total, get(rests[r][c])) : total;
  });
  return { stmts, totals };
}

/** A side whose rows are equally far apart, with their terms side by side. */
interface AlongReader {
  readonly buffer: Buffer;
  readonly step: number;
  /** Where a row begins. */
  first(batch: Expr, row: Expr): Expr;
}

function alongReader(ctx: KernelContext, p: Product, side: Side): AlongReader {
  const { direct } = side;
  if (direct?.rowStep !== undefined && direct.termStep === 1)
    return {
      buffer: direct.buffer,
      step: direct.rowStep,
      first: (b, row) => direct.place(b, row, i32(0)),
    };
  const { buffer, first } = pack(ctx, p, side, 1);
  return { buffer, step: p.terms, first };
}

/** The sum of all lanes. */
function inLanes(x: Expr): Expr {
  const parts = Array.from({ length: x.lanes }, (_, lane) => extract(x, lane));
  return parts.length === 2 ? add(parts[0], parts[1]) : add(add(parts[0], parts[2]), add(parts[1], parts[3]));
}

// ---------------------------------------------------------------------------------------------------------------------
// Thin
// ---------------------------------------------------------------------------------------------------------------------

/** Rows of y longer than this are shared among items. */
const longRow = 2048;

/** Terms that are added up at a time: their elements of x stay in registers, those of y in the cache for the next row of x. */
const termsAtATime = 8;

/** Sums of few rows of x with all rows of y; elements of y are read once, in the order of the terms. */
export function productThin(ctx: KernelContext, p: Product): void {
  const { x, y, type, terms, batch } = p;
  const chunk = y.rows > longRow ? longRow / 2 : y.rows;
  const chunks = Math.ceil(y.rows / chunk);
  const items = batch * chunks;
  const stretches = Math.ceil(terms / stretchTerms);
  const sums = ctx.temporary("sums", storageOf(type), items * x.rows * chunk);
  const parts = stretches === 1 ? sums : ctx.temporary("parts", storageOf(type), items * x.rows * chunk);
  ctx.parallel(p.name, items, (item) => {
    const [b, c] = unravel(item, [batch, chunks]);
    const firstColumn = indexMul(c, chunk);
    const columns = chunks === 1 ? i32(chunk) : min(indexSub(y.rows, firstColumn), chunk);
    const place = (i: number, j: Expr): Expr =>
      indexAdd(indexMul(item, x.rows * chunk), indexAdd(j, i * chunk));
    const overColumns = (body: (j: Expr) => readonly Stmt[]): Stmt => counting("j", chunk, columns, body);
    const eachRow = <T>(make: (i: number) => T): T[] => Array.from({ length: x.rows }, (_, i) => make(i));
    const clear = (buffer: typeof sums): Stmt =>
      overColumns((j) => eachRow((i) => store(buffer, place(i, j), constant(type, 0))));

    /** Adds the products of `count` terms, from k on, to the parts. */
    const products = (k: Expr, count: number): Stmt[] =>
      eachRow((i) => {
        const elements = Array.from({ length: count }, (_, u) => new Local(`x${u}`, type));
        return [
          ...elements.map((e, u) => letIn(e, x.at(b, i32(i), indexAdd(k, u)))),
          overColumns((j) => {
            const column = indexAdd(firstColumn, j);
            const sum = elements.map((e, u) => mul(get(e), y.at(b, column, indexAdd(k, u)))).reduce(add);
            return [store(parts, place(i, j), add(load(parts, place(i, j)), sum))];
          }),
        ];
      }).flat();
    const stretch = (from: Expr, to: Expr): Stmt[] => [
      clear(parts),
      ...overTerms(terms, from, to, [termsAtATime, 1], products),
    ];
    const join = overColumns((j) =>
      eachRow((i) => store(sums, place(i, j), add(load(sums, place(i, j)), load(parts, place(i, j))))),
    );
    const all = counting("stretch", stretches, i32(stretches), (number) => {
      const from = indexMul(number, stretchTerms);
      return [...stretch(from, min(indexAdd(from, stretchTerms), terms)), join];
    });
    return [
      ...(stretches === 1 ? stretch(i32(0), i32(terms)) : [clear(sums), all]),
      ...eachRow((i) =>
        overColumns((j) => p.write(b, i32(i), indexAdd(firstColumn, j), load(sums, place(i, j)))),
      ),
    ];
  });
}
