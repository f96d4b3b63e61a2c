/** Drawing from finite sets: permutations, choices, categories. */
import type { NDArray } from "../core/array.js";
import { type Shape, sizeOf } from "../core/aval.js";
import { ArgumentError, AxisError, ShapeError } from "../core/errors.js";
import type { ArrayLike } from "../core/methods.js";
import { take } from "../numpy/indexing.js";
import { checkOptions, promoteOperands, stretch } from "../numpy/operands.js";
import { searchsorted } from "../numpy/sorting.js";
import { argmax } from "../primitives/argmax.js";
import { add, mul, sub } from "../primitives/arithmetic.js";
import { cumsum } from "../primitives/cumulative.js";
import { log } from "../primitives/exponential.js";
import { randomBits } from "../primitives/random.js";
import { iota, reshape } from "../primitives/shape.js";
import { slice } from "../primitives/slicing.js";
import { sort, topK } from "../primitives/sort.js";
import { gumbel } from "./distributions.js";
import { split } from "./keys.js";
import { randint, uniform } from "./uniform.js";

function canonical(axis: number, rank: number, name: string): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new AxisError(`${name}: axis ${axis} is out of range for an array of ${rank} dimensions`);
  return axis < 0 ? axis + rank : axis;
}

/**
 * Sorts by random keys, in as many rounds as make equal keys unimportant: 32-bit keys collide among n of them with a
 * probability of about n²/2³³, and each round multiplies it in.
 */
function shuffle(k: NDArray, x: NDArray, axis: number): NDArray {
  const rounds = Math.ceil((3 * Math.log(Math.max(1, x.size))) / Math.log(2 ** 32 - 1));
  let key = k;
  let shuffled = x;
  for (let round = 0; round < rounds; round++) {
    const [next, own] = split(key);
    key = next;
    [, shuffled] = sort([randomBits(own, x.shape, 32), shuffled], { dimension: axis, numKeys: 1 });
  }
  return shuffled;
}

export interface PermutationOptions {
  /** The axis to shuffle along; default 0. */
  readonly axis?: number;
  /** Shuffle every line along the axis on its own; default false: whole slices change places. */
  readonly independent?: boolean;
}

/**
 * A random permutation of an array along an axis, or of the integers below n.
 *
 * @param x an array, or a number n.
 * @example
 * np.sort(random.permutation(random.key(0), 5)); // [0, 1, 2, 3, 4]
 */
export function permutation(k: NDArray, x: NDArray | number, options: PermutationOptions = {}): NDArray {
  checkOptions("random.permutation", options, ["axis", "independent"]);
  if (typeof x === "number") {
    if (!Number.isInteger(x) || x < 0) throw new ArgumentError(`random.permutation takes a count, got ${x}`);
    return shuffle(k, iota("int32", [x], 0), 0);
  }
  if (x.ndim === 0)
    throw new ShapeError("random.permutation takes an array with at least one axis, or a number");
  const axis = canonical(options.axis ?? 0, x.ndim, "random.permutation");
  if (x.ndim === 1 || options.independent) return shuffle(k, x, axis);
  return take(x, shuffle(k, iota("int32", [x.shape[axis]], 0), 0), { axis });
}

export interface ChoiceOptions {
  /** Default []. */
  readonly shape?: Shape;
  /** Whether an element may be drawn more than once; default true. */
  readonly replace?: boolean;
  /** The probability of each element; default: all the same. */
  readonly p?: NDArray;
  /** The axis of `a` to draw from; default 0. */
  readonly axis?: number;
}

/**
 * Random elements of an array, or random integers below n.
 *
 * @param a an array to draw slices from, or a number n for the integers below it.
 * @throws ArgumentError if more elements are drawn without replacement than there are.
 * @example
 * random.choice(random.key(0), 5, { shape: [3], replace: false }).shape; // [3]
 */
export function choice(k: NDArray, a: NDArray | number, options: ChoiceOptions = {}): NDArray {
  checkOptions("random.choice", options, ["shape", "replace", "p", "axis"]);
  const { shape = [], replace = true, p } = options;
  const axis = typeof a === "number" ? 0 : canonical(options.axis ?? 0, a.ndim, "random.choice");
  const n = typeof a === "number" ? a : a.shape[axis];
  const draws = sizeOf(shape);
  if (n === 0 && draws > 0) throw new ArgumentError("random.choice: there is nothing to draw from");
  if (!replace && draws > n)
    throw new ArgumentError(`random.choice: ${draws} elements cannot be drawn from ${n} without replacement`);
  if (p !== undefined && (p.ndim !== 1 || p.shape[0] !== n))
    throw new ShapeError(`random.choice: p must have shape [${n}], got [${p.shape.join(",")}]`);
  const places = reshape(
    p === undefined ? evenly(k, n, shape, replace) : weighted(k, p, shape, replace),
    shape,
  );
  return typeof a === "number" ? places : take(a, places, { axis });
}

function evenly(k: NDArray, n: number, shape: Shape, replace: boolean): NDArray {
  if (replace) return randint(k, shape, 0, n);
  return slice(permutation(k, n), [0], [sizeOf(shape)]);
}

function weighted(k: NDArray, p: NDArray, shape: Shape, replace: boolean): NDArray {
  const [weights] = promoteOperands("random.choice", [p], true);
  const n = weights.shape[0];
  if (!replace) return topK(add(gumbel(k, [n], { dtype: weights.dtype }), log(weights)), sizeOf(shape))[1];
  const cumulative = cumsum(weights, { axis: 0, reverse: false });
  const total = reshape(slice(cumulative, [n - 1], [n]), []);
  const u = uniform(k, shape, { dtype: weights.dtype });
  return searchsorted(cumulative, mul(total, sub(1, u)));
}

export interface CategoricalOptions {
  /** The axis of the categories; default -1. */
  readonly axis?: number;
  /** The shape of the result; it must end with the shape of logits without the axis. Default: just that. */
  readonly shape?: Shape;
}

/**
 * Categories drawn with probabilities softmax(logits), by the Gumbel trick.
 *
 * @param logits unnormalised log probabilities.
 * @returns int32 indices along the axis.
 * @example
 * random.categorical(random.key(0), np.array([0, -1000])); // 0
 */
export function categorical(k: NDArray, logits: ArrayLike, options: CategoricalOptions = {}): NDArray {
  checkOptions("random.categorical", options, ["axis", "shape"]);
  const [weights] = promoteOperands("random.categorical", [logits], true);
  const axis = canonical(options.axis ?? -1, weights.ndim, "random.categorical");
  const batch = weights.shape.filter((_, i) => i !== axis);
  const shape = options.shape ?? batch;
  const prefix = shape.slice(0, shape.length - batch.length);
  const rest = shape.slice(prefix.length);
  if (shape.length < batch.length || batch.some((n, i) => n !== rest[i] && n !== 1))
    throw new ShapeError(`random.categorical: shape [${shape.join(",")}] must end with [${batch.join(",")}]`);
  const full = [...rest];
  full.splice(axis, 0, weights.shape[axis]);
  const noise = gumbel(k, [...prefix, ...full], { dtype: weights.dtype });
  return argmax(add(noise, stretch(weights, noise.shape)), prefix.length + axis, "int32");
}
