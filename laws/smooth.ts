/**
 * Functions that laws need beside the one under test: smooth everywhere, with all partial derivatives different from zero
 * almost everywhere, and bounded so that nothing overflows.
 */
import { type Aval, type NDArray, numpy as np } from "fluxion";
import type { ArrayFunction } from "./law.js";
import { direction } from "./point.js";

/** What of the function is asked for. */
export interface SmoothOptions {
  /** Added to every element; with 2 or more the function is bounded away from zero. Default: 0. */
  readonly shift?: number;
}

/**
 * x ↦ shift + A·sin(⟨c, tanh x⟩ + P), element by element of the outputs, with random A, P and c; |A| ≤ 1.
 *
 * @param inputs types of the operands, all floats.
 * @param outputs types of the results, all floats.
 * @param random numbers in [0, 1).
 */
export function smoothFunction(
  inputs: readonly Aval[],
  outputs: readonly Aval[],
  random: () => number,
  { shift = 0 }: SmoothOptions = {},
): ArrayFunction {
  const draw = (types: readonly Aval[]): readonly NDArray[] => types.map((type) => direction(type, random));
  const [coefficients, amplitudes, phases] = [draw(inputs), draw(outputs), draw(outputs)];
  return (...xs) => {
    const sum = xs
      .map((x, i) => np.sum(np.multiply(coefficients[i], np.tanh(x))))
      .reduce((a, b) => np.add(a, b));
    return outputs.map(({ dtype }, k) => {
      const angle = np.add(np.astype(sum, dtype), phases[k]);
      return np.add(np.multiply(amplitudes[k], np.sin(angle)), shift);
    });
  };
}

/** The types of arrays. */
export const typesOf = (xs: readonly NDArray[]): readonly Aval[] => xs.map((x) => x.aval);
