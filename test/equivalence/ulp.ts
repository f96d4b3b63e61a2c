/** Distances of floating-point numbers, in units in the last place of their dtype. */
import { type FloatDType, roundToFloat16 } from "../../src/core/dtype.js";

/** Digits behind the leading one, and the exponents of the smallest and the largest normal numbers. */
const formats = {
  float16: { digits: 10, lowest: -14, highest: 15, round: roundToFloat16 },
  float32: { digits: 23, lowest: -126, highest: 127, round: Math.fround },
  float64: { digits: 52, lowest: -1022, highest: 1023, round: (x: number) => x },
} as const;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

const exponentOf = (x: number): number => {
  double[0] = x;
  return ((words[1] >>> 20) & 0x7ff) - 1023;
};

const smallestPower = -1074;
const powersOfTwo = Float64Array.from({ length: 2098 }, (_, i) => 2 ** (i + smallestPower));

/** The distance of neighbouring numbers of the dtype at x; beyond its range as if it went on. */
export function unitAt(dtype: FloatDType, x: number): number {
  const { digits, lowest } = formats[dtype];
  return powersOfTwo[Math.max(lowest, exponentOf(x)) - digits - smallestPower];
}

/** The smallest positive normal number. */
export const smallestNormal = (dtype: FloatDType): number => 2 ** formats[dtype].lowest;

/** A number as the dtype holds it. */
export const rounded = (dtype: FloatDType, x: number): number => formats[dtype].round(x);

/**
 * How far a number of the dtype is from an exact result: in units at that result, or at `magnitude` if that is larger. The
 * same NaN, infinity or zero is 0 away, another one ∞. An overflow counts as the power of two that does not fit any more.
 */
export function ulps(dtype: FloatDType, actual: number, exact: number, magnitude = 0): number {
  if (Object.is(actual, exact)) return 0;
  if (Number.isNaN(actual) || Number.isNaN(exact)) return Infinity;
  const nearest = formats[dtype].round(exact);
  if (actual === 0 && nearest === 0)
    return Object.is(actual, nearest) || magnitude > 0
      ? Math.abs(exact) / unitAt(dtype, magnitude)
      : Infinity;
  if (Math.abs(actual) === Infinity || Math.abs(nearest) === Infinity) {
    if (actual === nearest) return 0;
    if (Math.abs(exact) === Infinity) return Infinity;
    const beyond = 2 ** (formats[dtype].highest + 1);
    const [a, e] = [actual, exact].map((x) => Math.sign(x) * Math.min(Math.abs(x), beyond));
    return Math.abs(a - e) / unitAt(dtype, Math.max(beyond / 2, magnitude));
  }
  return Math.abs(actual - exact) / unitAt(dtype, Math.max(Math.abs(exact), magnitude));
}
