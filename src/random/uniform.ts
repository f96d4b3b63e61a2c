/** Random bits, and what follows from them without special functions: uniform floats, integers, coin tosses. */
import { type NDArray, scalar } from "../core/array.js";
import type { Shape } from "../core/aval.js";
import { type DType, type FloatDType, integerRange, isFloat, isInteger } from "../core/dtype.js";
import { ArgumentError, DtypeError } from "../core/errors.js";
import type { ArrayLike } from "../core/methods.js";
import { checkOptions, convertTo, promoteOperands, stretch } from "../numpy/operands.js";
import { add, max, mul, rem, sub } from "../primitives/arithmetic.js";
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
  if (dtype !== "uint32" && dtype !== "uint8") throw new DtypeError(`random.bits gives uint32 or uint8, not ${dtype}`);
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
  const lo = convertTo(options.minval ?? 0, type);
  const hi = convertTo(options.maxval ?? 1, type);
  const floats = unit(k, shape, dtype);
  const [low, span] = [lo, sub(hi, lo)].map((x) => (x.ndim === 0 ? x : stretch(x, shape)));
  return max(low, add(mul(floats, span), low));
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
  const [lowest, highest] = integerRange(dtype);
  const clamped = (x: ArrayLike): NDArray =>
    typeof x === "number"
      ? scalar(Math.min(Math.max(requireInteger(x), lowest), highest), dtype)
      : convertElementType(promoteOperands("random.randint", [x])[0], dtype);
  const lo = clamped(minval);
  const hi = clamped(maxval);

  const unsigned = dtype === "uint8" ? "uint8" : "uint32";
  const width = dtype === "uint8" ? 8 : 32;
  const [k1, k2] = split(k);
  const high = randomBits(k1, shape, width);
  const low = randomBits(k2, shape, width);
  // The range of all values of the dtype has a span of 0 = 2^width, for which the remainders below do nothing.
  const difference = sub(convertElementType(hi, unsigned), convertElementType(lo, unsigned));
  const beyond = typeof maxval === "number" && maxval > highest;
  const widened = beyond ? select(gt(hi, lo), add(difference, 1), difference) : difference;
  const span = stretchScalar(select(ge(lo, hi), mul(0, widened).add(1), widened), shape);
  // Two words give a number below 2^(2·width); its remainder is taken in parts.
  const half = remainder(scalar(2 ** (width / 2), unsigned), span, shape);
  const factor = remainder(mul(half, half), span, shape);
  const offset = remainder(add(mul(remainder(high, span, shape), factor), remainder(low, span, shape)), span, shape);
  return add(stretchScalar(lo, shape), convertElementType(offset, dtype));
}

const stretchScalar = (x: NDArray, shape: Shape): NDArray => (x.ndim === 0 ? x : stretch(x, shape));

/** x mod span, and x itself for a span of 0. */
const remainder = (x: NDArray, span: NDArray, shape: Shape): NDArray => {
  const full = x.ndim === 0 && span.ndim > 0 ? stretch(x, shape) : x;
  return rem(full, span);
};

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

