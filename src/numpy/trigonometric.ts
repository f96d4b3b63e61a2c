/** Trigonometric functions and their inverses, angles, lengths. Integers and booleans are taken as float32. */
import type { NDArray } from "../core/array.js";
import { abs, add, div, max, mul, sqrt, square } from "../primitives/arithmetic.js";
import { bitwiseOr } from "../primitives/bits.js";
import { stopGradient } from "../primitives/cast.js";
import { eq, lt } from "../primitives/comparison.js";
import { select } from "../primitives/select.js";
import * as p from "../primitives/trigonometric.js";
import { type ArrayLike, elementwiseOperands, inexactOperand } from "./operands.js";
import { shortOptions } from "./options.js";

/**
 * The sine of an angle in radians.
 * @example
 * np.sin(np.array([0, 1])); // [0, 0.841471]
 */
export const sin = (x: ArrayLike): NDArray => p.sin(inexactOperand("sin", x));

/**
 * The cosine of an angle in radians.
 * @example
 * np.cos(np.array([0, 1])); // [1, 0.5403023]
 */
export const cos = (x: ArrayLike): NDArray => p.cos(inexactOperand("cos", x));

/**
 * The tangent of an angle in radians.
 * @example
 * np.tan(np.array([0, 1])); // [0, 1.5574077]
 */
export const tan = (x: ArrayLike): NDArray => p.tan(inexactOperand("tan", x));

/**
 * The angle in [-π/2, π/2] with sine x; NaN outside of [-1, 1]. Also called `arcsin`.
 * @example
 * np.asin(np.array([0, 1])); // [0, 1.5707964]
 */
export const asin = (x: ArrayLike): NDArray => p.asin(inexactOperand("asin", x));

export { asin as arcsin };

/**
 * The angle in [0, π] with cosine x; NaN outside of [-1, 1]. Also called `arccos`.
 * @example
 * np.acos(np.array([1, 0])); // [0, 1.5707964]
 */
export const acos = (x: ArrayLike): NDArray => p.acos(inexactOperand("acos", x));

export { acos as arccos };

/**
 * The angle in [-π/2, π/2] with tangent x. Also called `arctan`.
 * @example
 * np.atan(np.array([0, 1])); // [0, 0.7853982]
 */
export const atan = (x: ArrayLike): NDArray => p.atan(inexactOperand("atan", x));

export { atan as arctan };

/**
 * The angle in [-π, π] of the point (x, y), which stand in this order: y first. Also called `arctan2`.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.atan2(np.array([1, 0]), np.array([1, -1])); // [0.7853982, 3.1415927]
 */
export function atan2(y: ArrayLike, x: ArrayLike): NDArray {
  const [a, b] = elementwiseOperands("atan2", [y, x], true);
  return p.atan2(a, b);
}

export { atan2 as arctan2 };

/**
 * Degrees as radians: x·π/180. Also called `radians`.
 * @example
 * np.deg2rad(180); // 3.1415927
 */
export const deg2rad = (x: ArrayLike): NDArray => mul(inexactOperand("deg2rad", x), Math.PI / 180);

export { deg2rad as radians };

/**
 * Radians as degrees: x·180/π. Also called `degrees`.
 * @example
 * np.rad2deg(np.pi); // 180
 */
export const rad2deg = (x: ArrayLike): NDArray => mul(inexactOperand("rad2deg", x), 180 / Math.PI);

export { rad2deg as degrees };

export interface AngleOptions {
  /** In degrees instead of radians (default false). */
  readonly deg?: boolean;
}

/**
 * The angle of real numbers, as points of the complex plane: 0, or π below zero; in degrees with `deg`.
 * @example
 * np.angle(np.array([-2, 3]), { deg: true }); // [180, 0]
 */
export function angle(x: ArrayLike, options?: boolean | AngleOptions): NDArray {
  const { deg = false } = shortOptions<AngleOptions>("angle", options, "deg", ["deg"]);
  const a = inexactOperand("angle", x);
  return select(lt(a, 0), deg ? 180 : Math.PI, select(eq(a, a), 0, a));
}

/**
 * √(x² + y²) without overflow, element by element; infinite if either is, and NaN if either is otherwise.
 *
 * The derivative is (x, y) / hypot(x, y), to all orders; at the origin, where there is none, (½, ½) as in JAX.
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * np.hypot(3, 4); // 5
 */
export function hypot(x: ArrayLike, y: ArrayLike): NDArray {
  const operands = elementwiseOperands("hypot", [x, y], true);
  const [a, b] = operands.map((z) => abs(z));
  const [aInfinite, bInfinite] = [eq(a, Infinity), eq(b, Infinity)];
  const largest = max(a, b);
  const isPlain = bitwiseOr(bitwiseOr(aInfinite, bInfinite), eq(largest, 0));
  // The result does not depend on the scale, so neither does its derivative. Where there is nothing to scale, the
  // operands are replaced, so that no NaN comes out of the branch that is not taken.
  const scale = stopGradient(select(isPlain, 1, largest));
  const [u, v] = operands.map((z) => square(div(select(isPlain, 1, z), scale)));
  const plain = select(aInfinite, a, select(bInfinite, b, largest));
  return select(isPlain, plain, mul(scale, sqrt(add(u, v))));
}

/** 1 / (2k + 1)!, with the signs of the series of sin(y) / y in powers of y². */
const sincSeries = [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800];

/** Below this the series is exact in double precision, up to its fourth derivative. */
const nearZero = 0.25;

/**
 * sin(πx) / (πx), and 1 at 0. Near 0 it is a polynomial, so that derivatives are exact there too.
 * @example
 * np.sinc(np.array([0, 0.5])); // [1, 0.6366198]
 */
export function sinc(x: ArrayLike): NDArray {
  const y = mul(inexactOperand("sinc", x), Math.PI);
  const isNear = lt(abs(y), nearZero);
  const squared = square(select(isNear, y, 0));
  const last = sincSeries.length - 1;
  let series = mul(squared, sincSeries[last]);
  for (let k = last - 1; k > 0; k--) series = mul(squared, add(series, sincSeries[k]));
  const away = select(isNear, 1, y);
  return select(isNear, add(series, 1), div(p.sin(away), away));
}
