/** Random bits, and what follows from them without special functions: uniform floats, integers, coin tosses. */
import { type NDArray, scalar } from "../core/array.js";
import type { Shape } from "../core/aval.js";
import { type DType, type FloatDType, integerRange, isFloat, isInteger } from "../core/dtype.js";
import { ArgumentError, DtypeError } from "../core/errors.js";
import type { ArrayLike } from "../core/methods.js";
import { checkOptions, convertTo, promoteOperands, stretch } from "../numpy/operands.js";
import { add, max, min, mul, rem, sub } from "../primitives/arithmetic.js";
import { bitwiseAnd, bitwiseOr, shiftRightLogical } from "../primitives/bits.js";
import { bitcastConvertType, convertElementType } from "../primitives/cast.js";
import { ge, gt, lt } from "../primitives/comparison.js";
import { randomBits, randomWords } from "../primitives/random.js";
import { select } from "../primitives/select.js";
import { split } from "./keys.js";

/**
 * Uniformly distributed bits.
 *
 * @param shape default [].
 * @param dtype uint32 (default) or uint8.
 * @example
 * random.bits(random.key(42), [2]); // [2098992034, 2919706841]
 */
export function bits(k: NDArray, shape: Shape = [], dtype: DType = "uint32"): NDArray {
  if (dtype !== "uint32" && dtype !== "uint8")
    throw new DtypeError(`random.bits gives uint32 or uint8, not ${dtype}`);
  return randomBits(k, shape, dtype === "uint32" ? 32 : 8);
}

/**
 * Numbers in [0, 1) with all bits of the mantissa random: the bits fill the mantissa of a number in [1, 2), and 1 is
 * taken off. A double takes 52 of 64 bits; there the same is said in arithmetic, which is exact.
 */
function unit(k: NDArray, shape: Shape, dtype: FloatDType): NDArray {
  if (dtype === "float64") {
    const [high, low] = randomWords(k, shape);
    const mantissa = add(
      mul(convertElementType(high, "float64"), 2 ** 20),
      convertElementType(shiftRightLogical(low, 12), "float64"),
    );
    return mul(mantissa, 2 ** -52);
  }
  const word = randomBits(k, shape, 32);
  if (dtype === "float16") {
    const ten = shiftRightLogical(bitwiseAnd(word, 0xffff), 6);
    return mul(convertElementType(ten, "float16"), 2 ** -10);
  }
  const oneToTwo = bitcastConvertType(bitwiseOr(shiftRightLogical(word, 9), 0x3f800000), "float32");
  return sub(oneToTwo, 1);
}

const floatDType = (dtype: DType, what: string): FloatDType => {
  if (!isFloat(dtype)) throw new DtypeError(`${what} gives floats, not ${dtype}`);
  return dtype;
};

export interface UniformOptions {
  /** A float dtype; default float32. */
  readonly dtype?: DType;
  /** Inclusive; default 0. May be an array that broadcasts to the shape. */
  readonly minval?: ArrayLike;
  /** Exclusive; default 1. */
  readonly maxval?: ArrayLike;
}

/**
 * Uniformly distributed floats in [minval, maxval).
 *
 * @example
 * random.uniform(random.key(0), [3]).shape; // [3]
 */
export function uniform(k: NDArray, shape: Shape = [], options: UniformOptions = {}): NDArray {
  checkOptions("random.uniform", options, ["dtype", "minval", "maxval"]);
  const dtype = floatDType(options.dtype ?? "float32", "random.uniform");
  const type = { dtype, weakType: false };
  const lo = stretchArray(convertTo(options.minval ?? 0, type), shape);
  const hi = stretchArray(convertTo(options.maxval ?? 1, type), shape);
  return max(lo, add(mul(unit(k, shape, dtype), sub(hi, lo)), lo));
}

/**
 * Uniformly distributed integers in [minval, maxval).
 *
 * @param options `dtype`: int32 (default), uint32 or uint8.
 * @example
 * random.randint(random.key(0), [4], 0, 10).dtype; // "int32"
 */
export function randint(
  k: NDArray,
  shape: Shape,
  minval: ArrayLike,
  maxval: ArrayLike,
  options: { readonly dtype?: DType } = {},
): NDArray {
  checkOptions("random.randint", options, ["dtype"]);
  const dtype = options.dtype ?? "int32";
  if (!isInteger(dtype)) throw new DtypeError(`random.randint gives integers, not ${dtype}`);
  // Eight bits would favour some integers: they are drawn as int32, as JAX does since 2025.
  if (dtype === "uint8")
    return convertElementType(draw(k, shape, minval, maxval, "int32", [0, 255]), "uint8");
  return draw(k, shape, minval, maxval, dtype, integerRange(dtype));
}

function draw(
  k: NDArray,
  shape: Shape,
  minval: ArrayLike,
  maxval: ArrayLike,
  dtype: DType,
  [lowest, highest]: readonly [number, number],
): NDArray {
  const [, largest] = integerRange(dtype);
  const bound = (x: ArrayLike, top: number): NDArray => {
    if (typeof x === "number") return scalar(Math.min(Math.max(requireInteger(x), lowest), top), dtype);
    const whole = convertElementType(promoteOperands("random.randint", [x])[0], dtype);
    const [from, to] = integerRange(dtype);
    return stretchArray(from === lowest && to <= top ? whole : min(max(whole, lowest), top), shape);
  };
  const lo = bound(minval, highest);
  const hi = bound(maxval, Math.min(highest + 1, largest));

  const [k1, k2] = split(k);
  const high = randomBits(k1, shape, 32);
  const low = randomBits(k2, shape, 32);
  const difference = sub(convertElementType(hi, "uint32"), convertElementType(lo, "uint32"));
  // A bound beyond the largest integer was cut off by one. The range of all integers then has a span of 0 for 2³²,
  // for which the remainders below do nothing.
  const cut = typeof maxval === "number" && maxval > largest;
  const widened = cut ? select(gt(hi, lo), add(difference, 1), difference) : difference;
  const span = stretch(select(ge(lo, hi), scalar(1, "uint32"), widened), shape);
  // Two words give a number below 2⁶⁴; its remainder is taken in parts.
  const half = rem(stretch(scalar(2 ** 16, "uint32"), shape), span);
  const factor = rem(mul(half, half), span);
  const offset = rem(add(mul(rem(high, span), factor), rem(low, span)), span);
  return add(lo, convertElementType(offset, dtype));
}

/** Brings an array to the shape of the result; scalars may stay as they are. */
const stretchArray = (x: NDArray, shape: Shape): NDArray => (x.ndim === 0 ? x : stretch(x, shape));

function requireInteger(x: number): number {
  if (!Number.isInteger(x)) throw new ArgumentError(`random.randint: the bounds must be integers, got ${x}`);
  return x;
}

/**
 * Coin tosses: true with probability p.
 *
 * @param p a probability or an array of them; default 0.5.
 * @param shape default: that of p.
 * @example
 * random.bernoulli(random.key(0), 0.5, [2]).dtype; // "bool"
 */
export function bernoulli(k: NDArray, p: ArrayLike = 0.5, shape?: Shape): NDArray {
  const [chance] = promoteOperands("random.bernoulli", [p], true);
  const full = shape ?? chance.shape;
  return lt(uniform(k, full, { dtype: chance.dtype }), chance.ndim === 0 ? chance : stretch(chance, full));
}
