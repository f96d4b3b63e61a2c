/**
 * Products in tiles that stay in registers, for the CPU. A tile is a few rows of x by a few rows of y; its sums are
 * vectors, and each vector that is loaded goes into several of them. There are two ways to lay a tile out:
 *
 * - across: a vector holds sums of neighbouring rows of y, the element of x is the same in all lanes. It reads y in
 *   panels, in which the elements of neighbouring rows lie side by side, term after term.
 * - along: a vector holds parts of one sum, for neighbouring terms. It reads both sides row by row.
 */
import { indexAdd, indexMul, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import {
  add,
  assign,
  constant,
  extract,
  get,
  i32,
  letIn,
  load,
  loop,
  lt,
  min,
  mul,
  splat,
  store,
  when,
} from "../core/ir/ops.js";
import { type Buffer, type Expr, type Lanes, Local, type Stmt } from "../core/ir/types.js";
import { type Layout, lanesOf, type Product, type Runs, type Side, storageOf } from "./product.js";
import { emitBlocks, overTerms, stretchOf, type Tile } from "./productBlocks.js";

/** Terms of a stretch; sums that are not much longer are not cut. */
export const stretchTerms = 256;
/** So many steps of the innermost loops are written out. */
const unrolled = 4;

// ---------------------------------------------------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------------------------------------------------

/** Reads some rows of a side, a tile of them at a time. */
interface Reader {
  readonly buffer: Buffer;
  /** For a tile: the place in the buffer of a term of its row r. */
  tile(batch: Expr, tile: Expr): { readonly stmts: readonly Stmt[]; place(k: Expr, r: number): Expr };
}

/** Reads the operand itself. Of rows that do not exist the last `width` (that lie side by side) stand in. */
function directReader({ rows, direct }: Side, count: number, width = 1): Reader | undefined {
  const step = direct?.termStep;
  if (direct === undefined || step === undefined) return undefined;
  return {
    buffer: direct.buffer,
    tile: (batch, tile) => {
      const exists = rows % count === 0;
      const bases: Local[] = [];
      const stmts: Stmt[] = [];
      for (let r = 0; r < count; r += width) {
        const row = indexAdd(indexMul(tile, count), r);
        const base = new Local(`row${r}`, "i32", 1, false, direct.buffer.size);
        stmts.push(letIn(base, direct.place(batch, exists ? row : min(row, rows - width), i32(0))));
        bases.push(base);
      }
      return {
        stmts,
        place: (k, r) => indexAdd(get(bases[Math.floor(r / width)]), indexAdd(indexMul(k, step), r % width)),
      };
    },
  };
}

/** Copies a side into tiles of `count` rows, term after term with the elements of all rows of the tile side by side. */
function pack(
  ctx: KernelContext,
  { name, batch: all, terms, type }: Product,
  side: Side,
  count: number,
): Reader {
  const { rows } = side;
  const { count: batch, of } = side.shared ?? { count: all, of: (b: Expr) => b };
  const tiles = Math.ceil(rows / count);
  const buffer = ctx.temporary("packed", storageOf(type), batch * tiles * terms * count);
  const first = (b: Expr, tile: Expr): Expr => indexMul(indexAdd(indexMul(b, tiles), tile), terms * count);
  ctx.parallel(`${name}_pack`, batch * tiles, (item) => {
    const [b, tile] = unravel(item, [batch, tiles]);
    const copy = (exist: number): Stmt =>
      loop("k", 0, terms, (k) => {
        const at = indexAdd(first(b, tile), indexMul(k, count));
        const rowsOfTile = loop("r", 0, exist, (r) => [
          store(buffer, indexAdd(at, r), side.at(b, indexAdd(indexMul(tile, count), r), k)),
        ]);
        if (exist === count) return [rowsOfTile];
        const none = loop("r", exist, count, (r) => [store(buffer, indexAdd(at, r), constant(type, 0))]);
        return [rowsOfTile, none];
      });
    const rest = rows % count;
    if (rest === 0) return [copy(count)];
    return tiles === 1 ? [copy(rest)] : [when(lt(tile, tiles - 1), [copy(count)], [copy(rest)])];
  });
  return {
    buffer,
    tile: (b, tile) => {
      const base = new Local("panel", "i32", 1, false, buffer.size);
      return {
        stmts: [letIn(base, first(of(b), tile))],
        place: (k, r) => indexAdd(get(base), indexAdd(indexMul(k, count), r)),
      };
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Tiles
// ---------------------------------------------------------------------------------------------------------------------

/** Whether kernels across read y as it is: its rows lie side by side. */
export const isAcross = ({ rowStep, termStep }: Layout, rows: number, lanes: Lanes): boolean =>
  rowStep === 1 && termStep !== undefined && rows % lanes === 0;

/**
 * Sums across: `rows` rows by `vectors` vectors of sums.
 */
export function productAcross(
  ctx: KernelContext,
  p: Product,
  { rows, vectors }: { readonly rows: number; readonly vectors: number },
): void {
  const lanes = lanesOf(p.type);
  const tile: Tile = { rows, columns: vectors * lanes };
  const xs = directReader(p.x, rows) ?? pack(ctx, p, p.x, rows);
  const ys = directReader(p.y, tile.columns, lanes) ?? pack(ctx, p, p.y, tile.columns);
  const runs = p.x.direct?.runs;
  const stretches =
    runs === undefined
      ? { terms: p.terms, stretch: stretchOf(p.terms, stretchTerms) }
      : { terms: runs.count, stretch: Math.max(1, Math.floor(stretchTerms / runs.length)) };
  emitBlocks(ctx, p, tile, stretches, (b, i, j, from, to) => {
    const x = xs.tile(b, i);
    const y = ys.tile(b, j);
    const sums = grid(rows, vectors, (r, v) => new Local(`sum${r}_${v}`, p.type, lanes, true));
    /** Adds the products of term k, which x has `offset` further on. */
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
    const steps = (k: Expr, inX: Expr, count: number): Stmt[] =>
      Array.from({ length: count }, (_, u) => step(indexAdd(k, u), indexAdd(inX, u))).flat();
    const overRun = (run: Expr): Stmt[] => {
      const { length, offset } = runs as Runs;
      const start = new Local("run", "i32", 1, false, p.x.direct?.buffer.size);
      return [
        letIn(start, offset(run)),
        ...overTerms(length, i32(0), i32(length), [unrolled, 1], (k, count) =>
          steps(indexAdd(indexMul(run, length), k), indexAdd(get(start), k), count),
        ),
      ];
    };
    const run = new Local("r", "i32", 1, false, runs?.count);
    return {
      stmts: [
        ...x.stmts,
        ...y.stmts,
        ...sums.flat().map((s) => letIn(s, constant(p.type, 0, lanes))),
        ...(runs === undefined
          ? overTerms(p.terms, from, to, [unrolled, 1], (k, count) => steps(k, k, count))
          : [{ kind: "for", local: run, from, to, step: 1, body: overRun(get(run)) } as const]),
      ],
      vectors: sums.map((row) => row.map(get)),
    };
  });
}

/** Sums along: `rows` by `columns` sums, each as vectors of parts. */
export function productAlong(ctx: KernelContext, p: Product, tile: Tile): void {
  const lanes = lanesOf(p.type);
  const { rows, columns } = tile;
  const xs = alongReader(ctx, p, p.x, rows);
  const ys = alongReader(ctx, p, p.y, columns);
  // Chains of additions that do not wait for each other.
  const chains = Math.max(1, Math.min(unrolled, Math.floor(8 / (rows * columns))));
  emitBlocks(
    ctx,
    p,
    tile,
    { terms: p.terms, stretch: stretchOf(p.terms, stretchTerms * lanes) },
    (b, i, j, from, to) => {
      const x = xs.tile(b, i);
      const y = ys.tile(b, j);
      const vectorSums = grid(rows, columns, (r, c) =>
        Array.from({ length: chains }, (_, u) => new Local(`sum${r}_${c}_${u}`, p.type, lanes, true)),
      );
      const rests = grid(rows, columns, (r, c) => new Local(`rest${r}_${c}`, p.type, 1, true));
      const hasRest = p.terms % lanes !== 0;
      const step = (k: Expr, width: Lanes, cell: (r: number, c: number) => Local): Stmt[] => {
        const stmts: Stmt[] = [];
        const read = (name: string, reader: Reader, place: (k: Expr, r: number) => Expr, r: number): Expr => {
          const local = new Local(`${name}${r}`, p.type, width);
          stmts.push(letIn(local, load(reader.buffer, place(k, r), undefined, width)));
          return get(local);
        };
        const others = Array.from({ length: columns }, (_, c) => read("y", ys, y.place, c));
        for (let r = 0; r < rows; r++) {
          const own = read("x", xs, x.place, r);
          for (let c = 0; c < columns; c++)
            stmts.push(assign(cell(r, c), add(get(cell(r, c)), mul(own, others[c]))));
        }
        return stmts;
      };
      return {
        stmts: [
          ...x.stmts,
          ...y.stmts,
          ...vectorSums.flat(2).map((s) => letIn(s, constant(p.type, 0, lanes))),
          ...(hasRest ? rests.flat().map((s) => letIn(s, constant(p.type, 0))) : []),
          ...overTerms(p.terms, from, to, [unrolled * lanes, lanes, 1], (k, width) => {
            if (width === 1) return step(k, 1, (r, c) => rests[r][c]);
            return Array.from({ length: width / lanes }, (_, u) =>
              step(indexAdd(k, u * lanes), lanes, (r, c) => vectorSums[r][c][u % chains]),
            ).flat();
          }),
        ],
        vectors: grid(rows, columns, (r, c) => {
          const total = inLanes(vectorSums[r][c].map(get).reduce(add));
          return hasRest ? add(total, get(rests[r][c])) : total;
        }),
      };
    },
  );
}

const alongReader = (ctx: KernelContext, p: Product, side: Side, count: number): Reader => {
  if (side.direct?.termStep === 1) return directReader(side, count) as Reader;
  // Tiles of one row are rows; those that do not exist are not read.
  const single = pack(ctx, p, side, 1);
  return {
    buffer: single.buffer,
    tile: (b, tile) => {
      const rows = Array.from({ length: count }, (_, r) =>
        single.tile(b, min(indexAdd(indexMul(tile, count), r), side.rows - 1)),
      );
      return { stmts: rows.flatMap(({ stmts }) => stmts), place: (k, r) => rows[r].place(k, 0) };
    },
  };
};

/** The sum of all lanes. */
function inLanes(x: Expr): Expr {
  const parts = Array.from({ length: x.lanes }, (_, lane) => extract(x, lane));
  return parts.length === 2 ? add(parts[0], parts[1]) : add(add(parts[0], parts[2]), add(parts[1], parts[3]));
}

const grid = <T>(rows: number, columns: number, cell: (r: number, c: number) => T): T[][] =>
  Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (__, c) => cell(r, c)));
