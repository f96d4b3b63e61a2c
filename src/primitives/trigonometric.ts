/** Trigonometric functions and their inverses. Floats only (`DtypeError` otherwise); angles in radians; shape and dtype are kept. */
import type { NDArray } from "../core/array.js";
import * as math from "../core/ir/math/index.js";
import { add, binary, unary, work } from "./elementwise.js";
import { single } from "./elementwiseLower.js";
import { div, mul, neg, sub } from "./field.js";
import { rsqrt } from "./power.js";

/** sin x. */
export const sin = unary("sin", {
  summary: "the sine",
  domain: "float",
  evaluate: Math.sin,
  lower: single(math.sin),
  tangent: (t, x) => mul(t, cos(x)),
  cost: work.transcendental,
});

/** cos x. */
export const cos = unary("cos", {
  summary: "the cosine",
  domain: "float",
  evaluate: Math.cos,
  lower: single(math.cos),
  tangent: (t, x) => mul(t, neg(sin(x))),
  cost: work.transcendental,
});

/** tan x. */
export const tan = unary("tan", {
  summary: "the tangent",
  domain: "float",
  evaluate: Math.tan,
  lower: single(math.tan),
  tangent: (t, _, y) => mul(t, add(1, mul(y, y))),
  cost: work.transcendental,
  smoothOn: [[-1, 1]],
});

/** 1/√(1 - x²), the derivative of asin. 1 - x is exact near 1, where 1 - x² would have lost the digits of x². */
const asinSlope = (x: NDArray): NDArray => rsqrt(mul(sub(1, x), add(1, x)));

/** The angle in [-π/2, π/2] with sine x; NaN outside of [-1, 1]. */
export const asin = unary("asin", {
  summary: "the inverse sine",
  domain: "float",
  evaluate: Math.asin,
  lower: single(math.asin),
  tangent: (t, x) => mul(t, asinSlope(x)),
  cost: work.transcendental,
  smoothOn: [[-0.8, 0.8]],
});

/** The angle in [0, π] with cosine x; NaN outside of [-1, 1]. */
export const acos = unary("acos", {
  summary: "the inverse cosine",
  domain: "float",
  evaluate: Math.acos,
  lower: single(math.acos),
  tangent: (t, x) => mul(t, neg(asinSlope(x))),
  cost: work.transcendental,
  smoothOn: [[-0.8, 0.8]],
});

/** The angle in [-π/2, π/2] with tangent x. */
export const atan = unary("atan", {
  summary: "the inverse tangent",
  domain: "float",
  evaluate: Math.atan,
  lower: single(math.atan),
  tangent: (t, x) => div(t, add(1, mul(x, x))),
  cost: work.transcendental,
});

const squaredLength = (x: NDArray, y: NDArray): NDArray => add(mul(x, x), mul(y, y));

/**
 * The angle in [-π, π] of the point whose coordinates are y (to the right) and x (upwards): atan(x / y) in the right
 * quadrant, as IEEE 754 has it for zeros and infinities. Floats of one dtype, of one shape or scalars.
 *
 * @example atan2(1, -1) // 2.356194, 3π/4
 */
export const atan2 = binary("atan2", {
  summary: "the angle of the point (y, x): atan(x / y) in the right quadrant",
  domain: "float",
  evaluate: Math.atan2,
  lower: single(math.atan2),
  tangent: {
    x: (t, x, y) => mul(t, div(y, squaredLength(x, y))),
    y: (t, x, y) => mul(t, div(neg(x), squaredLength(x, y))),
  },
  cost: work.transcendental,
  smoothOn: [
    [
      [0.5, 2],
      [-2, 2],
    ],
    [
      [-2, 2],
      [0.5, 2],
    ],
  ],
});
