/** What random programs are made of: movements, arithmetic that is exact, and functions that forgive rounding. */
import { lax, type NDArray } from "fluxion";
import { scalar } from "../../src/core/array.js";
import { type Shape, sameShape, sizeOf } from "../../src/core/aval.js";
import { isFloat } from "../../src/core/dtype.js";
import type { Choices, Operation } from "./programs.js";

const axisOf = (x: NDArray, choices: Choices): number | undefined =>
  x.ndim === 0 ? undefined : choices.below(x.ndim);

/** A shape with so many elements. */
function shapeOf(size: number, choices: Choices): Shape {
  if (size === 0) return choices.flag() ? [0] : [choices.below(3), 0, 2];
  const shape: number[] = [];
  for (let rest = size; rest > 1 && shape.length < 4; ) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((d) => rest % d === 0);
    const d = shape.length === 3 ? rest : divisors[choices.below(divisors.length)];
    shape.push(d);
    rest /= d;
    if (rest > 1 && shape.length === 4) shape.push(rest);
  }
  return sizeOf(shape) === size ? shape : [size];
}

/** Row numbers of x in a mixed order, some beyond its end, computed in the program itself. */
function mixedRows(length: number, rows: number, choices: Choices): NDArray {
  const places = lax.mul(lax.iota("int32", rows), scalar(1 + choices.below(7), "int32"));
  return lax.rem(places, scalar(length + 2, "int32"));
}

/** Elements come out as they went in. */
export const movements: Readonly<Record<string, Operation>> = {
  transpose: (x, _, choices) => lax.transpose(x, choices.permutation(x.ndim)),
  rev: (x, _, choices) => lax.rev(x, choices.subset(x.ndim)),
  slice: (x, _, choices) => {
    const start = x.shape.map((n) => choices.below(Math.min(n + 1, 3)));
    const limit = x.shape.map((n, a) => Math.max(start[a], n - choices.below(3)));
    return lax.slice(
      x,
      start,
      limit,
      x.shape.map(() => 1 + choices.below(3)),
    );
  },
  reshape: (x, _, choices) => lax.reshape(x, shapeOf(x.size, choices)),
  broadcastInDim: (x, _, choices) => {
    const at = choices.below(x.ndim + 1);
    const shape = x.shape.map((n) => (n === 1 ? 1 + choices.below(4) : n));
    const dims = x.shape.map((__, a) => (a < at ? a : a + 1));
    return x.ndim > 4 ? undefined : lax.broadcastInDim(x, shape.toSpliced(at, 0, 1 + choices.below(3)), dims);
  },
  pad: (x, _, choices) => {
    const config = x.shape.map((n) => {
      const interior = choices.below(2);
      const length = n === 0 ? 0 : n + (n - 1) * interior;
      const low = choices.between(-Math.min(2, length), 3);
      return [low, choices.between(-Math.min(2, length + Math.min(low, 0)), 3), interior] as const;
    });
    return lax.pad(x, scalar(choices.below(2), x.dtype), config);
  },
  concatenate: (x, y, choices) => {
    const axis = axisOf(x, choices);
    if (axis === undefined) return undefined;
    const fits = y.ndim === x.ndim && y.shape.every((n, a) => a === axis || n === x.shape[a]);
    return lax.concatenate([x, fits ? y : x, x].slice(choices.below(2)), axis);
  },
  select: (x, y, choices) => {
    const axis = axisOf(x, choices);
    if (axis === undefined) return undefined;
    const place = lax.broadcastedIota("int32", x.shape, axis);
    const other = sameShape(x.shape, y.shape) ? y : lax.rev(x, [axis]);
    return lax.select(lax.lt(place, scalar(choices.below(5), "int32")), x, other);
  },
  dynamicSlice: (x, _, choices) => {
    const starts = x.shape.map((n) => scalar(choices.between(-2, n), "int32"));
    return lax.dynamicSlice(
      x,
      starts,
      x.shape.map((n) => n - choices.below(Math.min(n + 1, 3))),
    );
  },
  dynamicUpdateSlice: (x, y, choices) => {
    const update = lax.slice(
      y.ndim === x.ndim ? y : x,
      x.shape.map(() => 0),
      x.shape.map((n, a) => Math.min(n, y.ndim === x.ndim ? y.shape[a] : n, 3)),
    );
    return lax.dynamicUpdateSlice(
      x,
      update,
      x.shape.map((n) => scalar(choices.between(-1, n), "int32")),
    );
  },
  gather: (x, _, choices) => {
    if (x.ndim === 0 || x.shape[0] === 0) return undefined;
    const rows = mixedRows(x.shape[0], 1 + choices.below(9), choices);
    return lax.gather(x, lax.reshape(rows, [rows.size, 1]), {
      offsetDims: x.shape.slice(1).map((_n, a) => a + 1),
      collapsedSliceDims: [0],
      startIndexMap: [0],
      sliceSizes: [1, ...x.shape.slice(1)],
      mode: choices.flag() ? "clip" : "fill",
      fillValue: 1,
    });
  },
};

/** Numbers so small that no sum or product of some dozens of them is rounded, in any dtype. */
const small = (x: NDArray): NDArray =>
  lax.clamp(scalar(isFloat(x.dtype) || x.dtype === "int32" ? -7 : 0, x.dtype), x, scalar(7, x.dtype));

const matching = (x: NDArray, y: NDArray): NDArray => (sameShape(x.shape, y.shape) ? y : x);

/** Sums of more than these would be rounded in float16. */
const fewEnough = (count: number): boolean => count > 0 && count <= 40;

const reducing =
  (reduce: (x: NDArray, axes: readonly number[]) => NDArray): Operation =>
  (x, _, choices) => {
    const axes = choices.subset(x.ndim);
    return fewEnough(sizeOf(axes.map((a) => x.shape[a]))) ? small(reduce(x, axes)) : undefined;
  };

const running =
  (run: (x: NDArray, options: { axis: number; reverse: boolean }) => NDArray): Operation =>
  (x, _, choices) => {
    const axis = axisOf(x, choices);
    if (axis === undefined || !fewEnough(x.shape[axis])) return undefined;
    return small(run(x, { axis, reverse: choices.flag() }));
  };

/** A number for each place, spread again over the axes that a reduction has dropped. */
const spreading =
  (reduce: (x: NDArray, axis: number) => NDArray): Operation =>
  (x, _, choices) => {
    const axis = axisOf(x, choices);
    if (axis === undefined || !fewEnough(x.shape[axis])) return undefined;
    const kept = x.shape.flatMap((__, a) => (a === axis ? [] : [a]));
    return lax.sub(x, lax.broadcastInDim(small(reduce(x, axis)), x.shape, kept));
  };

/** Everything that is exact with small whole numbers, so that no order of operations and no fusion may change anything. */
export const wholeNumbers: Readonly<Record<string, Operation>> = {
  ...movements,
  add: (x, y) => small(lax.add(x, matching(x, y))),
  sub: (x, y) => small(lax.sub(matching(x, y), x)),
  mul: (x, y) => small(lax.mul(x, matching(x, y))),
  max: (x, y) => lax.max(x, matching(x, y)),
  min: (x, y) => lax.min(x, matching(x, y)),
  neg: (x) => small(lax.neg(x)),
  abs: (x) => lax.abs(x),
  sign: (x) => lax.sign(x),
  square: (x) => small(lax.square(x)),
  rem: (x, y) => lax.rem(x, lax.max(matching(x, y), scalar(1, x.dtype))),
  compare: (x, y, choices) => {
    const holds = [lax.lt, lax.eq, lax.ge][choices.below(3)](x, matching(x, y));
    return lax.convertElementType(holds, x.dtype);
  },
  choose: (x, y) => lax.select(lax.gt(x, matching(x, y)), x, lax.neg(matching(x, y))),
  byInteger: (x) => lax.convertElementType(lax.convertElementType(x, "int32"), x.dtype),
  reduceSum: reducing(lax.reduceSum),
  reduceMax: reducing(lax.reduceMax),
  reduceMin: reducing(lax.reduceMin),
  argmax: spreading((x, axis) => lax.convertElementType(lax.argmax(x, axis), x.dtype)),
  centre: spreading((x, axis) => lax.reduceSum(x, [axis])),
  cumsum: running(lax.cumsum),
  cummax: running(lax.cummax),
  sort: (x, _, choices) => {
    const axis = axisOf(x, choices);
    return axis === undefined ? undefined : lax.sort(x, { dimension: axis });
  },
  dot: (x, y, choices) => {
    const axis = axisOf(x, choices);
    if (axis === undefined || x.ndim > 2 || !fewEnough(x.shape[axis])) return undefined;
    const other = matching(x, y);
    return small(lax.dotGeneral(x, other, { contracting: [[axis], [axis]] }));
  },
  scatterAdd: (x, y, choices) => {
    if (x.ndim === 0 || x.shape[0] === 0 || !fewEnough(x.shape[0])) return undefined;
    const updates = matching(x, y);
    const rows = lax.reshape(mixedRows(x.shape[0], x.shape[0], choices), [x.shape[0], 1]);
    return small(
      lax.scatterAdd(x, rows, updates, {
        updateWindowDims: x.shape.slice(1).map((_n, a) => a + 1),
        insertedWindowDims: [0],
        scatterDimsToOperandDims: [0],
        mode: choices.flag() ? "clip" : "drop",
      }),
    );
  },
};

const times = (x: NDArray, factor: number): NDArray => lax.mul(x, scalar(factor, x.dtype));
const plus = (x: NDArray, term: number): NDArray => lax.add(x, scalar(term, x.dtype));

const alongOne =
  (f: (x: NDArray, axis: number, spread: (y: NDArray) => NDArray) => NDArray): Operation =>
  (x, _, choices) => {
    const axis = axisOf(x, choices);
    if (axis === undefined || x.shape[axis] === 0) return undefined;
    const kept = x.shape.flatMap((__, a) => (a === axis ? [] : [a]));
    return f(x, axis, (y) => lax.broadcastInDim(y, x.shape, kept));
  };

const mean = (x: NDArray, axis: number): NDArray => times(lax.reduceSum(x, [axis]), 1 / x.shape[axis]);

/** Of numbers between -1 and 1 these give such again, and no difference of operands grows. So errors only add up. */
export const forgiving: Readonly<Record<string, Operation>> = {
  transpose: movements.transpose,
  slice: movements.slice,
  reshape: movements.reshape,
  pad: movements.pad,
  concatenate: movements.concatenate,
  gather: movements.gather,
  sin: (x) => lax.sin(x),
  cos: (x) => lax.cos(x),
  tanh: (x) => lax.tanh(x),
  atan: (x) => lax.atan(x),
  erf: (x) => lax.erf(times(x, 0.8)),
  logistic: (x) => lax.logistic(x),
  exp: (x) => lax.exp(plus(x, -1)),
  log1p: (x) => lax.log1p(times(lax.square(x), 0.5)),
  sqrt: (x) => plus(lax.sqrt(plus(lax.square(x), 1)), -1),
  div: (x) => lax.div(x, plus(lax.square(x), 1)),
  average: (x, y) => times(lax.add(x, matching(x, y)), 0.5),
  mul: (x, y) => times(lax.mul(x, matching(x, y)), 0.5),
  max: (x, y) => lax.max(x, matching(x, y)),
  mean: alongOne(mean),
  centre: alongOne((x, axis, spread) => times(lax.sub(x, spread(mean(x, axis))), 0.5)),
  softmax: alongOne((x, axis, spread) => {
    const e = lax.exp(lax.sub(x, spread(lax.reduceMax(x, [axis]))));
    return lax.div(e, spread(lax.reduceSum(e, [axis])));
  }),
  logsumexp: alongOne((x, axis, spread) => {
    const top = lax.reduceMax(x, [axis]);
    const e = lax.exp(lax.sub(x, spread(top)));
    return lax.sub(plus(lax.log(lax.reduceSum(e, [axis])), -Math.log(x.shape[axis])), lax.neg(top));
  }),
  cumsum: alongOne((x, axis) => times(lax.cumsum(x, { axis }), 1 / x.shape[axis])),
  dot: alongOne((x, axis) => {
    if (x.ndim > 2) return mean(x, axis);
    return times(lax.dotGeneral(x, x, { contracting: [[axis], [axis]] }), 0.5 / x.shape[axis]);
  }),
};
