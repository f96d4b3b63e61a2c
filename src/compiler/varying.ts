/** What differs between the iterations of a loop, and what that costs in vectors. */
import { type Affine, affine } from "../core/ir/affine.js";
import type { Expr, For, Lanes, Local, ScalarType, Stmt } from "../core/ir/types.js";
import { costOfNode, costOfTrip, tripsOf } from "./kernelCost.js";
import { eachChild, eachNode, eachStmt, exprsOf, Fold, someChild } from "./walk.js";

/** Whether values of the type have vectors of so many lanes. */
export const fits = (type: ScalarType, lanes: Lanes): boolean =>
  type === "bool" || (type === "f64" ? lanes === 2 : lanes === 4);

/** Multiplications and additions of a sum. */
function operationsIn({ terms }: Affine): number {
  let count = Math.max(0, terms.size - 1);
  for (const { coefficient } of terms.values()) if (coefficient !== 1) count++;
  return count;
}

export class Varying {
  /** Locals whose value may differ between iterations. */
  readonly locals: ReadonlySet<Local>;
  private readonly fold: Fold<boolean>;

  constructor(readonly loop: For) {
    const locals = new Set([loop.local]);
    this.locals = locals;
    // A name is given before it is used, but a cell may be used before it is assigned to.
    for (;;) {
      const fold = new Fold<boolean>((e, of) => (e.op === "get" ? locals.has(e.local) : someChild(e, of)));
      let again = false;
      eachStmt(loop.body, (s) => {
        if ((s.kind !== "let" && s.kind !== "assign") || locals.has(s.local) || !fold.of(s.value)) return;
        locals.add(s.local);
        if (s.local.mutable) again = true;
      });
      this.fold = fold;
      if (!again) return;
    }
  }

  /** Whether an expression may have another value in another iteration. */
  readonly has = (e: Expr): boolean => this.fold.of(e);

  /** How far apart the elements of two iterations are; undefined if that is not always the same. */
  strideOf(index: Expr): number | undefined {
    let stride = 0;
    for (const { atom, coefficient } of affine(index).terms.values())
      if (atom.op === "get" && atom.local === this.loop.local) stride = coefficient;
      else if (this.has(atom)) return undefined;
    return stride;
  }

  /** Whether an operation has a vector form, on vectors of its operands. */
  isVector(e: Expr, lanes: Lanes): boolean {
    switch (e.op) {
      case "load":
        return this.strideOf(e.index) === 1 && (e.guard === undefined || !this.has(e.guard));
      case "unary":
      case "binary":
      case "compare":
      case "select":
      case "cast":
      case "bitcast":
        return !someChild(e, (c) => !fits(c.type, lanes));
      default:
        return false;
    }
  }

  /** The body in vectors takes at least so long, each time: what shares all it can, and has its indices as plain sums. */
  leastCost(lanes: Lanes, parts: number): number {
    const block = (body: readonly Stmt[]): number => {
      const counted = new Set<Expr>();
      const indices = new Set<Expr>();
      const operands = new Set<Expr>();
      let cost = 0;
      /** What it takes to have a value as a vector, beside computing it. */
      const asVector = (e: Expr): void => {
        if (operands.has(e)) return;
        operands.add(e);
        if (!this.has(e)) cost += e.op === "const" ? 0 : 0.5;
        else if (e.op === "load" && !this.isVector(e, lanes)) cost += parts * lanes;
      };
      const node = (e: Expr): void => {
        const isIndex = e.op !== "load" && e.op !== "host" && (e.type === "i32" || e.type === "bool");
        if (!this.has(e)) cost += isIndex ? 0 : costOfNode(e);
        else if (!isIndex) {
          const isVector = this.isVector(e, lanes);
          cost += parts * costOfNode(e) * (isVector ? 1 : lanes);
          if (e.op !== "load") {
            if (isVector && fits(e.type, lanes)) eachChild(e, asVector);
          } else address(e.index, isVector);
        }
      };
      /** Each lane has an index of its own, unless they are loaded or stored together. */
      const address = (index: Expr, together: boolean): void => {
        if (indices.has(index) || this.strideOf(index) === undefined) return;
        indices.add(index);
        const apart = parts * (together ? 1 : lanes);
        cost += apart * operationsIn(affine(index)) + apart - 1;
      };
      for (const s of body) {
        eachNode(exprsOf(s), counted, node);
        if (s.kind === "store") {
          const together = this.strideOf(s.index) === 1;
          cost += parts * (together ? 1 : lanes);
          address(s.index, together);
        } else if (s.kind === "for") cost += 1 + tripsOf(s) * (costOfTrip + block(s.body));
        else if (s.kind === "if") cost += 1 + Math.max(block(s.then), block(s.else));
      }
      return cost;
    };
    return block(this.loop.body);
  }
}
