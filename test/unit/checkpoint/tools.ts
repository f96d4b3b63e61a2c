/** Functions whose applications are counted, and comparison to the bit. */
import { type NDArray, numpy as np, tree, unary } from "fluxion";
import { expect } from "vitest";

let made = 0;

/** A sine that counts how often it is applied. Its derivative does not apply it. */
export function countedSin(): { sin: (x: NDArray) => NDArray; count: () => number } {
  let count = 0;
  const sin = unary(`checkpointTestSin${made++}`, {
    summary: "sin x",
    domain: "float",
    evaluate: (x) => {
      count++;
      return Math.sin(x);
    },
    tangent: (t, x) => t.mul(np.cos(x)),
  });
  return {
    sin,
    count: () => {
      const since = count;
      count = 0;
      return since;
    },
  };
}

const bits = (x: NDArray): unknown => [
  x.dtype,
  x.shape,
  [...x.dataSync()].map((v) => (Object.is(v, -0) ? "-0" : String(v))),
];

/** Same structure, types and bits. */
export function expectSameBits(actual: unknown, wanted: unknown): void {
  const [a, w] = [tree.flatten(actual as NDArray[]), tree.flatten(wanted as NDArray[])];
  expect(a.treedef.key).toBe(w.treedef.key);
  expect((a.leaves as NDArray[]).map(bits)).toEqual((w.leaves as NDArray[]).map(bits));
}

/** Numbers that are not special: a fixed sequence in (-1, 1). */
export const wave = (shape: readonly number[], dtype: "float32" | "float64" = "float64"): NDArray => {
  const size = shape.reduce((a, b) => a * b, 1);
  return np
    .array(
      Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + 0.4)),
      { dtype },
    )
    .reshape([...shape]);
};
