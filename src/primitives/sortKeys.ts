/**
 * Keys of sorting: elements in a form in which they are compared quickly. Floats of 32 bits (and less) become integers in
 * the same order: those of positive numbers are their bits, those of negative ones their bits with all but the sign
 * inverted. Every NaN becomes one that is larger than all numbers; -0 and 0 become -1 and 0.
 */
import type { DType } from "../core/dtype.js";
import {
  and,
  bitcast,
  div,
  eq,
  gt,
  i32,
  isNaNOf,
  lt,
  not,
  or,
  select,
  shr,
  sub,
  xor,
} from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";

export interface Key {
  /** The dtype that keys are stored in. */
  readonly dtype: DType;
  lift(element: Expr): Expr;
  /** The element again. */
  drop(key: Expr): Expr;
  /** Ascending; NaN comes last, and -0 ties with 0. */
  less(a: Expr, b: Expr): Expr;
  /** Descending; NaN comes first, and 0 before -0. */
  greater(a: Expr, b: Expr): Expr;
}

const identity = (x: Expr): Expr => x;

/** For bits with the sign set, the others inverted; its own inverse. */
const inverted = (bits: Expr): Expr => xor(bits, and(shr(bits, 31), 0x7fffffff));

const ofFloat: Key = {
  dtype: "int32",
  lift: (x) => select(isNaNOf(x), i32(0x7fc00000), inverted(bitcast("i32", x))),
  drop: (key) => bitcast("f32", inverted(key)),
  less: (a, b) => lt(tied(a), tied(b)),
  greater: gt,
};

/** Moves the negative keys up by one, so that those of -0 and 0 are the same. */
const tied = (key: Expr): Expr => sub(key, shr(key, 31));

/** There are no integers for the bits of float64. */
const ofDouble: Key = {
  dtype: "float64",
  lift: identity,
  drop: identity,
  less: (a, b) => or(lt(a, b), and(isNaNOf(b), not(isNaNOf(a)))),
  // 1/0 and 1/-0 tell zeros apart.
  greater: (a, b) =>
    or(
      or(gt(a, b), and(isNaNOf(a), not(isNaNOf(b)))),
      and(and(eq(a, 0), eq(b, 0)), gt(div(1, a), div(1, b))),
    ),
};

export function keyOf(dtype: DType): Key {
  switch (dtype) {
    case "float32":
    case "float16":
      return ofFloat;
    case "float64":
      return ofDouble;
    case "bool":
      return {
        dtype,
        lift: identity,
        drop: identity,
        less: (a, b) => and(not(a), b),
        greater: (a, b) => and(a, not(b)),
      };
    default:
      return { dtype, lift: identity, drop: identity, less: lt, greater: gt };
  }
}
