/**
 * Products on the GPU. Where the tiling of the device has a tile for it, workgroups share what they read (productWorkgroup.ts).
 * Else a thread computes a tile of four by four sums in registers, which needs no memory of the workgroup; where there are too
 * few tiles to keep the device busy, a thread computes one sum, or a part of one.
 */
import { indexAdd, indexMul, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import {
  add,
  and,
  assign,
  constant,
  eq,
  extract,
  get,
  i32,
  letIn,
  load,
  loop,
  lt,
  min,
  mul,
  select,
  splat,
  store,
  vector,
  when,
} from "../core/ir/ops.js";
import { type ProductTile, tileFits, tileFor } from "../core/ir/tiling.js";
import { type Expr, Local, type Stmt } from "../core/ir/types.js";
import { type Direct, type Layout, type Product, type Side, storageOf } from "./product.js";
import { blockOf, blockTerms, eachSum, sumOf } from "./productLoops.js";
import { matrixProduct } from "./productMatrix.js";
import type { ProductShape, SideShape } from "./productPlan.js";
import { type Along, workgroupSums } from "./productWorkgroup.js";

/** So many threads keep a device busy. */
const enoughThreads = 4096;
/** Terms that a thread adds up at least, where a sum is shared. */
const leastTerms = 32;

const side = 4;
/** A small tile that suits every product. */
const anyTile: ProductTile = { threads: [8, 8], sums: [4, 4], depth: 8, ahead: false };

/** Kernels for the GPU, which sides are read as they are, four elements at once, and which elements lie side by side. */
export type GridPlan = {
  readonly form: "each" | "tiled" | "shared";
  readonly direct: readonly [x: boolean, y: boolean];
  readonly along: readonly [x: Along, y: Along];
};

export function planOnGrid({ batch, x, y, terms }: ProductShape): GridPlan {
  const sums = batch * x.rows * y.rows;
  const scalars = [false, false] as const;
  const along = [alongOf(x.layout), alongOf(y.layout)] as const;
  if (sharesOf(sums, terms) > 1) return { form: "shared", direct: scalars, along };
  if (terms < 2 || Math.min(x.rows, y.rows) < side || sums < 2 * enoughThreads)
    return { form: "each", direct: scalars, along };
  const isDirect = ({ layout, rows }: SideShape, own: Along): boolean =>
    own === "rows" ? alongRows(layout, rows) : alongTerms(layout, terms);
  return { form: "tiled", direct: [isDirect(x, along[0]), isDirect(y, along[1])], along };
}

const alongOf = (layout: Layout | undefined): Along => (layout?.rowStep === 1 ? "rows" : "terms");

const alongTerms = (layout: Layout | undefined, terms: number): boolean =>
  layout?.termStep === 1 && terms % side === 0;
const alongRows = (layout: Layout | undefined, rows: number): boolean =>
  layout?.rowStep === 1 && layout.termStep !== undefined && rows % side === 0;

const sharesOf = (sums: number, terms: number): number =>
  Math.min(Math.floor(terms / leastTerms), Math.ceil(enoughThreads / sums));

export function productOnGrid(ctx: KernelContext, p: Product, { form, along }: GridPlan): void {
  const { batch, x, y } = p;
  if (form === "shared") sharedSums(ctx, p, sharesOf(batch * x.rows * y.rows, p.terms));
  else if (form === "each") eachSum(ctx, p);
  else {
    const product = matrixProduct(ctx, p);
    const found = tileFor(ctx.limits.tiling, ctx.limits, { batch, rows: x.rows, columns: y.rows });
    // What the device does with operations on matrices comes with a kernel for where it cannot.
    const tile = found ?? (product && tileFits(anyTile, ctx.limits) ? anyTile : undefined);
    if (tile === undefined) tiledSums(ctx, p, along);
    else workgroupSums(ctx, p, { tile, along, product });
  }
}

/** Every sum is the work of several threads: thread s takes the terms s, s + shares, ... so that neighbours read neighbours. */
function sharedSums(ctx: KernelContext, p: Product, shares: number): void {
  const extents = [p.batch, p.x.rows, p.y.rows];
  const sums = extents.reduce((a, b) => a * b);
  const parts = ctx.temporary("parts", storageOf(p.type), shares * sums);
  const each = Math.ceil(p.terms / shares);
  ctx.parallel("dot_parts", sums * shares, (item) => {
    const [b, i, j, share] = unravel(item, [...extents, shares]);
    const { stmts, sum } = sumOf(
      p.type,
      each,
      (step) => {
        const k = indexAdd(indexMul(step, shares), share);
        const product = (term: Expr): Expr => mul(p.x.at(b, i, term), p.y.at(b, j, term));
        if (each * shares === p.terms) return product(k);
        return select(lt(k, p.terms), product(min(k, p.terms - 1)), constant(p.type, 0));
      },
      blockOf(ctx.target),
    );
    return [...stmts, store(parts, item, sum)];
  });
  ctx.parallel("dot", sums, (item) => {
    const [b, i, j] = unravel(item, extents);
    const { stmts, sum } = sumOf(
      p.type,
      shares,
      (s) => load(parts, indexAdd(indexMul(item, shares), s)),
      blockOf(ctx.target),
    );
    return [...stmts, ...p.write(b, i, j, sum)];
  });
}

/** What a tile reads: for the term k + u its elements of row r of x, and a vector of those of its rows of y. */
interface TileReader {
  readonly stmts: readonly Stmt[];
  x(r: number, u: number): Expr;
  y(u: number): Expr;
}

const counted = <T>(make: (n: number) => T): T[] => Array.from({ length: side }, (_, n) => make(n));

function tiledSums(ctx: KernelContext, p: Product, along: GridPlan["along"]): void {
  const extents = [p.batch, Math.ceil(p.x.rows / side), Math.ceil(p.y.rows / side)];
  // Four terms at a time, if a side is read so.
  const step = [p.x, p.y].some(({ direct }, i) => direct !== undefined && along[i] === "terms") ? side : 1;
  ctx.parallel(p.name, extents[0] * extents[1] * extents[2], (item) => {
    const [b, rowTile, columnTile] = unravel(item, extents);
    const at = (tile: Expr, r: Expr | number): Expr => indexAdd(indexMul(tile, side), r);
    const read = tileReader(p, along, b, rowTile, columnTile);
    const cells = (name: string): Local[] => counted((r) => new Local(`${name}${r}`, p.type, side, true));
    const zero = (locals: readonly Local[]): Stmt[] =>
      locals.map((local) => letIn(local, constant(p.type, 0, side)));
    const adding = (into: readonly Local[], from: Expr, n: number): Stmt =>
      loop(
        "k",
        0,
        n,
        (counter) => {
          const { stmts, x, y } = read(indexAdd(from, counter), step);
          const products = Array.from({ length: step }, (_, u) => {
            const column = new Local(`column${u}`, p.type, side);
            const addProduct = (cell: Local, r: number): Stmt =>
              assign(cell, add(get(cell), mul(splat(x(r, u), side), get(column))));
            return [letIn(column, y(u)), ...into.map(addProduct)];
          });
          return [...stmts, ...products.flat()];
        },
        step,
      );
    const total = cells("total");
    const blocks = p.terms <= 2 * blockTerms ? 0 : Math.floor(p.terms / blockTerms);
    const block = (from: Expr, n: number): Stmt[] => {
      const part = cells("part");
      const join = part.map((cell, r) => assign(total[r], add(get(total[r]), get(cell))));
      return [...zero(part), adding(part, from, n), ...join];
    };
    const rest = p.terms - blocks * blockTerms;
    const sums: Stmt[] =
      blocks === 0
        ? [adding(total, i32(0), rest)]
        : [
            loop("block", 0, blocks, (n) => block(indexMul(n, blockTerms), blockTerms)),
            ...(rest === 0 ? [] : block(i32(blocks * blockTerms), rest)),
          ];
    const write = loop("r", 0, side, (r) => {
      const row = new Local("row", p.type, side);
      return [
        letIn(row, choose(r, total.map(get))),
        loop("c", 0, side, (c) => {
          const [i, j] = [at(rowTile, r), at(columnTile, c)];
          const value = choose(
            c,
            counted((lane) => extract(get(row), lane)),
          );
          return [when(and(lt(i, p.x.rows), lt(j, p.y.rows)), p.write(b, i, j, value))];
        }),
      ];
    });
    return [...zero(total), ...sums, write];
  });
}

/** Reads the elements of a tile. Rows that do not exist are read as the last one. */
function tileReader(
  p: Product,
  along: GridPlan["along"],
  b: Expr,
  rowTile: Expr,
  columnTile: Expr,
): (k: Expr, step: number) => TileReader {
  const existing = (tile: Expr, r: number, { rows }: Side): Expr => {
    const row = indexAdd(indexMul(tile, side), r);
    return rows % side === 0 ? row : min(row, rows - 1);
  };
  /** Four terms of each of four rows. */
  const quads = (own: Side, tile: Expr, name: string, k: Expr): { stmts: Stmt[]; values: Expr[] } => {
    const direct = own.direct as Direct;
    const named = counted((r) => new Local(`${name}${r}`, p.type, side));
    const stmts = named.map((local, r) =>
      letIn(local, load(direct.buffer, direct.place(b, existing(tile, r, own), k), undefined, side)),
    );
    return { stmts, values: named.map(get) };
  };
  return (k, step) => {
    const stmts: Stmt[] = [];
    const term = (u: number): Expr => indexAdd(k, u);
    let x = (r: number, u: number): Expr => p.x.at(b, existing(rowTile, r, p.x), term(u));
    if (p.x.direct !== undefined && along[0] === "rows") {
      const xs = counted((u) => new Local(`x${u}`, p.type, side));
      const { buffer, place } = p.x.direct;
      stmts.push(
        ...xs
          .slice(0, step)
          .map((local, u) =>
            letIn(local, load(buffer, place(b, indexMul(rowTile, side), term(u)), undefined, side)),
          ),
      );
      x = (r, u) => extract(get(xs[u]), r);
    } else if (p.x.direct !== undefined) {
      const rows = quads(p.x, rowTile, "x", k);
      stmts.push(...rows.stmts);
      x = (r, u) => extract(rows.values[r], u);
    }
    const { direct } = p.y;
    if (direct === undefined)
      return { stmts, x, y: (u) => vector(counted((c) => p.y.at(b, existing(columnTile, c, p.y), term(u)))) };
    if (along[1] === "rows") {
      const first = indexMul(columnTile, side);
      return { stmts, x, y: (u) => load(direct.buffer, direct.place(b, first, term(u)), undefined, side) };
    }
    const columns = quads(p.y, columnTile, "y", k);
    stmts.push(...columns.stmts);
    return { stmts, x, y: (u) => vector(columns.values.map((column) => extract(column, u))) };
  };
}

/** The choice with number `n`. */
const choose = (n: Expr, choices: readonly Expr[]): Expr =>
  choices.reduceRight((rest, choice, k) =>
    k === choices.length - 1 ? choice : select(eq(n, k), choice, rest),
  );
