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

/** Whether two results are the same bits, NaN being one value. */
export const sameBits = (left: readonly NDArray[], right: readonly NDArray[]): boolean =>
  left.every((a, k) => {
    const b = right[k];
    if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
    const ys = a.dtype === "float0" ? [] : numbers(b);
    return a.dtype === "float0" || numbers(a).every((x, i) => Object.is(x, ys[i]));
  });

/**
 * Whether two results are the same numbers, up to rounding.
 *
 * @param units in the last place of the largest element of an array that others may be off by.
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
    const largest = xs.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 0);
    const allowed = units * 2 * (roundoff[a.dtype] ?? 0) * largest + (nearZero ? (tiny[a.dtype] ?? 0) : 0);
    return xs.every((x, i) => x === ys[i] || Object.is(x, ys[i]) || Math.abs(x - ys[i]) <= allowed);
  });
}

/** How far results of a faulty rule are from those of the sound one, at the most. */
export interface Difference {
  /** As part of what it is relative to. */
  readonly relative: number;
  /** The same in units of rounding: the distance from 1 to the next number of the dtype. Zero where no float differs. */
  readonly units: number;
  /** The dtype of the array that differs most. */
  readonly dtype: string;
  /** What differences are relative to. */
  readonly to: "element" | "largest element";
  /** Operands that were tried. */
  readonly draws: number;
  /** Elements that differ where both results are NaN or infinite, where one is, and in the sign of zero. */
  readonly bothWild: number;
  readonly oneWild: number;
  readonly zeros: number;
}

const smallest: Readonly<Record<string, number>> = {
  float64: 2 ** -1022,
  float32: 2 ** -126,
  float16: 2 ** -14,
};

/** Collects differences over many draws. */
export class Differences {
  private draws = 0;
  private relative = 0;
  private units = 0;
  private dtype = "";
  private readonly counts = { bothWild: 0, oneWild: 0, zeros: 0 };

  constructor(private readonly to: Difference["to"]) {}

  add(sound: readonly NDArray[], faulty: readonly NDArray[]): void {
    this.draws++;
    for (const [k, a] of sound.entries()) if (a.dtype !== "float0") this.addArray(a, faulty[k]);
  }

  private addArray(sound: NDArray, faulty: NDArray): void {
    const { dtype } = sound;
    const [xs, ys] = [numbers(sound), numbers(faulty)];
    const largest = xs.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 0);
    for (const [i, x] of xs.entries()) {
      const y = ys[i];
      if (Object.is(x, y)) continue;
      const finite = [x, y].filter(Number.isFinite).length;
      if (finite < 2) this.counts[finite === 1 ? "oneWild" : "bothWild"]++;
      else if (x === y) this.counts.zeros++;
      else {
        const size = Math.max(this.to === "element" ? Math.abs(x) : largest, smallest[dtype] ?? 0);
        const relative = Math.abs(x - y) / size;
        const u = roundoff[dtype];
        if (relative <= this.relative) continue;
        this.relative = relative;
        this.units = u === undefined ? 0 : relative / (2 * u);
        this.dtype = dtype;
      }
    }
  }

  get result(): Difference {
    const { relative, units, dtype, to, draws, counts } = this;
    // What is relative to zero is told by a large number: JSON has no infinity.
    return { relative: Math.min(relative, Number.MAX_VALUE), units, dtype, to, draws, ...counts };
  }
}

/** Whether there is no other difference than so many units of rounding. */
export const isRounding = (
  { relative, units, bothWild, oneWild, zeros }: Difference,
  promised: number,
): boolean =>
  relative > 0 && units > 0 && units <= promised && bothWild === 0 && oneWild === 0 && zeros === 0;

/** A difference in words. */
export function describeDifference(difference: Difference, promised: number): string {
  const { relative, units, dtype, to, draws, bothWild, oneWild, zeros } = difference;
  const others = [
    ...(oneWild > 0 ? ["where one of the results is NaN or infinite and the other is not"] : []),
    ...(bothWild > 0 ? ["where both results are NaN or infinite"] : []),
    ...(zeros > 0 ? ["in the sign of zeros"] : []),
  ].join(", and ");
  const on = `on ${draws} draws of the operands`;
  if (relative === 0)
    return others === "" ? `no difference was found ${on}` : `differs only ${others}, ${on}`;
  const inUnits = units > 0 ? ` (${units.toPrecision(2)} units of ${dtype})` : "";
  const verdict = isRounding(difference, promised) ? ": rounding" : "";
  return `differs by at most ${relative.toPrecision(2)} of the ${to}${inUnits} ${on}${others === "" ? "" : `, and ${others}`}${verdict}`;
}
