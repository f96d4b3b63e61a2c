/** Comparing arrays in tests of numpy. */
import { expect } from "vitest";
import type { NDArray, NestedNumbers } from "../../../src/core/array.js";
import { toleranceHere } from "../../everywhere/tolerance.js";

/** Expects numbers that agree to a relative error (absolute below 1); NaN and infinities must be in the same places. */
export function expectClose(actual: NDArray, expected: NestedNumbers, tolerance = 1e-6): void {
  const got = [actual.tolist()].flat(Infinity as 1).map(Number);
  const want = [expected].flat(Infinity as 1).map(Number);
  expect(got.length).toBe(want.length);
  got.forEach((x, i) => {
    const y = want[i];
    const same = Object.is(x, y) || x === y;
    const close = Math.abs(x - y) <= toleranceHere(tolerance) * Math.max(1, Math.abs(y));
    if (!same && !close) expect.fail(`element ${i} is ${x}, expected ${y}`);
  });
}

/** The derivative of a scalar function of one number by central differences, with Richardson's extrapolation. */
export function slope(f: (x: number) => number, x: number): number {
  const h = 1e-3;
  const central = (step: number): number => (f(x + step) - f(x - step)) / (2 * step);
  return (4 * central(h / 2) - central(h)) / 3;
}

/** Every element of a nested list, in order. */
export const flat = (x: NDArray): number[] => [...x.dataSync()];
