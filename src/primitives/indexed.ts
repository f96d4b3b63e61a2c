/**
 * What gather and scatter have in common: index vectors that place windows in an operand.
 *
 * The numbering of axes is XLA's (https://openxla.org/xla/operation_semantics#gather), with the index vectors along the
 * last axis of the indices, as JAX has it. The *windowed* array is the one that holds the windows: gather's result,
 * scatter's updates. Its axes are those of the indices but the last, one window for each, and those of the windows.
 */
import type { ConcreteArray } from "../core/array.js";
import { type Aval, describe, type Shape, stridesOf } from "../core/aval.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError, AxisError, DtypeError, type FluxionError, ShapeError } from "../core/errors.js";
import { isAxes, isAxis, showParam } from "./checks.js";
import { offsets } from "./dotEvaluate.js";

/** Which axis means what. gather and scatter have names of their own for these lists. */
export interface AxisNumbers {
  /** Axes of the windowed array that the windows have. */
  readonly window: readonly number[];
  /** Axes of the operand along which windows have length 1 and which they do not have. */
  readonly dropped: readonly number[];
  /** For each component of an index vector the axis of the operand that it is a place on. */
  readonly start: readonly number[];
  /** Axes of the operand that go through in step with an axis of the indices... */
  readonly operandBatching: readonly number[];
  /** ...namely with these. */
  readonly indicesBatching: readonly number[];
}

/** What the lists are called in messages, and the array that has the windows. */
export interface NumberNames extends Record<keyof AxisNumbers, string> {
  readonly windowed: string;
}

const isDistinct = (list: readonly number[]): boolean => new Set(list).size === list.length;

/** What is wrong with the axes, if anything. The params may be anything at all. */
export function numbersError(
  op: string,
  names: NumberNames,
  operand: Aval,
  indices: Aval,
  numbers: { readonly [K in keyof AxisNumbers]: unknown },
): FluxionError | undefined {
  const { window, dropped, start, operandBatching, indicesBatching } = numbers;
  const rank = operand.shape.length;
  const wrongAxes = (key: keyof AxisNumbers, what: string): AxisError =>
    new AxisError(`${op}: ${names[key]} ${showParam(numbers[key])} ${what}`);
  if (!isInteger(indices.dtype))
    return new DtypeError(`${op}: indices must be integers, got ${describe(indices)}`);
  if (indices.shape.length === 0)
    return new ShapeError(`${op}: indices need a last axis with the index vectors, got ${describe(indices)}`);
  if (!isAxes(dropped, rank)) return wrongAxes("dropped", `are not increasing axes of ${describe(operand)}`);
  if (!isAxes(operandBatching, rank))
    return wrongAxes("operandBatching", `are not increasing axes of ${describe(operand)}`);
  if (!Array.isArray(start) || !start.every((a) => isAxis(a, rank)) || !isDistinct(start))
    return wrongAxes("start", `are not different axes of ${describe(operand)}`);
  if (operandBatching.some((a) => dropped.includes(a) || start.includes(a)))
    return wrongAxes("operandBatching", `may not be in ${names.dropped} or ${names.start}`);
  const length = indices.shape[indices.shape.length - 1];
  if (length !== start.length)
    return new ShapeError(
      `${op}: index vectors of ${describe(indices)} have length ${length}, ${names.start} has ${start.length} entries`,
    );
  const batchRank = indices.shape.length - 1;
  if (
    !Array.isArray(indicesBatching) ||
    indicesBatching.length !== operandBatching.length ||
    !indicesBatching.every((a) => isAxis(a, batchRank)) ||
    !isDistinct(indicesBatching)
  )
    return wrongAxes(
      "indicesBatching",
      `are not ${operandBatching.length} different axes of ${describe(indices)} before the last`,
    );
  if (operandBatching.some((a, i) => operand.shape[a] !== indices.shape[indicesBatching[i]]))
    return new ShapeError(
      `${op}: batching axes ${showParam(operandBatching)} of ${describe(operand)} and ${showParam(indicesBatching)} of ${describe(indices)} differ in length`,
    );
  const windowRank = rank - dropped.length - operandBatching.length;
  if (!Array.isArray(window) || window.length !== windowRank || !isAxes(window, batchRank + windowRank))
    return wrongAxes(
      "window",
      `must be ${windowRank} increasing axes of ${names.windowed}, which have ${batchRank + windowRank}`,
    );
  return undefined;
}

const modes = ["clip", "promiseInBounds"] as const;

/** What is wrong with the mode, if anything: `outside` is gather's "fill" or scatter's "drop". */
export const modeError = (op: string, mode: unknown, outside: string): FluxionError | undefined =>
  mode === outside || (modes as readonly unknown[]).includes(mode)
    ? undefined
    : new ArgumentError(
        `${op}: mode must be "clip", "${outside}" or "promiseInBounds", got ${showParam(mode)}`,
      );

/** For each axis of the operand the axis of the windowed array that it is, or undefined. */
export function windowAxes(rank: number, numbers: AxisNumbers): (number | undefined)[] {
  let next = 0;
  return Array.from({ length: rank }, (_, a) =>
    numbers.dropped.includes(a) || numbers.operandBatching.includes(a) ? undefined : numbers.window[next++],
  );
}

/** The axes of the windowed array that count windows. */
export const countingAxes = (windowedRank: number, numbers: AxisNumbers): number[] =>
  Array.from({ length: windowedRank }, (_, a) => a).filter((a) => !numbers.window.includes(a));

/** Whether no two windows can meet: there is at most one for each place on the batching axes. */
export const isSingle = (indices: Shape, numbers: AxisNumbers): boolean =>
  indices.slice(0, -1).every((n, a) => n <= 1 || numbers.indicesBatching.includes(a));

/** The numbers of the same operation where the operand, and with it the windows, has a batch axis in front. */
export const withBatchedWindows = (n: AxisNumbers): AxisNumbers => ({
  window: [0, ...shifted(n.window)],
  dropped: shifted(n.dropped),
  start: shifted(n.start),
  operandBatching: shifted(n.operandBatching),
  indicesBatching: n.indicesBatching,
});

/** The same where only the indices have a batch axis in front: there are more windows in one operand. */
export const withBatchedIndices = (n: AxisNumbers): AxisNumbers => ({
  ...n,
  window: shifted(n.window),
  indicesBatching: shifted(n.indicesBatching),
});

/** The same where both have one: it becomes a batching axis. */
export const withBatchedBoth = (n: AxisNumbers): AxisNumbers => ({
  window: shifted(n.window),
  dropped: shifted(n.dropped),
  start: shifted(n.start),
  operandBatching: [0, ...shifted(n.operandBatching)],
  indicesBatching: [0, ...shifted(n.indicesBatching)],
});

const shifted = (axes: readonly number[]): number[] => axes.map((a) => a + 1);

/** Where windows lie in memory. */
export interface Placement {
  /** For each window the place of its first element in the operand; -1 if it does not lie inside. */
  readonly inOperand: Int32Array;
  /** For each window the place of its first element in the windowed array. */
  readonly inWindowed: Int32Array;
  /** For each element of a window its distance from the first one, in the operand. */
  readonly operandSteps: Int32Array;
  /** The same in the windowed array. */
  readonly windowedSteps: Int32Array;
}

/** With `clip` windows that do not lie inside are moved there, if they fit. */
export function placeWindows(
  operand: Shape,
  indices: ConcreteArray,
  windowed: Shape,
  numbers: AxisNumbers,
  clip: boolean,
): Placement {
  const strides = stridesOf(operand);
  const windowedStrides = stridesOf(windowed);
  const axes = windowAxes(operand.length, numbers);
  const lengths = axes.map((a) => (a === undefined ? 1 : windowed[a]));
  const last = operand.map((n, a) => n - lengths[a]);
  const counting = countingAxes(windowed.length, numbers);
  const counts = indices.shape.slice(0, -1);
  const inOperand = offsets(
    counts,
    counts.map((_, a) => {
      const batching = numbers.indicesBatching.indexOf(a);
      return batching < 0 ? 0 : strides[numbers.operandBatching[batching]];
    }),
  );
  const { start } = numbers;
  // An axis of length 0 has no room for a window of length 1, even if no index is for it.
  const fits = last.every((n) => n >= 0);
  for (let w = 0, at = 0; w < inOperand.length; w++) {
    let inside = fits;
    for (let k = 0; k < start.length; k++) {
      let place = indices.values[at++];
      const limit = last[start[k]];
      if (clip) place = Math.max(Math.min(place, limit), 0);
      inside &&= place >= 0 && place <= limit;
      inOperand[w] += place * strides[start[k]];
    }
    if (!inside) inOperand[w] = -1;
  }
  const kept = axes.flatMap((a, i) => (a === undefined ? [] : [i]));
  return {
    inOperand,
    inWindowed: offsets(
      counts,
      counting.map((a) => windowedStrides[a]),
    ),
    operandSteps: offsets(
      kept.map((a) => lengths[a]),
      kept.map((a) => strides[a]),
    ),
    windowedSteps: offsets(
      numbers.window.map((a) => windowed[a]),
      numbers.window.map((a) => windowedStrides[a]),
    ),
  };
}

/** Whether the elements of a window lie one after the other on both sides, so that they can be copied as a block. */
export const isBlock = ({ operandSteps, windowedSteps }: Placement): boolean =>
  operandSteps.every((step, i) => step === i && windowedSteps[i] === i);
