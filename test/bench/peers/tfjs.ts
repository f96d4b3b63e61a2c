/** TensorFlow.js on its WebAssembly backend, whose kernels run within the call. It has no jit, no forward mode and no float64. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Peer, Run, Typed } from "./contract.js";

/** What is used of its arrays. */
interface Tensor {
  reshape(shape: readonly number[]): Tensor;
  dataSync(): ArrayLike<number>;
}

/** What is used of the library. */
interface Library {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  getBackend(): string;
  tensor(values: Typed, shape: readonly number[], dtype: string): Tensor;
  tidy<T>(f: () => T): T;
  dispose(outputs: readonly Tensor[]): void;
  grad(f: (x: Tensor) => Tensor): (x: Tensor) => Tensor;
  valueAndGrads(f: (...x: Tensor[]) => Tensor): (x: Tensor[]) => { value: Tensor; grads: Tensor[] };
  add(x: Tensor, y: Tensor | number): Tensor;
  mul(x: Tensor, y: Tensor | number): Tensor;
  matMul(x: Tensor, y: Tensor): Tensor;
  conv2d(x: Tensor, w: Tensor, strides: number, padding: string): Tensor;
  argMax(x: Tensor, axis: number): Tensor;
  exp(x: Tensor): Tensor;
  logSoftmax(x: Tensor): Tensor;
  neg(x: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  sin(x: Tensor): Tensor;
  softmax(x: Tensor): Tensor;
  square(x: Tensor): Tensor;
  sum(x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
}

const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs") as Library;
const backend = "@tensorflow/tfjs-backend-wasm";
const wasm = require(backend) as { setWasmPaths(folder: string): void };

const scalar = (x: Tensor): Tensor => tf.add(tf.mul(tf.sin(x), x), tf.exp(x));
const sineSum = (x: Tensor): Tensor => tf.sum(tf.mul(tf.sin(x), x));

const perceptron =
  (x: Tensor, labels: Tensor, batch: number, penalty: number) =>
  (W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor): Tensor => {
    const hidden = tf.relu(tf.add(tf.matMul(x, W1), b1));
    const logits = tf.add(tf.matMul(hidden, W2), b2);
    const entropy = tf.mul(tf.sum(tf.mul(tf.logSoftmax(logits), labels)), -1 / batch);
    const squares = tf.add(tf.sum(tf.square(W1)), tf.sum(tf.square(W2)));
    return tf.add(entropy, tf.mul(squares, penalty / 2));
  };

type Inputs = Readonly<Record<string, Tensor>>;

/** What a function leaves behind on its way is freed by `tidy`. */
const ofX =
  (f: (x: Tensor) => Tensor) =>
  ({ X }: Inputs): Run<Tensor> =>
  () =>
    tf.tidy(() => [f(X)]);

const isTensor = (x: Tensor | number): x is Tensor => typeof x !== "number";

export const peer: Peer<Tensor> = {
  async start() {
    wasm.setWasmPaths(`${dirname(require.resolve(backend))}/`);
    await tf.setBackend("wasm");
    await tf.ready();
    if (tf.getBackend() !== "wasm") throw new Error(`its backend is ${tf.getBackend()}`);
  },
  array: ({ values, shape }) => tf.tensor(values, shape, "float32"),
  settle: () => undefined,
  read: async (outputs) => outputs.map((x) => (isTensor(x) ? x.dataSync() : [x])),
  free: (outputs) => tf.dispose(outputs.filter(isTensor)),
  programs: {
    product:
      ({ A, B }) =>
      () => [tf.matMul(A, B)],
    matvec: ({ A, B }) => {
      const column = B.reshape([-1, 1]);
      return () => tf.tidy(() => [tf.matMul(A, column).reshape([-1])]);
    },
    wave: ofX((x) => tf.mul(tf.tanh(tf.add(tf.mul(x, 1.5), 0.25)), tf.exp(tf.neg(tf.mul(x, x))))),
    sum:
      ({ X }) =>
      () => [tf.sum(X)],
    softmax:
      ({ X }) =>
      () => [tf.softmax(X)],
    argmax:
      ({ X }) =>
      () => [tf.argMax(X, -1)],
    convNhwc:
      ({ X, W }) =>
      () => [tf.conv2d(X, W, 1, "same")],
    mlp: ({ X, Y, W1, b1, W2, b2 }, { batch, penalty }) => {
      const loss = perceptron(X, Y, batch, penalty);
      return () => tf.tidy(() => [loss(W1, b1, W2, b2)]);
    },
    mlpGrad: ({ X, Y, W1, b1, W2, b2 }, { batch, penalty }) => {
      const step = tf.valueAndGrads(perceptron(X, Y, batch, penalty));
      return () =>
        tf.tidy(() => {
          const { value, grads } = step([W1, b1, W2, b2]);
          return [value, ...grads];
        });
    },
    scalarAdd: ofX((x) => tf.add(x, 1)),
    scalarGrad: ofX(tf.grad(scalar)),
    sine: ofX(sineSum),
    sineGrad: ofX(tf.grad(sineSum)),
    chain: (inputs, { length }) =>
      ofX((x) => {
        let y = x;
        for (let i = 0; i < length / 2; i++) y = tf.add(tf.mul(y, 1.0001), 0.001);
        return y;
      })(inputs),
  },
};
