/** What vectorizing asks of the body of each loop, gathered in one walk, for all loops around a statement at once. */
import { noted } from "../core/ir/notes.js";
import type { Expr, ScalarType, Stmt } from "../core/ir/types.js";
import { costOfNode } from "./kernelCost.js";
import { blocksOf, eachNode, exprsOf, someNode } from "./walk.js";

export interface BlockFacts {
  /** Has none of the statements, and no vectors already, that rule vectors out. */
  readonly isWidenable: boolean;
  /** Something waits for its own value of the iteration before (or of an inner loop). */
  readonly isRecurrent: boolean;
  /** The work of all statements, each once. */
  readonly work: number;
  /** Types of everything that is computed. */
  readonly types: ReadonlySet<ScalarType>;
}

export const factsOf: (body: readonly Stmt[]) => BlockFacts = noted(gather);

/** Nothing else is asked of what cannot be in vectors. */
const notWidenable: BlockFacts = { isWidenable: false, isRecurrent: false, work: 0, types: new Set() };

function gather(body: readonly Stmt[]): BlockFacts {
  if (!body.every(mayBeWidened)) return notWidenable;
  let isRecurrent = false;
  let work = 0;
  const types = new Set<ScalarType>();
  const visit = (e: Expr): void => {
    types.add(e.type);
    work += costOfNode(e);
  };
  for (const s of body) {
    const exprs = exprsOf(s);
    eachNode(exprs, new Set(), visit);
    if (s.kind === "assign" && someNode(s.value, (e) => e.op === "get" && e.local === s.local))
      isRecurrent = true;
    for (const block of blocksOf(s)) {
      const inside = factsOf(block);
      if (!inside.isWidenable) return notWidenable;
      if (inside.isRecurrent) isRecurrent = true;
      work += inside.work;
      for (const type of inside.types) types.add(type);
    }
  }
  return { isWidenable: true, isRecurrent, work, types };
}

/** Of a statement by itself, told without a walk over its expressions. */
const mayBeWidened = (s: Stmt): boolean =>
  s.kind !== "while" &&
  s.kind !== "atomic" &&
  s.kind !== "barrier" &&
  exprsOf(s).every(({ lanes }) => lanes === 1);
