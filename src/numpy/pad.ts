/** Arrays made longer at the ends of their axes. */
import { concreteArray, type NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { showParam } from "../primitives/checks.js";
import { add } from "../primitives/elementwise.js";
import { div, mul, sub } from "../primitives/field.js";
import { reduceMax, reduceMin } from "../primitives/reduction.js";
import { floor, round } from "../primitives/rounding.js";
import { expandDims } from "../primitives/shape.js";
import * as primitive from "../primitives/slicing.js";
import { plainOptions, wholeNumber } from "./axes.js";
import { type ArrayLike, asArray, convertTo, stretch } from "./operands.js";
import { counting, join, pick, repeatAxis, sliceAxis } from "./rearrange.js";

/** Something for each end of each axis: `[[before, after], ...]`, or in short one pair, or one value for all. */
export type ForEnds<T> = T | readonly T[] | readonly (readonly T[])[];

export type PadMode =
  | "constant"
  | "edge"
  | "reflect"
  | "symmetric"
  | "wrap"
  | "linearRamp"
  | "maximum"
  | "minimum"
  | "mean";

export interface PadOptions {
  /** Default: "constant". */
  readonly mode?: PadMode;
  /** What "constant" pads with. Default: 0. */
  readonly constantValues?: ForEnds<ArrayLike>;
  /** What "linearRamp" ends with. Default: 0. */
  readonly endValues?: ForEnds<ArrayLike>;
  /** From how many elements at that end "maximum", "minimum" and "mean" are taken. Default: all. */
  readonly statLength?: ForEnds<number>;
}

type Pair<T> = readonly [before: T, after: T];

function forEnds<T>(what: string, given: ForEnds<T>, ndim: number): readonly Pair<T>[] {
  const pair = (entry: T | readonly T[]): Pair<T> | undefined => {
    if (!Array.isArray(entry)) return [entry as T, entry as T];
    return entry.length === 1 ? [entry[0], entry[0]] : entry.length === 2 ? [entry[0], entry[1]] : undefined;
  };
  const nested = Array.isArray(given) && given.some((e) => Array.isArray(e));
  const rows = nested ? (given as (T | readonly T[])[]).map(pair) : [pair(given as T | readonly T[])];
  const full = rows.length === 1 ? new Array<Pair<T> | undefined>(ndim).fill(rows[0]) : rows;
  if (full.length !== ndim || full.some((p) => p === undefined))
    throw new ArgumentError(
      `pad: ${what} must be [before, after] for each of ${ndim} axes, got ${showParam(given)}`,
    );
  return full as Pair<T>[];
}

const modulo = (i: number, n: number): number => ((i % n) + n) % n;

/** Where the element at place i comes from, if i lies outside of 0 ... n - 1. */
const sources = {
  edge: (i: number, n: number) => Math.min(Math.max(i, 0), n - 1),
  wrap: modulo,
  symmetric: (i: number, n: number) => Math.min(modulo(i, 2 * n), 2 * n - 1 - modulo(i, 2 * n)),
  reflect: (i: number, n: number) => {
    const period = Math.max(2 * n - 2, 1);
    return Math.min(modulo(i, period), period - modulo(i, period));
  },
};

const statistics = {
  maximum: (x: NDArray, axis: number) => reduceMax(x, [axis]),
  minimum: (x: NDArray, axis: number) => reduceMin(x, [axis]),
  mean: (x: NDArray, axis: number) => {
    const inexact = isFloat(x.dtype) ? x : convertElementType(x, "float32");
    const mean = div(reduceSum(inexact, [axis]), x.shape[axis]);
    return isFloat(x.dtype) ? mean : convertElementType(round(mean, "toNearestEven"), x.dtype);
  },
};

const modes = ["constant", ...Object.keys(sources), "linearRamp", ...Object.keys(statistics)];

/**
 * `x` with `width` more elements at the ends of its axes: a number for all ends, `[before, after]` for every axis, or
 * such a pair for each axis. What they are is decided by `mode`: a constant (0 by default), the outermost element
 * ("edge"), the array mirrored at the last element ("reflect") or at its outer side ("symmetric"), its continuation
 * ("wrap"), a line to `endValues` ("linearRamp"), or a statistic of the axis ("maximum", "minimum", "mean").
 * @throws ArgumentError, ShapeError if an axis without elements would have to be continued.
 * @example
 * np.pad(np.array([1, 2, 3]), [2, 1], { mode: "reflect" }); // [3, 2, 1, 2, 3, 2]
 */
export function pad(x: ArrayLike, width: ForEnds<number>, options: PadOptions = {}): NDArray {
  const known = ["mode", "constantValues", "endValues", "statLength"] as const;
  const {
    mode = "constant",
    constantValues = 0,
    endValues = 0,
    statLength,
  } = plainOptions("pad", options, known);
  const a = asArray(x, "pad");
  if (!modes.includes(mode))
    throw new ArgumentError(`pad: there is no mode ${showParam(mode)}; the modes are ${modes.join(", ")}`);
  const widths = forEnds("the width", width, a.ndim);
  for (const w of widths.flat()) wholeNumber("pad", "a width", w, 0);
  if (mode === "constant") return padConstant(a, widths, constantValues);
  const lengths = statLength === undefined ? undefined : forEnds("statLength", statLength, a.ndim);
  const ends = mode === "linearRamp" ? forEnds("endValues", endValues, a.ndim) : [];
  return widths.reduce((y, [before, after], axis) => {
    if (before === 0 && after === 0) return y;
    if (y.shape[axis] === 0)
      throw new ShapeError(
        `pad: axis ${axis} of ${describe(a.aval)} has no elements that mode "${mode}" could continue`,
      );
    if (mode in sources) {
      const n = y.shape[axis];
      const source = sources[mode as keyof typeof sources];
      return pick(
        y,
        axis,
        counting(before + n + after, -before).map((i) => source(i, n)),
      );
    }
    if (mode === "linearRamp")
      return join(
        [ramp(y, axis, before, ends[axis][0], true), y, ramp(y, axis, after, ends[axis][1], false)],
        axis,
      );
    return padStatistic(
      y,
      axis,
      [before, after],
      statistics[mode as keyof typeof statistics],
      lengths?.[axis],
    );
  }, a);
}

function padConstant(a: NDArray, widths: readonly Pair<number>[], values: ForEnds<ArrayLike>): NDArray {
  const config = (axes: (axis: number, end: number) => boolean) =>
    widths.map(([before, after], i) => [axes(i, 0) ? before : 0, axes(i, 1) ? after : 0, 0] as const);
  const value = (v: ArrayLike): NDArray | number => {
    const given = typeof v === "number" ? v : asArray(v, "pad");
    if (typeof given === "number" || given.dtype === a.dtype) return given;
    return convertElementType(given, a.dtype, a.weakType);
  };
  if (!Array.isArray(values))
    return primitive.pad(
      a,
      value(values as ArrayLike),
      config(() => true),
    );
  // Corners take the values of the last axis, as in NumPy.
  return forEnds("constantValues", values, a.ndim).reduce<NDArray>(
    (x, pair, axis) =>
      pair.reduce<NDArray>((y, v, end) => {
        const own = config((i, e) => i === axis && e === end);
        return widths[axis][end] === 0 ? y : primitive.pad(y, value(v), own);
      }, x),
    a,
  );
}

/** From the end value (which is outermost) towards the edge, which it does not reach. */
function ramp(x: NDArray, axis: number, count: number, end: ArrayLike, before: boolean): NDArray {
  const n = x.shape[axis];
  const edge = before ? sliceAxis(x, axis, 0, 1) : sliceAxis(x, axis, n - 1, n);
  const dtype = isFloat(x.dtype) ? x.dtype : "float32";
  const inexact = convertTo(edge, { dtype, weakType: x.weakType });
  const steps = counting(count).map((i) => i / count);
  const t = concreteArray(before ? steps : steps.reverse(), [count], dtype, true);
  const along = expandDims(
    t,
    counting(x.ndim).filter((i) => i !== axis),
  );
  const shape = x.shape.map((m, i) => (i === axis ? count : m));
  const outer = convertTo(end, { dtype, weakType: true });
  const line = add(
    stretch(mul(outer, sub(1, along)), shape),
    mul(repeatAxis(inexact, axis, count), stretch(along, shape)),
  );
  return isFloat(x.dtype) ? line : convertElementType(floor(line), x.dtype);
}

function padStatistic(
  x: NDArray,
  axis: number,
  widths: Pair<number>,
  statistic: (x: NDArray, axis: number) => NDArray,
  lengths: Pair<number> | undefined,
): NDArray {
  const n = x.shape[axis];
  const [before, after] = widths.map((width, end) => {
    const length = lengths === undefined ? n : Math.min(wholeNumber("pad", "statLength", lengths[end], 1), n);
    const part = end === 0 ? sliceAxis(x, axis, 0, length) : sliceAxis(x, axis, n - length, n);
    return repeatAxis(expandDims(statistic(part, axis), [axis]), axis, width);
  });
  return join([before, x, after], axis);
}
