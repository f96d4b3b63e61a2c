/** How tests draw operands for the examples that primitive records give. */
import { type ConcreteArray, concreteArray } from "../../src/core/array.js";
import { type Aval, sizeOf } from "../../src/core/aval.js";
import { type DType, isFloat } from "../../src/core/dtype.js";
import type { Example } from "../../src/core/primitive.js";

/** A small generator of numbers in [0, 1), the same in every run (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** An array of the given type with elements in an interval (whole numbers for integers). */
export function draw(
  { shape, dtype }: Aval,
  random: () => number,
  [lo, hi]: readonly [number, number],
  distinct: boolean,
) {
  const n = sizeOf(shape);
  const whole = (x: number) => (dtype === "bool" ? (x > (lo + hi) / 2 ? 1 : 0) : Math.round(x));
  let values = Array.from({ length: n }, () => lo + (hi - lo) * random());
  if (distinct && isFloat(dtype)) {
    // A shuffled grid: neighbours are at least a step apart.
    const order = values.map((v, i) => [v, i] as const).sort((a, b) => a[0] - b[0]);
    values = new Array<number>(n);
    for (const [rank, [, i]] of order.entries()) values[i] = lo + ((hi - lo) * (rank + 0.5)) / n;
  }
  return concreteArray(isFloat(dtype) ? values : values.map(whole), shape, dtype);
}

const interval = (example: Example, i: number, dtype: DType): readonly [number, number] =>
  example.domain?.[i] ?? (dtype === "bool" ? [0, 1] : isFloat(dtype) ? [-2, 2] : [0, 3]);

/** An operand for each type of an example. */
export const drawAll = (example: Example, random: () => number): ConcreteArray[] =>
  example.avals.map((a, i) => draw(a, random, interval(example, i, a.dtype), example.distinct ?? false));
