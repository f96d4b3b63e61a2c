/** Products by plain loops: for small sums, for small results, and where nothing better is known. */
import { indexAdd, indexMul, indexSub, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import { add, assign, constant, get, i32, letIn, loop, min, mul } from "../core/ir/ops.js";
import { type Expr, Local, type ScalarType, type Stmt } from "../core/ir/types.js";
import type { Product } from "./product.js";

/** Terms that are added up before they join the total: so the error of a sum grows with this, not with its length. */
export const blockTerms = 256;

/**
 * Σ term(k) for k from 0 up to `terms`, in blocks.
 *
 * @returns the statements that compute it, and the sum.
 */
export function sumOf(
  type: ScalarType,
  terms: number,
  term: (k: Expr) => Expr,
): { readonly stmts: readonly Stmt[]; readonly sum: Expr } {
  const total = new Local("total", type, 1, true);
  const adding = (cell: Local, from: Expr, n: number): Stmt =>
    loop("k", 0, n, (k) => [assign(cell, add(get(cell), term(indexAdd(from, k))))]);
  const start = letIn(total, constant(type, 0));
  if (terms <= 2 * blockTerms) return { stmts: [start, adding(total, i32(0), terms)], sum: get(total) };
  const block = (from: Expr, n: number): Stmt[] => {
    const part = new Local("part", type, 1, true);
    return [letIn(part, constant(type, 0)), adding(part, from, n), assign(total, add(get(total), get(part)))];
  };
  const blocks = Math.floor(terms / blockTerms);
  const rest = terms - blocks * blockTerms;
  const main = loop("block", 0, blocks, (b) => block(indexMul(b, blockTerms), blockTerms));
  const tail = rest === 0 ? [] : block(i32(blocks * blockTerms), rest);
  return { stmts: [start, main, ...tail], sum: get(total) };
}

/** An item for each sum. */
export function eachSum(ctx: KernelContext, p: Product): void {
  ctx.parallel("dot", p.batch * p.x.rows * p.y.rows, (item) => {
    const [b, i, j] = unravel(item, [p.batch, p.x.rows, p.y.rows]);
    const { stmts, sum } = sumOf(p.type, p.terms, (k) => mul(p.x.at(b, i, k), p.y.at(b, j, k)));
    return [...stmts, ...p.write(b, i, j, sum)];
  });
}

/** Rows longer than this are shared among items. */
const longRow = 2048;

/** Few products in each sum: they are spelt out, so that the innermost loop walks along rows of the result. */
export function spelledOut(ctx: KernelContext, p: Product): void {
  const columns = p.y.rows;
  const chunk = columns > longRow ? longRow / 2 : columns;
  const chunks = Math.ceil(columns / chunk);
  ctx.parallel("dot", p.batch * p.x.rows * chunks, (item) => {
    const [b, i, c] = unravel(item, [p.batch, p.x.rows, chunks]);
    const left = chunks === 1 ? i32(columns) : min(indexSub(columns, indexMul(c, chunk)), chunk);
    const local = new Local("j", "i32", 1, false, chunk);
    const j = indexAdd(indexMul(c, chunk), get(local));
    // From 0, so that no sum is -0.
    let sum: Expr = constant(p.type, 0);
    for (let k = 0; k < p.terms; k++) sum = add(sum, mul(p.x.at(b, i, i32(k)), p.y.at(b, j, i32(k))));
    const body = p.write(b, i, j, sum);
    return [{ kind: "for", local, from: i32(0), to: left, step: 1, body }];
  });
}
