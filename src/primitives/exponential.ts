/** Exponentials and logarithms. Floats only (`DtypeError` otherwise); shape and dtype are kept. */
import * as math from "../core/ir/math/index.js";
import { add, unary, work } from "./elementwise.js";
import { single } from "./elementwiseLower.js";
import { div, mul, sub } from "./field.js";

/** e^x. */
export const exp = unary("exp", {
  summary: "e^x",
  domain: "float",
  evaluate: Math.exp,
  lower: single(math.exp),
  tangent: (t, _, y) => mul(t, y),
  cost: work.transcendental,
});

/** 2^x. */
export const exp2 = unary("exp2", {
  summary: "2^x",
  domain: "float",
  evaluate: (x) => 2 ** x,
  lower: single(math.exp2),
  tangent: (t, _, y) => mul(t, mul(Math.LN2, y)),
  cost: work.transcendental,
});

/** e^x - 1, exact for small x too. */
export const expm1 = unary("expm1", {
  summary: "e^x - 1, exact near 0",
  domain: "float",
  evaluate: Math.expm1,
  lower: single(math.expm1),
  tangent: (t, _, y) => mul(t, add(y, 1)),
  cost: work.transcendental,
});

/** The natural logarithm; -∞ at 0, NaN below. */
export const log = unary("log", {
  summary: "the natural logarithm",
  domain: "float",
  evaluate: Math.log,
  lower: single(math.log),
  tangent: (t, x) => div(t, x),
  cost: work.transcendental,
  smoothOn: [[0.5, 4]],
});

/** log(1 + x), exact for small x too. */
export const log1p = unary("log1p", {
  summary: "log(1 + x), exact near 0",
  domain: "float",
  evaluate: Math.log1p,
  lower: single(math.log1p),
  tangent: (t, x) => div(t, add(x, 1)),
  cost: work.transcendental,
  smoothOn: [[-0.5, 3]],
});

/** The logistic function 1 / (1 + e^-x), also called sigmoid. */
export const logistic = unary("logistic", {
  summary: "1 / (1 + e^-x)",
  domain: "float",
  // The exponential of a number below zero does not overflow, and keeps the far left tail exact.
  evaluate: (x) => {
    if (x >= 0) return 1 / (1 + Math.exp(-x));
    const e = Math.exp(x);
    return e / (1 + e);
  },
  lower: single(math.logistic),
  tangent: (t, _, y) => mul(t, mul(y, sub(1, y))),
  cost: { operations: 3, multiplications: 1, transcendentals: 1 },
});
