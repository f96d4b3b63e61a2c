/**
 * Running sums, products, maxima, minima and log-sum-exps: element k of the result combines elements 0 to k.
 * Derivatives of all but the sum are linear recurrences (see recurrence.ts).
 */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray, scalar } from "../core/array.js";
import { aval, describe, sizeOf } from "../core/aval.js";
import { allocate, type DType, isFloat, isInteger, settle, type TypedArray } from "../core/dtype.js";
import { DtypeError } from "../core/errors.js";
import type { LowerRule } from "../core/ir/lower.js";
import { type Cost, definePrimitive, type JvpRule, type TransposeRule } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, zeroFor } from "../core/zero.js";
import { div, mul, neg, sub } from "./arithmetic.js";
import { convertElementType } from "./cast.js";
import { typeRule } from "./checks.js";
import { eq } from "./comparison.js";
import { lowerCumlogsumexp, lowerCummax, lowerCummin, lowerCumprod, lowerCumsum } from "./cumulativeLower.js";
import { running } from "./dependence.js";
import { type Direction, directionError, eachLine, inBatch, opposite, previous } from "./direction.js";
import { logistic } from "./exponential.js";
import { filled, zeros } from "./filled.js";
import { linear } from "./linear.js";
import { linearRecurrence } from "./recurrence.js";
import { isFinite } from "./rounding.js";
import { select } from "./select.js";
import { iota } from "./shape.js";

/** A function along an axis, bound to its primitive. */
export type CumulativeOp = (x: NDArray, direction: Direction) => NDArray;

/** Writes the running values of one line: `length` elements from `start`, `step` apart. */
type Line = (from: TypedArray, to: TypedArray, start: number, step: number, length: number) => void;

/** The tangent, from that of the operand, the operand x and the result y. */
type RunningTangent = (t: NDArray, x: NDArray, y: NDArray, direction: Direction) => NDArray;

interface CumulativeSpec {
  readonly summary: string;
  readonly accepts: (dtype: DType) => boolean;
  readonly lineFor: (dtype: DType) => Line;
  /** Left out where the operation is linear, which the sum alone is. */
  readonly tangent?: RunningTangent;
  /** Work for one element. */
  readonly work: Cost;
  readonly lower: LowerRule;
  /** Has derivatives only away from ties. */
  readonly distinct?: boolean;
}

const isNumber = (dtype: DType): boolean => isFloat(dtype) || isInteger(dtype);

/** The loop for a way to combine what there is with the next element. It is made per operation, so that it can be inlined. */
const combining =
  (combine: (total: number, x: number) => number): Line =>
  (from, to, start, step, length) => {
    let total = from[start];
    to[start] = total;
    for (let k = 1, at = start + step; k < length; k++, at += step) {
      total = combine(total, from[at]);
      to[at] = total;
    }
  };

function cumulative(name: string, spec: CumulativeSpec): CumulativeOp {
  const { tangent, work } = spec;
  const op: CumulativeOp = (x, { axis, reverse }) => bind(primitive, [x], { axis, reverse })[0];
  const rules: { jvp: JvpRule; transpose?: TransposeRule } =
    tangent === undefined
      ? linear(
          ([x], params) => [op(x, params as Direction)],
          // Element i is in the sums from i on, so it collects the cotangents from there to the end.
          (ct, _, params) => op(ct, opposite(params as Direction)),
        )
      : {
          jvp: ([x], [t], params) => {
            const direction = params as Direction;
            const y = op(x, direction);
            return { outputs: [y], tangents: [isZero(t) ? zeroFor(y.aval) : tangent(t, x, y, direction)] };
          },
        };
  const example = { distinct: spec.distinct };
  const primitive = definePrimitive({
    name,
    family: "cumulative",
    summary: spec.summary,
    abstractEval: typeRule(name, 1, ([x], params) => {
      if (!spec.accepts(x.dtype)) return left(new DtypeError(`${name} is not defined for ${describe(x)}`));
      const wrong = directionError(name, x, params);
      return wrong === undefined ? right([x]) : left(wrong);
    }),
    evaluate: ([x], params, [out]) => {
      const values = allocate(out.dtype, x.values.length);
      const line = spec.lineFor(x.dtype);
      eachLine(x.shape, params as Direction, (start, step, length) =>
        line(x.values, values, start, step, length),
      );
      return [new ConcreteArray(settle(out.dtype, values), out)];
    },
    ...rules,
    batch: (_, [x], __, params) => ({ outputs: [op(x, inBatch(params as Direction))], batched: [true] }),
    lower: spec.lower,
    dependence: running,
    cost: ([x]) => {
      const n = sizeOf(x.shape);
      return {
        operations: work.operations * n,
        multiplications: work.multiplications * n,
        transcendentals: work.transcendentals * n,
      };
    },
    laws: {
      differentiable: true,
      examples: () => [
        { ...example, avals: [aval([4], "float64")], params: { axis: 0, reverse: false } },
        { ...example, avals: [aval([4], "float64")], params: { axis: 0, reverse: true } },
        { ...example, avals: [aval([3, 2], "float64")], params: { axis: 0, reverse: false } },
        { ...example, avals: [aval([2, 3], "float64")], params: { axis: 1, reverse: true } },
        { ...example, avals: [aval([1], "float64")], params: { axis: 0, reverse: false } },
        { ...example, avals: [aval([0, 2], "float64")], params: { axis: 0, reverse: false } },
        { ...example, avals: [aval([2, 0], "float64")], params: { axis: 0, reverse: true } },
        { ...example, avals: [aval([4], "float32")], params: { axis: 0, reverse: false } },
        ...(spec.accepts("int32")
          ? [{ avals: [aval([4], "int32")], params: { axis: 0, reverse: false } }]
          : []),
      ],
    },
  });
  return op;
}

// The bit operations keep 32-bit totals exact where doubles would not; what is stored wraps around to the dtype.
const sumLine = combining((total, x) => total + x);
const wrappingSumLine = combining((total, x) => (total + x) | 0);
const productLine = combining((total, x) => total * x);
const wrappingProductLine = combining((total, x) => Math.imul(total, x));
const maximumLine = combining((total, x) => Math.max(total, x));
const minimumLine = combining((total, x) => Math.min(total, x));

/** Keeps the maximum m and Σ exp(xᵢ − m), so that no exponential overflows. Equal infinities are not subtracted. */
const logSumExpLine: Line = (from, to, start, step, length) => {
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let k = 0, at = start; k < length; k++, at += step) {
    const x = from[at];
    if (x === max) sum += 1;
    else if (x > max) {
      sum = sum * Math.exp(max - x) + 1;
      max = x;
    } else sum += Math.exp(x - max);
    to[at] = max + Math.log(sum);
  }
};

/**
 * Running sums along an axis: y_k = x_0 + ... + x_k, from the other end with `reverse`. Floats and integers (which wrap
 * around); same shape and dtype. Throws `DtypeError` or `AxisError`.
 *
 *     cumsum(np.array([1, 2, 3]), { axis: 0, reverse: false }) // [1, 3, 6]
 */
export const cumsum = cumulative("cumsum", {
  summary: "running sums along an axis",
  accepts: isNumber,
  lineFor: (dtype) => (isFloat(dtype) ? sumLine : wrappingSumLine),
  lower: lowerCumsum,
  work: { operations: 1, multiplications: 0, transcendentals: 0 },
});

/**
 * Running products along an axis, from the other end with `reverse`. Floats and integers (which wrap around); same
 * shape and dtype. The derivative is exact where elements are zero: from y_k = y_(k-1) · x_k follows
 * ẏ_k = x_k · ẏ_(k-1) + y_(k-1) · ẋ_k. Throws `DtypeError` or `AxisError`.
 *
 *     cumprod(np.array([1, 2, 3]), { axis: 0, reverse: false }) // [1, 2, 6]
 */
export const cumprod = cumulative("cumprod", {
  summary: "running products along an axis",
  accepts: isNumber,
  lineFor: (dtype) => (isFloat(dtype) ? productLine : wrappingProductLine),
  tangent: (t, x, y, direction) => linearRecurrence(x, mul(t, previous(y, direction, 1)), direction),
  lower: lowerCumprod,
  work: { operations: 1, multiplications: 1, transcendentals: 0 },
});

/**
 * The elements that tie for an extremum share its derivative equally, as they do in reduceMax. With c_k the number of
 * elements so far that equal y_k, element k adds its share of 1/c_k and scales the earlier ones by (c_k - 1)/c_k.
 */
const shareTies: RunningTangent = (t, x, y, direction) => {
  const stays = convertElementType(eq(previous(y, direction, 0), y), y.dtype);
  const attains = convertElementType(eq(x, y), y.dtype);
  const count = linearRecurrence(stays, attains, direction);
  return linearRecurrence(div(sub(count, attains), count), mul(t, div(attains, count)), direction);
};

/**
 * Running maxima along an axis, from the other end with `reverse`. Floats (NaN wins from where it stands on) and
 * integers; same shape and dtype. Elements that tie share the derivative. Throws `DtypeError` or `AxisError`.
 *
 *     cummax(np.array([1, 3, 2]), { axis: 0, reverse: false }) // [1, 3, 3]
 */
export const cummax = cumulative("cummax", {
  summary: "running maxima along an axis",
  accepts: isNumber,
  lineFor: () => maximumLine,
  tangent: shareTies,
  lower: lowerCummax,
  work: { operations: 1, multiplications: 0, transcendentals: 0 },
  distinct: true,
});

/**
 * Running minima along an axis, from the other end with `reverse`. Floats (NaN wins from where it stands on) and
 * integers; same shape and dtype. Elements that tie share the derivative. Throws `DtypeError` or `AxisError`.
 *
 *     cummin(np.array([2, 1, 3]), { axis: 0, reverse: false }) // [2, 1, 1]
 */
export const cummin = cumulative("cummin", {
  summary: "running minima along an axis",
  accepts: isNumber,
  lineFor: () => minimumLine,
  tangent: shareTies,
  lower: lowerCummin,
  work: { operations: 1, multiplications: 0, transcendentals: 0 },
  distinct: true,
});

/**
 * From y_k = log(exp y_(k-1) + exp x_k): the two derivatives are the logistic function of ±(x_k - y_(k-1)), which keeps
 * its digits where y itself is rounded, and is finite at infinities. Equal infinities count as a difference of 0.
 */
const softShare: RunningTangent = (t, x, y, direction) => {
  const before = previous(y, direction, Number.NEGATIVE_INFINITY);
  const { axis, reverse } = direction;
  const isFirst = eq(iota("int32", x.shape, axis), reverse ? x.shape[axis] - 1 : 0);
  // Equal finite ones differ by 0 too, but only here: their difference has derivatives.
  const atInfinity = select(eq(x, before), zeros(x.aval), sub(x, before));
  const lead = select(isFinite(x), sub(x, before), atInfinity);
  const share = select(isFirst, filled(x.shape, scalar(1, x.dtype, x.weakType)), logistic(lead));
  return linearRecurrence(logistic(neg(lead)), mul(t, share), direction);
};

/**
 * Running log-sum-exp along an axis: y_k = log(exp x_0 + ... + exp x_k) without overflow, from the other end with
 * `reverse`. Floats; same shape and dtype. -inf adds nothing: of -inf alone the result is -inf.
 * Throws `DtypeError` or `AxisError`.
 *
 *     cumlogsumexp(np.array([0.0, 0.0]), { axis: 0, reverse: false }) // [0, 0.6931472]
 */
export const cumlogsumexp = cumulative("cumlogsumexp", {
  summary: "running log-sum-exps along an axis",
  accepts: isFloat,
  lineFor: () => logSumExpLine,
  tangent: softShare,
  lower: lowerCumlogsumexp,
  work: { operations: 4, multiplications: 0, transcendentals: 2 },
});
