/** The functions of one float32 in kernel IR with the error bounds that they state. */
import * as math from "../../../src/core/ir/math/index.js";
import type { Expr } from "../../../src/core/ir/types.js";
import * as functions from "../../../src/primitives/specialFunctions.js";
import type { Bound } from "./ulps.js";

export type Row = readonly [
  name: string,
  rule: (x: Expr) => Expr,
  /** The same in double precision. */
  reference: (x: number) => number,
  ulp: number,
  options: Bound,
];

const logistic = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

export const table: readonly Row[] = [
  ["exp", math.exp, Math.exp, 1, { range: [-104, 90] }],
  ["exp2", math.exp2, (x) => 2 ** x, 1.1, { range: [-151, 130] }],
  ["expm1", math.expm1, Math.expm1, 1.5, { range: [-3, 3] }],
  ["logistic", math.logistic, logistic, 2.5, { range: [-20, 20] }],
  ["log", math.log, Math.log, 1, { range: [0, 2] }],
  ["log1p", math.log1p, Math.log1p, 1, { range: [-1, 3] }],
  ["sin", math.sin, Math.sin, 1, { range: [-100, 100] }],
  ["cos", math.cos, Math.cos, 1, { range: [-100, 100] }],
  ["tan", math.tan, Math.tan, 2, { range: [-100, 100] }],
  ["asin", math.asin, Math.asin, 1, { range: [-1, 1] }],
  ["acos", math.acos, Math.acos, 1, { range: [-1, 1] }],
  ["atan", math.atan, Math.atan, 1.1, { range: [-4, 4] }],
  ["sinh", math.sinh, Math.sinh, 1.5, { range: [-5, 5] }],
  ["cosh", math.cosh, Math.cosh, 1.5, { range: [-5, 5] }],
  ["tanh", math.tanh, Math.tanh, 1, { range: [-5, 5] }],
  ["asinh", math.asinh, Math.asinh, 1.5, { range: [-5, 5] }],
  ["acosh", math.acosh, Math.acosh, 1.5, { range: [1, 5] }],
  ["atanh", math.atanh, Math.atanh, 1, { range: [-1, 1] }],
  ["cbrt", math.cbrt, Math.cbrt, 1, { range: [-8, 8] }],
  ["rsqrt", math.rsqrt, (x) => 1 / Math.sqrt(x), 1.5, { range: [0, 8] }],
  ["erf", math.erf, functions.erf, 1.5, { range: [-4, 4] }],
  ["erfc", math.erfc, functions.erfc, 3.5, { range: [-4, 10.5] }],
  ["erfInv", math.erfInv, functions.erfInv, 2, { range: [-1, 1] }],
];
