/**
 * The primitives under test with the examples that their records give. Tests range over the registry with these;
 * `FLUXION_ONLY=sin,cos` narrows it.
 */
import { beforeEach, expect, vi } from "vitest";
import type { NDArray } from "../../src/core/array.js";
import { buildJaxpr } from "../../src/core/build.js";
import type { Jaxpr } from "../../src/core/jaxpr.js";
import { type Example, type Primitive, primitives } from "../../src/core/primitive.js";
import { bind } from "../../src/core/trace.js";
import "../../src/index.js";
import { toleranceHere } from "../everywhere/tolerance.js";

// What primitives print when they are applied to examples is not for the report.
beforeEach(() => void vi.spyOn(console, "log").mockImplementation(() => {}));

const only = process.env.FLUXION_ONLY?.split(",");
/** The primitives under test. */
export const chosen = primitives().filter((p) => only === undefined || only.includes(p.name));

export { draw, drawAll, generator } from "./draw.js";

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
      toleranceHere(tolerance) * Math.max(1, Math.abs(w)),
    );
  }
}

/** One application of a primitive as a program. */
export const asJaxpr = (primitive: Primitive, example: Example): Jaxpr =>
  buildJaxpr(primitive.name, example.avals, (xs) => bind(primitive, xs, example.params));

/** What an example is called in the list of tests: the types of its operands. */
export const labelled = (primitive: Primitive) =>
  primitive.laws.examples.map((e, i) => [i, `${e.avals.map((a) => `${a.dtype}[${a.shape}]`)}`, e] as const);
