/** The graphs of docs/graphs.md, by the names of their files; `npm run docs:pictures` writes them. */
import { checkpointName, grad, jit, jvp, lax, type NDArray, nn, numpy as np, ShapeDtype } from "fluxion";
import { arrangeDrawings, drawGraph, drawTransform } from "fluxion/analysis";

const e = (a: NDArray, b: NDArray) => a.add(b).mul(b.add(1));

const z = (X: NDArray, α: NDArray, β: NDArray, γ: NDArray, δ: NDArray, ε: NDArray, ζ: NDArray) => {
  const Y = checkpointName(α.mul(X).add(β.mul(X)).add(γ.mul(X)), "Y");
  return checkpointName(δ.mul(Y).add(ε.mul(Y)).add(ζ.mul(Y)), "Z");
};

interface Weights {
  W1: NDArray;
  W2: NDArray;
}

const objective = ({ W1, W2 }: Weights, x: NDArray, y: NDArray) => {
  const z = checkpointName(np.matmul(W1, x), "z");
  const h = checkpointName(np.tanh(z), "h");
  const o = checkpointName(np.matmul(W2, h), "o");
  const L = checkpointName(np.sum(np.square(o.sub(y))), "L");
  const norms = np.sum(np.square(W1)).add(np.sum(np.square(W2)));
  const s = checkpointName(norms.mul(0.05), "s");
  return checkpointName(L.add(s), "J");
};
const weights = { W1: new ShapeDtype([8, 4]), W2: new ShapeDtype([3, 8]) };
const example = [new ShapeDtype([4]), new ShapeDtype([3])] as const;

const rnn = (W: NDArray, h: NDArray, xs: NDArray) => {
  const step = (state: NDArray, x: NDArray) => [np.tanh(np.matmul(W, state).add(x)), null] as const;
  return np.sum(lax.scan(step, h, xs)[0]);
};

const layer = jit(function layer(W: NDArray, x: NDArray) {
  return np.tanh(np.matmul(W, x));
});
const twoLayers = (V: NDArray, W: NDArray, x: NDArray) => np.sum(layer(W, layer(V, x)));

const wave = (x: NDArray) => np.sin(x).mul(x);

const deep = (layers: { W: NDArray; b: NDArray }[], x: NDArray) => {
  let h = x;
  for (const { W, b } of layers) h = np.tanh(np.matmul(W, h).add(b));
  return nn.logsumexp(h);
};
const layers = Array.from({ length: 60 }, () => ({ W: new ShapeDtype([16, 16]), b: new ShapeDtype([16]) }));

const scalar = new ShapeDtype([]);
const scalars = [scalar, scalar, scalar, scalar, scalar, scalar] as const;

export const graphs: Readonly<Record<string, () => Promise<string>>> = {
  chapter: async () => (await drawGraph(e, 2, 1, { values: true })).svg(),
  olah: async () => (await drawGraph(e, 2, 1, { form: "compact", values: true, derivatives: true })).svg(),
  "olah-forward": async () => {
    const options = { form: "compact", values: true, derivatives: true, mode: "forward", from: "b" } as const;
    return arrangeDrawings((await drawGraph(e, 2, 1, options)).steps());
  },
  "olah-reverse": async () => {
    const options = { form: "compact", values: true, derivatives: true, mode: "reverse" } as const;
    return arrangeDrawings((await drawGraph(e, 2, 1, options)).steps());
  },
  paths: async () => (await drawGraph(z, scalar, ...scalars, { form: "reduced", argnums: 0 })).svg(),
  mlp: async () => (await drawGraph(objective, weights, ...example)).svg(),
  "mlp-reverse": async () => {
    const options = { form: "compact", derivatives: true, mode: "reverse", argnums: 0 } as const;
    return (await drawGraph(objective, weights, ...example, options)).svg();
  },
  "mlp-grad": async () => {
    const names = ["weights", "x", "y"];
    return (await drawGraph(grad(objective), weights, ...example, { names })).svg();
  },
  scan: async () =>
    (await drawGraph(rnn, new ShapeDtype([4, 4]), new ShapeDtype([4]), new ShapeDtype([10, 4]))).svg(),
  jit: async () => {
    const square = new ShapeDtype([4, 4]);
    return (await drawGraph(twoLayers, square, square, new ShapeDtype([4]))).svg();
  },
  "grad-before-after": async () => (await drawTransform(wave, grad, scalar)).svg(),
  "jvp-before-after": async () => {
    const pushed = (f: typeof wave) => (x: NDArray, dx: NDArray) => jvp(f, [x], [dx]);
    const both = await drawTransform(wave, pushed, scalar, {
      args: [scalar, scalar],
      titles: ["wave", "jvp of wave"],
    });
    return both.svg();
  },
  large: async () =>
    (await drawGraph(grad(deep), layers, new ShapeDtype([16]), { names: ["layers", "x"] })).svg(),
};
