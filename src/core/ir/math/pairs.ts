/**
 * Numbers of about 35 bits as a sum of two float32 (T. J. Dekker, A floating-point technique for extending the available
 * precision, 1971). The head has at most 12 significant bits, so that products of heads are exact: then it does not
 * matter whether a compiler fuses them with an addition. Heads are cut off by masking bits, which compilers cannot see
 * through when they simplify (a + b) - a.
 */
import { add, and, bitcast, mul, sub } from "../ops.js";
import type { Expr } from "../types.js";

export interface Pair {
  readonly hi: Expr;
  readonly lo: Expr;
}

/** The first 12 significant bits. */
export const head = (x: Expr): Expr => bitcast("f32", and(bitcast("u32", x), 0xfffff000));

/** The first 16 significant bits. */
export const longHead = (x: Expr): Expr => bitcast("f32", and(bitcast("u32", x), 0xffffff00));

/** x as a pair, exactly. */
export function pairOf(x: Expr): Pair {
  const hi = head(x);
  return { hi, lo: sub(x, hi) };
}

/** The sum of x and a much smaller y as a pair. */
export function pairOfSum(x: Expr, y: Expr): Pair {
  const hi = head(add(x, y));
  return { hi, lo: add(sub(x, hi), y) };
}

/** The part of the product that is not the product of the heads. */
export const restOfProduct = (x: Pair, y: Pair): Expr =>
  add(add(mul(x.hi, y.lo), mul(x.lo, y.hi)), mul(x.lo, y.lo));

export const pairProduct = (x: Pair, y: Pair): Pair => pairOfSum(mul(x.hi, y.hi), restOfProduct(x, y));

/** n - q·d for a quotient q of n and d that is about right: what is left to divide. */
export function remainderOf(n: Expr, q: Pair, d: Pair): Expr {
  return sub(sub(sub(sub(n, mul(q.hi, d.hi)), mul(q.hi, d.lo)), mul(q.lo, d.hi)), mul(q.lo, d.lo));
}
