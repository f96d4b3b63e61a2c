/** The small perceptron of the README, for the command: `npx fluxion compare docs/examples/loss.ts#loss`. */
import { type NDArray, nn, numpy as np, ShapeDtype } from "fluxion";

export type Layer = { w: NDArray; b: NDArray };

export const predict = (layers: Layer[], x: NDArray): NDArray =>
  layers.reduce((h, { w, b }, i) => {
    const z = h.matmul(w).add(b);
    return i < layers.length - 1 ? nn.relu(z) : z;
  }, x);

export const loss = (layers: Layer[], x: NDArray, y: NDArray): NDArray =>
  np.mean(np.square(predict(layers, x).sub(y)));

/** What the command calls `loss` with, where nothing else is said: a layer of 8 between 1 and 1, and 20 examples. */
export const lossArgs = [
  [
    { w: new ShapeDtype([1, 8]), b: new ShapeDtype([8]) },
    { w: new ShapeDtype([8, 1]), b: new ShapeDtype([1]) },
  ],
  new ShapeDtype([20, 1]),
  new ShapeDtype([20, 1]),
];

export default loss;
