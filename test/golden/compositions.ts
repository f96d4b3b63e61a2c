/** The functions of several calls that golden cases differentiate; cases/compositions.py says the same in JAX. */

import type { DType } from "fluxion";
import { grad, lax, type NDArray, nn, numpy as np } from "fluxion";

/** The untaken branch still poisons the gradient: at 0 it is NaN. */
export const whereSqrt = (x: NDArray) => np.where(np.greater(x, 0), np.sqrt(x), 0);

/** The known cure: make the untaken branch harmless first. */
export function doubleWhereSqrt(x: NDArray) {
  const safe = np.where(np.greater(x, 0), x, 1);
  return np.where(np.greater(x, 0), np.sqrt(safe), 0);
}

/** x · d/dy (x + y) at y = x, whose derivative in x is 1 and not 2. */
export const nestedDerivative = (x: NDArray) => np.multiply(x, grad((y: NDArray) => np.add(x, y))(x));

export const selfMaximum = (x: NDArray) => np.maximum(x, x);

export const stoppedProduct = (x: NDArray) => np.multiply(x, lax.stopGradient(x));

/** float → int → float has derivative zero. */
export const throughInteger = (x: NDArray) => np.multiply(np.astype(np.astype(x, "int32"), x.dtype), x);

export const constantOutput = (x: NDArray) => np.onesLike(x);

/** The second argument is unused, and still gets a gradient of its own shape. */
export const firstOnly = (x: NDArray, _y: NDArray) => np.sin(x);

export const castSin = (x: NDArray, dtype: DType) => np.sin(np.astype(x, dtype));

export function reused(x: NDArray) {
  const y = np.exp(x);
  return np.add(np.multiply(y, y), np.divide(y, np.add(1, y)));
}

export const minusItself = (x: NDArray) => np.multiply(np.subtract(x, x), x);

/** One hidden layer with relu, then log-softmax. */
export const mlp = (w1: NDArray, w2: NDArray, x: NDArray) =>
  nn.logSoftmax(np.matmul(np.maximum(np.matmul(x, w1), 0), w2), { axis: -1 });

export function normalise(x: NDArray) {
  const centred = np.subtract(x, np.mean(x, { axis: -1, keepdims: true }));
  return np.divide(centred, np.sqrt(np.add(np.var(x, { axis: -1, keepdims: true }), 0.001)));
}
