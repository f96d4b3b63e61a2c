/** Powers and roots. */
import type { NDArray } from "../core/array.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError, DtypeError } from "../core/errors.js";
import * as math from "../core/ir/math/index.js";
import * as ir from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";
import { bind } from "../core/trace.js";
import { bitwiseAnd } from "./bits.js";
import { showParam } from "./checks.js";
import { eq } from "./comparison.js";
import { binary, elementwise, type Operand, scalarLike, scalarsLike, unary, work } from "./elementwise.js";
import { single } from "./elementwiseLower.js";
import { log } from "./exponential.js";
import { div, mul, sub } from "./field.js";
import { select } from "./select.js";

/** JavaScript gives NaN for 1 to a power that is infinite or NaN, and for (-1)^±∞; IEEE 754 (and XLA) give 1. */
const power = (x: number, y: number): number =>
  x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;

/**
 * x^y. Floats of one dtype, of one shape or scalars. x^0 is 1 for every x, NaN included; a negative base with a fraction
 * as exponent gives NaN. Throws `DtypeError` for integers (see `integerPow`) and mixed dtypes, `ShapeError` for shapes
 * that differ.
 *
 * Derivatives at 0 follow the limits along the exponent that is held: d/dx 0^0 = 0, d/dy 0^y = 0, and x^y at y = 0 has
 * the mixed second derivative 1/x.
 */
export const pow = binary("pow", {
  summary: "x^y",
  domain: "float",
  evaluate: power,
  lower: single(math.pow),
  tangent: {
    // y·x^(y-1); where both are 0 that would be 0·∞. Only the exponent is replaced, and only there: elsewhere it has to
    // carry the derivative with respect to y, also at y = 0.
    x: (t, x, y) => {
      const both = bitwiseAnd(eq(x, 0), eq(y, 0));
      return mul(t, mul(y, pow(x, select(both, scalarLike(y, 1), sub(y, 1)))));
    },
    // x^y·log x, without the infinite logarithm of 0.
    y: (t, x, _, out) => mul(t, mul(log(select(eq(x, 0), scalarLike(x, 1), x)), out)),
  },
  cost: work.transcendental,
  smoothOn: [
    [
      [0.5, 2],
      [-2, 2],
    ],
  ],
});

/** The low 32 bits of x^n, by squaring. */
function wrappingPower(x: number, n: number): number {
  let result = 1;
  for (let base = x, rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}

/** x^n in double precision; a square and a reciprocal are rounded correctly, which Math.pow does not promise. */
function wholePower(n: number): (x: number) => number {
  if (n === 2) return (x) => x * x;
  if (n === -1) return (x) => 1 / x;
  return (x) => power(x, n);
}

/** The same in kernel IR, for what is not a call. */
const lowerDouble = (x: Expr, n: number): Expr | undefined =>
  n === 2 ? ir.mul(x, x) : n === -1 ? ir.div(ir.constant("f64", 1), x) : undefined;

/** How many multiplications (and a division, for a negative exponent) repeated squaring takes. */
function multiplicationsOf(y: number): number {
  let count = y < 0 ? 1 : 0;
  for (let rest = Math.abs(y); rest > 1; rest = Math.floor(rest / 2)) count += rest % 2 === 1 ? 2 : 1;
  return count;
}

const integerPowPrimitive = elementwise({
  name: "integerPow",
  summary: "x^y with a whole number y that is known while tracing",
  arity: 1,
  domain: "number",
  check: ({ y }, dtype) => {
    if (!Number.isSafeInteger(y))
      return new ArgumentError(`integerPow: the exponent y must be a whole number, got ${showParam(y)}`);
    if (!isFloat(dtype) && (y as number) < 0)
      return new DtypeError(`integerPow: ${dtype} cannot be raised to the negative power ${y}`);
    return undefined;
  },
  evaluateFor: (dtype, params) => {
    const { y } = params as { y: number };
    return isFloat(dtype) ? wholePower(y) : (x) => wrappingPower(x, y);
  },
  lower: ([x], dtype, params) => {
    const { y } = params as { y: number };
    if (!isFloat(dtype)) return math.integers.wrappingPower(x, y);
    return dtype === "float64" ? lowerDouble(x, y) : math.integerPow(x, y);
  },
  // No factor x^-1 ever appears beside a factor 0, so that no order of derivative is NaN at 0.
  tangents: (params) => {
    const { y } = params as { y: number };
    if (y === 0) return [undefined];
    if (y === 1) return [(t) => t];
    return [(t, x) => mul(t, mul(y, integerPow(x, y - 1)))];
  },
  cost: (params) => {
    const multiplications = multiplicationsOf((params as { y: number }).y);
    return { operations: multiplications, multiplications, transcendentals: 0 };
  },
  // Of float32, larger powers are computed as `pow` is.
  weight: (params) => {
    const { y } = params as { y: number };
    return Math.abs(y) <= 4 ? multiplicationsOf(y) : 40;
  },
  examples: [
    { params: { y: 3 } },
    { params: { y: 0 } },
    { params: { y: 1 } },
    { params: { y: 2 } },
    { params: { y: -1 }, domain: [[0.5, 2]] },
    { params: { y: -2 }, domain: [[-2, -0.5]] },
    { params: { y: 5 }, domain: [[-9, 9]], dtype: "int32" },
  ],
  simplify: (_, { y }) => (y === 1 ? 0 : undefined),
});

/**
 * x^y for a whole number `y`, which is part of the program and not an operand. Numbers; integers wrap around. x^0 is 1,
 * and derivatives of every order are right at x = 0. Throws `ArgumentError` if `y` is not whole, `DtypeError` for a
 * negative power of integers.
 *
 * @example integerPow(np.array([2, 4]), -1) // [0.5, 0.25]
 */
export const integerPow = Object.assign(
  (x: Operand, y: number): NDArray => bind(integerPowPrimitive, scalarsLike("integerPow", [x]), { y })[0],
  { primitive: integerPowPrimitive },
);

/** x². Numbers; integers wrap around. */
export const square = unary("square", {
  summary: "x²",
  domain: "number",
  evaluateFor: (dtype) => (isFloat(dtype) ? (x) => x * x : (x) => Math.imul(x, x)),
  lower: (x) => ir.mul(x, x),
  tangent: (t, x) => mul(t, mul(2, x)),
  cost: work.multiply,
});

/** √x. Floats; NaN below zero. The derivative at 0 is infinite. Throws `DtypeError` for integers. */
export const sqrt = unary("sqrt", {
  summary: "the square root",
  domain: "float",
  evaluate: Math.sqrt,
  lower: ir.sqrt,
  tangent: (t, _, y) => mul(t, div(0.5, y)),
  cost: work.transcendental,
  smoothOn: [[0.25, 4]],
});

/** 1/√x. Floats; infinite at 0, NaN below. */
export const rsqrt = unary("rsqrt", {
  summary: "the reciprocal of the square root",
  domain: "float",
  evaluate: (x) => 1 / Math.sqrt(x),
  lower: math.rsqrt,
  tangent: (t, x, y) => mul(t, mul(-0.5, div(y, x))),
  cost: work.transcendental,
  smoothOn: [[0.25, 4]],
});

/** The real cube root, negative for negative x. Floats. The derivative at 0 is infinite. */
export const cbrt = unary("cbrt", {
  summary: "the cube root",
  domain: "float",
  evaluate: Math.cbrt,
  lower: single(math.cbrt),
  tangent: (t, _, y) => mul(t, mul(1 / 3, integerPow(y, -2))),
  cost: work.transcendental,
  smoothOn: [
    [0.5, 4],
    [-4, -0.5],
  ],
});
