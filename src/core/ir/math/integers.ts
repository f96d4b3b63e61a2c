/**
 * Integer operations that are defined for all operands: the IR's own must not divide by zero, overflow a quotient or shift
 * by more than 31 bits. All are exact. Numbers of 8 bits are u32 whose other bits are 0; of a result they may be anything.
 */
import {
  and,
  bitcast,
  cast,
  constant,
  div,
  eq,
  ge,
  lt,
  max,
  min,
  mul,
  or,
  rem,
  select,
  shl,
  shr,
  sub,
} from "../ops.js";
import type { Expr } from "../types.js";

/** How many bits an integer has. */
export type Width = 8 | 32;

const zero = (x: Expr): Expr => constant(x.type, 0);

export const negate = (x: Expr): Expr => sub(zero(x), x);

/** |x|; the lowest i32 stays what it is. */
export const magnitude = (x: Expr): Expr => (x.type === "u32" ? x : select(lt(x, 0), negate(x), x));

/** -1, 0 or 1. */
export const signum = (x: Expr): Expr => (x.type === "u32" ? min(x, 1) : max(min(x, 1), -1));

/** The divisor, or 1 where the quotient is not defined (by 0) or would overflow (the lowest i32 by -1). */
function safeDivisor(x: Expr, y: Expr): Expr {
  const undefinedAt = eq(y, 0);
  const overflows = x.type === "i32" ? and(eq(y, -1), eq(x, -0x80000000)) : constant("bool", 0);
  return select(or(undefinedAt, overflows), 1, y);
}

/** x/y rounded towards zero; all bits set for y = 0; the lowest i32 for itself by -1. */
export const quotient = (x: Expr, y: Expr): Expr =>
  select(eq(y, 0), x.type === "u32" ? 0xffffffff : -1, div(x, safeDivisor(x, y)));

/** The remainder of `quotient`, with the sign of x; x for y = 0. */
export const integerRemainder = (x: Expr, y: Expr): Expr => select(eq(y, 0), x, rem(x, safeDivisor(x, y)));

/** Whether as many places are too many: amounts are read as unsigned. */
const isTooFar = (y: Expr, width: Width): Expr => ge(bitcast("u32", y), width);

/** x·2^y; 0 where y is negative or at least the width. */
export const shiftLeft = (x: Expr, y: Expr, width: Width): Expr =>
  select(isTooFar(y, width), 0, shl(x, and(y, 31)));

/** The bits of x moved right by y places, with zeros moved in; 0 where y is negative or at least the width. */
export const shiftRightLogical = (x: Expr, y: Expr, width: Width): Expr =>
  select(isTooFar(y, width), 0, cast(x.type, shr(cast("u32", x), and(cast("u32", y), 31))));

/** The same, with copies of the highest bit moved in. */
export function shiftRightArithmetic(x: Expr, y: Expr, width: Width): Expr {
  const spare = 32 - width;
  // The highest bit is put where that of an i32 is.
  const signed = shr(shl(cast("i32", x), spare), spare);
  const places = cast("i32", min(cast("u32", y), width - 1));
  return cast(x.type, shr(signed, places));
}

/** The low 32 bits of x^n for a whole n >= 0, by squaring. */
export function wrappingPower(x: Expr, n: number): Expr {
  let result: Expr = constant(x.type, 1);
  let base = x;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = mul(result, base);
    if (rest > 1) base = mul(base, base);
  }
  return result;
}
