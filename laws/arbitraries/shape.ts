/** Shapes, those without dimensions and without elements included. */
import * as fc from "fast-check";
import type { Shape } from "fluxion";

export interface ShapeOptions {
  readonly minDims?: number;
  /** Default: 3. */
  readonly maxDims?: number;
  /** The longest axis. Default: 4. */
  readonly maxLength?: number;
  /** The most elements. Default: 24. */
  readonly maxSize?: number;
  /** Whether an axis may have no elements. Default: true. */
  readonly empty?: boolean;
}

/** Shorter axes where there would be too many elements. */
function fitted(lengths: readonly number[], maxSize: number): Shape {
  let size = 1;
  return lengths.map((n) => {
    const length = Math.min(n, Math.max(1, Math.floor(maxSize / size)));
    if (length > 0) size *= length;
    return length;
  });
}

/**
 * Shapes; they shrink to fewer dimensions, then to shorter ones, and an axis without elements to one with one.
 *
 * @example
 * const shapes = fc.sample(shape({ maxDims: 2, maxSize: 6 }), 200);
 * shapes.every((s) => s.length <= 2 && s.reduce((a, b) => a * b, 1) <= 6); // true
 * shapes.some((s) => s.length === 0) && shapes.some((s) => s.includes(0)); // true
 */
export function shape(options: ShapeOptions = {}): fc.Arbitrary<Shape> {
  const { minDims = 0, maxDims = 3, maxLength = 4, maxSize = 24, empty = true } = options;
  const ordinary = fc.integer({ min: 1, max: maxLength });
  const length = empty
    ? fc.oneof(
        { withCrossShrink: true },
        { arbitrary: ordinary, weight: 9 },
        { arbitrary: fc.constant(0), weight: 1 },
      )
    : ordinary;
  return fc
    .array(length, { minLength: minDims, maxLength: maxDims, size: "max" })
    .map((lengths) => fitted(lengths, maxSize));
}
