/** Sorting: whole operands by the first few of them, and the largest elements. Derivatives follow the permutation. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import {
  type Aval,
  aval,
  describe,
  describeAll,
  type Shape,
  sameShape,
  sizeOf,
  withShape,
} from "../core/aval.js";
import { allocate, isFloat, type TypedArray } from "../core/dtype.js";
import { ArgumentError, AxisError, DtypeError, ShapeError } from "../core/errors.js";
import { definePrimitive, type Params } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, zeroFor } from "../core/zero.js";
import { isAxis, isCount, showParam, type TypeResult, typeRule } from "./checks.js";
import { eachLine } from "./direction.js";
import { repeat } from "./filled.js";
import { takeAlong } from "./gather.js";
import { iota } from "./shape.js";
import { lowerSort, lowerTopK } from "./sortLower.js";

export interface SortOptions {
  /** The axis to sort along. */
  readonly dimension: number;
  /** How many operands decide: the second where the first ties, and so on. Default: 1. */
  readonly numKeys?: number;
  /** Whether elements that tie must stay in their order (here they always do). Default: true. */
  readonly isStable?: boolean;
}

interface SortParams extends Required<SortOptions> {
  readonly [key: string]: number | boolean;
}

/** Ascending; NaN comes last and -0 ties with 0, so that this is a total order. */
function compare(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0);
}

function sortType(inputs: readonly Aval[], params: Params): TypeResult {
  const { dimension, numKeys, isStable } = params;
  if (inputs.length === 0) return left(new ArgumentError("sort needs at least one operand, got nothing"));
  const [{ shape }] = inputs;
  if (inputs.some((x) => !sameShape(x.shape, shape)))
    return left(new ShapeError(`sort needs operands of one shape, got ${describeAll(inputs)}`));
  if (inputs.some((x) => x.dtype === "float0"))
    return left(new DtypeError(`sort is not defined for float0 (operands ${describeAll(inputs)})`));
  if (!isAxis(dimension, shape.length))
    return left(new AxisError(`sort: ${showParam(dimension)} is not an axis of ${describeAll(inputs)}`));
  if (!isCount(numKeys) || numKeys < 1 || numKeys > inputs.length)
    return left(
      new ArgumentError(
        `sort: numKeys must be from 1 to ${inputs.length} (operands), got ${showParam(numKeys)}`,
      ),
    );
  if (typeof isStable !== "boolean")
    return left(new ArgumentError(`sort: isStable must be true or false, got ${showParam(isStable)}`));
  return right(inputs);
}

/** A single operand without ties that could be told apart needs no permutation. */
function sortLinesAlone(x: ConcreteArray, axis: number, values: TypedArray): void {
  const zerosCanDiffer = isFloat(x.dtype);
  const lineValues = allocate(x.dtype, x.shape[axis]);
  eachLine(x.shape, { axis, reverse: false }, (start, step, length) => {
    for (let i = 0, at = start; i < length; i++, at += step) lineValues[i] = x.values[at];
    lineValues.sort();
    if (zerosCanDiffer) restoreZeros(lineValues, x.values, start, step);
    for (let i = 0, at = start; i < length; i++, at += step) values[at] = lineValues[i];
  });
}

/** JavaScript sorts -0 before 0; here they tie, so they keep the order that they had. */
function restoreZeros(sorted: TypedArray, from: TypedArray, start: number, step: number): void {
  let place = sorted.indexOf(0);
  if (place < 0) return;
  for (let i = 0, at = start; i < sorted.length; i++, at += step)
    if (from[at] === 0) sorted[place++] = from[at];
}

function sortLines(
  operands: readonly ConcreteArray[],
  axis: number,
  numKeys: number,
  values: readonly TypedArray[],
) {
  const keys = operands.slice(0, numKeys).map((x) => x.values);
  const [{ shape }] = operands;
  const order = new Int32Array(shape[axis]);
  eachLine(shape, { axis, reverse: false }, (start, step, length) => {
    for (let i = 0; i < length; i++) order[i] = i;
    order.sort((i, j) => {
      const a = start + i * step;
      const b = start + j * step;
      for (const key of keys) {
        const c = compare(key[a], key[b]);
        if (c !== 0) return c;
      }
      return i - j;
    });
    for (const [k, x] of operands.entries())
      for (let i = 0, at = start; i < length; i++, at += step)
        values[k][at] = x.values[start + order[i] * step];
  });
}

/** Comparisons of merge sort along lines of length n. */
const comparisons = (shape: Shape, n: number): number =>
  n < 2 ? 0 : sizeOf(shape) * Math.ceil(Math.log2(n));

const sortPrimitive = definePrimitive({
  name: "sort",
  family: "sorting",
  summary: "sorts operands together along an axis, by the first of them; stable",
  abstractEval: sortType,
  evaluate: (inputs, params, outputs) => {
    const { dimension, numKeys } = params as SortParams;
    const values = outputs.map((o) => allocate(o.dtype, sizeOf(o.shape)));
    if (inputs.length === 1) sortLinesAlone(inputs[0], dimension, values[0]);
    else sortLines(inputs, dimension, numKeys, values);
    return outputs.map((o, i) => new ConcreteArray(values[i], o));
  },
  jvp: (primals, tangents, params) => {
    const { dimension } = params as SortParams;
    // Numbers that are sorted with the operands tell where each element comes from.
    const numbers = iota("int32", primals[0].shape, dimension);
    const sorted = bind(sortPrimitive, [...primals, numbers], params);
    const outputs = sorted.slice(0, -1);
    const origins = sorted[primals.length];
    return {
      outputs,
      tangents: tangents.map((t, i) =>
        isZero(t) ? zeroFor(outputs[i].aval) : takeAlong(t, origins, dimension),
      ),
    };
  },
  batch: (size, inputs, batched, params) => {
    const { dimension } = params as SortParams;
    const whole = inputs.map((x, i) => (batched[i] ? x : repeat(x, size)));
    return {
      outputs: bind(sortPrimitive, whole, { ...params, dimension: dimension + 1 }),
      batched: inputs.map(() => true),
    };
  },
  lower: lowerSort,
  cost: ([x], params) => {
    const { dimension, numKeys } = params as SortParams;
    return {
      operations: comparisons(x.shape, x.shape[dimension]) * numKeys,
      multiplications: 0,
      transcendentals: 0,
    };
  },
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([4], "float64")], params: { dimension: 0, numKeys: 1, isStable: true }, distinct: true },
      {
        avals: [aval([2, 3], "float64")],
        params: { dimension: 1, numKeys: 1, isStable: true },
        distinct: true,
      },
      {
        avals: [aval([3, 2, 2], "float64")],
        params: { dimension: 1, numKeys: 1, isStable: false },
        distinct: true,
      },
      {
        avals: [aval([4], "float64"), aval([4], "float64")],
        params: { dimension: 0, numKeys: 1, isStable: true },
        distinct: true,
      },
      // The first key ties, so the second one decides.
      {
        avals: [aval([2, 4], "int32"), aval([2, 4], "float64"), aval([2, 4], "float64")],
        params: { dimension: 1, numKeys: 2, isStable: true },
        domain: [
          [0, 1],
          [-2, 2],
          [-2, 2],
        ],
        distinct: true,
      },
      // Ties everywhere: the order of the second operand is kept.
      {
        avals: [aval([4], "bool"), aval([4], "float64")],
        params: { dimension: 0, numKeys: 1, isStable: true },
      },
      { avals: [aval([2, 0], "float64")], params: { dimension: 1, numKeys: 1, isStable: true } },
      { avals: [aval([0, 2], "float64")], params: { dimension: 1, numKeys: 1, isStable: true } },
      { avals: [aval([1], "float64")], params: { dimension: 0, numKeys: 1, isStable: true } },
      { avals: [aval([4], "uint8")], params: { dimension: 0, numKeys: 1, isStable: true } },
      {
        avals: [aval([4], "int32"), aval([4], "uint32")],
        params: { dimension: 0, numKeys: 2, isStable: true },
      },
    ],
  },
});

/**
 * The operands (of one shape, any dtypes) sorted along axis `dimension` in ascending order of the first `numKeys` of
 * them, the others moved along. Elements that tie keep their order; NaN comes last, and -0 ties with 0. The derivative
 * follows the permutation. Throws `ArgumentError`, `ShapeError`, `AxisError` or `DtypeError`.
 * @example
 * sort([np.array([3, 1, 2]), np.array([10, 20, 30])], { dimension: 0 }) // [[1, 2, 3], [20, 30, 10]]
 */
export function sort(operands: readonly NDArray[], options: SortOptions): readonly NDArray[] {
  const { dimension, numKeys = 1, isStable = true } = options;
  return bind(sortPrimitive, operands, { dimension, numKeys, isStable });
}

// ---------------------------------------------------------------------------------------------------------------------
// topK
// ---------------------------------------------------------------------------------------------------------------------

/** Descending in the order in which NaN is largest and 0 is larger than -0, as XLA's TopK has it. */
function compareDown(a: number, b: number): number {
  const c = compare(b, a);
  if (c !== 0 || a !== 0) return c;
  return (Object.is(a, -0) ? 1 : 0) - (Object.is(b, -0) ? 1 : 0);
}

const topKPrimitive = definePrimitive({
  name: "topK",
  family: "sorting",
  summary: "the k largest elements along the last axis, and their indices",
  abstractEval: typeRule("topK", 1, ([x], { k }) => {
    if (x.dtype === "float0") return left(new DtypeError(`topK is not defined for ${describe(x)}`));
    const length = x.shape.at(-1);
    if (length === undefined) return left(new ShapeError(`topK needs an axis, got ${describe(x)}`));
    if (!isCount(k) || k > length)
      return left(
        new ArgumentError(
          `topK: k must be from 0 to ${length} (the last axis of ${describe(x)}), got ${showParam(k)}`,
        ),
      );
    const shape = [...x.shape.slice(0, -1), k];
    return right([withShape(x, shape), aval(shape, "int32")]);
  }),
  evaluate: ([x], params, [largest, places]) => {
    const k = params.k as number;
    const values = allocate(largest.dtype, sizeOf(largest.shape));
    const indices = allocate("int32", values.length);
    const from = x.values;
    const axis = x.ndim - 1;
    const order = new Int32Array(x.shape[axis]);
    let next = 0;
    eachLine(x.shape, { axis, reverse: false }, (start, _, length) => {
      for (let i = 0; i < length; i++) order[i] = i;
      order.sort((i, j) => compareDown(from[start + i], from[start + j]) || i - j);
      for (let i = 0; i < k; i++, next++) {
        indices[next] = order[i];
        values[next] = from[start + order[i]];
      }
    });
    return [new ConcreteArray(values, largest), new ConcreteArray(indices, places)];
  },
  jvp: (primals, [t], params) => {
    const outputs = bind(topKPrimitive, primals, params);
    const [largest, places] = outputs;
    const moved = isZero(t) ? zeroFor(largest.aval) : takeAlong(t, places, t.ndim - 1);
    return { outputs, tangents: [moved, zeroFor(places.aval)] };
  },
  batch: (_, inputs, __, params) => ({ outputs: bind(topKPrimitive, inputs, params), batched: [true, true] }),
  lower: lowerTopK,
  cost: ([x]) => ({
    operations: comparisons(x.shape, x.shape[x.shape.length - 1]),
    multiplications: 0,
    transcendentals: 0,
  }),
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([4], "float64")], params: { k: 2 }, distinct: true },
      { avals: [aval([2, 3], "float64")], params: { k: 3 }, distinct: true },
      { avals: [aval([2, 1, 3], "float64")], params: { k: 1 }, distinct: true },
      { avals: [aval([3], "float64")], params: { k: 0 }, distinct: true },
      { avals: [aval([2, 0], "float64")], params: { k: 0 } },
      { avals: [aval([0, 3], "float64")], params: { k: 2 } },
      { avals: [aval([4], "float32")], params: { k: 2 }, distinct: true },
      { avals: [aval([4], "int32")], params: { k: 3 } },
      { avals: [aval([2, 4], "bool")], params: { k: 2 } },
    ],
  },
});

/**
 * The `k` largest elements of `x` along its last axis in descending order, and their int32 indices. Of elements that tie
 * the first comes first; NaN is largest, and 0 is larger than -0. Any dtype. The derivative gathers. Throws
 * `ShapeError` for a scalar, `ArgumentError` if there are not k elements.
 * @example
 * topK(np.array([1, 9, 4]), 2) // [[9, 4], [1, 2]]
 */
export function topK(x: NDArray, k: number): readonly [values: NDArray, indices: NDArray] {
  const [values, indices] = bind(topKPrimitive, [x], { k });
  return [values, indices];
}
