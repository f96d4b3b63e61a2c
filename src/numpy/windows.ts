/** Window functions of signal processing, as float32 vectors. Formulas: Harris, Proc. IEEE 66 (1978), 51-83. */
import { concreteArray, type NDArray } from "../core/array.js";
import { wholeNumber } from "./axes.js";

/** A window given by its value at t, which runs from 0 to 1. A window of one element is 1. */
function windowOf(name: string, length: number, value: (t: number) => number): NDArray {
  const n = wholeNumber(name, "the length", length, 0);
  const values = Array.from({ length: n }, (_, i) => (n === 1 ? 1 : value(i / (n - 1))));
  return concreteArray(values, [n], "float32");
}

const cosine = (t: number): number => Math.cos(2 * Math.PI * t);

/**
 * The triangular window, which is 0 at its ends.
 * @throws ArgumentError if the length is not a count.
 * @example
 * np.bartlett(5); // [0, 0.5, 1, 0.5, 0]
 */
export const bartlett = (length: number): NDArray =>
  windowOf("bartlett", length, (t) => 1 - Math.abs(2 * t - 1));

/**
 * The Hann window ½ - ½·cos(2πt), which is 0 at its ends.
 * @throws ArgumentError if the length is not a count.
 * @example
 * np.hanning(5); // [0, 0.5, 1, 0.5, 0]
 */
export const hanning = (length: number): NDArray => windowOf("hanning", length, (t) => 0.5 - 0.5 * cosine(t));

/**
 * The Hamming window 0.54 - 0.46·cos(2πt).
 * @throws ArgumentError if the length is not a count.
 * @example
 * np.hamming(5); // [0.08, 0.54, 1, 0.54, 0.08]
 */
export const hamming = (length: number): NDArray =>
  windowOf("hamming", length, (t) => 0.54 - 0.46 * cosine(t));

/**
 * The Blackman window 0.42 - 0.5·cos(2πt) + 0.08·cos(4πt).
 * @throws ArgumentError if the length is not a count.
 * @example
 * np.blackman(4); // [0, 0.63, 0.63, 0]
 */
export const blackman = (length: number): NDArray =>
  // The sum of the coefficients is rounded, so the ends would be -1e-17.
  windowOf("blackman", length, (t) =>
    t === 0 || t === 1 ? 0 : 0.42 - 0.5 * cosine(t) + 0.08 * cosine(2 * t),
  );
