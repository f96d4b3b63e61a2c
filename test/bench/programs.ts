/** The functions that benchmarks measure and count, as a user writes them. Inputs are the caller's. */
import { lax, type NDArray, nn, numpy as np } from "fluxion";

export const wave = (x: NDArray): NDArray => np.tanh(x.mul(1.5).add(0.25)).mul(np.exp(x.mul(x).neg()));

export const sineSum = (x: NDArray): NDArray => np.sum(np.sin(x).mul(x));

/** Of one number. */
export const scalar = (x: NDArray): NDArray => np.sin(x).mul(x).add(np.exp(x));

export const matmul = (a: NDArray, b: NDArray): NDArray => np.matmul(a, b);

export const softmax = (x: NDArray): NDArray => nn.softmax(x, -1);

export const argmax = (x: NDArray): NDArray => np.argmax(x, -1);

/** `length` operations: a multiplication and an addition in turn. */
export const chain =
  (length: number) =>
  (x: NDArray): NDArray => {
    let y = x;
    for (let i = 0; i < length / 2; i++) y = y.mul(1.0001).add(0.001);
    return y;
  };

export const convolution =
  (layout: "NCHW" | "NHWC") =>
  (x: NDArray, w: NDArray): NDArray =>
    lax.convGeneralDilated(x, w, {
      windowStrides: [1, 1],
      padding: "SAME",
      dimensionNumbers: layout === "NCHW" ? ["NCHW", "OIHW", "NCHW"] : ["NHWC", "HWIO", "NHWC"],
    });

export interface Weights {
  [name: string]: NDArray;
  W1: NDArray;
  b1: NDArray;
  W2: NDArray;
  b2: NDArray;
}

/** A classifier with one hidden layer: mean cross-entropy and a penalty on the weights. */
export const perceptron =
  (penalty: number) =>
  ({ W1, b1, W2, b2 }: Weights, x: NDArray, labels: NDArray): NDArray => {
    const logits = nn.relu(x.matmul(W1).add(b1)).matmul(W2).add(b2);
    const entropy = np.sum(nn.logSoftmax(logits, -1).mul(labels)).mul(-1 / x.shape[0]);
    return entropy.add(
      np
        .sum(np.square(W1))
        .add(np.sum(np.square(W2)))
        .mul(penalty / 2),
    );
  };

/** The mean cross-entropy of linear logits, through `logsumexp`. */
export const logSumExpLoss = (w: NDArray, x: NDArray, labels: NDArray): NDArray => {
  const logits = x.matmul(w);
  return np.mean(nn.logsumexp(logits, 1).sub(np.sum(logits.mul(labels), 1)));
};

/** Two convolutions with a maximum pool between them, and a linear layer. */
export const convNet = (w1: NDArray, w2: NDArray, w3: NDArray, x: NDArray, labels: NDArray): NDArray => {
  const first = nn.relu(convolution("NHWC")(x, w1));
  const pooled = lax.reduceWindow(first, Number.NEGATIVE_INFINITY, lax.max, {
    windowDimensions: [1, 2, 2, 1],
    windowStrides: [1, 2, 2, 1],
    padding: "VALID",
  });
  const second = nn.relu(convolution("NHWC")(pooled, w2));
  const logits = np.mean(second, [1, 2]).matmul(w3);
  return np.mean(np.sum(nn.logSoftmax(logits, -1).mul(labels), 1)).neg();
};

/** A recurrent network: the sum of its last states. */
export const recurrent = (w: NDArray, h: NDArray, xs: NDArray): NDArray =>
  np.sum(lax.scan((s: NDArray, x: NDArray) => [np.tanh(s.matmul(w).add(x)), null] as const, h, xs)[0]);

/** Causal attention of a sequence to itself. */
export const attention = (w: NDArray, x: NDArray): NDArray => {
  const [batch, length, width] = x.shape;
  const [q, k, v] = [0, 1, 2].map((i) => x.matmul(w.slice(i)).reshape(batch, length, 4, width / 4));
  return np.sum(np.square(nn.dotProductAttention(q, k, v, { isCausal: true })));
};

/** One of two functions, as the data say. */
export const branches = (x: NDArray): NDArray =>
  lax.cond(
    np.sum(x).greater(0),
    (y: NDArray) => np.sum(np.exp(y.neg()).mul(y)),
    (y: NDArray) => np.sum(np.tanh(y)),
    x,
  );

/** Steps of a map, as many as the data ask for. */
export const untilLarge = (x: NDArray, w: NDArray): NDArray =>
  np.sum(
    lax.whileLoop(
      ([i, y]) => np.max(y).less(10).logicalAnd(i.less(100)),
      ([i, y]) => [i.add(1), np.sin(y.mul(w)).add(y)] as const,
      [np.zeros([], "int32"), x] as const,
    )[1],
  );
