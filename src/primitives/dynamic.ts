/** Slices whose place is only known when the program runs: dynamicSlice reads one, dynamicUpdateSlice overwrites it. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray, scalar } from "../core/array.js";
import {
  type Aval,
  aval,
  describe,
  describeAll,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
  withShape,
} from "../core/aval.js";
import { allocate, type DType, isInteger } from "../core/dtype.js";
import { ArgumentError, DtypeError, type FluxionError, ShapeError } from "../core/errors.js";
import { noParams } from "../core/params.js";
import { definePrimitive, type Example, LinearInput } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero } from "../core/zero.js";
import { broadcastInDim } from "./broadcast.js";
import { isShape, showParam } from "./checks.js";
import { concatenate } from "./concatenate.js";
import { lowerDynamicSlice, lowerDynamicUpdateSlice } from "./dynamicLower.js";
import { type Operand, scalarsLike } from "./elementwise.js";
import { instantiate, repeat, zeros } from "./filled.js";
import { gather } from "./gather.js";
import { overwritten, slicedFrom } from "./indexedDependence.js";
import { linear, noWork } from "./linear.js";
import { scatter } from "./scatter.js";
import { reshape } from "./shape.js";
import { copyStrided } from "./strided.js";

/** What is wrong with the starts, if anything: there must be one integer for each axis. */
function startsError(name: string, x: Aval, starts: readonly Aval[]): FluxionError | undefined {
  if (starts.length !== x.shape.length)
    return new ArgumentError(
      `${name} needs a start for each axis of ${describe(x)}, got ${starts.length} (${describeAll(starts)})`,
    );
  if (starts.some((s) => s.shape.length > 0))
    return new ShapeError(`${name}: starts must be scalars, got ${describeAll(starts)}`);
  if (starts.some((s) => !isInteger(s.dtype) || s.dtype !== starts[0].dtype))
    return new DtypeError(`${name}: starts must be integers of one dtype, got ${describeAll(starts)}`);
  return undefined;
}

/** Where a slice begins in memory, moved so that it lies inside. */
function clampedStart(shape: Shape, starts: readonly ConcreteArray[], sizes: Shape): number {
  const strides = stridesOf(shape);
  let at = 0;
  for (const [i, s] of starts.entries())
    at += Math.max(Math.min(s.values[0], shape[i] - sizes[i]), 0) * strides[i];
  return at;
}

const firstStart = (starts: readonly NDArray[]): NDArray => scalar(0, starts[0]?.dtype ?? "int32");

/** Starts of a whole batch as index vectors. */
const indexVectors = (size: number, starts: readonly NDArray[], batched: readonly boolean[]): NDArray =>
  concatenate(
    starts.map((s, i) => (batched[i] ? reshape(s, [size, 1]) : broadcastInDim(s, [size, 1], []))),
    1,
  );

const counted = (n: number, from: number): number[] => Array.from({ length: n }, (_, i) => i + from);

// ---------------------------------------------------------------------------------------------------------------------
// dynamicSlice
// ---------------------------------------------------------------------------------------------------------------------

const slicePrimitive = definePrimitive({
  name: "dynamicSlice",
  family: "indexing",
  summary: "the part of the given sizes that begins at computed places",
  abstractEval: ([x, ...starts], { sizes }) => {
    if (x === undefined)
      return left(new ArgumentError("dynamicSlice takes an array and its starts, got nothing"));
    const error = startsError("dynamicSlice", x, starts);
    if (error !== undefined) return left(error);
    if (!isShape(sizes) || sizes.length !== x.shape.length || sizes.some((n, i) => n > x.shape[i]))
      return left(new ShapeError(`dynamicSlice: ${describe(x)} has no part of sizes ${showParam(sizes)}`));
    return right([withShape(x, sizes)]);
  },
  evaluate: ([x, ...starts], params, [out]) => {
    const sizes = params.sizes as Shape;
    const values = allocate(out.dtype, sizeOf(sizes));
    const source = { start: clampedStart(x.shape, starts, sizes), strides: stridesOf(x.shape) };
    copyStrided(sizes, x.values, source, values, { start: 0, strides: stridesOf(sizes) });
    return [new ConcreteArray(values, out)];
  },
  ...linear(
    (inputs, params) => bind(slicePrimitive, inputs, params),
    (ct, x, _, [, ...starts]) => dynamicUpdateSlice(zeros(x.aval), ct, starts),
  ),
  batch: (size, [x, ...starts], [bx, ...bs], params) => {
    const sizes = params.sizes as Shape;
    if (!bs.includes(true))
      return {
        outputs: [dynamicSlice(x, [firstStart(starts), ...starts], [size, ...sizes])],
        batched: [true],
      };
    const axes = counted(sizes.length, 1);
    const batching = bx ? [0] : [];
    const out = gather(x, indexVectors(size, starts, bs), {
      offsetDims: axes,
      collapsedSliceDims: [],
      startIndexMap: bx ? axes : counted(sizes.length, 0),
      operandBatchingDims: batching,
      startIndicesBatchingDims: batching,
      sliceSizes: bx ? [1, ...sizes] : sizes,
      mode: "clip",
    });
    return { outputs: [out], batched: [true] };
  },
  lower: lowerDynamicSlice,
  cost: noWork,
  dependence: ([x, ...starts], { sizes }) => [
    [slicedFrom(x.aval.shape, sizes as Shape, starts), ...starts.map(() => "none" as const)],
  ],
  laws: {
    differentiable: true,
    examples: () => [
      sliceExample([4], [2]),
      sliceExample([3, 4], [2, 2]),
      sliceExample([3, 2], [1, 2]),
      sliceExample([3], [3]),
      sliceExample([3], [0]),
      sliceExample([0, 2], [0, 1]),
      sliceExample([], []),
      sliceExample([4], [2], "bool", "uint32"),
      sliceExample([4, 2], [2, 1], "int32", "uint8"),
    ],
  },
  // A slice of the full size can only begin at the beginning.
  simplify: ([x], { sizes }) => (sameShape(x.aval.shape, sizes as Shape) ? 0 : undefined),
});

/** Starts are drawn from beyond the ends too: they clamp. */
function sliceExample(shape: Shape, sizes: Shape, dtype: DType = "float64", index: DType = "int32"): Example {
  return {
    avals: [aval(shape, dtype), ...shape.map(() => aval([], index))],
    params: { sizes },
    domain: [[-2, 2], ...shape.map((n) => [index === "int32" ? -1 : 0, n + 1] as const)],
  };
}

/**
 * The part of `x` (any dtype) that has the shape `sizes` and begins at `starts`: for each axis an integer scalar
 * (int32, uint32 or uint8, one dtype for all) or a number. Starts are clamped so that the part lies inside `x`. Linear
 * in `x`. Throws `ArgumentError`, `ShapeError` or `DtypeError`.
 * @example
 * dynamicSlice(np.array([1, 2, 3, 4]), [2], [2]) // [3, 4]
 */
export const dynamicSlice = (x: NDArray, starts: readonly Operand[], sizes: readonly number[]): NDArray =>
  bind(slicePrimitive, [x, ...scalarsLike("dynamicSlice", starts)], { sizes })[0];

// ---------------------------------------------------------------------------------------------------------------------
// dynamicUpdateSlice
// ---------------------------------------------------------------------------------------------------------------------

const updatePrimitive = definePrimitive({
  name: "dynamicUpdateSlice",
  family: "indexing",
  summary: "an operand with the part that begins at computed places overwritten",
  abstractEval: (inputs) => {
    const [x, update, ...starts] = inputs;
    if (update === undefined)
      return left(
        new ArgumentError(
          `dynamicUpdateSlice takes an array, an update and starts, got ${describeAll(inputs)}`,
        ),
      );
    const error = startsError("dynamicUpdateSlice", x, starts);
    if (error !== undefined) return left(error);
    if (x.dtype !== update.dtype)
      return left(
        new DtypeError(
          `dynamicUpdateSlice needs an update of the operand's dtype, got ${describe(update)} for ${describe(x)}`,
        ),
      );
    if (update.shape.length !== x.shape.length || update.shape.some((n, i) => n > x.shape[i]))
      return left(
        new ShapeError(`dynamicUpdateSlice: an update ${describe(update)} does not fit into ${describe(x)}`),
      );
    return right([aval(x.shape, x.dtype, x.weakType && update.weakType)]);
  },
  evaluate: ([x, update, ...starts], _, [out]) => {
    const values = x.values.slice();
    const target = { start: clampedStart(x.shape, starts, update.shape), strides: stridesOf(x.shape) };
    copyStrided(update.shape, update.values, { start: 0, strides: stridesOf(update.shape) }, values, target);
    return [new ConcreteArray(values, out)];
  },
  jvp: ([x, update, ...starts], [tx, tu]) => ({
    outputs: [dynamicUpdateSlice(x, update, starts)],
    tangents: [dynamicUpdateSlice(instantiate(tx), instantiate(tu), starts)],
  }),
  transpose: ([ct], [x, update, ...starts]) => {
    if (isZero(ct)) return [null, null];
    const at = starts as NDArray[];
    return [
      x instanceof LinearInput ? dynamicUpdateSlice(ct, zeros(update.aval), at) : null,
      update instanceof LinearInput ? dynamicSlice(ct, at, update.shape) : null,
      ...starts.map(() => null),
    ];
  },
  batch: (size, [x, update, ...starts], [bx, bu, ...bs]) => {
    const whole = bx ? x : repeat(x, size);
    const updates = bu ? update : repeat(update, size);
    if (!bs.includes(true))
      return {
        outputs: [dynamicUpdateSlice(whole, updates, [firstStart(starts), ...starts])],
        batched: [true],
      };
    const axes = counted(starts.length, 1);
    const out = scatter(whole, indexVectors(size, starts, bs), updates, {
      updateWindowDims: axes,
      insertedWindowDims: [],
      scatterDimsToOperandDims: axes,
      operandBatchingDims: [0],
      scatterIndicesBatchingDims: [0],
      mode: "clip",
    });
    return { outputs: [out], batched: [true] };
  },
  lower: lowerDynamicUpdateSlice,
  cost: noWork,
  dependence: ([x, update, ...starts]) => [
    [...overwritten(x.aval.shape, update.aval.shape, starts), ...starts.map(() => "none" as const)],
  ],
  laws: {
    differentiable: true,
    examples: () => [
      updateExample([4], [2]),
      updateExample([3, 4], [2, 2]),
      updateExample([3, 2], [1, 2]),
      updateExample([3], [3]),
      updateExample([3], [0]),
      updateExample([0, 2], [0, 1]),
      updateExample([], []),
      updateExample([4], [2], "bool", "uint32"),
      updateExample([4, 2], [2, 1], "int32", "uint8"),
    ],
  },
  // An update of the full size replaces everything.
  simplify: ([x, update]) =>
    sameShape(x.aval.shape, update.aval.shape) && (x.aval.weakType || !update.aval.weakType) ? 1 : undefined,
});

function updateExample(shape: Shape, sizes: Shape, dtype?: DType, index?: DType): Example {
  const { avals, domain } = sliceExample(shape, sizes, dtype, index);
  const [x, ...starts] = avals;
  return {
    avals: [x, withShape(x, sizes), ...starts],
    params: noParams,
    domain: domain && [domain[0], domain[0], ...domain.slice(1)],
  };
}

/**
 * `x` with the part that begins at `starts` overwritten by `update`, which has the dtype (any) and number of axes of
 * `x`. Starts are those of `dynamicSlice`, clamped so that the update lies inside. Linear in `x` and `update` together.
 * Throws `ArgumentError`, `ShapeError` or `DtypeError`.
 * @example
 * dynamicUpdateSlice(np.array([1, 2, 3, 4]), np.array([8, 9]), [1]) // [1, 8, 9, 4]
 */
export const dynamicUpdateSlice = (x: NDArray, update: NDArray, starts: readonly Operand[]): NDArray =>
  bind(updatePrimitive, [x, update, ...scalarsLike("dynamicUpdateSlice", starts)], noParams)[0];
