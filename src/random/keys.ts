/**
 * Random keys. There is no hidden state: a function that needs randomness takes a key, and keys are split into
 * independent ones. A key is a uint32[2]; the generator is Threefry-2x32 in JAX's "partitionable" layout, so keys, bits
 * and samples are those of `jax.random`.
 */
import { concreteArray, type NDArray, scalar } from "../core/array.js";
import type { Shape } from "../core/aval.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { asArray } from "../numpy/operands.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { concatenate } from "../primitives/concatenate.js";
import { keyWords, randomWords, threefry2x32 } from "../primitives/random.js";
import { reshape } from "../primitives/shape.js";

/**
 * A key from a seed.
 *
 * @param seed an integer: a number (up to 2⁵³ in magnitude), or an int32 or uint32 scalar array, which may be traced.
 * @returns uint32[2].
 * @throws ArgumentError if the seed is not an integer.
 * @example
 * random.key(42); // [0, 42]
 */
export function key(seed: number | NDArray): NDArray {
  if (typeof seed === "number") {
    if (!Number.isSafeInteger(seed)) throw new ArgumentError(`random.key takes an integer, got ${seed}`);
    // A negative seed has the bits of its 32-bit two's complement, as in JAX without 64-bit integers.
    const high = seed < 0 ? 0 : Math.floor(seed / 2 ** 32);
    return concreteArray([high, seed >>> 0], [2], "uint32");
  }
  if (!isInteger(seed.dtype) || seed.ndim !== 0)
    throw new ArgumentError(`random.key takes an integer scalar, got ${seed.dtype}[${seed.shape.join(",")}]`);
  return pair(scalar(0, "uint32"), convertElementType(seed, "uint32"));
}

/** Two scalars as an array of length 2. */
const pair = (a: NDArray, b: NDArray): NDArray =>
  concatenate([broadcastInDim(a, [1], []), broadcastInDim(b, [1], [])], 0);

/** The same as `key`; JAX's older name. */
export { key as PRNGKey };

/** The uint32[2] behind a key. Keys are plain arrays here, so this is the key itself, checked. */
export function keyData(k: NDArray): NDArray {
  keyWords(k);
  return k;
}

/** A key from its uint32[2]. */
export const wrapKeyData = keyData;

const asShape = (num: number | Shape): Shape => (typeof num === "number" ? [num] : num);

/**
 * Splits a key into independent ones.
 *
 * @param num how many (default 2), or the shape of an array of keys.
 * @returns uint32[...num, 2]; destructure it: `const [k1, k2] = random.split(k)`.
 * @example
 * random.split(random.key(0), 3).shape; // [3, 2]
 */
export function split(k: NDArray, num: number | Shape = 2): NDArray {
  const shape = asShape(num);
  if (shape.some((n) => !Number.isInteger(n) || n < 0))
    throw new ArgumentError(`random.split takes a count or a shape, got ${String(num)}`);
  const words = randomWords(k, shape);
  return concatenate(
    words.map((w) => reshape(w, [...shape, 1])),
    shape.length,
  );
}

/**
 * A key from a key and an integer: `foldIn(k, i)` is `split(k, n)[i]`.
 *
 * @param data an integer below 2³², or a scalar array of integers, which may be traced.
 * @example
 * random.foldIn(random.key(0), 1).shape; // [2]
 */
export function foldIn(k: NDArray, data: number | NDArray): NDArray {
  if (typeof data === "number" && !Number.isInteger(data))
    throw new ArgumentError(`random.foldIn takes an integer, got ${data}`);
  const [k0, k1] = keyWords(k);
  const low =
    typeof data === "number"
      ? scalar(data >>> 0, "uint32")
      : convertElementType(asArray(data, "foldIn"), "uint32");
  return pair(...threefry2x32(k0, k1, scalar(0, "uint32"), low));
}
