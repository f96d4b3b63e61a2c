/**
 * How far results may be from the `evaluate` rules: the promise that docs/numerics.md prints and that the tests hold every
 * device to. A primitive without a row here fails.
 */
import { type DType, isFloat } from "../../src/core/dtype.js";
import type { Primitive } from "../../src/core/primitive.js";

export type DeviceUnderTest = "wasm" | "webgpu";

/** The very same numbers: NaN for NaN, each zero and infinity with its sign. */
export interface Exact {
  readonly kind: "exact";
  /** It only moves elements, so that it does not matter if subnormal ones become zero. */
  readonly moves: boolean;
}

/** Within so many units in the last place of the exact result (or of the magnitude that magnitudes.ts gives). */
export interface Within {
  readonly kind: "within";
  /** Of float32. */
  readonly wasm: number;
  readonly webgpu: number;
  /** Of float64, where the reference is rounded too: the difference of the two. */
  readonly float64: number;
}

/** It gives no numbers. */
export interface NoNumbers {
  readonly kind: "none";
}

export type Bound = Exact | Within | NoNumbers;

const exact: Exact = { kind: "exact", moves: false };
const moves: Exact = { kind: "exact", moves: true };

const within = (wasm: number, webgpu: number, float64 = 0): Within => ({
  kind: "within",
  wasm,
  webgpu,
  float64,
});

/** Operations that are rounded correctly, as IEEE 754 has it. */
const nearest = within(0.5, 0.5);

const all = <B extends Bound>(bound: B, names: string): Record<string, B> =>
  Object.fromEntries(names.split(/\s+/).map((name) => [name, bound]));

export const bounds: Readonly<Record<string, Bound>> = {
  ...all(moves, "broadcastInDim reshape transpose iota slice pad rev concatenate gather scatter"),
  ...all(moves, "dynamicSlice dynamicUpdateSlice select selectN stopGradient jit"),
  ...all(moves, "activeRows name optimizationBarrier arrayConstant"),
  ...all(exact, "eq ne lt le gt ge floor ceil round isFinite nextafter neg abs sign max min clamp rem"),
  ...all(exact, "bitwiseAnd bitwiseOr bitwiseXor bitwiseNot shiftLeft shiftRightLogical"),
  ...all(exact, "shiftRightArithmetic populationCount clz threefry2x32"),
  ...all(exact, "convertElementType bitcastConvertType reducePrecision"),
  ...all(exact, "reduceMax reduceMin reduceAnd reduceOr reduceXor argmax argmin"),
  ...all(exact, "scatterMin scatterMax sort topK cummax cummin"),
  ...all(nearest, "add sub mul square"),
  ...all({ kind: "none" }, "debugCallback"),
  // The function gets the same numbers everywhere, and its results are taken as they are.
  ...all(exact, "pureCallback"),

  div: within(0.5, 2.5),
  sqrt: within(0.5, 1),
  rsqrt: within(1.5, 3.5),
  cbrt: within(1, 2),
  integerPow: within(2, 4),
  pow: within(0.8, 1.3),

  exp: within(1, 1.5),
  exp2: within(1.1, 1.6),
  expm1: within(1.5, 2),
  log: within(1, 1.5),
  log1p: within(1, 1.5),
  logistic: within(2.5, 4),
  xlogy: within(1.5, 2),
  xlog1py: within(1.5, 2),

  sin: within(1, 1.5),
  cos: within(1, 1.5),
  tan: within(2, 4),
  asin: within(1, 1.5),
  acos: within(1, 1.5),
  atan: within(1.1, 1.6),
  atan2: within(1.2, 3),
  sinh: within(1.5, 2),
  cosh: within(1.5, 2),
  tanh: within(1, 3),
  asinh: within(1.5, 2),
  acosh: within(1.5, 2),
  atanh: within(1, 1.5),

  erf: within(1.5, 2),
  erfc: within(3.5, 6),
  erfInv: within(2, 2.5),
  lgamma: within(5, 6),
  digamma: within(6, 7),
  polygamma: within(15, 20),

  reduceSum: within(1.5, 1.5, 2),
  reduceProd: within(30, 30, 40),
  cumsum: within(0.51, 0.51, 1),
  cumprod: within(0.51, 30, 4),
  cumlogsumexp: within(2, 3, 2),
  linearRecurrence: within(0.51, 3, 1),
  scatterAdd: within(2, 2, 1),
  scatterMul: within(6, 6, 2),
  dotGeneral: within(6, 6, 20),
  convGeneralDilated: within(3, 3, 6),
  // They are as exact as the bodies of their examples.
  ...all(within(5, 6, 8), "cond while iterate checkpoint"),
  scan: within(8, 16, 8),
  ...all(within(2, 4, 2), "customJvp customVjp linearCall tangentCall linearSolve"),
  det: within(0.51, 3, 1),
  cofactor: within(0.51, 3, 1),
};

/** It calls functions of JavaScript, which a GPU cannot. */
export const callsHost = ({ family }: Primitive): boolean => family === "debug" || family === "callback";

export function boundOf({ name }: Primitive): Bound {
  const bound = bounds[name];
  if (bound === undefined)
    throw new Error(
      `test/equivalence/bounds.ts has no row for ${name}: say how exact it is, then run npm run numerics`,
    );
  return bound;
}

/** Units of the dtype that results may be off by; 0 where they must be the same. */
export function allowed(bound: Bound, dtype: DType, device: DeviceUnderTest): number {
  if (bound.kind !== "within" || !isFloat(dtype)) return 0;
  if (dtype === "float64") return bound.float64;
  // A unit of float32 is 1/8192 of one of float16 (1/4096 above a power of two): some dozens of them do not count.
  return dtype === "float32" ? bound[device] : 0.51;
}
