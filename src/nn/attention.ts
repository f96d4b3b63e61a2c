/** Attention: averages of values, weighted by how well their keys fit a query. */
import type { NDArray } from "../core/array.js";
import { describe, describeAll, type Shape } from "../core/aval.js";
import { type DType, floatLimits, isFloat } from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { add } from "../numpy/arithmetic.js";
import { plainOptions } from "../numpy/axes.js";
import { type ArrayLike, asArray, commonShape, promoteOperands, stretch } from "../numpy/operands.js";
import { mul, sub } from "../primitives/arithmetic.js";
import { bitwiseAnd } from "../primitives/bits.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { ge, le, lt } from "../primitives/comparison.js";
import { dotGeneral } from "../primitives/dot.js";
import { select } from "../primitives/select.js";
import { iota, reshape, transpose } from "../primitives/shape.js";
import { softmax } from "./softmax.js";

export interface AttentionOptions {
  /** Added to the scores; broadcasts to [batch, heads, queries, keys] (without batch: [heads, queries, keys]). */
  readonly bias?: ArrayLike;
  /** bool, in the shape of `bias`: where false a query does not see a key. */
  readonly mask?: ArrayLike;
  /** Factor of the scores. Default: 1 / √(length of a query). */
  readonly scale?: number;
  /** Whether a query sees only keys up to its own place. Default: false. */
  readonly isCausal?: boolean;
  /** int32[batch]: how many queries count in each example; the answers of the others are 0. */
  readonly querySeqLengths?: ArrayLike;
  /** int32[batch]: how many keys count in each example. */
  readonly keyValueSeqLengths?: ArrayLike;
  /** How many places back and ahead a query sees; a number stands for both. */
  readonly localWindowSize?: number | readonly [back: number, ahead: number];
}

const known = [
  "bias",
  "mask",
  "scale",
  "isCausal",
  "querySeqLengths",
  "keyValueSeqLengths",
  "localWindowSize",
] as const;

/** Queries, keys and values with a batch axis, of one dtype, and each head with its own keys. */
function prepared(given: readonly NDArray[]): NDArray[] {
  const got = describeAll(given.map((x) => x.aval));
  const [{ ndim }] = given;
  if ((ndim !== 3 && ndim !== 4) || given.some((x) => x.ndim !== ndim))
    throw new ShapeError(
      `nn.dotProductAttention needs query, key and value of shape [batch, length, heads, depth] (or all without batch), got ${got}`,
    );
  if (given.some((x) => !isFloat(x.dtype) || x.dtype !== given[0].dtype))
    throw new DtypeError(`nn.dotProductAttention needs floats of one dtype, got ${got}`);
  const [query, key, value] = given.map((x) => (ndim === 3 ? reshape(x, [1, ...x.shape]) : x));
  const [batch, , heads, depth] = query.shape;
  const [keyBatch, keys, keyHeads, keyDepth] = key.shape;
  const [valueBatch, values, valueHeads] = value.shape;
  if (
    keyBatch !== batch ||
    valueBatch !== batch ||
    keyDepth !== depth ||
    values !== keys ||
    valueHeads !== keyHeads
  )
    throw new ShapeError(`nn.dotProductAttention: query, key and value do not fit together: ${got}`);
  if (keyHeads === 0 ? heads !== 0 : heads % keyHeads !== 0)
    throw new ShapeError(
      `nn.dotProductAttention: ${heads} heads of the query are no multiple of ${keyHeads} heads of the key (${got})`,
    );
  return [query, repeatHeads(key, heads), repeatHeads(value, heads)];
}

/** Consecutive heads of the query share one head of keys and values. */
function repeatHeads(x: NDArray, heads: number): NDArray {
  const [batch, length, own, depth] = x.shape;
  if (own === heads) return x;
  const grouped = broadcastInDim(x, [batch, length, own, heads / own, depth], [0, 1, 2, 4]);
  return reshape(grouped, [batch, length, heads, depth]);
}

/** An option brought to the shape of the scores; without a batch axis it may lack one. */
function toScores(what: string, x: NDArray, scores: Shape): NDArray {
  const common = commonShape([x.shape, scores]);
  if (common === undefined || common.length > scores.length || common.some((n, i) => n !== scores[i]))
    throw new ShapeError(
      `nn.dotProductAttention: ${what} is ${describe(x.aval)}, which does not broadcast to the scores, [${scores.join(",")}]`,
    );
  return stretch(x, scores);
}

/** Lengths, one for each example, beside the scores. */
function lengthsOf(what: string, given: ArrayLike, scores: Shape): NDArray {
  const x = asArray(given, "nn.dotProductAttention");
  if (x.dtype !== "int32" || x.ndim !== 1 || x.shape[0] !== scores[0])
    throw new ShapeError(
      `nn.dotProductAttention: ${what} must be int32[${scores[0]}], got ${describe(x.aval)}`,
    );
  return broadcastInDim(x, scores, [0]);
}

/** Where a query sees a key by their places; undefined if everywhere. */
function visibility(options: AttentionOptions, scores: Shape): NDArray | undefined {
  const { isCausal = false, localWindowSize, keyValueSeqLengths, querySeqLengths } = options;
  const places = scores.slice(2);
  const conditions: NDArray[] = [];
  const overScores = (x: NDArray) => broadcastInDim(x, scores, [2, 3]);
  const [row, column] = [0, 1].map((axis) => iota("int32", places, axis));
  if (isCausal) conditions.push(overScores(ge(row, column)));
  if (localWindowSize !== undefined) {
    const [back, ahead] =
      typeof localWindowSize === "number" ? [localWindowSize, localWindowSize] : localWindowSize;
    if (!Number.isInteger(back) || !Number.isInteger(ahead))
      throw new ArgumentError(
        `nn.dotProductAttention: localWindowSize must be one or two whole numbers, got ${String(localWindowSize)}`,
      );
    const ahead0 = sub(column, row);
    conditions.push(overScores(bitwiseAnd(le(ahead0, ahead), ge(ahead0, -back))));
  }
  if (keyValueSeqLengths !== undefined)
    conditions.push(lt(overScores(column), lengthsOf("keyValueSeqLengths", keyValueSeqLengths, scores)));
  if (querySeqLengths !== undefined)
    conditions.push(lt(overScores(row), lengthsOf("querySeqLengths", querySeqLengths, scores)));
  return conditions.length === 0 ? undefined : conditions.reduce((a, b) => bitwiseAnd(a, b));
}

/**
 * softmax(query · keyᵀ · scale + bias) · value, for each head. Scores are made in float32 at least. A query that sees no
 * key gets the average of all values.
 * @param query [batch, queries, heads, depth].
 * @param key [batch, keys, key heads, depth]; the number of heads is a multiple of that of the key, whose heads are then
 *   shared (grouped-query attention).
 * @param value [batch, keys, key heads, value depth].
 * @returns [batch, queries, heads, value depth], in the dtype of the operands. All may lack the batch axis.
 * @throws ShapeError or DtypeError for operands and options that do not fit; ArgumentError for unknown options.
 * @see https://arxiv.org/abs/1706.03762, section 3.2.1
 * @example
 * const [q, k, v] = [np.ones([3, 1, 2]), np.ones([3, 1, 2]), np.array([[[1.5]], [[2]], [[4]]])];
 * nn.dotProductAttention(q, k, v); // [[[2.5]], [[2.5]], [[2.5]]]
 * nn.dotProductAttention(q, k, v, { isCausal: true }); // [[[1.5]], [[1.75]], [[2.5]]]
 */
export function dotProductAttention(
  query: ArrayLike,
  key: ArrayLike,
  value: ArrayLike,
  options: AttentionOptions = {},
): NDArray {
  const name = "nn.dotProductAttention";
  const given = plainOptions(name, options, known);
  const arrays = [query, key, value].map((x) => asArray(x, name));
  const [q, k, v] = prepared(arrays);
  const [, , , depth] = q.shape;
  const dtype: DType = q.dtype === "float16" ? "float32" : q.dtype;
  const products = dotGeneral(q, k, {
    contracting: [[3], [3]],
    batch: [
      [0, 2],
      [0, 2],
    ],
    preferredElementType: dtype,
  });
  const scaled = mul(products, given.scale ?? 1 / Math.sqrt(depth));
  const biased = given.bias === undefined ? scaled : withBias(scaled, given.bias);
  const weights = softmax(masked(biased, given));
  const averaged = dotGeneral(convertElementType(weights, v.dtype), v, {
    contracting: [[3], [1]],
    batch: [
      [0, 1],
      [0, 2],
    ],
  });
  const result = transpose(averaged, [0, 2, 1, 3]);
  const answered =
    given.querySeqLengths === undefined ? result : withoutPadding(result, given.querySeqLengths);
  return arrays[0].ndim === 3 ? reshape(answered, answered.shape.slice(1)) : answered;
}

function withBias(scores: NDArray, bias: ArrayLike): NDArray {
  const [, x] = promoteOperands("nn.dotProductAttention", [scores, bias]);
  return add(scores, toScores("bias", convertElementType(x, scores.dtype), scores.shape));
}

/** A finite score, so that a row without any key is an average and not NaN; half of the largest leaves room for sums. */
function masked(scores: NDArray, options: AttentionOptions): NDArray {
  const never = isFloat(scores.dtype) ? -floatLimits(scores.dtype).max / 2 : 0;
  const visible = visibility(options, scores.shape);
  const seen = visible === undefined ? scores : select(visible, scores, never);
  if (options.mask === undefined) return seen;
  const mask = asArray(options.mask, "nn.dotProductAttention");
  if (mask.dtype !== "bool")
    throw new DtypeError(`nn.dotProductAttention: mask must be bool, got ${describe(mask.aval)}`);
  return select(toScores("mask", mask, scores.shape), seen, never);
}

/** Zeros for queries beyond the lengths. */
function withoutPadding(result: NDArray, lengths: ArrayLike): NDArray {
  const counts = lengthsOf("querySeqLengths", lengths, result.shape);
  return select(lt(iota("int32", result.shape, 1), counts), result, 0);
}
