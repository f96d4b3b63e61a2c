/** What a kernel computes, for devices that can do it with operations on matrices instead: plain products, as data. */
import type { MatrixUnit } from "./tiling.js";
import type { Buffer } from "./types.js";

/** How far elements are apart in memory. */
export interface Steps {
  readonly batch: number;
  readonly row: number;
  readonly column: number;
}

/** out[b] = x[b] · y[b], where x has `rows` × `terms` elements, and y `terms` × `columns`. */
export interface MatrixProduct {
  readonly unit: MatrixUnit;
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
  /** Either the step from row to row or that from column to column is 1. */
  readonly x: { readonly buffer: Buffer; readonly steps: Steps };
  readonly y: { readonly buffer: Buffer; readonly steps: Steps };
  /** Row by row, one matrix after the other. */
  readonly out: Buffer;
}

/** Units of sums, down and across, that a subgroup adds up at a time; fewer where the matrix is smaller. */
const most = 4;

/** How many of `count` elements, in units of `size`, a subgroup takes: a part that divides them. */
export function unitsAt(count: number, size: number): number {
  for (let n = most; n > 1; n--) if (count % (n * size) === 0) return n;
  return 1;
}

/** Whether units fill the matrices: nothing is left over at the edges. */
export const unitsFill = (
  { rows: m, columns: n, terms: k }: MatrixUnit,
  rows: number,
  columns: number,
  terms: number,
): boolean => rows % m === 0 && columns % n === 0 && terms % k === 0;
