/**
 * Counters as digits: where an index has ⌊i/n⌋ or i mod n of a counter, as it does when several axes are walked by one loop,
 * the counter is written as digits of a mixed radix, in which all of these are sums.
 */
import { indexAdd, indexDiv, indexMod, indexMul, intervalOf } from "../core/ir/affine.js";
import { get, isConst } from "../core/ir/ops.js";
import { type Binary, type Expr, Local } from "../core/ir/types.js";
import { nodesOf, rewriting } from "./walk.js";

export interface Digits {
  /** Rewrites an index in terms of digits. */
  readonly rewrite: (index: Expr) => Expr;
  /** The digits of a counter, the highest first; of one that stands for itself only that. */
  readonly of: (counter: Local) => readonly Local[];
}

/** The digits in which some indices are written best. */
export function digitsIn(indices: readonly Expr[]): Digits {
  const cuts = new Map<Local, Set<number>>();
  const note = (counter: Local, n: number): void => {
    if (counter.mutable || n <= 1) return;
    const known = cuts.get(counter);
    if (known === undefined) cuts.set(counter, new Set([n]));
    else known.add(n);
  };
  for (const e of nodesOf(...indices)) {
    const outer = divisionOf(e);
    if (outer === undefined) continue;
    const { x, n } = outer;
    const inner = divisionOf(x);
    if (x.op === "get") note(x.local, n);
    else if (inner?.fn === "div" && inner.x.op === "get") note(inner.x.local, inner.n * n);
  }
  const digits = new Map<Local, readonly Local[]>();
  const sums = new Map<Local, Expr>();
  for (const [counter, own] of cuts) {
    const radices = [1, ...[...own].sort((a, b) => a - b)];
    if (radices.some((c, i) => i > 0 && c % radices[i - 1] !== 0)) continue;
    const parts = radices.map((c, i) => {
      const next = radices[i + 1];
      const highest = counter.bound === undefined ? undefined : Math.ceil(counter.bound / c);
      return new Local(`${counter.name}${i}`, "i32", 1, false, next === undefined ? highest : next / c);
    });
    sums.set(
      counter,
      parts.map((d, i) => indexMul(get(d), radices[i])).reduce((a, b) => indexAdd(a, b)),
    );
    digits.set(counter, [...parts].reverse());
  }
  const rewrite = rewriting((e) => {
    if (e.op === "get") return sums.get(e.local) ?? e;
    const division = divisionOf(e);
    // Of what may be negative divisions are no sums.
    if (division === undefined || intervalOf(division.x).low < 0) return e;
    return division.fn === "div" ? indexDiv(division.x, division.n) : indexMod(division.x, division.n);
  });
  return {
    rewrite: sums.size === 0 ? (e) => e : rewrite,
    of: (counter) => digits.get(counter) ?? [counter],
  };
}

/** The parts of a division, or its rest, by a constant. */
function divisionOf(e: Expr): { fn: Binary["fn"]; x: Expr; n: number } | undefined {
  if (e.op !== "binary" || e.type !== "i32" || !isConst(e.y)) return undefined;
  return e.fn === "div" || e.fn === "rem" ? { fn: e.fn, x: e.x, n: e.y.value } : undefined;
}
