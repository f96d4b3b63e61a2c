/** Products by plain loops: for small sums, for small results, and where nothing better is known. */
import { indexAdd, indexMul, indexSub, unravel } from "../core/ir/affine.js";
import { inGroups } from "../core/ir/groups.js";
import type { KernelContext, Target } from "../core/ir/lower.js";
import { add, assign, constant, get, i32, letIn, loop, min, mul } from "../core/ir/ops.js";
import { type Expr, Local, type ScalarType, type Stmt } from "../core/ir/types.js";
import type { Product } from "./product.js";

/** Terms that are added up before they join others: so the error of a sum grows with this, not with its length. */
export const blockTerms = 256;

/**
 * Σ term(k) for k from 0 up to `terms`, in blocks, and blocks in groups.
 *
 * @param block terms of a block; shorter sums are not cut.
 * @returns the statements that compute it, and the sum.
 */
export function sumOf(
  type: ScalarType,
  terms: number,
  term: (k: Expr) => Expr,
  block: number,
): { readonly stmts: readonly Stmt[]; readonly sum: Expr } {
  const total = new Local("total", type, 1, true);
  const start = letIn(total, constant(type, 0));
  const adding = (cell: Local, from: Expr, n: number): Stmt =>
    loop("k", 0, n, (k) => [assign(cell, add(get(cell), term(indexAdd(from, k))))]);
  const level = (into: Local, inner: (own: Local) => readonly Stmt[]): Stmt[] => {
    const part = new Local("part", type, 1, true);
    return [letIn(part, constant(type, 0)), ...inner(part), assign(into, add(get(into), get(part)))];
  };
  if (terms <= block) return { stmts: [start, adding(total, i32(0), terms)], sum: get(total) };
  const blocks = Math.floor(terms / block);
  const rest = terms - blocks * block;
  const main = inGroups(blocks, total, level, (b, own) => [adding(own, indexMul(b, block), block)]);
  const tail = rest === 0 ? [] : level(total, (own) => [adding(own, i32(blocks * block), rest)]);
  return { stmts: [start, main, ...tail], sum: get(total) };
}

/** Terms of a block: on the CPU they are shared among the lanes of several vectors. */
export const blockOf = (target: Target): number => (target === "wasm" ? 128 : 16);

/** An item for each sum. */
export function eachSum(ctx: KernelContext, p: Product): void {
  ctx.parallel("dot", p.batch * p.x.rows * p.y.rows, (item) => {
    const [b, i, j] = unravel(item, [p.batch, p.x.rows, p.y.rows]);
    const { stmts, sum } = sumOf(
      p.type,
      p.terms,
      (k) => mul(p.x.at(b, i, k), p.y.at(b, j, k)),
      blockOf(ctx.target),
    );
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
