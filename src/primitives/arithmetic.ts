/**
 * Arithmetic: remainders, signs, extremes, and under one name what stands in other files: sums (elementwise.ts),
 * differences, products and quotients (field.ts), powers and roots (power.ts).
 */
import type { NDArray } from "../core/array.js";
import { isFloat } from "../core/dtype.js";
import { integers, remainder } from "../core/ir/math/index.js";
import * as ir from "../core/ir/ops.js";
import { eq, ge, gt } from "./comparison.js";
import { binary, scalarLike, unary, work } from "./elementwise.js";
import { div, mul, neg, sub } from "./field.js";
import { round } from "./rounding.js";
import { select } from "./select.js";

export { add } from "./elementwise.js";
export { div, mul, neg, sub } from "./field.js";
export { cbrt, integerPow, pow, rsqrt, sqrt, square } from "./power.js";

/**
 * The remainder x - y·trunc(x / y): exact, with the sign of x (-7 rem 2 is -1; NumPy's `mod` is another function). For a
 * zero divisor NaN, or x among integers, as XLA has it. Operands and errors as for `sub`.
 */
export const rem = binary("rem", {
  summary: "the remainder of x / y, with the sign of x",
  domain: "number",
  evaluateFor: (dtype) => (isFloat(dtype) ? (x, y) => x % y : (x, y) => (y === 0 ? x : x % y)),
  tangent: {
    x: (t) => t,
    // -trunc(x / y) is (rem - x) / y. That quotient is whole but for rounding, while trunc(x / y) itself is off by one
    // where x / y was rounded up to a whole number.
    y: (t, x, y, out) => mul(t, round(div(sub(out, x), y), "toNearestEven")),
  },
  cost: work.multiply,
  lower: (x, y, dtype) =>
    isFloat(dtype) ? (dtype === "float64" ? undefined : remainder(x, y)) : integers.integerRemainder(x, y),
  // What float32 takes.
  weight: 50,
  smoothOn: [
    [
      [0.1, 1.9],
      [2.1, 3],
    ],
    [
      [4.1, 4.9],
      [1.9, 2.03],
    ],
    [
      [-4.9, -4.1],
      [1.9, 2.03],
    ],
    [
      [4.1, 4.9],
      [-2.03, -1.9],
    ],
  ],
});

/** |x|. Numbers; the lowest int32 stays what it is. The derivative at 0 is +1, as in JAX. */
export const abs = unary("abs", {
  summary: "|x|",
  domain: "number",
  evaluate: Math.abs,
  lower: (x, dtype) => (isFloat(dtype) ? ir.abs(x) : integers.magnitude(x)),
  tangent: (t, x) => select(ge(x, 0), t, neg(t)),
  smoothOn: [
    [0.1, 2],
    [-2, -0.1],
  ],
});

/** -1, 0 or 1, as x is below, at or above zero; keeps -0 and NaN. Numbers. The derivative is zero. */
export const sign = unary("sign", {
  summary: "-1, 0 or 1: the sign of x",
  domain: "number",
  evaluate: Math.sign,
  lower: (x, dtype) =>
    isFloat(dtype) ? ir.select(ir.gt(x, 0), 1, ir.select(ir.lt(x, 0), -1, x)) : integers.signum(x),
  smoothOn: [
    [0.1, 2],
    [-2, -0.1],
  ],
});

/** The part of the winner's derivative that falls to `winner`: ties split evenly; with NaN there is no winner. */
const share = (winner: NDArray, loser: NDArray): NDArray =>
  select(
    gt(winner, loser),
    scalarLike(winner, 1),
    select(eq(winner, loser), scalarLike(winner, 0.5), scalarLike(winner, 0)),
  );

/** Operands on either side of each other, away from ties. */
const apart = [
  [
    [-2, -0.1],
    [0.1, 2],
  ],
  [
    [0.1, 2],
    [-2, -0.1],
  ],
] as const;

/**
 * The larger of x and y; NaN wins, and 0 is larger than -0. Any one dtype (for booleans: or). Where they are equal each
 * has half of the derivative. Throws `DtypeError` for mixed dtypes, `ShapeError` for shapes that differ.
 */
export const max = binary("max", {
  summary: "the larger of x and y; NaN wins",
  domain: "any",
  evaluate: (x, y) => Math.max(x, y),
  lower: (x, y, dtype) => (dtype === "bool" ? ir.or(x, y) : ir.max(x, y)),
  tangent: { x: (t, x, y) => mul(t, share(x, y)), y: (t, x, y) => mul(t, share(y, x)) },
  smoothOn: apart,
});

/** The smaller of x and y; otherwise as `max` (for booleans: and). */
export const min = binary("min", {
  summary: "the smaller of x and y; NaN wins",
  domain: "any",
  evaluate: (x, y) => Math.min(x, y),
  lower: (x, y, dtype) => (dtype === "bool" ? ir.and(x, y) : ir.min(x, y)),
  tangent: { x: (t, x, y) => mul(t, share(y, x)), y: (t, x, y) => mul(t, share(x, y)) },
  smoothOn: apart,
});
