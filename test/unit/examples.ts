/**
 * The examples that primitive records give, and how tests draw operands for them. Tests range over the registry with
 * these; `FLUXION_ONLY=sin,cos` narrows it.
 */
import { beforeEach, expect, vi } from "vitest";
import { type ConcreteArray, concreteArray, type NDArray } from "../../src/core/array.js";
import { type Aval, sizeOf } from "../../src/core/aval.js";
import { buildJaxpr } from "../../src/core/build.js";
import { type DType, isFloat } from "../../src/core/dtype.js";
import type { Jaxpr } from "../../src/core/jaxpr.js";
import { type Example, type Primitive, primitives } from "../../src/core/primitive.js";
import { bind } from "../../src/core/trace.js";
import "../../src/index.js";

// What primitives print when they are applied to examples is not for the report.
beforeEach(() => void vi.spyOn(console, "log").mockImplementation(() => {}));

const only = process.env.FLUXION_ONLY?.split(",");
/** The primitives under test. */
export const chosen = primitives().filter((p) => only === undefined || only.includes(p.name));

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

/** The elements of an array. */
export const numbers = (x: NDArray): number[] => [...x.dataSync()];

/** Element by element within a tolerance: relative to elements above 1, absolute below. */
export function expectClose(
  actual: readonly number[],
  wanted: readonly number[],
  tolerance: number,
  what: string,
): void {
  expect(actual.length, what).toBe(wanted.length);
  for (const [i, w] of wanted.entries()) {
    const a = actual[i];
    if (Object.is(a, w) || a === w) continue;
    expect(Math.abs(a - w), `${what}: element ${i}: ${a} against ${w}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(w)),
    );
  }
}

/** One application of a primitive as a program. */
export const asJaxpr = (primitive: Primitive, example: Example): Jaxpr =>
  buildJaxpr(primitive.name, example.avals, (xs) => bind(primitive, xs, example.params));

/** What an example is called in the list of tests: the types of its operands. */
export const labelled = (primitive: Primitive) =>
  primitive.laws.examples.map((e, i) => [i, `${e.avals.map((a) => `${a.dtype}[${a.shape}]`)}`, e] as const);
