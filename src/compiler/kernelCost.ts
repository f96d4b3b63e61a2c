/** About how long statements take, in units of a simple instruction: only to choose between two ways to say the same. */

import { noted } from "../core/ir/notes.js";
import { isConst } from "../core/ir/ops.js";
import type { Expr, For, Stmt } from "../core/ir/types.js";
import { eachNode, exprsOf } from "./walk.js";

/** Trips of a loop whose bounds are not known. */
const usualTrips = 64;

/** How often a loop runs. @param extent items of the range, for the loop over them. */
export function tripsOf({ from, to, step, local }: For, extent?: number): number {
  if (isConst(from) && isConst(to)) return Math.max(0, Math.ceil((to.value - from.value) / step));
  return Math.ceil((extent ?? local.bound ?? usualTrips) / step);
}

/** What a loop costs beside its body, each time. */
export const costOfTrip = 1.5;

/** What one node costs, beside its operands. */
export function costOfNode(e: Expr): number {
  switch (e.op) {
    case "const":
    case "get":
      return 0;
    case "splat":
      return isConst(e.x) ? 0 : 0.5;
    case "vector":
      // Constants, or lanes of a vector in another order: one instruction, which stands for the extraction of the lanes.
      if (e.parts.every((p) => p.op === "const" || p.op === "extract")) return 0;
      return e.parts.length;
    case "load":
      return e.guard === undefined ? 1 : 3;
    case "unary":
      if (e.fn === "sqrt") return 5;
      return e.fn === "roundF16" ? 10 : 1;
    case "binary":
      if (e.fn !== "div" && e.fn !== "rem") return 1;
      // There is no integer division of several lanes.
      return e.type === "f32" || e.type === "f64" ? 4 : 8 * e.lanes;
    case "host":
      return 30;
    default:
      return 1;
  }
}

/** The cost of a block, run once. Each expression of a block is counted once: the others are shared. */
export const costOf: (body: readonly Stmt[]) => number = noted(computeCost);

function computeCost(body: readonly Stmt[]): number {
  const counted = new Set<Expr>();
  let cost = 0;
  for (const s of body) {
    eachNode(exprsOf(s), counted, (e) => {
      cost += costOfNode(e);
    });
    cost += costOfStmt(s);
  }
  return cost;
}

function costOfStmt(s: Stmt): number {
  switch (s.kind) {
    case "store":
      return 1;
    case "atomic":
      return 10;
    case "for":
      return 1 + tripsOf(s) * (costOfTrip + costOf(s.body));
    case "while":
      return usualTrips * costOf(s.body);
    case "if":
      return 1 + Math.max(costOf(s.then), costOf(s.else));
    default:
      return 0;
  }
}
