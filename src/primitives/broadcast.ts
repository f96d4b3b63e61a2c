/** Broadcasting, and summing: each is the transpose of the other. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { aval, describe, type Shape, sameShape, sizeOf, stridesOf, withShape } from "../core/aval.js";
import { allocate, settle } from "../core/dtype.js";
import { DtypeError, ShapeError } from "../core/errors.js";
import { definePrimitive } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { linear, noWork } from "./linear.js";

const isIncreasing = (dims: readonly number[]): boolean => dims.every((d, i) => i === 0 || d > dims[i - 1]);

interface BroadcastParams {
  readonly shape: Shape;
  /** For each axis of the operand the axis of the result that it becomes; increasing. */
  readonly dims: readonly number[];
  readonly [key: string]: Shape;
}

const broadcastPrimitive = definePrimitive({
  name: "broadcastInDim",
  family: "shape",
  summary: "repeats an operand along new axes and along axes of length 1",
  abstractEval: ([x], params) => {
    const { shape, dims } = params as BroadcastParams;
    const fits =
      dims.length === x.shape.length &&
      isIncreasing(dims) &&
      dims.every((d, i) => d >= 0 && d < shape.length && (x.shape[i] === shape[d] || x.shape[i] === 1));
    if (!fits || shape.some((n) => !Number.isInteger(n) || n < 0))
      return left(
        new ShapeError(
          `broadcastInDim: ${describe(x)} does not go into [${shape.join(",")}] along axes [${dims.join(",")}]`,
        ),
      );
    return right([withShape(x, shape)]);
  },
  evaluate: ([x], params, [out]) => {
    const { shape, dims } = params as BroadcastParams;
    const values = allocate(out.dtype, sizeOf(shape));
    if (x.values.length === 1) return [new ConcreteArray(values.fill(x.values[0]), out)];
    const own = stridesOf(x.shape);
    const strides = new Array<number>(shape.length).fill(0);
    for (const [i, d] of dims.entries()) strides[d] = x.shape[i] === 1 ? 0 : own[i];
    gatherStrided(x.values, values, shape, strides, 0);
    return [new ConcreteArray(values, out)];
  },
  ...linear(
    ([x], params) => [bind(broadcastPrimitive, [x], params)[0]],
    (ct, x, params) => {
      const { shape, dims } = params as BroadcastParams;
      const repeated = shape.flatMap((n, d) => {
        const i = dims.indexOf(d);
        return i < 0 || (x.shape[i] === 1 && n !== 1) ? [d] : [];
      });
      const summed = reduceSum(ct, repeated);
      if (sameShape(summed.shape, x.shape)) return summed;
      // What is left over are axes of length 1 that the operand has and the sum has dropped.
      const kept = x.shape.flatMap((_, i) => (repeated.includes(dims[i]) ? [] : [i]));
      return broadcastInDim(summed, x.shape, kept);
    },
  ),
  batch: (size, [x], _, params) => {
    const { shape, dims } = params as BroadcastParams;
    return {
      outputs: [broadcastInDim(x, [size, ...shape], [0, ...dims.map((d) => d + 1)])],
      batched: [true],
    };
  },
  cost: noWork,
  laws: {
    differentiable: true,
    examples: [
      { avals: [aval([], "float64")], params: { shape: [2, 3], dims: [] } },
      { avals: [aval([3], "float64")], params: { shape: [2, 3], dims: [1] } },
      { avals: [aval([2], "float64")], params: { shape: [2, 3], dims: [0] } },
      { avals: [aval([2, 1], "float64")], params: { shape: [2, 3], dims: [0, 1] } },
      { avals: [aval([1, 3], "float64")], params: { shape: [2, 2, 3], dims: [0, 2] } },
      { avals: [aval([1], "float64")], params: { shape: [1, 2], dims: [0] } },
      { avals: [aval([1], "float64")], params: { shape: [0], dims: [0] } },
    ],
  },
  simplify: ([x], params) => (sameShape((params as BroadcastParams).shape, x.aval.shape) ? 0 : undefined),
});

/** Copies elements at the given strides of `from` into `to`, row by row. A stride may be 0 or negative. */
export function gatherStrided(
  from: ArrayLike<number>,
  to: { [i: number]: number },
  shape: Shape,
  strides: readonly number[],
  offset: number,
): void {
  const rank = shape.length;
  const total = sizeOf(shape);
  const index = new Array<number>(rank).fill(0);
  let at = offset;
  for (let i = 0; i < total; i++) {
    to[i] = from[at];
    for (let d = rank - 1; d >= 0; d--) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

/** Puts axis i of `x` at axis `dims[i]` of the given shape, and repeats it along the others and along axes of length 1. */
export function broadcastInDim(x: NDArray, shape: Shape, dims: readonly number[]): NDArray {
  return sameShape(x.shape, shape) ? x : bind(broadcastPrimitive, [x], { shape, dims })[0];
}

interface SumParams {
  readonly axes: readonly number[];
  readonly [key: string]: readonly number[];
}

const sumPrimitive = definePrimitive({
  name: "reduceSum",
  family: "reduction",
  summary: "the sum along some axes, which are dropped",
  abstractEval: ([x], params) => {
    const { axes } = params as SumParams;
    if (x.dtype === "bool" || x.dtype === "float0")
      return left(new DtypeError(`reduceSum is not defined for ${describe(x)}`));
    if (!isIncreasing(axes) || axes.some((a) => !Number.isInteger(a) || a < 0 || a >= x.shape.length))
      return left(new ShapeError(`reduceSum: axes [${axes.join(",")}] of ${describe(x)}`));
    return right([
      withShape(
        x,
        x.shape.filter((_, i) => !axes.includes(i)),
      ),
    ]);
  },
  evaluate: ([x], params, [out]) => {
    const { axes } = params as SumParams;
    const values = allocate(out.dtype, sizeOf(out.shape));
    const kept = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
    const strides = stridesOf(x.shape);
    const inner = x.shape.filter((_, i) => axes.includes(i));
    const terms = new Float64Array(sizeOf(inner));
    const starts = new Float64Array(values.length);
    const positions = Float64Array.from({ length: x.values.length }, (_, i) => i);
    gatherStrided(
      positions,
      starts,
      out.shape,
      kept.map((i) => strides[i]),
      0,
    );
    const steps = axes.map((i) => strides[i]);
    for (let i = 0; i < values.length; i++) {
      gatherStrided(x.values, terms, inner, steps, starts[i]);
      values[i] = pairwiseSum(terms, 0, terms.length);
    }
    return [new ConcreteArray(settle(out.dtype, values), out)];
  },
  ...linear(
    ([x], params) => [bind(sumPrimitive, [x], params)[0]],
    (ct, x, params) => {
      const { axes } = params as SumParams;
      return broadcastInDim(
        ct,
        x.shape,
        x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i])),
      );
    },
  ),
  batch: (_, [x], __, params) => ({
    outputs: [
      reduceSum(
        x,
        (params as SumParams).axes.map((a) => a + 1),
      ),
    ],
    batched: [true],
  }),
  cost: ([x]) => ({ operations: sizeOf(x.shape), multiplications: 0, transcendentals: 0 }),
  laws: {
    differentiable: true,
    examples: [
      { avals: [aval([3], "float64")], params: { axes: [0] } },
      { avals: [aval([2, 3], "float64")], params: { axes: [0] } },
      { avals: [aval([2, 3], "float64")], params: { axes: [1] } },
      { avals: [aval([2, 3, 2], "float64")], params: { axes: [0, 2] } },
      { avals: [aval([0, 2], "float64")], params: { axes: [0] } },
    ],
  },
  simplify: (_, params) => ((params as SumParams).axes.length === 0 ? 0 : undefined),
});

/** Sums halves separately: the error grows with log n instead of n (Higham, Accuracy and Stability, ch. 4). */
export function pairwiseSum(terms: ArrayLike<number>, from: number, to: number): number {
  if (to - from <= 128) {
    let total = 0;
    for (let i = from; i < to; i++) total += terms[i];
    return total;
  }
  const middle = (from + to) >>> 1;
  return pairwiseSum(terms, from, middle) + pairwiseSum(terms, middle, to);
}

/** The sum of `x` along `axes` (increasing, not negative). */
export function reduceSum(x: NDArray, axes: readonly number[]): NDArray {
  return axes.length === 0 ? x : bind(sumPrimitive, [x], { axes })[0];
}
