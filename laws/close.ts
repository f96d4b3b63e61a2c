/** Whether two lists of arrays are the same but for rounding. */
import { type DType, type NDArray, tangentAval } from "fluxion";
import { fails, holds, type Verdict } from "./law.js";

/** Half the distance from 1 to the next number. */
const unitRoundoff: Partial<Record<DType, number>> = {
  float64: 2 ** -53,
  float32: 2 ** -24,
  float16: 2 ** -11,
};

/**
 * How far apart two ways to the same number may be, relative to the largest number of the array: rounding of a few hundred
 * operations, each amplified a thousandfold. What a wrong rule does is larger by orders of magnitude.
 */
export function toleranceOf(arrays: readonly NDArray[]): number {
  const u = roundoffOf(arrays);
  return u === 0 ? 0 : Math.min(0.1, 1e6 * u < 1e-3 ? 1e6 * u : 64 * Math.sqrt(u));
}

/** Half the distance from 1 to the next number, in the coarsest of the dtypes; 0 where none is a float. */
export function roundoffOf(arrays: readonly NDArray[]): number {
  let u = 0;
  for (const { dtype } of arrays) u = Math.max(u, unitRoundoff[dtype] ?? 0);
  return u;
}

export const numbers = (x: NDArray): readonly number[] => [...x.dataSync()];

const show = (x: number): string => (Number.isInteger(x) ? String(x) : x.toPrecision(9).replace(/0+$/, ""));

/** The largest magnitude of finite elements. */
const largest = (xs: readonly number[]): number =>
  xs.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 0);

export interface CloseOptions {
  /** What the two sides are called in the statement of the law. */
  readonly names: readonly [string, string];
  /** Relative to the largest element; default: from the dtypes. */
  readonly tolerance?: number;
  /** What each array is, for messages. Default: "output 0". */
  readonly label?: (i: number) => string;
  /** The least magnitude that counts as large. Default: 1. */
  readonly scale?: number;
}

/**
 * Compares types exactly and elements within the tolerance, relative to the largest element of each array. NaN is equal to
 * NaN and an infinity to itself.
 */
export function close(left: readonly NDArray[], right: readonly NDArray[], options: CloseOptions): Verdict {
  const { names, label = (i) => `output ${i}`, scale = 1 } = options;
  const differ = (where: string, a: string, b: string): Verdict =>
    fails({ name: names[0], value: a }, { name: names[1], value: b }, where);
  if (left.length !== right.length)
    return differ("number of arrays", String(left.length), String(right.length));
  for (let k = 0; k < left.length; k++) {
    const [a, b] = [left[k], right[k]];
    const types = [a, b].map((x) => `${x.dtype}[${x.shape.join(",")}]`);
    if (types[0] !== types[1]) return differ(label(k), types[0], types[1]);
    const [xs, ys] = [numbers(a), numbers(b)];
    const tolerance = (options.tolerance ?? toleranceOf([a, b])) * Math.max(scale, largest(xs), largest(ys));
    for (let i = 0; i < xs.length; i++) {
      if (xs[i] === ys[i] || (Number.isNaN(xs[i]) && Number.isNaN(ys[i]))) continue;
      if (!(Math.abs(xs[i] - ys[i]) <= tolerance))
        return differ(`${label(k)}, element ${i} of ${xs.length}`, show(xs[i]), show(ys[i]));
    }
  }
  return holds;
}

/** Whether an array can carry a tangent. */
export const carriesTangent = (x: NDArray): boolean => tangentAval(x.aval).dtype !== "float0";
