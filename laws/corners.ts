/** Values at which operations go wrong: the ends of each dtype's range and what lies beside 0 and 1. */
import { type Aval, aval, ConcreteArray, type DType, numpy as np } from "fluxion";

const withSigns = (values: readonly number[]): number[] => values.flatMap((x) => [x, -x]);

/** For a float of `digits` bits of fraction whose normal numbers reach from 2^low to `largest`. */
const floats = (digits: number, low: number, largest: number): readonly number[] => [
  // What most often tells an exact rule from one that is nearly so comes first.
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  ...withSigns([
    2 ** (low - digits),
    2 ** low - 2 ** (low - digits),
    2 ** low,
    0.5,
    1 - 2 ** (-digits - 1),
    1,
    1 + 2 ** -digits,
    1.5,
    2.5,
    3,
    largest,
  ]),
];

const corners: Record<Exclude<DType, "float0">, readonly number[]> = {
  bool: [0, 1],
  uint8: [0, 1, 2, 7, 8, 127, 128, 254, 255],
  int32: [0, 1, -1, 2, 31, 32, 33, -2, 65536, 2147483647, -2147483647, -2147483648],
  uint32: [0, 1, 2, 31, 32, 33, 65536, 2147483647, 2147483648, 4294967295],
  float16: floats(10, -14, 65504),
  float32: floats(23, -126, 3.4028234663852886e38),
  float64: floats(52, -1022, Number.MAX_VALUE),
};

/**
 * Corner values of a dtype: for floats NaN, both infinities and zeros, the smallest subnormal and normal numbers, the largest
 * number, 1 and its neighbours, ties of rounding; for integers the ends of the range and its powers of two.
 * @example
 * cornersOf("uint8").includes(255); // true
 */
export const cornersOf = (dtype: DType): readonly number[] => (dtype === "float0" ? [] : corners[dtype]);

/** What sums and products may be made of so that they do not depend on the order of their terms. */
export const orderless: readonly number[] = [0, -0, 1, -2.5, 0.5, 2, 3, Infinity, -Infinity, Number.NaN];

/** An array with these elements, whatever the dtype; they are rounded to it. */
export function arrayOf(values: readonly number[], { shape, dtype, weakType }: Aval): ConcreteArray {
  const made = np.array(dtype === "bool" ? values.map(Boolean) : [...values], { dtype }) as ConcreteArray;
  return new ConcreteArray(made.dataSync(), aval(shape, dtype, weakType));
}

/** An array of the type with elements drawn from a list. */
export function drawnFrom(list: readonly number[], type: Aval, random: () => number): ConcreteArray {
  const n = type.shape.reduce((a, b) => a * b, 1);
  return arrayOf(
    Array.from({ length: n }, () => list[Math.floor(random() * list.length)]),
    type,
  );
}

/** An array of the type with the elements of a list in order, from some place on, and again from its start. */
export function cycledFrom(list: readonly number[], type: Aval, start: number): ConcreteArray {
  const n = type.shape.reduce((a, b) => a * b, 1);
  return arrayOf(
    Array.from({ length: n }, (_, i) => list[(start + i) % list.length]),
    type,
  );
}
