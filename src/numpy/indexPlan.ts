/** What indices make of an array: the axes of the result, and the gather that reads it. */
import type { NDArray } from "../core/array.js";
import { type Aval, describe, describeAll, type Shape } from "../core/aval.js";
import { AxisError, ShapeError } from "../core/errors.js";
import { min } from "../primitives/arithmetic.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { concatenate } from "../primitives/concatenate.js";
import { reshape } from "../primitives/shape.js";
import { integers, known } from "./constants.js";
import type { Gathered, Part, Range } from "./indexParts.js";
import { commonShape } from "./operands.js";
import { counting } from "./rearrange.js";

/** One or more axes of the result: those of a range, a new one, or those that all index arrays share. */
export type Entry = Range | { readonly kind: "new" } | { readonly kind: "shared" };

export interface Plan {
  readonly parts: readonly Part[];
  /** The axes of the result. */
  readonly entries: readonly Entry[];
  /** The shape that the index arrays broadcast to. */
  readonly shared: Shape;
  readonly shape: Shape;
}

export const lengthsOf = (entry: Entry, shared: Shape): Shape =>
  entry.kind === "range" ? [entry.count] : entry.kind === "new" ? [1] : shared;

/**
 * NumPy's rule: axes of index arrays stand where the arrays stand if these are next to each other, else in front.
 * Single places count as index arrays there, if there are any.
 */
export function planIndices(name: string, x: Aval, parts: readonly Part[]): Plan {
  const arrays = parts.filter((p): p is Gathered => p.kind === "gathered");
  const shared = commonShape(arrays.map((a) => a.indices.shape));
  if (shared === undefined)
    throw new ShapeError(
      `${name}: index arrays ${describeAll(arrays.map((a) => a.indices.aval))} do not broadcast together`,
    );
  const isAdvanced = (p: Part) => p.kind === "gathered" || p.kind === "point";
  const first = parts.findIndex(isAdvanced);
  const together = parts.slice(first, parts.findLastIndex(isAdvanced) + 1).every(isAdvanced);
  const entries: Entry[] = shared.length > 0 && !together ? [{ kind: "shared" }] : [];
  for (const [i, part] of parts.entries()) {
    if (shared.length > 0 && together && i === first) entries.push({ kind: "shared" });
    if (part.kind === "range" || part.kind === "new") entries.push(part);
  }
  const shape = entries.flatMap((e) => lengthsOf(e, shared));
  for (const p of parts)
    if (
      (p.kind === "point" || p.kind === "gathered") &&
      p.axis !== null &&
      x.shape[p.axis] === 0 &&
      !shape.includes(0)
    )
      throw new AxisError(`${name}: axis ${p.axis} of ${describe(x)} has no elements to index`);
  return { parts, entries, shared, shape };
}

/** An integer array as one component of index vectors: which axes of their array its axes are. */
export interface Component {
  readonly indices: NDArray;
  readonly dims: readonly number[];
  /** The length of the axis that it is a place on. */
  readonly length: number;
}

/** Index vectors along a new last axis, for an array of the given shape. */
export function indexVectors(components: readonly Component[], shape: Shape): NDArray {
  if (components.length === 0) return integers([], [...shape, 0]);
  const one = components.length === 1;
  return known(
    components.map((c) => c.indices),
    () => {
      const columns = components.map(({ indices, dims, length }) =>
        reshape(broadcastInDim(one ? indices : toInt32(indices, length), shape, dims), [...shape, 1]),
      );
      return one ? columns[0] : concatenate(columns, shape.length);
    },
  );
}

/** Indices of all dtypes as int32; unsigned ones that would not fit are beyond the end in any case. */
export function toInt32(indices: NDArray, length: number): NDArray {
  const inside = indices.dtype === "uint32" ? min(indices, length) : indices;
  return convertElementType(inside, "int32");
}

/** The axes that the last axes of an array of rank `ndim` are aligned with, among `count` axes from `first` on. */
export const aligned = (ndim: number, first: number, count: number): number[] =>
  counting(ndim, first + count - ndim);

/** A range with its places in increasing order, as a slice has them. */
export function ascending({ start, step, count }: Range) {
  if (count === 0) return { start: 0, step: 1, limit: 0, reversed: false };
  const last = start + step * (count - 1);
  const first = Math.min(start, last);
  return {
    start: first,
    step: count === 1 ? 1 : Math.abs(step),
    limit: Math.max(start, last) + 1,
    reversed: last < start,
  };
}
