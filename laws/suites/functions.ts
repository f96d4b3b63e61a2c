/** Functions that laws are tried on by the suites: one of each kind of operation, at points where they are smooth. */
import { type DType, jit, lax, type NDArray, nn, numpy as np, scipy } from "fluxion";
import type { ArrayFunction } from "../law.js";
import { generator, makePoint, type Point } from "../point.js";

export interface Specimen {
  readonly f: ArrayFunction;
  readonly inputs: readonly NDArray[];
}

/** Different numbers between lo and hi. */
export function between(
  shape: readonly number[],
  seed: number,
  [lo, hi]: readonly [number, number] = [-1.5, 1.5],
  dtype: DType = "float64",
): NDArray {
  const random = generator(seed);
  const n = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: n }, () => lo + (hi - lo) * random());
  return np.reshape(np.array(values, { dtype }), [...shape]);
}

const mixing = jit((x: NDArray, y: NDArray) => np.multiply(np.sin(x), np.add(y, np.sum(x))));
const nested = jit((x: NDArray, y: NDArray) => mixing(np.tanh(x), jit((z: NDArray) => np.exp(z))(y)));
const indices = np.array([2, 0, 2], { dtype: "int32" });

/** One of each kind. */
export const specimens: Readonly<Record<string, Specimen>> = {
  elementwise: {
    f: (x, y) => [np.multiply(np.sin(x), np.exp(np.multiply(y, 0.5))), np.divide(x, np.add(2, np.cos(y)))],
    inputs: [between([2, 3], 1), between([2, 3], 2)],
  },
  scalar: { f: (x) => [np.log(np.add(1, np.square(x)))], inputs: [between([], 3)] },
  broadcasting: {
    f: (x, y) => [np.multiply(x, np.reshape(y, [3, 1]))],
    inputs: [between([4], 4), between([3], 5)],
  },
  matmul: {
    f: (x, y) => [np.matmul(x, y), np.sum(np.square(np.matmul(x, y)))],
    inputs: [between([2, 3], 6), between([3, 2], 7)],
  },
  softmax: { f: (x) => [nn.softmax(x)], inputs: [between([2, 3], 8)] },
  logsumexp: { f: (x) => [nn.logsumexp(x)], inputs: [between([5], 9)] },
  sort: { f: (x) => [np.multiply(np.sort(x), np.arange(5))], inputs: [between([5], 10)] },
  maximum: { f: (x, y) => [np.maximum(x, y), np.max(x)], inputs: [between([4], 11), between([4], 12)] },
  cumsum: { f: (x) => [np.cumsum(np.square(x)), np.cumprod(x)], inputs: [between([5], 13)] },
  gather: { f: (x) => [np.multiply(np.take(x, indices), np.take(x, 1))], inputs: [between([4], 14)] },
  convolution: {
    f: (x, k) => [
      lax.convGeneralDilated(x, k, {
        windowStrides: [2],
        padding: [[1, 1]],
        lhsDilation: [1],
        rhsDilation: [1],
      }),
    ],
    inputs: [between([1, 2, 5], 15), between([2, 2, 2], 16)],
  },
  determinant: { f: (x) => [np.linalg.det(x)], inputs: [between([3, 3], 17)] },
  "nested jit": { f: (x, y) => [nested(x, y)], inputs: [between([3], 18), between([3], 19)] },
  "special functions": {
    f: (x) => [scipy.special.erf(x), scipy.special.gammaln(np.add(3, x))],
    inputs: [between([3], 20)],
  },
  linear: {
    f: (x) => [np.add(np.multiply(x, 3), np.flip(x)), np.transpose(x)],
    inputs: [between([2, 2], 21)],
  },
  "an integer input": {
    f: (x, i) => [np.multiply(np.take(x, i), x), np.add(i, 1)],
    inputs: [between([3], 22), indices],
  },
  "an input that is not used": { f: (x) => [np.cos(x)], inputs: [between([2], 23), between([2], 24)] },
  "a constant output": {
    f: (x) => [np.cos(x), np.ones([2], { dtype: "float64" })],
    inputs: [between([2], 25)],
  },
  "no elements": { f: (x) => [np.sin(x), np.sum(x)], inputs: [between([0, 3], 26)] },
  "single precision": {
    f: (x, y) => [np.multiply(np.sin(x), y), np.sum(np.exp(x))],
    inputs: [between([3], 27, [-1, 1], "float32"), between([3], 28, [-1, 1], "float32")],
  },
  "half precision": {
    f: (x) => [np.multiply(np.sin(x), x)],
    inputs: [between([3], 29, [-1, 1], "float16")],
  },
  "mixed precision": {
    f: (x, y) => [np.multiply(np.astype(x, "float64"), y)],
    inputs: [between([3], 30, [-1, 1], "float32"), between([3], 31)],
  },
  "large numbers": {
    f: (x) => [np.log(np.multiply(x, 1e6)), np.multiply(x, 1e-6)],
    inputs: [between([3], 32, [1e5, 1e6])],
  },
};

export const pointOf = ({ f, inputs }: Specimen, seed: number): Point => makePoint(f, inputs, seed);
