/** A kernel with its expressions numbered: each statement with the values in it, and each value with the scope around it. */
import type { Kernel, Stmt } from "../core/ir/types.js";
import { Numbering, Scope, type Value } from "./values.js";
import { blocksOf, exprsOf, writtenIn } from "./walk.js";

export interface NumberedStmt {
  readonly stmt: Stmt;
  /** Of `exprsOf` the statement. */
  readonly values: readonly Value[];
  /** Of `blocksOf` the statement. */
  readonly blocks: readonly NumberedBlock[];
  /** Of a `let` that reads a cell or memory: the value that the name stands for from here on. */
  readonly named: Value | undefined;
}

export interface NumberedBlock {
  readonly scope: Scope;
  readonly stmts: readonly NumberedStmt[];
}

export function numberKernel(kernel: Kernel): NumberedBlock {
  const root = new Scope(undefined, "root");
  const numbering = new Numbering(root, writtenIn(kernel.body));
  const { launch } = kernel;
  for (const local of launch.kind === "range" ? [launch.begin, launch.end] : [launch.group, launch.thread])
    numbering.declare(local, root);
  return numberBlock(kernel.body, root, numbering);
}

function numberBlock(body: readonly Stmt[], scope: Scope, numbering: Numbering): NumberedBlock {
  const seen = new Set<Value>();
  const stmts = body.map((stmt): NumberedStmt => {
    const values = exprsOf(stmt).map((e) => numbering.of(e));
    for (const v of values) mark(v, scope, seen);
    let named: Value | undefined;
    if (stmt.kind === "let") {
      if (values[0].pure && !stmt.local.mutable) numbering.alias(stmt.local, values[0]);
      else named = numbering.declare(stmt.local, scope);
    }
    const blocks = blocksOf(stmt).map((block) => {
      const inside = new Scope(scope, stmt.kind === "if" ? "branch" : "loop", surelyRuns(stmt));
      if (stmt.kind === "for") numbering.declare(stmt.local, inside);
      return numberBlock(block, inside, numbering);
    });
    return { stmt, values, blocks, named };
  });
  return { scope, stmts };
}

const surelyRuns = (s: Stmt): boolean =>
  s.kind === "for" && s.from.op === "const" && s.to.op === "const" && s.from.value < s.to.value;

/** Notes that a value, and all it is made of, occurs in a scope. */
function mark(root: Value, scope: Scope, seen: Set<Value>): void {
  const todo = [root];
  for (let v = todo.pop(); v !== undefined; v = todo.pop()) {
    if (seen.has(v)) continue;
    seen.add(v);
    v.around = v.around === undefined ? scope : commonScope(v.around, scope);
    todo.push(...v.operands);
  }
}

function commonScope(x: Scope, y: Scope): Scope {
  let [a, b] = [x, y];
  while (a !== b)
    if (a.depth > b.depth) a = a.parent as Scope;
    else b = b.parent as Scope;
  return a;
}
