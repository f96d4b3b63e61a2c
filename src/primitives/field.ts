/** The operations of a field, which all derivatives are made of: differences, products, quotients. (add stands in elementwise.ts.) */
import { isFloat } from "../core/dtype.js";
import { integers } from "../core/ir/math/index.js";
import * as ir from "../core/ir/ops.js";
import { byFactors } from "./dependence.js";
import { binary, neutral, unary, work } from "./elementwise.js";

/**
 * x - y. Numbers of one dtype, of one shape or scalars; integers wrap around. Throws `DtypeError` for booleans and
 * mixed dtypes, `ShapeError` for other shapes.
 */
export const sub = binary("sub", {
  summary: "x - y",
  domain: "number",
  evaluate: (x, y) => x - y,
  lower: ir.sub,
  tangent: { x: (t) => t, y: (t) => neg(t) },
  transpose: { x: (ct) => ct, y: (ct) => neg(ct) },
  additive: true,
  simplify: (inputs) => (neutral(inputs, 1, 0) === 0 ? 0 : undefined),
});

/** -x. Numbers; integers wrap around (unsigned ones always, int32 at its lowest value). */
export const neg = unary("neg", {
  summary: "-x",
  domain: "number",
  evaluate: (x) => -x,
  lower: (x, dtype) => (isFloat(dtype) ? ir.neg(x) : integers.negate(x)),
  tangent: (t) => neg(t),
  transpose: (ct) => neg(ct),
});

/** x · y. Operands and errors as for `sub`; integers wrap around. */
export const mul = binary("mul", {
  summary: "x · y",
  domain: "number",
  // A product of 32-bit integers does not fit a double exactly; its low 32 bits do.
  evaluateFor: (dtype) => (isFloat(dtype) ? (x, y) => x * y : (x, y) => Math.imul(x, y)),
  tangent: { x: (t, _, y) => mul(t, y), y: (t, x) => mul(x, t) },
  transpose: { x: (ct, _, y) => mul(ct, y), y: (ct, x) => mul(x, ct) },
  lower: ir.mul,
  cost: work.multiply,
  dependence: byFactors,
  commutative: true,
  simplify: (inputs) => neutral(inputs, 1, 1) ?? neutral(inputs, 0, 1),
});

/**
 * x / y; for integers the quotient rounded towards zero, and -1 (all bits set) for a zero divisor, as XLA has it.
 * Operands and errors as for `sub`.
 */
export const div = binary("div", {
  summary: "x / y, rounded towards zero for integers",
  domain: "number",
  evaluateFor: (dtype) => (isFloat(dtype) ? (x, y) => x / y : (x, y) => (y === 0 ? -1 : Math.trunc(x / y))),
  tangent: { x: (t, _, y) => div(t, y), y: (t, _, y, out) => mul(t, neg(div(out, y))) },
  transpose: { x: (ct, _, y) => div(ct, y) },
  lower: (x, y, dtype) => (isFloat(dtype) ? ir.div(x, y) : integers.quotient(x, y)),
  cost: work.multiply,
  smoothOn: [
    [
      [-2, 2],
      [0.5, 2],
    ],
    [
      [-2, 2],
      [-2, -0.5],
    ],
  ],
  simplify: (inputs) => (neutral(inputs, 1, 1) === 0 ? 0 : undefined),
});
