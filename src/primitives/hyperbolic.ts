/** Hyperbolic functions and their inverses. Floats only (`DtypeError` otherwise); shape and dtype are kept. */
import * as math from "../core/ir/math/index.js";
import { add, unary, work } from "./elementwise.js";
import { single } from "./elementwiseLower.js";
import { div, mul, sub } from "./field.js";
import { rsqrt } from "./power.js";

/** (e^x - e^-x) / 2. */
export const sinh = unary("sinh", {
  summary: "the hyperbolic sine",
  domain: "float",
  evaluate: Math.sinh,
  lower: single(math.sinh),
  tangent: (t, x) => mul(t, cosh(x)),
  cost: work.transcendental,
});

/** (e^x + e^-x) / 2. */
export const cosh = unary("cosh", {
  summary: "the hyperbolic cosine",
  domain: "float",
  evaluate: Math.cosh,
  lower: single(math.cosh),
  tangent: (t, x) => mul(t, sinh(x)),
  cost: work.transcendental,
});

/** sinh x / cosh x. */
export const tanh = unary("tanh", {
  summary: "the hyperbolic tangent",
  domain: "float",
  evaluate: Math.tanh,
  lower: single(math.tanh),
  tangent: (t, _, y) => mul(t, sub(1, mul(y, y))),
  cost: work.transcendental,
});

/** The inverse of sinh. */
export const asinh = unary("asinh", {
  summary: "the inverse hyperbolic sine",
  domain: "float",
  evaluate: Math.asinh,
  lower: single(math.asinh),
  tangent: (t, x) => mul(t, rsqrt(add(mul(x, x), 1))),
  cost: work.transcendental,
});

/** The inverse of cosh on [1, ∞); NaN below 1. */
export const acosh = unary("acosh", {
  summary: "the inverse hyperbolic cosine",
  domain: "float",
  evaluate: Math.acosh,
  lower: single(math.acosh),
  // x - 1 is exact near 1, where x² - 1 would have lost the digits of x².
  tangent: (t, x) => mul(t, rsqrt(mul(sub(x, 1), add(x, 1)))),
  cost: work.transcendental,
  smoothOn: [[1.5, 3]],
});

/** The inverse of tanh; infinite at ±1, NaN outside of [-1, 1]. */
export const atanh = unary("atanh", {
  summary: "the inverse hyperbolic tangent",
  domain: "float",
  evaluate: Math.atanh,
  lower: single(math.atanh),
  tangent: (t, x) => div(t, mul(sub(1, x), add(1, x))),
  cost: work.transcendental,
  smoothOn: [[-0.8, 0.8]],
});
