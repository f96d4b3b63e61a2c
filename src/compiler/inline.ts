/**
 * Undoes names of index arithmetic, so that passes over loops see how an index depends on the counters. What is repeated by
 * this is shared again in the end (share.ts).
 */
import type { Expr, Local, Stmt } from "../core/ir/types.js";
import { blocksOf, eachStmt, exprsOf, Fold, mapStmt, mapStmts, rewriting, someChild } from "./walk.js";

/** The statements with every immutable i32 that is computed from other immutable i32 written out where it is used. */
export function inlineIndices(body: readonly Stmt[]): readonly Stmt[] {
  if (!body.some(hasNames)) return body;
  const twice = declaredTwice(body);
  const values = new Map<Local, Expr>();
  const isIndex = new Fold<boolean>((e, of) => {
    if (e.op === "get") return !e.local.mutable;
    return e.op !== "load" && e.op !== "host" && e.type === "i32" && !someChild(e, (c) => !of(c));
  });
  const rewrite = rewriting((e) => (e.op === "get" ? (values.get(e.local) ?? e) : e));
  const block = (stmts: readonly Stmt[]): readonly Stmt[] =>
    mapStmts(stmts, (s) => {
      const { value, local } = s.kind === "let" ? s : { value: undefined, local: undefined };
      if (value !== undefined && !local.mutable && local.type === "i32" && local.lanes === 1) {
        const inlined = rewrite(value);
        if (isIndex.of(inlined) && !twice.has(local)) {
          values.set(local, inlined);
          return [];
        }
      }
      return mapStmt(s, rewrite, block);
    });
  return block(body);
}

/** Whether an immutable i32 is declared in a statement or inside it. */
const hasNames = (s: Stmt): boolean =>
  s.kind === "let"
    ? s.local.type === "i32" && s.local.lanes === 1 && !s.local.mutable
    : blocksOf(s).some((block) => block.some(hasNames));

/** Locals of statements that stand in two places: they have two values. */
function declaredTwice(body: readonly Stmt[]): Set<Local> {
  const once = new Set<Local>();
  const twice = new Set<Local>();
  eachStmt(body, (s) => {
    if (s.kind !== "let" && s.kind !== "for") return;
    if (once.has(s.local)) twice.add(s.local);
    once.add(s.local);
  });
  return twice;
}

/** Whether statements use a local. */
export function mentions(body: readonly Stmt[], local: Local): boolean {
  const found = new Fold<boolean>((e, of) => (e.op === "get" ? e.local === local : someChild(e, of)));
  let result = false;
  eachStmt(body, (s) => {
    if (exprsOf(s).some((e) => found.of(e))) result = true;
  });
  return result;
}
