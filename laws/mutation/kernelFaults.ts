/**
 * Faults in `kernels` lowering rules: in the statements that such a rule writes. Stores of a faulty kernel are checked, so
 * that it spoils its own results and nobody else's memory.
 */
import { blocksOf, exprsOf, mapStmt, nodesOf, rewriting } from "../../src/compiler/walk.js";
import type { KernelContext, KernelsRule } from "../../src/core/ir/lower.js";
import { and, ge, i32, lt, when } from "../../src/core/ir/ops.js";
import type { Expr, Stmt } from "../../src/core/ir/types.js";
import type { Params } from "../../src/core/primitive.js";
import { nodeFaults } from "./exprFaults.js";
import type { FaultKind } from "./fault.js";

/** A fault in the statements of one of the kernels of a rule. */
export interface KernelFault {
  readonly kind: FaultKind;
  readonly id: string;
  readonly what: string;
  readonly faulty: KernelsRule;
}

/** The rule with all that its kernels do passed through `change`, with the number of the kernel. */
function changing(
  rule: KernelsRule,
  applies: (ctx: KernelContext, params: Params) => boolean,
  change: (body: readonly Stmt[], kernel: number) => readonly Stmt[],
): KernelsRule {
  return {
    ...rule,
    build: (ctx, params) => {
      if (!applies(ctx, params)) {
        rule.build(ctx, params);
        return;
      }
      let count = 0;
      rule.build(
        {
          ...ctx,
          parallel: (name, extent, body) => {
            const kernel = count++;
            ctx.parallel(name, extent, (item) => change(body(item), kernel));
          },
          kernel: (written) => ctx.kernel({ ...written, body: change(written.body, count++) }),
        },
        params,
      );
    },
  };
}

/** Statements that are run a number of times that is known before: what is inside `while` might never end. */
function* bounded(body: readonly Stmt[]): Generator<Stmt> {
  for (const s of body) {
    if (s.kind === "while") continue;
    yield s;
    for (const block of blocksOf(s)) yield* bounded(block);
  }
}

/** The statements that a rule writes: `listing` compiles something with the rule that it is given. */
export function kernelsOf(
  rule: KernelsRule,
  applies: (ctx: KernelContext, params: Params) => boolean,
  compileWith: (rule: KernelsRule) => void,
): readonly (readonly Stmt[])[] {
  const found: (readonly Stmt[])[] = [];
  compileWith(
    changing(rule, applies, (body, kernel) => {
      found[kernel] = body;
      return body;
    }),
  );
  return found;
}

export function* kernelFaults(
  rule: KernelsRule,
  applies: (ctx: KernelContext, params: Params) => boolean,
  kernels: readonly (readonly Stmt[])[],
): Generator<KernelFault> {
  for (const [kernel, body] of kernels.entries()) {
    const at = (change: (body: readonly Stmt[]) => readonly Stmt[]): KernelsRule =>
      changing(rule, applies, (own, k) => (k === kernel ? checked(change(own)) : own));
    const nodes = nodesIn(body);
    for (const [n, node] of nodes.entries())
      for (const { kind, id, what, spoil } of nodeFaults(node))
        yield {
          kind,
          id: `kernel${kernel}/node${n}/${id}`,
          what: `kernel ${kernel}: ${what}`,
          faulty: at((own) => replaceNode(own, nodesIn(own)[n], spoil)),
        };
    for (const [n, s] of [...bounded(body)].entries())
      if (s.kind === "store" || s.kind === "assign" || s.kind === "atomic")
        yield {
          kind: "dropped statement",
          id: `kernel${kernel}/statement${n}`,
          what: `kernel ${kernel}: no ${s.kind === "assign" ? `assignment to ${s.local.name}` : `${s.kind} to ${s.buffer.name}`}`,
          faulty: at((own) => without(own, [...bounded(own)][n])),
        };
  }
}

const nodesIn = (body: readonly Stmt[]): Expr[] => nodesOf(...[...bounded(body)].flatMap(exprsOf));

function replaceNode(
  body: readonly Stmt[],
  node: Expr | undefined,
  spoil: (e: Expr) => Expr,
): readonly Stmt[] {
  const expr = rewriting((e, original) => (original === node ? spoil(e) : e));
  const block = (b: readonly Stmt[]): readonly Stmt[] => b.map((s) => mapStmt(s, expr, block));
  return block(body);
}

function without(body: readonly Stmt[], dropped: Stmt | undefined): readonly Stmt[] {
  const block = (b: readonly Stmt[]): readonly Stmt[] =>
    b.flatMap((s) => (s === dropped ? [] : [mapStmt(s, (e) => e, block)]));
  return block(body);
}

/** Nothing is stored outside of a buffer. */
function checked(body: readonly Stmt[]): readonly Stmt[] {
  const block = (b: readonly Stmt[]): readonly Stmt[] =>
    b.map((s) => {
      if (s.kind !== "store" && s.kind !== "atomic") return mapStmt(s, (e) => e, block);
      const last = s.buffer.size - s.value.lanes;
      return when(and(ge(s.index, 0), lt(s.index, i32(last + 1))), [s]);
    });
  return block(body);
}
