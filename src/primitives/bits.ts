/** Operations on the bits of integers; of booleans, which have one bit, the logical ones. None has a derivative. */
import type { DType } from "../core/dtype.js";
import { integers } from "../core/ir/math/index.js";
import * as ir from "../core/ir/ops.js";
import { binary, unary } from "./elementwise.js";

const width = (dtype: DType): 8 | 32 => (dtype === "uint8" ? 8 : 32);

/**
 * Bits set in both x and y; for booleans their conjunction. Integers or booleans of one dtype and one shape (or
 * scalars). Throws `DtypeError` for floats and mixed dtypes, `ShapeError` for other shapes.
 *
 * @example bitwiseAnd(np.array([12, 10], "int32"), 6) // [4, 2]
 */
export const bitwiseAnd = binary("bitwiseAnd", {
  summary: "bits set in both; logical and for booleans",
  domain: "bits",
  evaluate: (x, y) => x & y,
  lower: ir.and,
});

/** Bits set in x or y or both; for booleans their disjunction. Operands and errors as for `bitwiseAnd`. */
export const bitwiseOr = binary("bitwiseOr", {
  summary: "bits set in either; logical or for booleans",
  domain: "bits",
  evaluate: (x, y) => x | y,
  lower: ir.or,
});

/** Bits set in one of x and y alone; for booleans: where they differ. Operands and errors as for `bitwiseAnd`. */
export const bitwiseXor = binary("bitwiseXor", {
  summary: "bits set in one alone; exclusive or for booleans",
  domain: "bits",
  evaluate: (x, y) => x ^ y,
  lower: ir.xor,
});

/** Every bit inverted; for booleans the negation. Integers or booleans. */
export const bitwiseNot = unary("bitwiseNot", {
  summary: "every bit inverted; logical not for booleans",
  domain: "bits",
  evaluateFor: (dtype) => (dtype === "bool" ? (x) => 1 - x : (x) => ~x),
  lower: ir.not,
});

/** Amounts are read as unsigned, so a negative one is more than any width. */
const amounts = [
  [
    [-4, 200],
    [0, 9],
  ],
  [
    [-100, 100],
    [28, 35],
  ],
] as const;

/**
 * x·2^y, by moving bits to the left; 0 where y is negative or at least the width of the dtype. Integers of one dtype.
 * Throws `DtypeError` for other operands.
 */
export const shiftLeft = binary("shiftLeft", {
  summary: "bits of x moved left by y places, zeros moved in",
  domain: "integer",
  evaluateFor: (dtype) => {
    const bits = width(dtype);
    return (x, y) => (y >>> 0 >= bits ? 0 : x << y);
  },
  lower: (x, y, dtype) => integers.shiftLeft(x, y, width(dtype)),
  smoothOn: amounts,
});

/**
 * The bits of x moved to the right by y places, with zeros moved in (also for negative x); 0 where y is negative or at
 * least the width of the dtype. Integers of one dtype.
 */
export const shiftRightLogical = binary("shiftRightLogical", {
  summary: "bits of x moved right by y places, zeros moved in",
  domain: "integer",
  evaluateFor: (dtype) => {
    const bits = width(dtype);
    return (x, y) => (y >>> 0 >= bits ? 0 : x >>> y);
  },
  lower: (x, y, dtype) => integers.shiftRightLogical(x, y, width(dtype)),
  smoothOn: amounts,
});

/**
 * The bits of x moved to the right by y places, with copies of the highest bit moved in (for unsigned dtypes too, whose
 * highest bit is no sign); nothing but that bit where y is negative or at least the width. Integers of one dtype.
 */
export const shiftRightArithmetic = binary("shiftRightArithmetic", {
  summary: "bits of x moved right by y places, copies of the highest bit moved in",
  domain: "integer",
  evaluateFor: (dtype) => {
    const bits = width(dtype);
    const spare = 32 - bits;
    // Put the highest bit where JavaScript's 32-bit shift looks for the sign.
    return (x, y) => ((x << spare) >> spare) >> Math.min(y >>> 0, bits - 1);
  },
  lower: (x, y, dtype) => integers.shiftRightArithmetic(x, y, width(dtype)),
  smoothOn: amounts,
});

/** How many bits of x are set. Integers; keeps shape and dtype. */
export const populationCount = unary("populationCount", {
  summary: "how many bits are set",
  domain: "integer",
  evaluateFor: (dtype) => {
    const mask = dtype === "uint8" ? 0xff : 0xffffffff;
    return (x) => {
      let count = 0;
      // Each step clears the lowest bit that is set.
      for (let rest = x & mask; rest !== 0; rest &= rest - 1) count++;
      return count;
    };
  },
  lower: (x) => ir.unary("popcnt", x),
});

/** How many zeros stand before the first bit that is set: the width of the dtype for 0. Integers; keeps shape and dtype. */
export const clz = unary("clz", {
  summary: "how many zeros stand before the first bit that is set",
  domain: "integer",
  evaluateFor: (dtype) => {
    const spare = 32 - width(dtype);
    return (x) => Math.clz32(x) - spare;
  },
  lower: (x, dtype) => ir.sub(ir.unary("clz", x), 32 - width(dtype)),
});
