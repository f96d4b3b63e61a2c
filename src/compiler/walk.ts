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

/** Calls `visit` for each operand, in order. */
export function eachChild(e: Expr, visit: (child: Expr) => void): void {
  switch (e.op) {
    case "const":
    case "get":
      return;
    case "load":
      visit(e.index);
      if (e.guard !== undefined) visit(e.guard);
      return;
    case "unary":
    case "cast":
    case "bitcast":
    case "splat":
    case "extract":
      visit(e.x);
      return;
    case "binary":
    case "compare":
      visit(e.x);
      visit(e.y);
      return;
    case "select":
      visit(e.cond);
      visit(e.onTrue);
      visit(e.onFalse);
      return;
    case "vector":
      for (const part of e.parts) visit(part);
      return;
    case "host":
      for (const arg of e.args) visit(arg);
  }
}

/** Whether something holds for an operand. */
export function someChild(e: Expr, test: (child: Expr) => boolean): boolean {
  switch (e.op) {
    case "const":
    case "get":
      return false;
    case "load":
      return test(e.index) || (e.guard !== undefined && test(e.guard));
    case "unary":
    case "cast":
    case "bitcast":
    case "splat":
    case "extract":
      return test(e.x);
    case "binary":
    case "compare":
      return test(e.x) || test(e.y);
    case "select":
      return test(e.cond) || test(e.onTrue) || test(e.onFalse);
    case "vector":
      return e.parts.some(test);
    case "host":
      return e.args.some(test);
  }
}

/** The same operation on other operands; the node itself, if they stay what they are. */
export function mapChildren(e: Expr, f: (child: Expr) => Expr): Expr {
  switch (e.op) {
    case "const":
    case "get":
      return e;
    case "load": {
      const index = f(e.index);
      const guard = e.guard === undefined ? undefined : f(e.guard);
      return index === e.index && guard === e.guard ? e : { ...e, index, guard };
    }
    case "unary":
    case "cast":
    case "bitcast":
    case "splat":
    case "extract": {
      const x = f(e.x);
      return x === e.x ? e : { ...e, x };
    }
    case "binary":
    case "compare": {
      const x = f(e.x);
      const y = f(e.y);
      return x === e.x && y === e.y ? e : { ...e, x, y };
    }
    case "select": {
      const cond = f(e.cond);
      const onTrue = f(e.onTrue);
      const onFalse = f(e.onFalse);
      return cond === e.cond && onTrue === e.onTrue && onFalse === e.onFalse
        ? e
        : { ...e, cond, onTrue, onFalse };
    }
    case "vector": {
      const parts = e.parts.map((part) => f(part));
      return parts.every((part, i) => part === e.parts[i]) ? e : { ...e, parts };
    }
    case "host": {
      const args = e.args.map((arg) => f(arg));
      return args.every((arg, i) => arg === e.args[i]) ? e : { ...e, args };
    }
  }
}

/** So deep walks recurse; below that they keep a list of what is still to be done. */
const deepest = 100;

/** Adds all nodes below the roots to `seen` and calls `visit` for each, children first; not for those that were there. */
export function eachNode(roots: readonly Expr[], seen: Set<Expr>, visit: (e: Expr) => void): void {
  let depth = 0;
  const enter = (e: Expr): void => {
    if (seen.has(e)) return;
    if (e.op === "const" || e.op === "get") {
      seen.add(e);
      visit(e);
      return;
    }
    if (depth === deepest) {
      childrenFirst(e, seen, (node) => {
        seen.add(node);
        visit(node);
      });
      return;
    }
    depth++;
    eachChild(e, enter);
    depth--;
    seen.add(e);
    visit(e);
  };
  for (const root of roots) enter(root);
}

/** Calls `visit`, which must note the node in `done`, for each node that is not noted, children first, without recursion. */
function childrenFirst(root: Expr, done: { has(e: Expr): boolean }, visit: (e: Expr) => void): void {
  const todo: Expr[] = [root];
  const opened = new Set<Expr>();
  while (todo.length > 0) {
    const e = todo[todo.length - 1];
    if (!done.has(e)) {
      const length = todo.length;
      if (!opened.has(e)) {
        const children = childrenOf(e);
        // The last of the list is looked at first.
        for (let i = children.length - 1; i >= 0; i--) if (!done.has(children[i])) todo.push(children[i]);
      }
      if (todo.length > length) {
        opened.add(e);
        continue;
      }
      visit(e);
    }
    todo.pop();
  }
}

/** All nodes, each once, children first. */
export function nodesOf(...roots: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  eachNode(roots, seen, () => {});
  return [...seen];
}

/** Whether something holds for a node. */
export function someNode(root: Expr, test: (e: Expr) => boolean): boolean {
  const fold = new Fold<boolean>((e, of) => test(e) || someChild(e, of));
  return fold.of(root);
}

/** Computes a value for each node from the values of its children, as far as they are asked for, and remembers it. */
export class Fold<T> {
  private readonly memo = new Map<Expr, T>();
  private depth = 0;

  /** @param step computes the value of a node; `of` gives those of its children. */
  constructor(private readonly step: (e: Expr, of: (child: Expr) => T) => T) {}

  readonly of = (e: Expr): T => {
    const known = this.memo.get(e);
    if (known !== undefined || this.memo.has(e)) return known as T;
    if (this.depth >= deepest) {
      childrenFirst(e, this.memo, (node) => void this.memo.set(node, this.step(node, this.of)));
      return this.memo.get(e) as T;
    }
    // Where a step throws, the depth is too large from then on: later walks keep a list sooner than they need to.
    this.depth++;
    const value = this.step(e, this.of);
    this.depth--;
    this.memo.set(e, value);
    return value;
  };
}

/** A function from expressions to expressions that replaces nodes: `replace` sees each node with its new operands. */
export const rewriting = (replace: (rebuilt: Expr, original: Expr) => Expr): ((e: Expr) => Expr) =>
  new Fold<Expr>((e, of) => replace(mapChildren(e, of), e)).of;

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

/** The statement with its own expressions, and the statements of its blocks, replaced; itself, if they stay what they are. */
export function mapStmt(
  s: Stmt,
  expr: (e: Expr) => Expr,
  block: (b: readonly Stmt[]) => readonly Stmt[],
): Stmt {
  switch (s.kind) {
    case "let":
    case "assign": {
      const value = expr(s.value);
      return value === s.value ? s : { ...s, value };
    }
    case "store":
    case "atomic": {
      const index = expr(s.index);
      const value = expr(s.value);
      return index === s.index && value === s.value ? s : { ...s, index, value };
    }
    case "for": {
      const from = expr(s.from);
      const to = expr(s.to);
      const body = block(s.body);
      return from === s.from && to === s.to && body === s.body ? s : { ...s, from, to, body };
    }
    case "while": {
      const cond = expr(s.cond);
      const body = block(s.body);
      return cond === s.cond && body === s.body ? s : { ...s, cond, body };
    }
    case "if": {
      const cond = expr(s.cond);
      const then = block(s.then);
      const otherwise = block(s.else);
      return cond === s.cond && then === s.then && otherwise === s.else ? s : when(cond, then, otherwise);
    }
    case "barrier":
      return s;
  }
}

/** The statements with `f` of each; the same list, if all stay what they are. */
export function mapStmts(body: readonly Stmt[], f: (s: Stmt) => readonly Stmt[] | Stmt): readonly Stmt[] {
  let changed: Stmt[] | undefined;
  for (let i = 0; i < body.length; i++) {
    const stmts = f(body[i]);
    const one = "kind" in stmts ? stmts : stmts.length === 1 ? stmts[0] : undefined;
    if (changed === undefined) {
      if (one === body[i]) continue;
      changed = body.slice(0, i);
    }
    if (one !== undefined) changed.push(one);
    else changed.push(...(stmts as readonly Stmt[]));
  }
  return changed ?? body;
}

/** Calls `visit` for every statement, outer ones first. */
export function eachStmt(body: readonly Stmt[], visit: (s: Stmt) => void): void {
  for (let i = 0; i < body.length; i++) {
    const s = body[i];
    visit(s);
    if (s.kind === "for" || s.kind === "while") eachStmt(s.body, visit);
    else if (s.kind === "if") {
      eachStmt(s.then, visit);
      eachStmt(s.else, visit);
    }
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
