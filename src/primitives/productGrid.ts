/**
 * Products on the GPU. A thread computes a tile of four by four sums in registers, which needs no memory of the workgroup;
 * where there are too few tiles to keep the device busy, a thread computes one sum, or a part of one.
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
import { type Expr, Local, type Stmt } from "../core/ir/types.js";
import { type Product, type Side, storageOf } from "./product.js";
import { blockTerms, eachSum, sumOf } from "./productLoops.js";

/** So many threads keep a device busy. */
const enoughThreads = 4096;
/** Terms that a thread adds up at least, where a sum is shared. */
const leastTerms = 32;

export function productOnGrid(ctx: KernelContext, p: Product): void {
  const sums = p.batch * p.x.rows * p.y.rows;
  const shares = Math.min(Math.floor(p.terms / leastTerms), Math.ceil(enoughThreads / sums));
  if (shares > 1) sharedSums(ctx, p, shares);
  else if (p.terms < 2 || Math.min(p.x.rows, p.y.rows) < 4 || sums < 16 * enoughThreads) eachSum(ctx, p);
  else tiledSums(ctx, p);
}

/** Every sum is the work of several threads: thread s takes the terms s, s + shares, ... so that neighbours read neighbours. */
function sharedSums(ctx: KernelContext, p: Product, shares: number): void {
  const extents = [p.batch, p.x.rows, p.y.rows];
  const sums = extents.reduce((a, b) => a * b);
  const parts = ctx.temporary("parts", storageOf(p.type), shares * sums);
  const each = Math.ceil(p.terms / shares);
  ctx.parallel("dot_parts", sums * shares, (item) => {
    const [b, i, j, share] = unravel(item, [...extents, shares]);
    const { stmts, sum } = sumOf(p.type, each, (step) => {
      const k = indexAdd(indexMul(step, shares), share);
      const product = (term: Expr): Expr => mul(p.x.at(b, i, term), p.y.at(b, j, term));
      if (each * shares === p.terms) return product(k);
      return select(lt(k, p.terms), product(min(k, p.terms - 1)), constant(p.type, 0));
    });
    return [...stmts, store(parts, item, sum)];
  });
  ctx.parallel("dot", sums, (item) => {
    const [b, i, j] = unravel(item, extents);
    const { stmts, sum } = sumOf(p.type, shares, (s) => load(parts, indexAdd(indexMul(item, shares), s)));
    return [...stmts, ...p.write(b, i, j, sum)];
  });
}

const side = 4;

function tiledSums(ctx: KernelContext, p: Product): void {
  const extents = [p.batch, Math.ceil(p.x.rows / side), Math.ceil(p.y.rows / side)];
  ctx.parallel("dot", extents[0] * extents[1] * extents[2], (item) => {
    const [b, rowTile, columnTile] = unravel(item, extents);
    const at = (tile: Expr, r: Expr | number): Expr => indexAdd(indexMul(tile, side), r);
    // Rows that do not exist are computed as the last one, and not written.
    const existing = (tile: Expr, r: number, { rows }: Side): Expr =>
      rows % side === 0 ? at(tile, r) : min(at(tile, r), rows - 1);
    const cells = (name: string): Local[] =>
      Array.from({ length: side }, (_, r) => new Local(`${name}${r}`, p.type, side, true));
    const zero = (locals: readonly Local[]): Stmt[] =>
      locals.map((local) => letIn(local, constant(p.type, 0, side)));
    const columns = (k: Expr): Expr => {
      const { direct, rows } = p.y;
      if (direct?.rowStep === 1 && rows % side === 0)
        return load(direct.buffer, direct.place(b, at(columnTile, 0), k), undefined, side);
      return vector(Array.from({ length: side }, (_, c) => p.y.at(b, existing(columnTile, c, p.y), k)));
    };
    const adding = (into: readonly Local[], from: Expr, n: number): Stmt =>
      loop("k", 0, n, (step) => {
        const k = indexAdd(from, step);
        const y = new Local("y", p.type, side);
        return [
          letIn(y, columns(k)),
          ...into.map((cell, r) => {
            const x = p.x.at(b, existing(rowTile, r, p.x), k);
            return assign(cell, add(get(cell), mul(splat(x, side), get(y))));
          }),
        ];
      });
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
            Array.from({ length: side }, (_, lane) => extract(get(row), lane)),
          );
          return [when(and(lt(i, p.x.rows), lt(j, p.y.rows)), p.write(b, i, j, value))];
        }),
      ];
    });
    return [...zero(total), ...sums, write];
  });
}

/** The choice with number `n`. */
const choose = (n: Expr, choices: readonly Expr[]): Expr =>
  choices.reduceRight((rest, choice, k) =>
    k === choices.length - 1 ? choice : select(eq(n, k), choice, rest),
  );
