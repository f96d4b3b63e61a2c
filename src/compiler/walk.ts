/**
 * Walking over expressions and statements of the kernel IR. Expressions are graphs (a node may have several parents) and
 * can be thousands of nodes deep, so passes go over a list of nodes, children first, and never recurse into them.
 */
import { when } from "../core/ir/ops.js";
import type { Buffer, Expr, Stmt } from "../core/ir/types.js";

export function childrenOf(e: Expr): readonly Expr[] {
  switch (e.op) {
    case "const":
    case "get":
      return [];
    case "load":
      return e.guard === undefined ? [e.index] : [e.index, e.guard];
    case "unary":
    case "cast":
    case "bitcast":
    case "splat":
    case "extract":
      return [e.x];
    case "binary":
    case "compare":
      return [e.x, e.y];
    case "select":
      return [e.cond, e.onTrue, e.onFalse];
    case "vector":
      return e.parts;
    case "host":
      return e.args;
  }
}

/** The same operation on other operands, given in the order of `childrenOf`. */
export function withChildren(e: Expr, c: readonly Expr[]): Expr {
  switch (e.op) {
    case "const":
    case "get":
      return e;
    case "load":
      return { ...e, index: c[0], guard: e.guard === undefined ? undefined : c[1] };
    case "unary":
    case "cast":
    case "bitcast":
    case "splat":
    case "extract":
      return { ...e, x: c[0] };
    case "binary":
    case "compare":
      return { ...e, x: c[0], y: c[1] };
    case "select":
      return { ...e, cond: c[0], onTrue: c[1], onFalse: c[2] };
    case "vector":
      return { ...e, parts: c };
    case "host":
      return { ...e, args: c };
  }
}

/** The node itself, if its operands stay what they are. */
export const rebuilt = (e: Expr, operands: readonly Expr[]): Expr =>
  childrenOf(e).every((c, i) => c === operands[i]) ? e : withChildren(e, operands);

/** Calls `visit` once for each node below the roots, children first; not for nodes that `done` holds, nor below them. */
export function eachNode(
  roots: readonly Expr[],
  done: { has(e: Expr): boolean },
  visit: (e: Expr) => void,
): void {
  const seen = new Set<Expr>();
  const todo: (Expr | undefined)[] = [...roots].reverse();
  const open: Expr[] = [];
  while (todo.length > 0) {
    const e = todo.pop();
    if (e === undefined) {
      // All children of the last opened node are done.
      visit(open.pop() as Expr);
      continue;
    }
    if (seen.has(e) || done.has(e)) continue;
    seen.add(e);
    const children = childrenOf(e);
    if (children.length === 0) {
      visit(e);
      continue;
    }
    open.push(e);
    todo.push(undefined);
    for (let i = children.length - 1; i >= 0; i--) todo.push(children[i]);
  }
}

const nothing = { has: () => false };

/** All nodes, each once, children first. */
export function nodesOf(...roots: readonly Expr[]): Expr[] {
  const nodes: Expr[] = [];
  eachNode(roots, nothing, (e) => nodes.push(e));
  return nodes;
}

/** Computes a value for each node from the values of its children, and remembers it. */
export class Fold<T> {
  private readonly memo = new Map<Expr, T>();

  constructor(private readonly step: (e: Expr, children: readonly T[]) => T) {}

  of(e: Expr): T {
    if (!this.memo.has(e))
      eachNode([e], this.memo, (node) => {
        this.memo.set(
          node,
          this.step(
            node,
            childrenOf(node).map((c) => this.memo.get(c) as T),
          ),
        );
      });
    return this.memo.get(e) as T;
  }
}

/** A function from expressions to expressions that replaces nodes: `replace` sees each node with its new operands. */
export const rewriting = (replace: (rebuilt: Expr, original: Expr) => Expr): ((e: Expr) => Expr) => {
  const fold = new Fold<Expr>((e, operands) => replace(rebuilt(e, operands), e));
  return (e) => fold.of(e);
};

/** The expressions that stand in a statement itself, not in blocks inside it. */
export function exprsOf(s: Stmt): readonly Expr[] {
  switch (s.kind) {
    case "let":
    case "assign":
      return [s.value];
    case "store":
    case "atomic":
      return [s.index, s.value];
    case "for":
      return [s.from, s.to];
    case "while":
    case "if":
      return [s.cond];
    case "barrier":
      return [];
  }
}

export function blocksOf(s: Stmt): readonly (readonly Stmt[])[] {
  switch (s.kind) {
    case "for":
    case "while":
      return [s.body];
    case "if":
      return [s.then, s.else];
    default:
      return [];
  }
}

/** The statement with its own expressions, and the statements of its blocks, replaced. */
export function mapStmt(
  s: Stmt,
  expr: (e: Expr) => Expr,
  block: (b: readonly Stmt[]) => readonly Stmt[],
): Stmt {
  switch (s.kind) {
    case "let":
    case "assign":
      return { ...s, value: expr(s.value) };
    case "store":
    case "atomic":
      return { ...s, index: expr(s.index), value: expr(s.value) };
    case "for":
      return { ...s, from: expr(s.from), to: expr(s.to), body: block(s.body) };
    case "while":
      return { ...s, cond: expr(s.cond), body: block(s.body) };
    case "if":
      return when(expr(s.cond), block(s.then), block(s.else));
    case "barrier":
      return s;
  }
}

/** Calls `visit` for every statement, outer ones first. */
export function eachStmt(body: readonly Stmt[], visit: (s: Stmt) => void): void {
  for (const s of body) {
    visit(s);
    for (const block of blocksOf(s)) eachStmt(block, visit);
  }
}

/** The buffers that statements write to. */
export function writtenIn(body: readonly Stmt[]): Set<Buffer> {
  const written = new Set<Buffer>();
  eachStmt(body, (s) => {
    if (s.kind === "store" || s.kind === "atomic") written.add(s.buffer);
  });
  return written;
}
