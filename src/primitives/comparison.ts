/** Comparisons: elementwise, with a boolean result and no derivative. NaN is unordered and equals nothing, as in IEEE 754. */
import { type BinaryOp, binary } from "./elementwise.js";

const comparison = (name: string, summary: string, holds: (x: number, y: number) => boolean): BinaryOp =>
  binary(name, { summary, domain: "any", result: "bool", evaluate: (x, y) => (holds(x, y) ? 1 : 0) });

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
