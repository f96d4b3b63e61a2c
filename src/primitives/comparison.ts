/** Comparisons: elementwise, with a boolean result and no derivative. NaN is unordered and equals nothing, as in IEEE 754. */
import { isFloat } from "../core/dtype.js";
import { sameExpr } from "../core/ir/affine.js";
import * as ir from "../core/ir/ops.js";
import type { CompareOp, Expr } from "../core/ir/types.js";
import { type BinaryOp, binary } from "./elementwise.js";

type Lowering = (x: Expr, y: Expr) => Expr;

/** Of booleans, which the IR does not compare. */
const ofBools: Record<CompareOp, Lowering> = {
  eq: (x, y) => ir.not(ir.xor(x, y)),
  ne: ir.xor,
  lt: (x, y) => ir.and(ir.not(x), y),
  le: (x, y) => ir.or(ir.not(x), y),
  gt: (x, y) => ir.and(x, ir.not(y)),
  ge: (x, y) => ir.or(x, ir.not(y)),
};

/** Shader compilers take x = x for true, also of NaN: a value is compared with itself by its bits. */
const ofItself: Record<CompareOp, (x: Expr) => Expr> = {
  eq: (x) => ir.not(ir.isNaNOf(x)),
  ne: ir.isNaNOf,
  lt: () => ir.truth(false),
  le: (x) => ir.not(ir.isNaNOf(x)),
  gt: () => ir.truth(false),
  ge: (x) => ir.not(ir.isNaNOf(x)),
};

const comparison = (name: CompareOp, summary: string, holds: (x: number, y: number) => boolean): BinaryOp =>
  binary(name, {
    summary,
    domain: "any",
    result: "bool",
    evaluate: (x, y) => (holds(x, y) ? 1 : 0),
    lower: (x, y, dtype) => {
      if (dtype === "bool") return ofBools[name](x, y);
      return isFloat(dtype) && sameExpr(x, y) ? ofItself[name](x) : ir.compare(name, x, y);
    },
  });

/**
 * Where x = y. Operands of one shape (or scalars) and one dtype, booleans included; gives bool. Throws `ShapeError` or
 * `DtypeError` for other operands. NaN equals nothing; -0 equals 0.
 *
 * @example eq(np.array([1, 2, NaN]), np.array([1, 3, NaN])) // [true, false, false]
 */
export const eq = comparison("eq", "where x = y", (x, y) => x === y);

/** Where x ≠ y: the opposite of `eq`, so true for NaN. Operands and errors as for `eq`. */
export const ne = comparison("ne", "where x ≠ y", (x, y) => x !== y);

/** Where x < y; false where one of them is NaN. Operands and errors as for `eq`. */
export const lt = comparison("lt", "where x < y", (x, y) => x < y);

/** Where x ≤ y; false where one of them is NaN. Operands and errors as for `eq`. */
export const le = comparison("le", "where x ≤ y", (x, y) => x <= y);

/** Where x > y; false where one of them is NaN. Operands and errors as for `eq`. */
export const gt = comparison("gt", "where x > y", (x, y) => x > y);

/** Where x ≥ y; false where one of them is NaN. Operands and errors as for `eq`. */
export const ge = comparison("ge", "where x ≥ y", (x, y) => x >= y);
