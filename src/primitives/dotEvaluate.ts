/**
 * The numbers behind dotGeneral. Both operands are brought into rows along which is summed, [batch, free, contracting],
 * so that every product of matrices is a table of inner products of rows that lie in one piece.
 */

import type { ConcreteArray } from "../core/array.js";
import { type Aval, type Shape, sizeOf, stridesOf } from "../core/aval.js";
import { allocate, isFloat, settle, type TypedArray } from "../core/dtype.js";

/** What each axis of one operand is for. */
export interface AxisRoles {
  readonly batch: readonly number[];
  readonly free: readonly number[];
  readonly contracting: readonly number[];
}

/** Elements of the result, in row-major order: batch axes, then the free axes of `x`, then those of `y`. */
export function dotValues(
  x: ConcreteArray,
  xr: AxisRoles,
  y: ConcreteArray,
  yr: AxisRoles,
  out: Aval,
): TypedArray {
  const length = (a: ConcreteArray, axes: readonly number[]): number => sizeOf(axes.map((i) => a.shape[i]));
  const batch = length(x, xr.batch);
  const m = length(x, xr.free);
  const n = length(y, yr.free);
  const k = length(x, xr.contracting);
  const size = sizeOf(out.shape);
  const values = allocate(out.dtype, size);
  if (isFloat(out.dtype)) {
    // Products of float32 are exact in double precision, and sums of them are rounded once.
    const sums = values instanceof Float64Array ? values : new Float64Array(size);
    const a = rows(asDoubles(x.values), x.shape, xr);
    const b = rows(asDoubles(y.values), y.shape, yr);
    for (let i = 0; i < batch; i++) {
      // The tile is four columns wide, so the longer side of a thin product becomes its columns.
      if (n < 4 && m > n) multiplyRows(b, i * n * k, a, i * m * k, sums, i * m * n, n, m, k, 1, n);
      else multiplyRows(a, i * m * k, b, i * n * k, sums, i * m * n, m, n, k, n, 1);
    }
    if (sums !== values) values.set(sums);
    return settle(out.dtype, values);
  }
  const sums = new Int32Array(size);
  const a = rows(new Int32Array(x.values), x.shape, xr);
  const b = rows(new Int32Array(y.values), y.shape, yr);
  for (let i = 0; i < batch; i++) multiplyIntegers(a, i * m * k, b, i * n * k, sums, i * m * n, m, n, k);
  values.set(sums);
  return values;
}

const asDoubles = (values: TypedArray): Float64Array =>
  values instanceof Float64Array ? values : new Float64Array(values);

/** The elements with the axes in the order batch, free, contracting; the same storage if they are in it already. */
function rows<W extends Float64Array | Int32Array>(values: W, shape: Shape, roles: AxisRoles): W {
  const outer = [...roles.batch, ...roles.free];
  if ([...outer, ...roles.contracting].every((a, i) => a === i)) return values;
  const strides = stridesOf(shape);
  const starts = offsets(
    outer.map((a) => shape[a]),
    outer.map((a) => strides[a]),
  );
  const steps = offsets(
    roles.contracting.map((a) => shape[a]),
    roles.contracting.map((a) => strides[a]),
  );
  const packed = values.slice() as W;
  copyRows(values, packed, starts, steps);
  return packed;
}

function copyRows(
  from: Float64Array | Int32Array,
  to: Float64Array | Int32Array,
  starts: Int32Array,
  steps: Int32Array,
) {
  let at = 0;
  for (let r = 0; r < starts.length; r++) {
    const start = starts[r];
    for (let c = 0; c < steps.length; c++) to[at++] = from[start + steps[c]];
  }
}

/** Where the elements of a strided block lie, in row-major order. */
export function offsets(shape: Shape, strides: readonly number[]): Int32Array {
  let found = new Int32Array(1);
  for (const [axis, n] of shape.entries()) {
    const wider = new Int32Array(found.length * n);
    for (let i = 0, at = 0; i < found.length; i++)
      for (let j = 0; j < n; j++) wider[at++] = found[i] + j * strides[axis];
    found = wider;
  }
  return found;
}

/**
 * How many products are added up before they join the total: rows of this length stay in the first-level cache, and
 * the error of the sum grows with the number of pieces instead of the number of terms.
 */
const piece = 1024;

/**
 * out[i, j] += ⟨row i of a, row j of b⟩ for i < m, j < n, rows of length k; i and j step through `out` by `down` and
 * `right`. Two rows meet four at a time, so that each loaded number is used more than once. At the edge the last row
 * stands in for the missing ones: it gives the same sums, and all are read before any is written.
 */
function multiplyRows(
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  bAt: number,
  out: Float64Array,
  outAt: number,
  m: number,
  n: number,
  k: number,
  down: number,
  right: number,
): void {
  for (let from = 0; from < k; from += piece) {
    const length = Math.min(piece, k - from);
    for (let j = 0; j < n; j += 4) {
      const j1 = Math.min(j + 1, n - 1);
      const j2 = Math.min(j + 2, n - 1);
      const j3 = Math.min(j + 3, n - 1);
      const b0 = bAt + j * k + from;
      const b1 = bAt + j1 * k + from;
      const b2 = bAt + j2 * k + from;
      const b3 = bAt + j3 * k + from;
      for (let i = 0; i < m; i += 2) {
        const i1 = Math.min(i + 1, m - 1);
        const a0 = aAt + i * k + from;
        const a1 = aAt + i1 * k + from;
        let s00 = 0;
        let s01 = 0;
        let s02 = 0;
        let s03 = 0;
        let s10 = 0;
        let s11 = 0;
        let s12 = 0;
        let s13 = 0;
        for (let t = 0; t < length; t++) {
          const x0 = a[a0 + t];
          const x1 = a[a1 + t];
          const y0 = b[b0 + t];
          const y1 = b[b1 + t];
          const y2 = b[b2 + t];
          const y3 = b[b3 + t];
          s00 += x0 * y0;
          s01 += x0 * y1;
          s02 += x0 * y2;
          s03 += x0 * y3;
          s10 += x1 * y0;
          s11 += x1 * y1;
          s12 += x1 * y2;
          s13 += x1 * y3;
        }
        const top = outAt + i * down;
        const bottom = outAt + i1 * down;
        s00 += out[top + j * right];
        s01 += out[top + j1 * right];
        s02 += out[top + j2 * right];
        s03 += out[top + j3 * right];
        s10 += out[bottom + j * right];
        s11 += out[bottom + j1 * right];
        s12 += out[bottom + j2 * right];
        s13 += out[bottom + j3 * right];
        out[top + j * right] = s00;
        out[top + j1 * right] = s01;
        out[top + j2 * right] = s02;
        out[top + j3 * right] = s03;
        out[bottom + j * right] = s10;
        out[bottom + j1 * right] = s11;
        out[bottom + j2 * right] = s12;
        out[bottom + j3 * right] = s13;
      }
    }
  }
}

/** The same for integers: the low 32 bits of the products are added up, and wrap around. */
function multiplyIntegers(
  a: Int32Array,
  aAt: number,
  b: Int32Array,
  bAt: number,
  out: Int32Array,
  outAt: number,
  m: number,
  n: number,
  k: number,
): void {
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      const p = aAt + i * k;
      const q = bAt + j * k;
      let sum = 0;
      for (let t = 0; t < k; t++) sum = (sum + Math.imul(a[p + t], b[q + t])) | 0;
      out[outAt + i * n + j] = sum;
    }
}
