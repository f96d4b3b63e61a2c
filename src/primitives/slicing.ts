/**
 * Cutting: slice takes a part out, pad puts values around and between; and rev, which turns axes around. Slice and pad
 * transpose into each other: what a slice leaves out comes back as padding with zeros.
 */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray, scalar } from "../core/array.js";
import {
  aval,
  describe,
  describeAll,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
  withShape,
} from "../core/aval.js";
import { allocate } from "../core/dtype.js";
import { AxisError, DtypeError, ShapeError } from "../core/errors.js";
import { definePrimitive, LinearInput } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import { broadcastInDim, reduceSum } from "./broadcast.js";
import { isAxes, isCount, isShape, showParam, typeRule } from "./checks.js";
import { moving } from "./dependence.js";
import { type Operand, scalarsLike } from "./elementwise.js";
import { filled, instantiate, repeat, zeros } from "./filled.js";
import { linear, noWork } from "./linear.js";
import { select } from "./select.js";
import { lowerPad, lowerRev, lowerSlice } from "./slicingLower.js";
import { copyStrided } from "./strided.js";

// ---------------------------------------------------------------------------------------------------------------------
// slice
// ---------------------------------------------------------------------------------------------------------------------

interface SliceParams {
  readonly start: readonly number[];
  readonly limit: readonly number[];
  readonly strides: readonly number[];
  readonly [key: string]: readonly number[];
}

const slicePrimitive = definePrimitive({
  name: "slice",
  family: "shape",
  summary: "the elements from start to limit (exclusive) in steps, along every axis",
  abstractEval: typeRule("slice", 1, ([x], { start, limit, strides }) => {
    const shape = x.shape;
    const fits =
      isShape(start) &&
      isShape(limit) &&
      isShape(strides) &&
      [start, limit, strides].every((list) => list.length === shape.length) &&
      shape.every((n, i) => start[i] <= limit[i] && limit[i] <= n && strides[i] > 0);
    if (!fits)
      return left(
        new ShapeError(
          `slice: ${describe(x)} has no part from ${showParam(start)} to ${showParam(limit)} in steps ${showParam(strides)}`,
        ),
      );
    return right([
      withShape(
        x,
        shape.map((_, i) => Math.ceil((limit[i] - start[i]) / strides[i])),
      ),
    ]);
  }),
  evaluate: ([x], params, [out]) => {
    // A part of the same shape is the whole.
    if (sameShape(x.shape, out.shape)) return [x.alias(out)];
    const { start, strides } = params as SliceParams;
    const own = stridesOf(x.shape);
    const values = allocate(out.dtype, sizeOf(out.shape));
    const source = {
      start: start.reduce((at, s, i) => at + s * own[i], 0),
      strides: strides.map((s, i) => s * own[i]),
    };
    copyStrided(out.shape, x.values, source, values, { start: 0, strides: stridesOf(out.shape) });
    return [new ConcreteArray(values, out)];
  },
  ...linear(
    (inputs, params) => bind(slicePrimitive, inputs, params),
    (ct, x, params) => {
      const { start, strides } = params as SliceParams;
      const config = x.shape.map((n, i) => {
        const covered = dilated(ct.shape[i], strides[i] - 1);
        return [start[i], n - start[i] - covered, strides[i] - 1] as const;
      });
      return pad(ct, 0, config);
    },
  ),
  batch: (size, [x], _, params) => {
    const { start, limit, strides } = params as SliceParams;
    return { outputs: [slice(x, [0, ...start], [size, ...limit], [1, ...strides])], batched: [true] };
  },
  lower: lowerSlice,
  cost: noWork,
  dependence: (...args) => moving(slicePrimitive.evaluate)(...args),
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([4], "float64")], params: { start: [1], limit: [3], strides: [1] } },
      { avals: [aval([4], "float64")], params: { start: [0], limit: [4], strides: [2] } },
      { avals: [aval([4], "float64")], params: { start: [1], limit: [4], strides: [2] } },
      { avals: [aval([3, 4], "float64")], params: { start: [1, 0], limit: [3, 4], strides: [1, 3] } },
      { avals: [aval([3], "float64")], params: { start: [2], limit: [2], strides: [2] } },
      { avals: [aval([], "float64")], params: { start: [], limit: [], strides: [] } },
      { avals: [aval([0, 2], "float64")], params: { start: [0, 1], limit: [0, 2], strides: [1, 1] } },
      { avals: [aval([3], "bool")], params: { start: [1], limit: [3], strides: [1] } },
    ],
  },
  // Steps above 1 reach all of an axis only if its length is at most 1.
  simplify: ([x], params) => {
    const { start, limit, strides } = params as SliceParams;
    const whole = x.aval.shape.every(
      (n, i) => start[i] === 0 && limit[i] === n && (strides[i] === 1 || n <= 1),
    );
    return whole ? 0 : undefined;
  },
});

/**
 * The part of `x` from index `start[i]` to `limit[i]` (exclusive) along each axis i, in steps of `strides[i]` (default
 * 1; not negative, for that see `rev`). Any dtype. Throws `ShapeError` if the part is not inside `x`.
 *
 *     slice(np.array([10, 20, 30, 40]), [1], [4], [2]) // [20, 40]
 */
export function slice(
  x: NDArray,
  start: readonly number[],
  limit: readonly number[],
  strides: readonly number[] = start.map(() => 1),
): NDArray {
  return bind(slicePrimitive, [x], { start, limit, strides })[0];
}

// ---------------------------------------------------------------------------------------------------------------------
// pad
// ---------------------------------------------------------------------------------------------------------------------

/** For each axis: what is added in front, behind, and between each two elements. Negative ends are cut off. */
export type PadConfig = readonly (readonly [low: number, high: number, interior: number])[];

const isPadConfig = (x: unknown): x is PadConfig =>
  Array.isArray(x) &&
  x.every((c) => Array.isArray(c) && c.length === 3 && c.every(Number.isSafeInteger) && isCount(c[2]));

/** The length of an axis after `interior` elements have been put between each two of its `n`. */
const dilated = (n: number, interior: number): number => (n === 0 ? 0 : n + (n - 1) * interior);

const isPlain = (config: PadConfig): boolean => config.every((c) => c.every((n) => n === 0));

const padPrimitive = definePrimitive({
  name: "pad",
  family: "shape",
  summary: "adds a value around and between the elements, or cuts off the ends",
  abstractEval: typeRule("pad", 2, ([x, value], { config }) => {
    if (value.shape.length > 0)
      return left(new ShapeError(`pad: the padding value must be a scalar, got ${describe(value)}`));
    if (value.dtype !== x.dtype)
      return left(
        new DtypeError(
          `pad: the padding value must have the operand's dtype, got ${describeAll([x, value])}`,
        ),
      );
    if (!isPadConfig(config) || config.length !== x.shape.length)
      return left(
        new ShapeError(
          `pad: ${describe(x)} needs [low, high, interior] for each axis (integers, interior not negative), got ${showParam(config)}`,
        ),
      );
    const shape = config.map(([low, high, interior], i) => low + high + dilated(x.shape[i], interior));
    if (!isShape(shape))
      return left(new ShapeError(`pad: ${showParam(config)} cuts more off ${describe(x)} than there is`));
    return right([aval(shape, x.dtype, x.weakType && value.weakType)]);
  }),
  evaluate: ([x, value], { config }, [out]) => {
    if (isPlain(config as PadConfig)) return [x.alias(out)];
    const values = allocate(out.dtype, sizeOf(out.shape)).fill(value.values[0]);
    const own = stridesOf(x.shape);
    const target = stridesOf(out.shape);
    // Along each axis the elements that land inside are a range, since they land at regular places.
    const box = (config as PadConfig).map(([low, , interior], i) => {
      const step = interior + 1;
      const first = Math.max(0, Math.ceil(-low / step));
      const last = Math.min(x.shape[i] - 1, Math.floor((out.shape[i] - 1 - low) / step));
      return { first, count: Math.max(0, last - first + 1), at: low + first * step, step };
    });
    copyStrided(
      box.map((b) => b.count),
      x.values,
      { start: box.reduce((at, b, i) => at + b.first * own[i], 0), strides: own },
      values,
      {
        start: box.reduce((at, b, i) => at + b.at * target[i], 0),
        strides: box.map((b, i) => b.step * target[i]),
      },
    );
    return [new ConcreteArray(values, out)];
  },
  jvp: (primals, [tx, tvalue], params) => {
    const value = isZero(tvalue) ? scalar(0, tvalue.aval.dtype, tvalue.aval.weakType) : tvalue;
    return {
      outputs: bind(padPrimitive, primals, params),
      tangents: bind(padPrimitive, [instantiate(tx), value], params),
    };
  },
  transpose: ([ct], [x, value], params) => {
    if (isZero(ct)) return [x, value].map((o) => (o instanceof LinearInput ? new Zero(o.aval) : null));
    const config = params.config as PadConfig;
    let toX: NDArray | null = null;
    let toValue: NDArray | null = null;
    if (x instanceof LinearInput) {
      const dense = pad(
        ct,
        0,
        config.map(([low, high]) => [-low, -high, 0]),
      );
      toX = slice(
        dense,
        config.map(() => 0),
        dense.shape,
        config.map(([, , interior]) => interior + 1),
      );
    }
    if (value instanceof LinearInput)
      toValue = reduceSum(
        select(isPadding(x.shape, config), ct, zeros(ct.aval)),
        ct.shape.map((_, i) => i),
      );
    return [toX, toValue];
  },
  batch: (size, [x, value], [batchedX, batchedValue], params) => {
    const config = params.config as PadConfig;
    const batch = batchedX ? x : repeat(x, size);
    const wide: PadConfig = [[0, 0, 0], ...config];
    if (!batchedValue) return { outputs: [pad(batch, value, wide)], batched: [true] };
    // Every example has a padding value of its own: it is put in afterwards, where there is padding.
    const padded = pad(batch, 0, wide);
    const mask = isPadding(batch.shape, wide);
    return { outputs: [select(mask, broadcastInDim(value, padded.shape, [0]), padded)], batched: [true] };
  },
  lower: lowerPad,
  cost: noWork,
  dependence: (...args) => moving(padPrimitive.evaluate)(...args),
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([3], "float64"), aval([], "float64")], params: { config: [[1, 2, 0]] } },
      { avals: [aval([3], "float64"), aval([], "float64")], params: { config: [[0, 0, 2]] } },
      { avals: [aval([4], "float64"), aval([], "float64")], params: { config: [[-1, -2, 0]] } },
      { avals: [aval([3], "float64"), aval([], "float64")], params: { config: [[-2, 1, 1]] } },
      {
        avals: [aval([2, 3], "float64"), aval([], "float64")],
        params: {
          config: [
            [1, 0, 1],
            [-1, 2, 0],
          ],
        },
      },
      { avals: [aval([], "float64"), aval([], "float64")], params: { config: [] } },
      { avals: [aval([0], "float64"), aval([], "float64")], params: { config: [[2, 0, 3]] } },
      {
        avals: [aval([2, 0], "float64"), aval([], "float64")],
        params: {
          config: [
            [1, 0, 0],
            [0, 0, 1],
          ],
        },
      },
      { avals: [aval([2], "float64"), aval([], "float64")], params: { config: [[-1, -1, 0]] } },
      { avals: [aval([2], "int32"), aval([], "int32")], params: { config: [[1, 1, 1]] } },
    ],
  },
  simplify: ([x, value], { config }) =>
    isPlain(config as PadConfig) && (value.aval.weakType || !x.aval.weakType) ? 0 : undefined,
});

/** Where a padded array of the given shape holds the padding value. */
const isPadding = (shape: Shape, config: PadConfig): NDArray =>
  bind(padPrimitive, [filled(shape, scalar(false, "bool")), scalar(true, "bool")], { config })[0];

/**
 * Puts the scalar `value` around the elements of `x` and between them. `config` has `[low, high, interior]` for each
 * axis: how many to put in front, behind, and between each two elements; negative `low` and `high` cut off instead.
 * Any dtype; `value` has that of `x`. Throws `ShapeError` or `DtypeError`.
 *
 *     pad(np.array([1, 2]), 0, [[1, 2, 1]]) // [0, 1, 0, 2, 0, 0]
 */
export function pad(x: NDArray, value: Operand, config: PadConfig): NDArray {
  return bind(padPrimitive, scalarsLike("pad", [x, value]), { config })[0];
}

// ---------------------------------------------------------------------------------------------------------------------
// rev
// ---------------------------------------------------------------------------------------------------------------------

const revPrimitive = definePrimitive({
  name: "rev",
  family: "shape",
  summary: "the elements in reversed order along some axes",
  abstractEval: typeRule("rev", 1, ([x], { axes }) =>
    isAxes(axes, x.shape.length)
      ? right([x])
      : left(new AxisError(`rev: ${showParam(axes)} are not increasing axes of ${describe(x)}`)),
  ),
  evaluate: ([x], params, [out]) => {
    const axes = params.axes as readonly number[];
    const values = allocate(out.dtype, x.values.length);
    const own = stridesOf(x.shape);
    const source = {
      start: axes.reduce((at, a) => at + (x.shape[a] - 1) * own[a], 0),
      strides: own.map((s, i) => (axes.includes(i) ? -s : s)),
    };
    copyStrided(x.shape, x.values, source, values, { start: 0, strides: own });
    return [new ConcreteArray(values, out)];
  },
  ...linear(
    (inputs, params) => bind(revPrimitive, inputs, params),
    (ct, _, { axes }) => rev(ct, axes as readonly number[]),
  ),
  batch: (_, [x], __, { axes }) => ({
    outputs: [
      rev(
        x,
        (axes as readonly number[]).map((a) => a + 1),
      ),
    ],
    batched: [true],
  }),
  lower: lowerRev,
  cost: noWork,
  dependence: (...args) => moving(revPrimitive.evaluate)(...args),
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([3], "float64")], params: { axes: [0] } },
      { avals: [aval([2, 3], "float64")], params: { axes: [1] } },
      { avals: [aval([2, 3, 2], "float64")], params: { axes: [0, 2] } },
      { avals: [aval([], "float64")], params: { axes: [] } },
      { avals: [aval([0, 2], "float64")], params: { axes: [0] } },
      { avals: [aval([3], "int32")], params: { axes: [0] } },
    ],
  },
  simplify: (_, { axes }) => ((axes as readonly number[]).length === 0 ? 0 : undefined),
});

/**
 * The elements of `x` in reversed order along `axes` (increasing, not negative; any dtype).
 * Throws `AxisError` if an axis does not exist.
 *
 *     rev(np.array([1, 2, 3]), [0]) // [3, 2, 1]
 */
export function rev(x: NDArray, axes: readonly number[]): NDArray {
  return bind(revPrimitive, [x], { axes })[0];
}
