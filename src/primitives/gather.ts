/** Gather and scatterAdd: reading windows at given places, and adding to them. Each is the transpose of the other. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray, scalar } from "../core/array.js";
import { type Aval, aval, describe, type Shape, sizeOf, withShape } from "../core/aval.js";
import { allocate, type DType, integerRange, isFloat, settle } from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { definePrimitive, type Example, LinearInput, type Params } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, Zero, zeroFor } from "../core/zero.js";
import { isShape, showParam, type TypeResult, typeRule } from "./checks.js";
import { filled, instantiate, zeros } from "./filled.js";
import { lowerGather } from "./gatherLower.js";
import {
  type AxisNumbers,
  countingAxes,
  isBlock,
  modeError,
  type NumberNames,
  numbersError,
  placeWindows,
  windowAxes,
  withBatchedBoth,
  withBatchedIndices,
  withBatchedWindows,
} from "./indexed.js";
import { gatheredFrom } from "./indexedDependence.js";
import { noWork } from "./linear.js";
import { type ScatterParams, scatterNumbers, scatterOp, scatterParams } from "./scatterFamily.js";
import { reshape } from "./shape.js";

/** What is read where a window does not lie inside: it is moved inside, or filled, or that is not expected at all. */
export type GatherMode = "clip" | "fill" | "promiseInBounds";

/** Which axis means what in a gather. */
export interface GatherOptions {
  /** Axes of the result that the windows have; increasing. */
  readonly offsetDims: readonly number[];
  /** Axes of the operand along which windows have length 1 and which the result lacks; increasing. */
  readonly collapsedSliceDims: readonly number[];
  /** For each component of an index vector the axis of the operand that it is a place on. */
  readonly startIndexMap: readonly number[];
  /** Axes of the operand that go through in step with axes of the indices; increasing. Default: none. */
  readonly operandBatchingDims?: readonly number[];
  /** The axes of the indices that they go with. Default: none. */
  readonly startIndicesBatchingDims?: readonly number[];
  /** The length of a window along each axis of the operand. */
  readonly sliceSizes: readonly number[];
  /** Default: "fill". */
  readonly mode?: GatherMode;
  /**
   * What mode "fill" fills with. Default (also for null): NaN for floats, the smallest int32, the largest unsigned
   * integer, true.
   */
  readonly fillValue?: number | null;
}

interface GatherParams extends Required<GatherOptions> {
  readonly [key: string]: readonly number[] | string | number | null;
}

const names: NumberNames = {
  window: "offsetDims",
  dropped: "collapsedSliceDims",
  start: "startIndexMap",
  operandBatching: "operandBatchingDims",
  indicesBatching: "startIndicesBatchingDims",
  windowed: "the result",
};

const gatherNumbers = (p: Params): AxisNumbers => {
  const params = p as GatherParams;
  return {
    window: params.offsetDims,
    dropped: params.collapsedSliceDims,
    start: params.startIndexMap,
    operandBatching: params.operandBatchingDims,
    indicesBatching: params.startIndicesBatchingDims,
  };
};

const gatherParams = (
  n: AxisNumbers,
  rest: {
    readonly sliceSizes: readonly number[];
    readonly mode: GatherMode;
    readonly fillValue: number | null;
  },
): GatherParams => ({
  offsetDims: n.window,
  collapsedSliceDims: n.dropped,
  startIndexMap: n.start,
  operandBatchingDims: n.operandBatching,
  startIndicesBatchingDims: n.indicesBatching,
  sliceSizes: rest.sliceSizes,
  mode: rest.mode,
  fillValue: rest.mode === "fill" ? rest.fillValue : null,
});

function gatherType([x, indices]: readonly Aval[], params: Params): TypeResult {
  if (x.dtype === "float0") return left(new DtypeError(`gather is not defined for ${describe(x)}`));
  const { sliceSizes, fillValue } = params;
  const error =
    modeError("gather", params.mode, "fill") ??
    numbersError("gather", names, x, indices, gatherNumbers(params));
  if (error !== undefined) return left(error);
  if (fillValue !== null && typeof fillValue !== "number")
    return left(new ArgumentError(`gather: fillValue must be a number or null, got ${showParam(fillValue)}`));
  if (!isShape(sliceSizes) || sliceSizes.length !== x.shape.length)
    return left(
      new ShapeError(
        `gather: sliceSizes ${showParam(sliceSizes)} must be a length for each axis of ${describe(x)}`,
      ),
    );
  const numbers = gatherNumbers(params);
  const axes = windowAxes(x.shape.length, numbers);
  if (axes.some((a, i) => a === undefined && sliceSizes[i] !== 1))
    return left(
      new ShapeError(
        `gather: sliceSizes ${showParam(sliceSizes)} must be 1 along collapsedSliceDims ${showParam(numbers.dropped)} and operandBatchingDims ${showParam(numbers.operandBatching)}`,
      ),
    );
  const shape = gatherShape(indices.shape, numbers, axes, sliceSizes);
  // Where nothing is read, an axis of length 0 may be collapsed: the elements of no array at no places.
  const mayBeEmpty = (i: number): boolean => axes[i] === undefined && sizeOf(shape) === 0;
  if (sliceSizes.some((n, i) => n > x.shape[i] && !mayBeEmpty(i)))
    return left(
      new ShapeError(`gather: windows of sliceSizes ${showParam(sliceSizes)} do not fit into ${describe(x)}`),
    );
  return right([withShape(x, shape)]);
}

function gatherShape(
  indices: Shape,
  numbers: AxisNumbers,
  axes: readonly (number | undefined)[],
  sliceSizes: readonly number[],
): number[] {
  const shape = new Array<number>(indices.length - 1 + numbers.window.length);
  for (const [i, a] of axes.entries()) if (a !== undefined) shape[a] = sliceSizes[i];
  for (const [i, a] of countingAxes(shape.length, numbers).entries()) shape[a] = indices[i];
  return shape;
}

/** JAX's choice: values that stand out. */
const defaultFill = (dtype: DType): number =>
  isFloat(dtype) ? Number.NaN : integerRange(dtype)[dtype === "int32" ? 0 : 1];

/** What mode "fill" fills with, as an element of the dtype. */
function fillOf({ fillValue }: GatherParams, dtype: DType): number {
  if (fillValue === null) return defaultFill(dtype);
  if (dtype === "bool") return fillValue === 0 ? 0 : 1;
  return settle(dtype, allocate(dtype, 1).fill(fillValue))[0];
}

const gatherPrimitive = definePrimitive({
  name: "gather",
  family: "indexing",
  summary: "windows of an operand at places given by index vectors",
  abstractEval: typeRule("gather", 2, gatherType),
  evaluate: ([x, indices], params, [out]) => {
    const { mode } = params as GatherParams;
    const place = placeWindows(x.shape, indices, out.shape, gatherNumbers(params), mode !== "fill");
    const { inOperand, inWindowed, operandSteps, windowedSteps } = place;
    const values = allocate(out.dtype, sizeOf(out.shape));
    const from = x.values;
    const length = operandSteps.length;
    // Views cost more than they save for a few elements.
    const block = length > 16 && isBlock(place);
    const fill = fillOf(params as GatherParams, out.dtype);
    for (let w = 0; w < inOperand.length; w++) {
      const source = inOperand[w];
      const target = inWindowed[w];
      if (source < 0) for (let i = 0; i < length; i++) values[target + windowedSteps[i]] = fill;
      else if (block) values.set(from.subarray(source, source + length), target);
      else
        for (let i = 0; i < length; i++) values[target + windowedSteps[i]] = from[source + operandSteps[i]];
    }
    return [new ConcreteArray(values, out)];
  },
  jvp: ([x, indices], [t], params) => {
    const outputs = bind(gatherPrimitive, [x, indices], params);
    // What is filled in is constant: its tangent is zero.
    const tangents = isZero(t)
      ? [zeroFor(outputs[0].aval)]
      : bind(gatherPrimitive, [t, indices], withZeroFill(params as GatherParams));
    return { outputs, tangents };
  },
  transpose: ([ct], [x, indices], params) => {
    if (!(x instanceof LinearInput)) return [null, null];
    if (isZero(ct)) return [new Zero(x.aval), null];
    const { mode } = params as GatherParams;
    const numbers = gatherNumbers(params);
    const back = scatterParams(numbers, mode === "fill" ? "drop" : mode);
    return [scatterAdd(zeros(x.aval), indices as NDArray, ct, back), null];
  },
  batch: (size, [x, indices], [bx, bi], params) => {
    const { sliceSizes } = params as GatherParams;
    const numbers = gatherNumbers(params);
    const rest = params as GatherParams;
    const inBatch = !bi
      ? gatherParams(withBatchedWindows(numbers), { ...rest, sliceSizes: [size, ...sliceSizes] })
      : !bx
        ? gatherParams(withBatchedIndices(numbers), rest)
        : gatherParams(withBatchedBoth(numbers), { ...rest, sliceSizes: [1, ...sliceSizes] });
    return { outputs: bind(gatherPrimitive, [x, indices], inBatch), batched: [true] };
  },
  lower: lowerGather(gatherNumbers, (params, dtype) =>
    (params as GatherParams).mode === "fill" ? fillOf(params as GatherParams, dtype) : undefined,
  ),
  cost: noWork,
  dependence: ([x, indices], params, [out]) => [
    [gatheredFrom(x, indices, out.shape, gatherNumbers(params), params.mode !== "fill"), "none"],
  ],
  laws: { differentiable: true, examples: gatherExamples },
});

const withZeroFill = (params: GatherParams): GatherParams =>
  params.mode === "fill" ? { ...params, fillValue: 0 } : params;

/**
 * Windows of `x` (any dtype) of lengths `sliceSizes`, one for each index vector along the last axis of `indices`
 * (int32, uint32 or uint8). The result has the axes of `indices` but the last, with those of the windows put at
 * `offsetDims`. Windows that do not lie inside `x` are moved inside ("clip") or give the fill value ("fill"); with
 * "promiseInBounds" there must be none. Linear in `x`.
 *
 * Throws `ShapeError`, `AxisError`, `DtypeError` or `ArgumentError`. Source: XLA's Gather
 * (https://openxla.org/xla/operation_semantics#gather).
 * @example
 * // Rows 2 and 0 of a matrix with two columns:
 * const rows = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1, 2] };
 * gather(np.array([[1, 2], [3, 4], [5, 6]]), np.array([[2], [0]], "int32"), rows) // [[5, 6], [1, 2]]
 */
export function gather(x: NDArray, indices: NDArray, options: GatherOptions): NDArray {
  const {
    operandBatchingDims = [],
    startIndicesBatchingDims = [],
    mode = "fill",
    fillValue = null,
  } = options;
  const isDefault = fillValue !== null && Object.is(fillValue, defaultFill(x.dtype));
  return bind(gatherPrimitive, [x, indices], {
    offsetDims: options.offsetDims,
    collapsedSliceDims: options.collapsedSliceDims,
    startIndexMap: options.startIndexMap,
    operandBatchingDims,
    startIndicesBatchingDims,
    sliceSizes: options.sliceSizes,
    mode,
    fillValue: mode !== "fill" || isDefault ? null : fillValue,
  })[0];
}

/** Reads the windows that a scatter writes to; `fill` is what those that it drops read. */
export function gatherBack(
  x: NDArray,
  indices: NDArray,
  updates: Shape,
  params: ScatterParams,
  fill = 0,
): NDArray {
  // There is no window in an empty operand, and gather takes none: all updates were dropped.
  if (x.size === 0) return filled(updates, scalar(fill, x.dtype));
  const numbers = scatterNumbers(params);
  const sliceSizes = windowAxes(x.ndim, numbers).map((a) => (a === undefined ? 1 : updates[a]));
  const mode = params.mode === "drop" ? "fill" : params.mode;
  return gather(x, indices, gatherParams(numbers, { sliceSizes, mode, fillValue: fill }));
}

/** Elements of `x` along `axis` at the given places, which must exist and have the same lengths along other axes. */
export function takeAlong(x: NDArray, places: NDArray, axis: number): NDArray {
  const others = x.shape.flatMap((_, i) => (i === axis ? [] : [i]));
  return gather(x, reshape(places, [...places.shape, 1]), {
    offsetDims: [],
    collapsedSliceDims: [axis],
    startIndexMap: [axis],
    operandBatchingDims: others,
    startIndicesBatchingDims: others,
    sliceSizes: x.shape.map(() => 1),
    mode: "promiseInBounds",
  });
}

/**
 * `x` with `updates` added at the places given by `indices`; what is added to one place several times adds up.
 * Operands, options and errors are those of `scatter`; `x` and `updates` are numbers. Linear in both.
 * @example
 * const options = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * scatterAdd(np.zeros([3]), np.array([[1], [1]], "int32"), np.array([2, 3]), options) // [0, 5, 0]
 */
export const scatterAdd = scatterOp({
  name: "scatterAdd",
  summary: "adds updates to windows of an operand; repeated ones add up",
  merging: "add",
  domain: "number",
  combine: (old, update) => old + update,
  operations: 1,
  multiplications: 0,
  jvp: ([x, indices, updates], [tx, , tu], p) => {
    const params = p as ScatterParams;
    const out = scatterAdd(x, indices, updates, params);
    return { outputs: [out], tangents: [isZero(tu) ? tx : scatterAdd(instantiate(tx), indices, tu, params)] };
  },
  transpose: ([ct], [x, indices, updates], params) => [
    x instanceof LinearInput ? ct : null,
    null,
    updates instanceof LinearInput
      ? isZero(ct)
        ? new Zero(updates.aval)
        : gatherBack(ct, indices as NDArray, updates.shape, params as ScatterParams)
      : null,
  ],
});

function gatherExamples(): Example[] {
  const example = (
    operand: Shape,
    indices: Shape,
    options: Partial<GatherParams>,
    dtype: DType = "float64",
    index: DType = "int32",
  ): Example => ({
    avals: [aval(operand, dtype), aval(indices, index)],
    params: {
      offsetDims: [],
      collapsedSliceDims: [],
      startIndexMap: [],
      operandBatchingDims: [],
      startIndicesBatchingDims: [],
      sliceSizes: [],
      mode: "clip",
      fillValue: null,
      ...options,
    },
    // Beyond the ends too, unless the mode promises that this does not happen.
    domain: [[-2, 2], options.mode === "promiseInBounds" || index !== "int32" ? [0, 3] : [-1, 4]],
  });
  const elements = { collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1] };
  const rows = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1, 2] };
  const zeroFill = { mode: "fill", fillValue: 0 } as const;
  const batching = { operandBatchingDims: [0], startIndicesBatchingDims: [0] };
  return [
    example([4], [3, 1], elements),
    example([4], [3, 1], { ...elements, ...zeroFill }),
    example([4], [3, 1], { ...elements, mode: "promiseInBounds" }),
    example([3], [1], elements),
    example([3, 2], [2, 1], rows),
    example([3, 2], [2, 1], { ...rows, ...zeroFill }),
    example([4], [2, 1], { offsetDims: [0], startIndexMap: [0], sliceSizes: [2] }),
    example([4], [2, 1], { offsetDims: [1], startIndexMap: [0], sliceSizes: [2], ...zeroFill }),
    example([3, 3], [2, 2], {
      offsetDims: [0],
      collapsedSliceDims: [1],
      startIndexMap: [1, 0],
      sliceSizes: [2, 1],
    }),
    example([2, 4], [2, 3, 1], {
      ...batching,
      collapsedSliceDims: [1],
      startIndexMap: [1],
      sliceSizes: [1, 1],
    }),
    example([4, 2], [3, 2, 1], {
      operandBatchingDims: [1],
      startIndicesBatchingDims: [1],
      offsetDims: [1],
      startIndexMap: [0],
      sliceSizes: [3, 1],
      ...zeroFill,
    }),
    example([], [2, 0], {}),
    example([0], [0, 1], elements),
    example([0, 2], [2, 1], {
      offsetDims: [0],
      collapsedSliceDims: [1],
      startIndexMap: [1],
      sliceSizes: [0, 1],
    }),
    example([3], [2, 2, 1], { ...elements, mode: "fill", fillValue: -7 }, "int32", "uint8"),
    example([3, 2], [2, 1], { ...rows, mode: "fill" }, "uint32", "uint32"),
    example([3], [2, 1], { ...elements, mode: "fill" }, "bool"),
    example([3], [2, 1], { ...elements, ...zeroFill }, "float32"),
  ];
}
