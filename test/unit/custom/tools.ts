/** What the tests of rules of one's own share. */
import { grad, jvp, type NDArray, type NestedNumbers, numpy as np } from "fluxion";
import { expect } from "vitest";
import { toleranceHere } from "../../everywhere/tolerance.js";

export const f64 = (values: NestedNumbers): NDArray => np.array(values, { dtype: "float64" });

type Unary = (x: NDArray) => NDArray;

/** The derivative of a function of a scalar, forwards. */
export const forward =
  (f: Unary): Unary =>
  (x) =>
    jvp(f, [x], [np.ones([], { dtype: x.dtype })])[1] as NDArray;

/** The same, by reverse mode. */
export const reverse = (f: Unary): Unary => grad(f) as Unary;

/** The derivative of order n, by both modes in every order of application: `FFR` is forward of forward of reverse. */
export function derivatives(f: Unary, order: number): [modes: string, derivative: Unary][] {
  let all: [string, Unary][] = [["", f]];
  for (let k = 0; k < order; k++)
    all = all.flatMap(([name, g]): [string, Unary][] => [
      [`F${name}`, forward(g)],
      [`R${name}`, reverse(g)],
    ]);
  return all;
}

const flat = (x: NestedNumbers): number[] =>
  Array.isArray(x) ? (x as NestedNumbers[]).flatMap(flat) : [Number(x)];

/** Compares elements relative to the largest of them. */
export function expectClose(actual: NDArray, wanted: NDArray | NestedNumbers, tolerance = 1e-12): void {
  const left = flat(actual.tolist());
  const right = flat(typeof wanted === "object" && "tolist" in wanted ? wanted.tolist() : wanted);
  expect(left.length).toBe(right.length);
  const allowed = toleranceHere(tolerance) * Math.max(1, ...right.map(Math.abs));
  for (const [i, a] of left.entries()) expect(Math.abs(a - right[i])).toBeLessThanOrEqual(allowed);
}
