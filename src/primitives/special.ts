/**
 * Special functions: the error function and its relatives, the logarithm of the gamma function and its derivatives.
 * Floats only (`DtypeError` otherwise); shape and dtype are kept. The numbers come from specialFunctions.ts.
 */
import type { NDArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import * as math from "../core/ir/math/index.js";
import { bind } from "../core/trace.js";
import { isCount, showParam } from "./checks.js";
import { elementwise, type Operand, scalarsLike, unary, work } from "./elementwise.js";
import { single } from "./elementwiseLower.js";
import { exp } from "./exponential.js";
import { mul, neg } from "./field.js";
import { square } from "./power.js";
import * as functions from "./specialFunctions.js";

/** The slope of erf: 2/√π · e^(-x²). */
const erfSlope = (x: NDArray): NDArray => mul(2 / Math.sqrt(Math.PI), exp(neg(square(x))));

/**
 * The error function 2/√π ∫₀ˣ e^(-t²) dt.
 *
 * @example erf(np.array([0.5])) // [0.5204999]
 */
export const erf = unary("erf", {
  summary: "the error function",
  domain: "float",
  evaluate: functions.erf,
  lower: single(math.erf),
  tangent: (t, x) => mul(t, erfSlope(x)),
  cost: work.transcendental,
});

/** 1 - erf x, exact where that is tiny too. */
export const erfc = unary("erfc", {
  summary: "1 - erf x, exact where that is tiny",
  domain: "float",
  evaluate: functions.erfc,
  lower: single(math.erfc),
  tangent: (t, x) => mul(t, neg(erfSlope(x))),
  cost: work.transcendental,
});

/** The x whose erf is the operand: infinite at ±1, NaN outside of [-1, 1]. */
export const erfInv = unary("erfInv", {
  summary: "the inverse of the error function",
  domain: "float",
  evaluate: functions.erfInv,
  lower: single(math.erfInv),
  tangent: (t, _, y) => mul(t, mul(Math.sqrt(Math.PI) / 2, exp(square(y)))),
  cost: work.transcendental,
  smoothOn: [[-0.8, 0.8]],
});

/** log |Γ(x)|: infinite at 0, -1, -2, ... */
export const lgamma = unary("lgamma", {
  summary: "the logarithm of the absolute value of the gamma function",
  domain: "float",
  evaluate: functions.lgamma,
  lower: single(math.lgamma),
  tangent: (t, x) => mul(t, digamma(x)),
  cost: work.transcendental,
  smoothOn: [
    [0.5, 4],
    [-1.8, -1.2],
  ],
});

/** The derivative of log Γ(x): NaN at 0, -1, -2, ... */
export const digamma = unary("digamma", {
  summary: "the derivative of the logarithm of the gamma function",
  domain: "float",
  evaluate: functions.digamma,
  lower: single(math.digamma),
  tangent: (t, x) => mul(t, polygamma(x, 1)),
  cost: work.transcendental,
  smoothOn: [
    [0.5, 4],
    [-1.8, -1.2],
  ],
});

const polygammaPrimitive = elementwise({
  name: "polygamma",
  summary: "the n-th derivative of digamma",
  arity: 1,
  domain: "float",
  check: ({ n }) =>
    isCount(n) && n > 0
      ? undefined
      : new ArgumentError(
          `polygamma: the order n must be a whole number above 0 (0 is digamma), got ${showParam(n)}`,
        ),
  evaluateFor: (_, { n }) => functions.polygamma(n as number),
  lower: ([x], dtype, { n }) => (dtype === "float64" ? undefined : math.polygamma(x, n as number)),
  tangents: (params) => {
    const { n } = params as { n: number };
    return [(t, x) => mul(t, polygamma(x, n + 1))];
  },
  cost: work.transcendental,
  examples: [
    { params: { n: 1 }, domain: [[0.8, 4]] },
    { params: { n: 1 }, domain: [[-1.7, -1.3]] },
    { params: { n: 2 }, domain: [[0.8, 4]] },
    { params: { n: 2 }, domain: [[-1.7, -1.3]] },
  ],
});

/**
 * The n-th derivative of digamma, for a whole number `n` above 0, which is part of the program and not an operand. At 0,
 * -1, -2, ... it is infinite for odd n and NaN for even n. Throws `ArgumentError` for another order.
 *
 * @example polygamma(np.array([1]), 1) // [1.644934], π²/6
 */
export const polygamma = Object.assign(
  (x: Operand, n: number): NDArray =>
    bind(polygammaPrimitive, scalarsLike("polygamma", [x], "float"), { n })[0],
  { primitive: polygammaPrimitive },
);
