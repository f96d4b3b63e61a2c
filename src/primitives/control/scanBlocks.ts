/**
 * Steps of a scan in blocks: arrays with an entry for each step, as arrays with an entry for each block of steps and what
 * is left over. Blocks are made in the order in which the steps are run: what is left over is run last.
 */
import type { NDArray } from "../../core/array.js";
import { concatenate } from "../concatenate.js";
import { expandDims, reshape, squeeze } from "../shape.js";
import { slice } from "../slicing.js";

interface Steps {
  readonly length: number;
  readonly reverse: boolean;
}

/** The entries from `from` to `to` (exclusive). */
export const entries = (x: NDArray, from: number, to: number): NDArray =>
  slice(x, [from, ...x.shape.slice(1).map(() => 0)], [to, ...x.shape.slice(1)]);

/** One entry. */
export const entry = (x: NDArray, at: number): NDArray => squeeze(entries(x, at, at + 1), [0]);

/** Arrays of one entry each as one array. */
export const stack = (xs: readonly NDArray[]): NDArray =>
  concatenate(
    xs.map((x) => expandDims(x, [0])),
    0,
  );

/** The entries that are run first in blocks of `size`, [blocks, size, ...], and those that are left over. */
export function inBlocks(
  x: NDArray,
  size: number,
  { length, reverse }: Steps,
): { readonly blocks: NDArray; readonly rest: NDArray } {
  const count = Math.floor(length / size);
  const left = length - count * size;
  const [main, rest] = reverse
    ? [entries(x, left, length), entries(x, 0, left)]
    : [entries(x, 0, length - left), entries(x, length - left, length)];
  return { blocks: reshape(main, [count, size, ...x.shape.slice(1)]), rest };
}

/** The inverse. */
export function outOfBlocks(blocks: NDArray, rest: NDArray | undefined, reverse: boolean): NDArray {
  const [count, size, ...shape] = blocks.shape;
  const main = reshape(blocks, [count * size, ...shape]);
  if (rest === undefined || rest.shape[0] === 0) return main;
  return concatenate(reverse ? [rest, main] : [main, rest], 0);
}
