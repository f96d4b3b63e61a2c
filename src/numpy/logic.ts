/** Logic and comparison. The results are booleans, without derivatives. */
import { type NDArray, scalar } from "../core/array.js";
import { sameShape } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { abs, add, mul, sub } from "../primitives/arithmetic.js";
import { bitwiseAnd, bitwiseNot, bitwiseOr, bitwiseXor } from "../primitives/bits.js";
import * as p from "../primitives/comparison.js";
import { reduceAnd } from "../primitives/reduction.js";
import * as rounding from "../primitives/rounding.js";
import { plainOptions } from "./axes.js";
import {
  type ArrayLike,
  asArray,
  asCondition,
  broadcastOperands,
  commonShape,
  convertTo,
  elementwiseOperands,
  promoteOperands,
} from "./operands.js";

const conditions = (name: string, x: ArrayLike, y: ArrayLike): NDArray[] =>
  broadcastOperands(name, [asCondition(asArray(x, name)), asCondition(asArray(y, name))]);

/**
 * Where both x and y are not zero (NaN counts as not zero).
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.logicalAnd(np.array([true, false]), true); // [true, false]
 */
export function logicalAnd(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = conditions("logicalAnd", x, y);
  return bitwiseAnd(a, b);
}

/**
 * Where x or y or both are not zero.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.logicalOr(np.array([2, 0]), 0); // [true, false]
 */
export function logicalOr(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = conditions("logicalOr", x, y);
  return bitwiseOr(a, b);
}

/**
 * Where one of x and y is not zero, and the other is.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.logicalXor(np.array([true, false]), true); // [false, true]
 */
export function logicalXor(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = conditions("logicalXor", x, y);
  return bitwiseXor(a, b);
}

/**
 * Where x is zero.
 * @example
 * np.logicalNot(np.array([0, 2])); // [true, false]
 */
export function logicalNot(x: ArrayLike): NDArray {
  const a = asArray(x, "logicalNot");
  return a.dtype === "bool" ? bitwiseNot(a) : p.eq(a, 0);
}

/**
 * Where x = y. NaN equals nothing.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.equal(np.array([1, 2]), 2); // [false, true]
 */
export function equal(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("equal", [x, y]);
  return p.eq(a, b);
}

/**
 * Where x ≠ y; also where one is NaN.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.notEqual(np.array([1, 2]), 2); // [true, false]
 */
export function notEqual(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("notEqual", [x, y]);
  return p.ne(a, b);
}

/**
 * Where x < y.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.less(np.array([1, 2]), 2); // [true, false]
 */
export function less(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("less", [x, y]);
  return p.lt(a, b);
}

/**
 * Where x ≤ y.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.lessEqual(np.array([1, 3]), 2); // [true, false]
 */
export function lessEqual(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("lessEqual", [x, y]);
  return p.le(a, b);
}

/**
 * Where x > y.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.greater(np.array([1, 3]), 2); // [false, true]
 */
export function greater(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("greater", [x, y]);
  return p.gt(a, b);
}

/**
 * Where x ≥ y.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.greaterEqual(np.array([1, 2]), 2); // [false, true]
 */
export function greaterEqual(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("greaterEqual", [x, y]);
  return p.ge(a, b);
}

export interface ClosenessOptions {
  /** Tolerance relative to |y| (default 1e-5). */
  readonly rtol?: ArrayLike;
  /** Absolute tolerance (default 1e-8). */
  readonly atol?: ArrayLike;
  /** Whether two NaN are close (default false). */
  readonly equalNan?: boolean;
}

const bothNaN = (a: NDArray, b: NDArray): NDArray => bitwiseAnd(p.ne(a, a), p.ne(b, b));

/**
 * Where |x - y| ≤ atol + rtol·|y|; infinities are close to themselves alone.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.isclose(np.array([1, 2]), np.array([1.000001, 2.1])); // [true, false]
 */
export function isclose(x: ArrayLike, y: ArrayLike, options: ClosenessOptions = {}): NDArray {
  const {
    rtol = 1e-5,
    atol = 1e-8,
    equalNan = false,
  } = plainOptions("isclose", options, ["rtol", "atol", "equalNan"]);
  const [promotedX, promotedY] = promoteOperands("isclose", [x, y], true);
  const as = (tolerance: ArrayLike): NDArray => convertTo(tolerance, promotedX.aval);
  const [a, b, relative, absolute] = broadcastOperands("isclose", [promotedX, promotedY, as(rtol), as(atol)]);
  const within = p.le(abs(sub(a, b)), add(absolute, mul(relative, abs(b))));
  // An infinite y makes the tolerance infinite too.
  const close = bitwiseOr(bitwiseAnd(within, rounding.isFinite(b)), p.eq(a, b));
  return equalNan ? bitwiseOr(close, bothNaN(a, b)) : close;
}

function allOf(x: NDArray): NDArray {
  const axes = x.shape.map((_, i) => i);
  return axes.length === 0 ? x : reduceAnd(x, axes);
}

/**
 * Whether all elements of x and y are close, as `isclose` has it: a boolean scalar.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.allclose(np.array([1, 2]), np.array([1.000001, 2])); // true
 */
export const allclose = (x: ArrayLike, y: ArrayLike, options: ClosenessOptions = {}): NDArray =>
  allOf(isclose(x, y, options));

export interface EqualityOptions {
  /** Whether two NaN are equal (default false). */
  readonly equalNan?: boolean;
}

/**
 * Whether x and y have the same shape and equal elements: a boolean scalar.
 * @example
 * np.arrayEqual(np.array([1, 2]), np.array([1, 2.0])); // true
 */
export function arrayEqual(x: ArrayLike, y: ArrayLike, options: EqualityOptions = {}): NDArray {
  const { equalNan = false } = plainOptions("arrayEqual", options, ["equalNan"]);
  const [a, b] = promoteOperands("arrayEqual", [x, y]);
  if (!sameShape(a.shape, b.shape)) return scalar(false, "bool");
  const same = p.eq(a, b);
  return allOf(equalNan && isFloat(a.dtype) ? bitwiseOr(same, bothNaN(a, b)) : same);
}

/**
 * Whether x and y broadcast together and are equal then: a boolean scalar.
 * @example
 * np.arrayEquiv(np.array([1, 2]), np.array([[1, 2], [1, 2]])); // true
 */
export function arrayEquiv(x: ArrayLike, y: ArrayLike): NDArray {
  const operands = promoteOperands("arrayEquiv", [x, y]);
  if (commonShape(operands.map((z) => z.shape)) === undefined) return scalar(false, "bool");
  const [a, b] = broadcastOperands("arrayEquiv", operands);
  return allOf(p.eq(a, b));
}
