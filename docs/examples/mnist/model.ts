/**
 * The perceptron of the textbook chapter on backpropagation: one hidden layer, z = W1 x, h = relu(z), o = W2 h; the
 * objective J is the cross-entropy of o plus λ/2 (‖W1‖² + ‖W2‖²). Here x is a batch, with an example in each row.
 */
import { jit, type NDArray, nn, numpy as np, random, tree, valueAndGrad } from "fluxion";

export type Params = { readonly W1: NDArray; readonly W2: NDArray };

export const classes = 10;
export const lambda = 1e-4;

/** He's initialisation: normal with variance 2 / fan-in (He et al. 2015), which suits relu. */
export function initialise(key: NDArray, inputs: number, hidden: number): Params {
  const [k1, k2] = random.split(key);
  return {
    W1: random.normal(k1, [hidden, inputs]).mul(Math.sqrt(2 / inputs)),
    W2: random.normal(k2, [classes, hidden]).mul(Math.sqrt(2 / hidden)),
  };
}

/** o = W2 relu(W1 x), for each row x. */
export const predict = ({ W1, W2 }: Params, x: NDArray): NDArray => {
  const h = nn.relu(x.matmul(W1.T));
  return h.matmul(W2.T);
};

/** J = mean cross-entropy + λ/2 (‖W1‖² + ‖W2‖²). */
export const objective = (params: Params, x: NDArray, y: NDArray): NDArray => {
  const logProbabilities = nn.logSoftmax(predict(params, x));
  const crossEntropy = np.mean(np.sum(logProbabilities.mul(nn.oneHot(y, classes)), { axis: -1 })).neg();
  const penalty = np.sum(np.square(params.W1)).add(np.sum(np.square(params.W2)));
  return crossEntropy.add(penalty.mul(lambda / 2));
};

/** One step of gradient descent with momentum; gives the new parameters and velocities, and the loss. */
export const makeStep = (momentum: number) =>
  jit((params: Params, velocity: Params, x: NDArray, y: NDArray, rate: NDArray | number) => {
    const [loss, gradient] = valueAndGrad(objective)(params, x, y);
    const faster = tree.map((v: NDArray, g: NDArray) => v.mul(momentum).add(g), velocity, gradient);
    const next = tree.map((w: NDArray, v: NDArray) => w.sub(v.mul(rate)), params, faster);
    return { params: next, velocity: faster, loss };
  });

/** How many examples of a batch the largest output names rightly. */
export const countCorrect = jit((params: Params, x: NDArray, y: NDArray) =>
  np.sum(np.equal(np.argmax(predict(params, x), { axis: -1 }), y)),
);

/**
 * The gradients as the chapter derives them by hand:
 * ∂J/∂o = ∂L/∂o, ∂J/∂W2 = ∂J/∂o hᵀ + λW2, ∂J/∂h = W2ᵀ ∂J/∂o, ∂J/∂z = ∂J/∂h ⊙ relu′(z), ∂J/∂W1 = ∂J/∂z xᵀ + λW1.
 */
export function gradientsByHand({ W1, W2 }: Params, x: NDArray, y: NDArray): Params {
  const z = x.matmul(W1.T);
  const h = np.maximum(z, 0);
  const o = h.matmul(W2.T);
  const dO = nn.softmax(o).sub(nn.oneHot(y, classes)).div(x.shape[0]);
  const dW2 = dO.T.matmul(h).add(W2.mul(lambda));
  const dH = dO.matmul(W2);
  const dZ = dH.mul(np.greater(z, 0).astype("float32"));
  const dW1 = dZ.T.matmul(x).add(W1.mul(lambda));
  return { W1: dW1, W2: dW2 };
}
