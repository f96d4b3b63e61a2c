/** Paddings of windows: as numbers, or by name. */
import { ArgumentError } from "../core/errors.js";
import { showParam } from "../primitives/checks.js";

/** How much is added in front and behind, along each axis that a window moves along. */
export type PaddingPairs = readonly (readonly [low: number, high: number])[];

/**
 * `[low, high]` for each axis; negative numbers cut off. Or a name: with "VALID" windows lie inside; with "SAME" there
 * are as many as elements (divided by the stride), and an odd one out of the padding goes behind ("SAME_LOWER": in front).
 */
export type Padding = "VALID" | "SAME" | "SAME_LOWER" | PaddingPairs;

/** The padding in numbers, for axes of these lengths and windows that cover so many elements of them. */
export function paddingPairs(
  name: string,
  padding: Padding,
  lengths: readonly number[],
  windows: readonly number[],
  strides: readonly number[],
): PaddingPairs {
  if (typeof padding !== "string") return padding;
  if (padding === "VALID") return lengths.map(() => [0, 0]);
  if (padding !== "SAME" && padding !== "SAME_LOWER")
    throw new ArgumentError(
      `lax.${name}: padding must be "VALID", "SAME", "SAME_LOWER" or [low, high] for each axis, got ${showParam(padding)}`,
    );
  return lengths.map((n, i) => {
    const places = Math.ceil(n / strides[i]);
    const total = Math.max(0, (places - 1) * strides[i] + windows[i] - n);
    const half = Math.floor(total / 2);
    return padding === "SAME" ? [half, total - half] : [total - half, half];
  });
}
