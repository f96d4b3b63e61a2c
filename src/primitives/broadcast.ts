/** Broadcasting, and summing: each is the transpose of the other. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { aval, describe, type Shape, sameShape, sizeOf, stridesOf, withShape } from "../core/aval.js";
import { allocate, settle } from "../core/dtype.js";
import { DtypeError, ShapeError } from "../core/errors.js";
import { definePrimitive } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isAxes, isShape, showParam, typeRule } from "./checks.js";
import { moving, reducing } from "./dependence.js";
import { linear, noWork } from "./linear.js";
import { lowerReduceSum } from "./reductionLower.js";
import { lowerBroadcast } from "./shapeLower.js";
import { copyStrided, eachRow } from "./strided.js";

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
  abstractEval: typeRule("broadcastInDim", 1, ([x], { shape, dims }) => {
    const fits =
      isShape(shape) &&
      isAxes(dims, shape.length) &&
      dims.length === x.shape.length &&
      dims.every((d, i) => x.shape[i] === shape[d] || x.shape[i] === 1);
    return fits
      ? right([withShape(x, shape)])
      : left(
          new ShapeError(
            `broadcastInDim: ${describe(x)} does not go into ${showParam(shape)} along axes ${showParam(dims)}`,
          ),
        );
  }),
  evaluate: ([x], params, [out]) => {
    const { shape, dims } = params as BroadcastParams;
    const values = allocate(out.dtype, sizeOf(shape));
    if (x.values.length === 1) return [new ConcreteArray(values.fill(x.values[0]), out)];
    const own = stridesOf(x.shape);
    const strides = new Array<number>(shape.length).fill(0);
    for (const [i, d] of dims.entries()) strides[d] = x.shape[i] === 1 ? 0 : own[i];
    copyStrided(shape, x.values, { start: 0, strides }, values, { start: 0, strides: stridesOf(shape) });
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
  lower: lowerBroadcast,
  cost: noWork,
  dependence: (...args) => moving(broadcastPrimitive.evaluate)(...args),
  laws: {
    differentiable: true,
    examples: () => [
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
  abstractEval: typeRule("reduceSum", 1, ([x], { axes }) => {
    if (x.dtype === "bool" || x.dtype === "float0")
      return left(new DtypeError(`reduceSum is not defined for ${describe(x)}`));
    if (!isAxes(axes, x.shape.length))
      return left(new ShapeError(`reduceSum: axes ${showParam(axes)} of ${describe(x)}`));
    return right([
      withShape(
        x,
        x.shape.filter((_, i) => !axes.includes(i)),
      ),
    ]);
  }),
  evaluate: ([x], params, [out]) => {
    const values = allocate(out.dtype, sizeOf(out.shape));
    values.set(sums(x, (params as SumParams).axes, out.shape));
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
  lower: lowerReduceSum,
  cost: ([x]) => ({ operations: sizeOf(x.shape), multiplications: 0, transcendentals: 0 }),
  dependence: reducing,
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([3], "float64")], params: { axes: [0] } },
      { avals: [aval([2, 3], "float64")], params: { axes: [0] } },
      { avals: [aval([2, 3], "float64")], params: { axes: [1] } },
      { avals: [aval([2, 3, 2], "float64")], params: { axes: [0, 2] } },
      { avals: [aval([0, 2], "float64")], params: { axes: [0] } },
    ],
  },
});

/** The sums in double precision; those over the last axes, which lie side by side, are pairwise. */
function sums(x: ConcreteArray, axes: readonly number[], outShape: Shape): Float64Array {
  const totals = new Float64Array(sizeOf(outShape));
  const ndim = x.shape.length;
  if (axes.every((a, i) => a === ndim - axes.length + i)) {
    const length = sizeOf(x.shape.slice(ndim - axes.length));
    for (let i = 0; i < totals.length; i++) totals[i] = pairwiseSum(x.values, i * length, (i + 1) * length);
    return totals;
  }
  const target = new Array<number>(ndim).fill(0);
  const outStrides = stridesOf(outShape);
  let next = 0;
  for (let i = 0; i < ndim; i++) if (!axes.includes(i)) target[i] = outStrides[next++];
  const length = x.shape[ndim - 1];
  const step = target[ndim - 1];
  const { values } = x;
  eachRow(x.shape, { start: 0, strides: stridesOf(x.shape) }, { start: 0, strides: target }, (from, to) => {
    for (let i = 0, t = to; i < length; i++, t += step) totals[t] += values[from + i];
  });
  return totals;
}

/** Sums halves separately: the error grows with log n instead of n (Higham, Accuracy and Stability, ch. 4). */
function pairwiseSum(terms: ArrayLike<number>, from: number, to: number): number {
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
