/** Whether two results are the same numbers. */
import type { NDArray } from "fluxion";
import { numbers } from "../close.js";

const roundoff: Readonly<Record<string, number>> = {
  float64: 2 ** -53,
  float32: 2 ** -24,
  float16: 2 ** -11,
};

/** Some of the smallest subnormal numbers. */
const tiny: Readonly<Record<string, number>> = {
  float64: 2 ** -1071,
  float32: 2 ** -146,
  float16: 2 ** -21,
};

/**
 * Whether two results are the same.
 *
 * @param units in the last place of the largest element of an array that others may be off by; 0 asks for the same bits.
 * @param nearZero whether numbers near the smallest of the format are all the same.
 */
export function sameResults(
  left: readonly NDArray[],
  right: readonly NDArray[],
  units: number,
  nearZero = false,
): boolean {
  return left.every((a, k) => {
    const b = right[k];
    if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
    if (a.dtype === "float0") return true;
    const [xs, ys] = [numbers(a), numbers(b)];
    if (units === 0) return xs.every((x, i) => Object.is(x, ys[i]));
    const largest = xs.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 0);
    const allowed = units * 2 * (roundoff[a.dtype] ?? 0) * largest + (nearZero ? (tiny[a.dtype] ?? 0) : 0);
    return xs.every((x, i) => x === ys[i] || Object.is(x, ys[i]) || Math.abs(x - ys[i]) <= allowed);
  });
}

/** The largest difference, as part of the largest element of its array; infinite where one side alone is no number. */
export function distanceOf(left: readonly NDArray[], right: readonly NDArray[]): number {
  let distance = 0;
  for (const [k, a] of left.entries()) {
    if (a.dtype === "float0") continue;
    const [xs, ys] = [numbers(a), numbers(right[k])];
    const largest = xs.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 0);
    for (const [i, x] of xs.entries()) {
      if (x === ys[i] || Object.is(x, ys[i])) continue;
      const difference = Math.abs(x - ys[i]) / largest;
      distance = Math.max(distance, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    }
  }
  return distance;
}
