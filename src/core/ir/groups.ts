/**
 * Sums of many parts. An accumulator that takes all of them, one after the other, is off by an error that grows with their
 * number; here it takes a few, a second one takes what few of those make, and so on (Higham, Accuracy and Stability of
 * Numerical Algorithms, 4.2).
 */
import { add, get, i32, min } from "./ops.js";
import { type Expr, Local, type Stmt } from "./types.js";

/** Parts that one accumulator takes. */
const few = 16;

/**
 * Loops over the numbers below `count`.
 *
 * @param into the accumulators of the whole.
 * @param level statements that make accumulators, run what `inner` gives for them, and then add them to others.
 * @param body what is to be done for a number, with accumulators of its own.
 */
export function inGroups<Cells>(
  count: number,
  into: Cells,
  level: (into: Cells, inner: (own: Cells) => readonly Stmt[]) => readonly Stmt[],
  body: (i: Expr, own: Cells) => readonly Stmt[],
): Stmt {
  let widest = 1;
  while (widest * few < count) widest *= few;
  /** A loop over groups of `width` numbers. */
  const over = (width: number, from: Expr, to: Expr, cells: Cells): Stmt => {
    const local = new Local("b", "i32", 1, false, count);
    const first = get(local);
    const inner = (own: Cells): readonly Stmt[] =>
      width === 1 ? body(first, own) : [over(width / few, first, min(add(first, width), count), own)];
    return { kind: "for", local, from, to, step: width, body: level(cells, inner) };
  };
  return over(widest, i32(0), i32(count), into);
}
