/** What reductions of exponentials have in common: they are made relative to the largest element. */
import type { NDArray } from "../core/array.js";
import { sizeOf } from "../core/aval.js";
import { otherAxes } from "../numpy/reducing.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { stopGradient } from "../primitives/cast.js";
import { reduceMax } from "../primitives/reduction.js";

/** Brings a reduction back to the shape of what was reduced. */
export const alongside = (reduced: NDArray, x: NDArray, axes: readonly number[]): NDArray =>
  broadcastInDim(reduced, x.shape, otherAxes(x.shape, axes));

/**
 * The largest elements along axes, as constants of differentiation: subtracting them changes nothing but the rounding.
 * Stopping before the reduction spares its derivative. Undefined if there are no elements.
 */
export const largest = (x: NDArray, axes: readonly number[]): NDArray | undefined =>
  sizeOf(axes.map((a) => x.shape[a])) === 0 ? undefined : reduceMax(stopGradient(x), axes);
