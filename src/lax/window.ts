/** Reductions over windows that move along an array, as pooling layers have them. */
import { concreteArray, type NDArray, scalar } from "../core/array.js";
import { describe } from "../core/aval.js";
import { type DType, integerRange, isFloat } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { argmax, argmin } from "../primitives/argmax.js";
import { reduceSum } from "../primitives/broadcast.js";
import { showParam } from "../primitives/checks.js";
import { gather, takeAlong } from "../primitives/gather.js";
import { reduceProd } from "../primitives/reduction.js";
import { reshape } from "../primitives/shape.js";
import { pad } from "../primitives/slicing.js";
import { requiredOptions } from "./arguments.js";
import { add, max, min, mul } from "./arithmetic.js";
import { type ArrayLike, arrayOperand, operands } from "./operands.js";
import { type Padding, type PaddingPairs, paddingPairs } from "./padding.js";
import { indexInDim, sliceInDim } from "./slicing.js";

export interface WindowOptions {
  /** The length of the window along each axis: 1 along axes that are left alone. */
  readonly windowDimensions: readonly number[];
  /** How far the window moves along each axis. Default: 1. */
  readonly windowStrides?: readonly number[];
  /** Places around the array that windows reach to, and that do not take part. Default: "VALID", none. */
  readonly padding?: Padding;
  /** Distances of the elements of the array, nothing that takes part between them. Default: 1. */
  readonly baseDilation?: readonly number[];
  /** Distances of the elements of the window. Default: 1. */
  readonly windowDilation?: readonly number[];
}

/** What brings two elements together: associative, and the order does not matter. */
export type Computation = (x: NDArray, y: NDArray) => NDArray;

/** Brings the elements of windows together, which lie along `axis`. */
type Reduction = (windows: NDArray, axis: number) => NDArray;

/** The element itself is picked, so that of elements that tie the first alone has the derivative. */
const picked =
  (place: (x: NDArray, axis: number) => NDArray): Reduction =>
  (windows, axis) => {
    const at = place(windows, axis);
    const shape = [...at.shape.slice(0, axis), 1, ...at.shape.slice(axis)];
    return reshape(takeAlong(windows, reshape(at, shape), axis), at.shape);
  };

const folded =
  (computation: Computation): Reduction =>
  (windows, axis) =>
    Array.from({ length: windows.shape[axis] }, (_, i) =>
      indexInDim(windows, i, { axis, keepdims: false }),
    ).reduce((x, y) => computation(x, y));

const lowest = (dtype: DType): number => (isFloat(dtype) ? -Infinity : integerRange(dtype)[0]);
const highest = (dtype: DType): number => (isFloat(dtype) ? Infinity : integerRange(dtype)[1]);

/** How to reduce, and the initial value that changes nothing. */
function reductionOf(computation: Computation, dtype: DType): { reduce: Reduction; neutral?: number } {
  if (computation === add) return { reduce: (windows, axis) => reduceSum(windows, [axis]), neutral: 0 };
  if (computation === mul) return { reduce: (windows, axis) => reduceProd(windows, [axis]), neutral: 1 };
  if (computation === max) return { reduce: picked(argmax), neutral: lowest(dtype) };
  if (computation === min) return { reduce: picked(argmin), neutral: highest(dtype) };
  return { reduce: folded(computation) };
}

/** The windows along one axis, in the place of the axis, and behind it their elements. */
function windowsAlong(x: NDArray, axis: number, window: number, stride: number, dilation: number): NDArray {
  const covered = (window - 1) * dilation + 1;
  const count = Math.max(0, Math.floor((x.shape[axis] - covered) / stride) + 1);
  const replaced = (...own: number[]) => [...x.shape.slice(0, axis), ...own, ...x.shape.slice(axis + 1)];
  // Windows that lie side by side are there already.
  if (dilation === 1 && stride === window)
    return reshape(sliceInDim(x, 0, count * window, { axis }), replaced(count, window));
  const places = Array.from(
    { length: count * window },
    (_, i) => Math.floor(i / window) * stride + (i % window) * dilation,
  );
  return gather(x, concreteArray(places, [count, window, 1], "int32"), {
    offsetDims: Array.from({ length: x.ndim - 1 }, (_, i) => (i < axis ? i : i + 2)),
    collapsedSliceDims: [axis],
    startIndexMap: [axis],
    sliceSizes: replaced(1),
    mode: "promiseInBounds",
  });
}

/** A positive whole number for each axis. */
function perAxis(what: string, list: readonly number[] | undefined, x: NDArray): readonly number[] {
  const numbers = list ?? x.shape.map(() => 1);
  if (
    !Array.isArray(numbers) ||
    numbers.length !== x.ndim ||
    !numbers.every((n) => Number.isInteger(n) && n > 0)
  )
    throw new ArgumentError(
      `lax.reduceWindow: ${what} must be a positive whole number for each axis of ${describe(x.aval)}, got ${showParam(list)}`,
    );
  return numbers;
}

/** The array with a value around and between its elements. */
function padded(x: NDArray, value: NDArray, pairs: PaddingPairs, dilation: readonly number[]): NDArray {
  if (!Array.isArray(pairs) || pairs.length !== x.ndim)
    throw new ArgumentError(
      `lax.reduceWindow: padding must be [low, high] for each axis of ${describe(x.aval)}, got ${showParam(pairs)}`,
    );
  const config = pairs.map(([low, high], i) => [low, high, dilation[i] - 1] as const);
  return config.every((c) => c.every((n) => n === 0)) ? x : pad(x, value, config);
}

/**
 * Brings the elements of each window together, and with the initial value: lax.max makes max-pooling, lax.add
 * sum-pooling. Of elements that tie in a maximum or minimum the first one has the derivative.
 * @param init a scalar of the dtype of x.
 * @param computation lax.add, lax.mul, lax.max or lax.min; or another function of two arrays that is associative and
 *   commutative and of which `init` is the neutral element.
 * @throws ShapeError, DtypeError or ArgumentError for operands and options that do not fit.
 * @see https://openxla.org/xla/operation_semantics#reducewindow
 * @example
 * const x = np.array([1.5, 4, 2, 3]);
 * lax.reduceWindow(x, -Infinity, lax.max, { windowDimensions: [2], windowStrides: [2] }); // [4, 3]
 * lax.reduceWindow(x, 0, lax.add, { windowDimensions: [3], padding: "SAME" }); // [5.5, 7.5, 9, 5]
 */
export function reduceWindow(
  x: NDArray,
  init: ArrayLike,
  computation: Computation,
  options: WindowOptions,
): NDArray {
  const name = "reduceWindow";
  const [array, start] = operands(name, [arrayOperand(name, x), init]);
  if (start.ndim > 0)
    throw new ShapeError(`lax.${name}: the initial value must be a scalar, got ${describe(start.aval)}`);
  if (typeof computation !== "function")
    throw new ArgumentError(
      `lax.${name}: the computation must be a function such as lax.add, got ${showParam(computation)}`,
    );
  const given = requiredOptions(
    name,
    options,
    ["windowDimensions", "windowStrides", "padding", "baseDilation", "windowDilation"],
    ["windowDimensions"],
  );
  const windows = perAxis("windowDimensions", given.windowDimensions, array);
  const strides = perAxis("windowStrides", given.windowStrides, array);
  const dilations = perAxis("windowDilation", given.windowDilation, array);
  const baseDilation = perAxis("baseDilation", given.baseDilation, array);
  const lengths = array.shape.map((n, i) => (n === 0 ? 0 : (n - 1) * baseDilation[i] + 1));
  const covered = windows.map((n, i) => (n - 1) * dilations[i] + 1);
  const pairs = paddingPairs(name, given.padding ?? "VALID", lengths, covered, strides);
  const { reduce, neutral } = reductionOf(computation, array.dtype);
  const filler = neutral === undefined ? start : scalar(neutral, array.dtype, array.weakType);
  let result = padded(array, filler, pairs, baseDilation);
  for (let axis = array.ndim - 1; axis >= 0; axis--)
    result =
      windows[axis] === 1
        ? sliceInDim(result, null, null, { axis, stride: strides[axis] })
        : reduce(windowsAlong(result, axis, windows[axis], strides[axis], dilations[axis]), axis + 1);
  return init === neutral ? result : computation(start, result);
}
