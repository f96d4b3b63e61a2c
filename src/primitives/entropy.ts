/** Products with logarithms that are 0 where the first factor is, though the logarithm may be infinite there. */
import * as math from "../core/ir/math/index.js";
import * as ir from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";
import { add, div, mul } from "./arithmetic.js";
import { binary, work } from "./elementwise.js";
import { single } from "./elementwiseLower.js";
import { log, log1p } from "./exponential.js";

/** x times a logarithm that may be infinite where x is 0; a NaN stays one. */
const product = (x: number, y: number, logarithm: number): number =>
  x === 0 && !Number.isNaN(y) ? 0 : x * logarithm;

/** The same in kernel IR. */
const lowerProduct = (x: Expr, y: Expr, logarithm: Expr): Expr =>
  ir.select(ir.and(ir.eq(x, 0), ir.not(ir.isNaNOf(y))), 0, ir.mul(x, logarithm));

// These are primitives, since no other program has both the value 0 where x and y are, and the slope log y there.
export const timesLog = binary("xlogy", {
  summary: "x · log y, and 0 where x is 0",
  domain: "float",
  evaluate: (x, y) => product(x, y, Math.log(y)),
  lower: single((x, y) => lowerProduct(x, y, math.log(y))),
  tangent: { x: (t, _, y) => mul(t, log(y)), y: (t, x, y) => mul(t, div(x, y)) },
  cost: work.transcendental,
  smoothOn: [
    [
      [-2, 2],
      [0.5, 2],
    ],
  ],
});

export const timesLog1p = binary("xlog1py", {
  summary: "x · log(1 + y), and 0 where x is 0",
  domain: "float",
  evaluate: (x, y) => product(x, y, Math.log1p(y)),
  lower: single((x, y) => lowerProduct(x, y, math.log1p(y))),
  tangent: { x: (t, _, y) => mul(t, log1p(y)), y: (t, x, y) => mul(t, div(x, add(1, y))) },
  cost: work.transcendental,
  smoothOn: [
    [
      [-2, 2],
      [-0.5, 2],
    ],
  ],
});
