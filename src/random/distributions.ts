/** Distributions by transforming uniform numbers. They are differentiable in what they are transformed with. */
import type { NDArray } from "../core/array.js";
import type { Shape } from "../core/aval.js";
import { type DType, type FloatDType, floatLimits, isFloat } from "../core/dtype.js";
import { DtypeError } from "../core/errors.js";
import type { ArrayLike } from "../core/methods.js";
import { checkOptions, promoteOperands, stretch } from "../numpy/operands.js";
import { abs, add, div, max, min, mul, neg, sign, sub } from "../primitives/arithmetic.js";
import { log, log1p } from "../primitives/exponential.js";
import { erf, erfInv } from "../primitives/special.js";
import { tan } from "../primitives/trigonometric.js";
import { uniform } from "./uniform.js";

export interface SampleOptions {
  /** A float dtype; default float32. */
  readonly dtype?: DType;
}

function floatOf(name: string, options: SampleOptions): FloatDType {
  checkOptions(name, options, ["dtype"]);
  const dtype = options.dtype ?? "float32";
  if (!isFloat(dtype)) throw new DtypeError(`${name} gives floats, not ${dtype}`);
  return dtype;
}

/** The number after -1 towards 0. */
const afterMinusOne = (dtype: FloatDType): number => -1 + floatLimits(dtype).eps / 2;

/**
 * The standard normal distribution, as √2 erf⁻¹(u) of a uniform u in (-1, 1).
 *
 * @example
 * random.normal(random.key(0), [2, 3]).shape; // [2, 3]
 */
export function normal(k: NDArray, shape: Shape = [], options: SampleOptions = {}): NDArray {
  const dtype = floatOf("random.normal", options);
  return mul(erfInv(uniform(k, shape, { dtype, minval: afterMinusOne(dtype), maxval: 1 })), Math.SQRT2);
}

/**
 * The standard normal distribution cut off outside (lower, upper).
 *
 * @example
 * random.truncatedNormal(random.key(0), -2, 2, [4]).shape; // [4]
 */
export function truncatedNormal(
  k: NDArray,
  lower: ArrayLike,
  upper: ArrayLike,
  shape: Shape = [],
  options: SampleOptions = {},
): NDArray {
  const dtype = floatOf("random.truncatedNormal", options);
  const [lo, hi] = promoteOperands("random.truncatedNormal", [lower, upper], true).map((x) =>
    x.ndim === 0 ? x.astype(dtype) : stretch(x.astype(dtype), shape),
  );
  const a = erf(div(lo, Math.SQRT2));
  const b = erf(div(hi, Math.SQRT2));
  const u = uniform(k, shape, { dtype, minval: a, maxval: b });
  const sample = mul(erfInv(u), Math.SQRT2);
  // Rounding may give the bounds themselves.
  const { eps } = floatLimits(dtype);
  const inside = (x: NDArray, direction: number) => add(x, mul(max(abs(x), 1), direction * eps));
  return max(min(sample, inside(hi, -1)), inside(lo, 1));
}

/** The smallest normal number: keeps logarithms finite. */
const tiny = (dtype: FloatDType): number => floatLimits(dtype).tiny;

/**
 * The standard Gumbel distribution, -log(-log u): the largest of many.
 *
 * @example
 * random.gumbel(random.key(0), [3]).shape; // [3]
 */
export function gumbel(k: NDArray, shape: Shape = [], options: SampleOptions = {}): NDArray {
  const dtype = floatOf("random.gumbel", options);
  return neg(log(neg(log(uniform(k, shape, { dtype, minval: tiny(dtype), maxval: 1 })))));
}

/**
 * The exponential distribution of rate 1, -log(1 - u).
 *
 * @example
 * random.exponential(random.key(0), [3]).shape; // [3]
 */
export function exponential(k: NDArray, shape: Shape = [], options: SampleOptions = {}): NDArray {
  const dtype = floatOf("random.exponential", options);
  return neg(log1p(neg(uniform(k, shape, { dtype }))));
}

/** The standard Laplace distribution: sign(u) log(1 - |u|) for u in (-1, 1). */
export function laplace(k: NDArray, shape: Shape = [], options: SampleOptions = {}): NDArray {
  const dtype = floatOf("random.laplace", options);
  const u = uniform(k, shape, { dtype, minval: -1 + floatLimits(dtype).eps, maxval: 1 });
  return mul(sign(u), log1p(neg(abs(u))));
}

/** The standard logistic distribution, log(u / (1 - u)). */
export function logistic(k: NDArray, shape: Shape = [], options: SampleOptions = {}): NDArray {
  const dtype = floatOf("random.logistic", options);
  const u = uniform(k, shape, { dtype, minval: tiny(dtype), maxval: 1 });
  return log(div(u, sub(1, u)));
}

/** The standard Cauchy distribution, tan(π (u - ½)). */
export function cauchy(k: NDArray, shape: Shape = [], options: SampleOptions = {}): NDArray {
  const dtype = floatOf("random.cauchy", options);
  const u = uniform(k, shape, { dtype, minval: floatLimits(dtype).eps, maxval: 1 });
  return tan(mul(sub(u, 0.5), Math.PI));
}
