/** Repeating arrays along new axes and along axes of length 1. */
import type { NDArray } from "../core/array.js";
import { describe, type Shape, sameShape } from "../core/aval.js";
import { ShapeError } from "../core/errors.js";
import * as p from "../primitives/broadcast.js";
import { showParam } from "../primitives/checks.js";
import { expandDims, reshape } from "../primitives/shape.js";
import { shapeOf, wholeNumber } from "./arguments.js";
import { type ArrayLike, operand } from "./operands.js";

const counted = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/**
 * Puts new axes of the given lengths in front, and repeats x along them.
 * @throws ShapeError if `sizes` is not a list of lengths.
 * @example
 * lax.broadcast(np.array([1, 2]), [2]); // [[1, 2], [1, 2]]
 */
export function broadcast(x: ArrayLike, sizes: Shape): NDArray {
  const a = operand("broadcast", x);
  const added = shapeOf("broadcast", sizes);
  if (added.length === 0) return a;
  return p.broadcastInDim(
    a,
    [...added, ...a.shape],
    a.shape.map((_, i) => added.length + i),
  );
}

/**
 * An array of the given shape of which axis `dims[i]` is axis i of x; x is repeated along the others, and along its own
 * axes of length 1.
 * @param dims as many as x has axes, increasing.
 * @throws ShapeError if the axes do not fit.
 * @example
 * lax.broadcastInDim(np.array([1, 2]), [2, 3], [0]); // [[1, 1, 1], [2, 2, 2]]
 */
export function broadcastInDim(x: ArrayLike, shape: Shape, dims: readonly number[]): NDArray {
  const a = operand("broadcastInDim", x);
  if (
    sameShape(a.shape, shapeOf("broadcastInDim", shape)) &&
    (dims.length !== a.ndim || dims.some((d, i) => d !== i))
  )
    throw new ShapeError(
      `lax.broadcastInDim: ${describe(a.aval)} does not go into ${showParam(shape)} along axes ${showParam(dims)}`,
    );
  return p.broadcastInDim(a, shape, dims);
}

/**
 * Puts axes of length 1 in front, until there are `rank` axes.
 * @throws ShapeError if there are more already.
 * @example
 * lax.broadcastToRank(np.array([1, 2]), 3); // [[[1, 2]]]
 */
export function broadcastToRank(x: ArrayLike, rank: number): NDArray {
  const a = operand("broadcastToRank", x);
  if (wholeNumber("broadcastToRank", "rank", rank, 0) < a.ndim)
    throw new ShapeError(`lax.broadcastToRank: ${describe(a.aval)} has more than ${rank} axes`);
  return expandDims(a, counted(rank - a.ndim));
}

/**
 * The shape that all shapes broadcast to: aligned at the last axis, lengths equal or 1.
 * @throws ShapeError if there is none.
 * @example
 * lax.broadcastShapes([2, 1], [3]); // [2, 3]
 */
export function broadcastShapes(...shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map((s) => shapeOf("broadcastShapes", s).length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes)
    for (const [i, n] of shape.entries()) {
      const d = rank - shape.length + i;
      if (n === 1) continue;
      if (result[d] !== 1 && result[d] !== n)
        throw new ShapeError(
          `lax.broadcastShapes: ${shapes.map((s) => `[${s.join(",")}]`).join(", ")} do not broadcast together`,
        );
      result[d] = n;
    }
  return result;
}

/**
 * x repeated `reps[i]` times along axis i.
 * @param reps a count for each axis of x; more than that puts new axes in front, fewer leaves the first axes alone.
 * @throws ArgumentError for counts that are none.
 * @example
 * lax.tile(np.array([1, 2]), [2]); // [1, 2, 1, 2]
 * lax.tile(np.array([1, 2]), [2, 1]); // [[1, 2], [1, 2]]
 */
export function tile(x: ArrayLike, reps: readonly number[]): NDArray {
  const a = operand("tile", x);
  const rank = Math.max(a.ndim, reps.length);
  const counts = [...new Array<number>(rank - reps.length).fill(1), ...reps];
  const shape = [...new Array<number>(rank - a.ndim).fill(1), ...a.shape];
  for (const n of counts) wholeNumber("tile", "a number of repetitions", n, 0);
  // Axes that are repeated are preceded by a new one, along which they are; then the two become one.
  const wide: number[] = [];
  const own: number[] = [];
  for (const [i, n] of shape.entries()) {
    if (counts[i] !== 1 && n !== 1) wide.push(counts[i]);
    if (i >= rank - a.ndim) own.push(wide.length);
    wide.push(n === 1 ? counts[i] : n);
  }
  const repeated = counts.every((n) => n === 1) ? a : p.broadcastInDim(a, wide, own);
  return reshape(
    repeated,
    shape.map((n, i) => n * counts[i]),
  );
}
