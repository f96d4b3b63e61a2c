/**
 * The methods of arrays, as types. They mirror the functions of `numpy` of the same names, which implement them
 * (numpy/methods.ts installs them on the prototype); stated here, because arrays themselves belong to the core.
 */
import type { NDArray } from "./array.js";
import type { Shape } from "./aval.js";
import type { DType } from "./dtype.js";

/** What a function of arrays may be given where it expects one: a number or boolean is a weak-typed scalar. */
export type ArrayLike = NDArray | number | boolean;

/** An axis, several, or all (null). Negative ones count from the end. */
export type Axis = number | readonly number[] | null;

export interface ReduceOptions {
  readonly axis?: Axis;
  /** Keep reduced axes with length 1. */
  readonly keepdims?: boolean;
}

/** Options or, as in NumPy, just the axis. */
export type AxisOr<Options> = Axis | Options;

/**
 * One index of `x.slice(...)` and `x.at(...)`:
 * - a number picks one element of an axis (negative from the end) and drops the axis;
 * - a text like `"1:5"`, `":"`, `"::-1"` or an object `{ start, stop, step }` takes a range;
 * - `"..."` stands for as many full ranges as are missing; `null` makes a new axis of length 1;
 * - an integer array (or list of integers) gathers; a boolean array selects (not under `jit`, `vmap`).
 */
export type Index =
  | number
  | string
  | null
  | NDArray
  | readonly number[]
  | { readonly start?: number | null; readonly stop?: number | null; readonly step?: number | null };

/** What `x.at(...indices)` can do: each gives a new array, and leaves `x` as it is. */
export interface IndexedUpdate {
  /** The elements at the indices; `mode` says what indices out of range do. */
  get(options?: { readonly mode?: "clip" | "fill" }): NDArray;
  /** `x` with these elements replaced. Updates out of range are dropped. */
  set(values: ArrayLike): NDArray;
  /** `x` with values added; repeated indices accumulate. */
  add(values: ArrayLike): NDArray;
  sub(values: ArrayLike): NDArray;
  mul(values: ArrayLike): NDArray;
  div(values: ArrayLike): NDArray;
  pow(values: ArrayLike): NDArray;
  min(values: ArrayLike): NDArray;
  max(values: ArrayLike): NDArray;
  /** `x` with a function applied to these elements (once each, also where an index repeats). */
  apply(f: (x: NDArray) => NDArray): NDArray;
}

export interface ArrayMethods {
  add(y: ArrayLike): NDArray;
  sub(y: ArrayLike): NDArray;
  mul(y: ArrayLike): NDArray;
  div(y: ArrayLike): NDArray;
  mod(y: ArrayLike): NDArray;
  pow(y: ArrayLike): NDArray;
  floorDivide(y: ArrayLike): NDArray;
  neg(): NDArray;
  abs(): NDArray;
  sign(): NDArray;
  square(): NDArray;
  sqrt(): NDArray;
  reciprocal(): NDArray;
  exp(): NDArray;
  log(): NDArray;
  sin(): NDArray;
  cos(): NDArray;
  tan(): NDArray;
  tanh(): NDArray;
  round(decimals?: number): NDArray;
  clip(min?: ArrayLike | null, max?: ArrayLike | null): NDArray;

  equal(y: ArrayLike): NDArray;
  notEqual(y: ArrayLike): NDArray;
  less(y: ArrayLike): NDArray;
  lessEqual(y: ArrayLike): NDArray;
  greater(y: ArrayLike): NDArray;
  greaterEqual(y: ArrayLike): NDArray;
  logicalAnd(y: ArrayLike): NDArray;
  logicalOr(y: ArrayLike): NDArray;
  logicalNot(): NDArray;

  sum(
    options?: AxisOr<
      ReduceOptions & { readonly dtype?: DType; readonly where?: ArrayLike; readonly initial?: ArrayLike }
    >,
  ): NDArray;
  prod(
    options?: AxisOr<
      ReduceOptions & { readonly dtype?: DType; readonly where?: ArrayLike; readonly initial?: ArrayLike }
    >,
  ): NDArray;
  mean(options?: AxisOr<ReduceOptions & { readonly dtype?: DType; readonly where?: ArrayLike }>): NDArray;
  var(options?: AxisOr<ReduceOptions & { readonly ddof?: number; readonly where?: ArrayLike }>): NDArray;
  std(options?: AxisOr<ReduceOptions & { readonly ddof?: number; readonly where?: ArrayLike }>): NDArray;
  max(
    options?: AxisOr<ReduceOptions & { readonly where?: ArrayLike; readonly initial?: ArrayLike }>,
  ): NDArray;
  min(
    options?: AxisOr<ReduceOptions & { readonly where?: ArrayLike; readonly initial?: ArrayLike }>,
  ): NDArray;
  all(options?: AxisOr<ReduceOptions & { readonly where?: ArrayLike }>): NDArray;
  any(options?: AxisOr<ReduceOptions & { readonly where?: ArrayLike }>): NDArray;
  argmax(options?: AxisOr<{ readonly axis?: number | null; readonly keepdims?: boolean }>): NDArray;
  argmin(options?: AxisOr<{ readonly axis?: number | null; readonly keepdims?: boolean }>): NDArray;
  cumsum(options?: AxisOr<{ readonly axis?: number | null; readonly dtype?: DType }>): NDArray;
  cumprod(options?: AxisOr<{ readonly axis?: number | null; readonly dtype?: DType }>): NDArray;

  /** One length may be -1: it is computed from the others. */
  reshape(...shape: readonly number[] | readonly [Shape]): NDArray;
  ravel(): NDArray;
  flatten(): NDArray;
  /** Axes in a new order; without arguments, reversed. */
  transpose(...axes: readonly number[] | readonly [readonly number[]]): NDArray;
  /** The transpose: all axes reversed. */
  readonly T: NDArray;
  /** The last two axes swapped. */
  readonly mT: NDArray;
  swapaxes(a: number, b: number): NDArray;
  squeeze(axis?: Axis): NDArray;
  expandDims(axis: number | readonly number[]): NDArray;
  broadcastTo(shape: Shape): NDArray;
  flip(axis?: Axis): NDArray;
  repeat(
    repeats: number | NDArray,
    options?: AxisOr<{ readonly axis?: number | null; readonly totalRepeatLength?: number }>,
  ): NDArray;
  take(
    indices: ArrayLike | readonly number[],
    options?: AxisOr<{ readonly axis?: number | null; readonly mode?: "clip" | "fill" | "wrap" }>,
  ): NDArray;
  diagonal(options?: { readonly offset?: number; readonly axis1?: number; readonly axis2?: number }): NDArray;
  trace(options?: { readonly offset?: number; readonly axis1?: number; readonly axis2?: number }): NDArray;
  sort(options?: AxisOr<{ readonly axis?: number; readonly descending?: boolean }>): NDArray;
  argsort(options?: AxisOr<{ readonly axis?: number; readonly descending?: boolean }>): NDArray;

  dot(y: ArrayLike): NDArray;
  matmul(y: ArrayLike): NDArray;

  astype(dtype: DType): NDArray;
  /** Elements by index: see `Index`. */
  slice(...indices: readonly Index[]): NDArray;
  /** The place of an update: `x.at(0, ":").add(1)`. */
  at(...indices: readonly Index[]): IndexedUpdate;
  /** Iterates over the first axis. */
  [Symbol.iterator](): IterableIterator<NDArray>;
}
