/** Which axis of a convolution's operands is which, from texts such as "NHWC". */
import { ArgumentError } from "../core/errors.js";
import { showParam } from "../primitives/checks.js";
import type { ConvDimensionNumbers } from "../primitives/conv.js";

export type { ConvDimensionNumbers };

/**
 * Layouts of image, kernel and result as texts with a letter for each axis: N batch, C feature; O and I the output and
 * input features of the kernel; any other letter a spatial axis. Or the axes as numbers.
 */
export type ConvLayout = readonly [image: string, kernel: string, result: string] | ConvDimensionNumbers;

const spatialLetters = "DHW";

/** Without a layout: batch, feature, then the spatial axes; for the kernel output and input feature first. */
const plain = (rank: number): ConvDimensionNumbers => {
  const axes = Array.from({ length: rank }, (_, i) => i);
  return { lhsSpec: axes, rhsSpec: axes, outSpec: axes };
};

/** The layout with features last, for a number of axes from 2 to 5. */
export function featuresLast(rank: number): ConvLayout {
  const spatial = spatialLetters.slice(spatialLetters.length - (rank - 2));
  return [`N${spatial}C`, `${spatial}IO`, `N${spatial}C`];
}

/** The places of two letters, then of the spatial letters in the order given. */
function places(name: string, text: string, [first, second]: string, spatial: readonly string[]): number[] {
  const letters = [...text];
  const found = [first, second, ...spatial].map((letter) => letters.indexOf(letter));
  if (new Set(letters).size < letters.length || found.includes(-1) || found.length !== letters.length)
    throw new ArgumentError(
      `lax.${name}: the layout ${JSON.stringify(text)} must hold each of ${[first, second, ...spatial].join(", ")} once`,
    );
  return found;
}

/** Axes as numbers, for operands of the given rank. */
export function dimensionNumbers(
  name: string,
  layout: ConvLayout | undefined,
  rank: number,
): ConvDimensionNumbers {
  if (layout === undefined) return plain(rank);
  if (!Array.isArray(layout)) return layout as ConvDimensionNumbers;
  if (layout.length !== 3 || layout.some((t) => typeof t !== "string" || t.length !== rank))
    throw new ArgumentError(
      `lax.${name}: dimensionNumbers must be three texts with a letter for each of ${rank} axes, got ${showParam(layout)}`,
    );
  const [image, kernel, result] = layout as readonly string[];
  const spatial = [...kernel].filter((letter) => letter !== "O" && letter !== "I");
  return {
    lhsSpec: places(name, image, "NC", spatial),
    rhsSpec: places(name, kernel, "OI", spatial),
    outSpec: places(name, result, "NC", spatial),
  };
}
