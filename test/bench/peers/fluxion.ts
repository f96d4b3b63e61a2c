/** fluxion, as built, to be measured beside its peers. */
import { grad, init, jacfwd, jit, jvp, type NDArray, numpy as np, valueAndGrad } from "fluxion";
import * as program from "../programs.js";
import type { Peer, Run } from "./contract.js";

type Inputs = Readonly<Record<string, NDArray>>;

/** A compiled function of one array. */
const ofX =
  (f: (x: NDArray) => NDArray) =>
  ({ X }: Inputs): Run<NDArray> => {
    const compiled = jit(f);
    return () => [compiled(X)];
  };

/** A single number is read, as by those who ask for it. */
const number =
  (make: () => (x: NDArray) => NDArray) =>
  ({ X }: Inputs): Run<NDArray> => {
    const f = make();
    return () => {
      const y = f(X);
      y.item();
      return [y];
    };
  };

const product = ({ A, B }: Inputs): Run<NDArray> => {
  const f = jit(program.matmul);
  return () => [f(A, B)];
};

const convolution =
  (layout: "NCHW" | "NHWC") =>
  ({ X, W }: Inputs): Run<NDArray> => {
    const f = jit(program.convolution(layout));
    return () => [f(X, W)];
  };

const isArray = (x: NDArray | number): x is NDArray => typeof x !== "number";

export const peer: Peer<NDArray> = {
  async start(threads) {
    if (threads !== undefined) await init({ device: "wasm", threads });
  },
  array: ({ values, shape }) => np.array(values).reshape([...shape]),
  settle: () => undefined,
  read: (outputs) => Promise.all(outputs.map(async (x) => (isArray(x) ? await x.data() : [x]))),
  free: (outputs) => {
    for (const x of outputs.filter(isArray)) x.dispose();
  },
  programs: {
    product,
    product64: product,
    matvec: product,
    wave: ofX(program.wave),
    sum:
      ({ X }) =>
      () => [np.sum(X)],
    softmax: ofX(program.softmax),
    argmax: ofX(program.argmax),
    sort: ofX((x) => np.sort(x)),
    increment: ofX((x) => x.add(1)),
    convNchw: convolution("NCHW"),
    convNhwc: convolution("NHWC"),
    mlp: ({ X, Y, W1, b1, W2, b2 }, { penalty }) => {
      const [loss, weights] = [jit(program.perceptron(penalty)), { W1, b1, W2, b2 }];
      return () => [loss(weights, X, Y)];
    },
    mlpGrad: ({ X, Y, W1, b1, W2, b2 }, { penalty }) => {
      const [step, weights] = [jit(valueAndGrad(program.perceptron(penalty))), { W1, b1, W2, b2 }];
      return () => {
        const [loss, slopes] = step(weights, X, Y);
        return [loss, slopes.W1, slopes.b1, slopes.W2, slopes.b2];
      };
    },
    scalarAdd: number(() => (x) => x.add(1)),
    scalarGrad: number(() => grad(program.scalar)),
    scalarGradJit: number(() => jit(grad(program.scalar))),
    sine: ofX(program.sineSum),
    sineGrad: ofX(grad(program.sineSum)),
    sineJvp: ({ X, T }) => {
      const f = jit((x: NDArray, t: NDArray) => jvp(program.sineSum, [x], [t]));
      return () => f(X, T);
    },
    sineJacfwd: ofX(jacfwd(program.sineSum)),
    chain: (inputs, { length }) => ofX(program.chain(length))(inputs),
  },
};
