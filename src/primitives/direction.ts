/** Running along an axis, forwards or backwards: what the recurrence and the cumulative operations have in common. */
import type { NDArray } from "../core/array.js";
import { type Aval, describe, type Shape, sizeOf } from "../core/aval.js";
import { ArgumentError, AxisError, type FluxionError } from "../core/errors.js";
import { isAxis, showParam } from "./checks.js";
import type { Operand } from "./elementwise.js";
import { type PadConfig, pad } from "./slicing.js";

export interface Direction {
  readonly axis: number;
  /** From the last element to the first. */
  readonly reverse: boolean;
  readonly [key: string]: number | boolean;
}

/** What is wrong with the params of an operation that runs along an axis of `x`, if anything. */
export function directionError(
  name: string,
  x: Aval,
  { axis, reverse }: { readonly [key: string]: unknown },
): FluxionError | undefined {
  if (!isAxis(axis, x.shape.length))
    return new AxisError(`${name}: ${showParam(axis)} is not an axis of ${describe(x)}`);
  return typeof reverse === "boolean"
    ? undefined
    : new ArgumentError(`${name}: reverse must be true or false, got ${showParam(reverse)}`);
}

/** The same for a whole batch. */
export const inBatch = ({ axis, reverse }: Direction): Direction => ({ axis: axis + 1, reverse });

export const opposite = ({ axis, reverse }: Direction): Direction => ({ axis, reverse: !reverse });

/** Visits the lines along the axis: where each starts in memory, and the step from an element to the next one. */
export function eachLine(
  shape: Shape,
  { axis, reverse }: Direction,
  line: (start: number, step: number, length: number) => void,
): void {
  const length = shape[axis];
  const inner = sizeOf(shape.slice(axis + 1));
  const blocks = sizeOf(shape.slice(0, axis));
  const first = reverse ? (length - 1) * inner : 0;
  if (length === 0) return;
  for (let block = 0; block < blocks; block++)
    for (let i = 0; i < inner; i++)
      line(block * length * inner + first + i, reverse ? -inner : inner, length);
}

/** For each element the one that is reached just before it; `start` for the first. */
export function previous(x: NDArray, { axis, reverse }: Direction, start: Operand): NDArray {
  const config: PadConfig = x.shape.map((_, i) => {
    if (i !== axis) return [0, 0, 0];
    return reverse ? [-1, 1, 0] : [1, -1, 0];
  });
  return pad(x, start, config);
}
