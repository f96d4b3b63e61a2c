/**
 * Parts of an array along an axis, at places that are known while tracing. Places that form few regular runs become
 * slices, reversals and repeats, which a compiler turns into index arithmetic; others are gathered.
 */
import { concreteArray, type NDArray } from "../core/array.js";
import type { Shape } from "../core/aval.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { concatenate } from "../primitives/concatenate.js";
import { gather } from "../primitives/gather.js";
import { reshape } from "../primitives/shape.js";
import { rev, slice } from "../primitives/slicing.js";
import { known } from "./constants.js";

/** The shape with one axis of another length. */
export const withLength = (shape: Shape, axis: number, length: number): number[] =>
  shape.map((n, i) => (i === axis ? length : n));

/** The elements from `start` to `limit` (exclusive) along an axis, in steps. */
export function sliceAxis(x: NDArray, axis: number, start: number, limit: number, step = 1): NDArray {
  if (start === 0 && limit === x.shape[axis] && step === 1) return x;
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    withLength(x.shape, axis, limit),
    x.shape.map((_, i) => (i === axis ? step : 1)),
  );
}

/** The elements at one place along an axis, which is dropped. */
export const elementAt = (x: NDArray, axis: number, place: number): NDArray =>
  reshape(
    sliceAxis(x, axis, place, place + 1),
    x.shape.filter((_, i) => i !== axis),
  );

/** The same element `count` times along an axis of length 1. */
export const repeatAxis = (x: NDArray, axis: number, count: number): NDArray =>
  broadcastInDim(
    x,
    withLength(x.shape, axis, count),
    x.shape.map((_, i) => i),
  );

export const join = (parts: readonly NDArray[], axis: number): NDArray =>
  parts.length === 1 ? parts[0] : concatenate(parts, axis);

/** Places first, first + step, ...: `count` of them. */
interface Run {
  readonly first: number;
  step: number;
  count: number;
}

function runsOf(places: readonly number[]): Run[] {
  const runs: Run[] = [];
  let run: Run | undefined;
  for (const [i, place] of places.entries()) {
    const step = run === undefined ? 0 : place - run.first;
    // Two places always have a step between them; among others a long one means something only if it is taken again.
    const isStep = Math.abs(step) <= 1 || places.length === 2 || places[i + 1] === place + step;
    if (run?.count === 1 && isStep) {
      run.step = step;
      run.count = 2;
    } else if (run !== undefined && run.count > 1 && step === run.step * run.count) run.count++;
    else {
      run = { first: place, step: 1, count: 1 };
      runs.push(run);
    }
  }
  return runs;
}

function takeRun(x: NDArray, axis: number, { first, step, count }: Run): NDArray {
  if (step === 0) return repeatAxis(sliceAxis(x, axis, first, first + 1), axis, count);
  const last = first + step * (count - 1);
  if (step > 0) return sliceAxis(x, axis, first, last + 1, count === 1 ? 1 : step);
  return rev(sliceAxis(x, axis, last, first + 1, -step), [axis]);
}

/** Beyond this many runs a gather is smaller than the slices. */
const mostRuns = 6;

/** The elements of `x` at these places along an axis (all of them inside), in this order. */
export function pick(x: NDArray, axis: number, places: readonly number[]): NDArray {
  if (places.length === 0) return sliceAxis(x, axis, 0, 0);
  const runs = runsOf(places);
  if (runs.length <= mostRuns)
    return join(
      runs.map((run) => takeRun(x, axis, run)),
      axis,
    );
  return gatherAxis(x, axis, concreteArray(places, [places.length], "int32"), "promiseInBounds");
}

/** Elements (or rows) of `x` along an axis, which is replaced by the axes of `indices`. */
export function gatherAxis(
  x: NDArray,
  axis: number,
  indices: NDArray,
  mode: "clip" | "fill" | "promiseInBounds",
  fillValue?: number | null,
): NDArray {
  const others = x.shape.flatMap((_, i) => (i === axis ? [] : [i < axis ? i : i - 1 + indices.ndim]));
  const vectors = known([indices], () => reshape(indices, [...indices.shape, 1]));
  return gather(x, vectors, {
    offsetDims: others,
    collapsedSliceDims: [axis],
    startIndexMap: [axis],
    sliceSizes: withLength(x.shape, axis, 1),
    mode,
    fillValue,
  });
}

/** The whole numbers from `start` on, `step` apart. */
export const counting = (count: number, start = 0, step = 1): number[] =>
  Array.from({ length: count }, (_, i) => start + step * i);
