/** Rare choices in kernels of a GPU: cells that a thread sets in a branch, if it needs a rare value that costs more than that. */
import { assign, get, letIn, when } from "../core/ir/ops.js";
import { type Expr, Local, type Stmt } from "../core/ir/types.js";
import { costOfNode } from "./kernelCost.js";
import { exprsOf, mapStmt, mapStmts, nodesOf, rewriting, someNode } from "./walk.js";

export type Rare = Extract<Expr, { op: "select" }>;

export const isRare = (e: Expr): e is Rare => e.op === "select" && e.rare === true;

/** What a branch costs a thread. */
const costOfBranch = 8;

/** Whether a rare value costs more than a branch, beside what it shares with the usual one. */
function isWorthABranch({ onTrue, onFalse }: Rare): boolean {
  const usual = new Set(nodesOf(onFalse));
  const cost = nodesOf(onTrue).reduce((sum, e) => (usual.has(e) ? sum : sum + costOfNode(e)), 0);
  return cost > costOfBranch;
}

export function inThreads(body: readonly Stmt[]): readonly Stmt[] {
  return mapStmts(body, (s) => {
    const inside = mapStmt(s, (e) => e, inThreads);
    // A condition of a `while` is evaluated again and again.
    if (s.kind === "while" || !exprsOf(s).some((e) => someNode(e, isRare))) return [inside];
    const branches = new Branches();
    const stmt = mapStmt(inside, branches.rewrite, (block) => block);
    return [...branches.finish(), stmt];
  });
}

/** Cells for the values of choices, set in branches; neighbours with the same condition share a branch. */
class Branches {
  private readonly stmts: Stmt[] = [];
  private cond: Expr | undefined;
  private cells: { readonly cell: Local; readonly name: Local; readonly e: Rare }[] = [];

  readonly rewrite = rewriting((e) => (isRare(e) && e.lanes === 1 && isWorthABranch(e) ? this.value(e) : e));

  finish(): readonly Stmt[] {
    this.close();
    return this.stmts;
  }

  private value(e: Rare): Expr {
    const waiting = new Set(this.cells.map(({ name }) => name));
    if (e.cond !== this.cond || someNode(e, (n) => n.op === "get" && waiting.has(n.local))) this.close();
    this.cond = e.cond;
    const name = new Local("settled", e.type);
    this.cells.push({ cell: new Local("usual", e.type, 1, true), name, e });
    return get(name);
  }

  private close(): void {
    const { cells, cond } = this;
    if (cond === undefined) return;
    this.stmts.push(
      ...cells.map(({ cell, e }) => letIn(cell, e.onFalse)),
      when(
        cond,
        cells.map(({ cell, e }) => assign(cell, e.onTrue)),
      ),
      ...cells.map(({ cell, name }) => letIn(name, get(cell))),
    );
    this.cells = [];
    this.cond = undefined;
  }
}
