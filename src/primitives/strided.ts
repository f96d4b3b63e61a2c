/** Walks over elements in memory at regular steps: what slice, pad, transpose and the reductions do with storage. */
import { type Shape, sizeOf } from "../core/aval.js";

/** A regular walk through storage: where it starts and the step along each axis (0 and negative ones too). */
export interface Walk {
  readonly start: number;
  readonly strides: readonly number[];
}

/**
 * Visits the rows (along the last axis) of a space of the given shape, calling `row` with the places where two walks
 * begin it. A scalar is one row. Nothing is visited if the shape has no elements.
 */
export function eachRow(shape: Shape, a: Walk, b: Walk, row: (atA: number, atB: number) => void): void {
  if (sizeOf(shape) === 0) return;
  const outer = Math.max(shape.length - 1, 0);
  const rows = sizeOf(shape.slice(0, outer));
  const index = new Array<number>(outer).fill(0);
  let atA = a.start;
  let atB = b.start;
  for (let r = 0; r < rows; r++) {
    row(atA, atB);
    for (let d = outer - 1; d >= 0; d--) {
      atA += a.strides[d];
      atB += b.strides[d];
      if (++index[d] < shape[d]) break;
      atA -= a.strides[d] * shape[d];
      atB -= b.strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

/** Copies the elements of a space of the given shape from one walk to another. */
export function copyStrided(
  shape: Shape,
  from: ArrayLike<number>,
  source: Walk,
  to: { [i: number]: number },
  target: Walk,
): void {
  const length = shape.at(-1) ?? 1;
  const read = source.strides.at(-1) ?? 0;
  const write = target.strides.at(-1) ?? 0;
  eachRow(shape, source, target, (atSource, atTarget) => {
    for (let i = 0, s = atSource, t = atTarget; i < length; i++, s += read, t += write) to[t] = from[s];
  });
}
