/** jax-js on its WebAssembly device. A call takes its arguments' references away, hence the many `ref`. */
import type { Peer, Run, Typed } from "./contract.js";

/** What is used of its arrays. */
interface Array {
  readonly ref: Array;
  add(x: Array | number): Array;
  mul(x: Array | number): Array;
  neg(): Array;
  sum(): Array;
  reshape(shape: readonly number[]): Array;
  item(): number;
  data(): Promise<ArrayLike<number>>;
  dispose(): void;
}

type Function<Inputs extends readonly unknown[], Output> = (...inputs: Inputs) => Output;
type Weights = Readonly<Record<"W1" | "b1" | "W2" | "b2", Array>>;

/** What is used of the library. */
interface Library {
  init(device: string): Promise<unknown>;
  defaultDevice(device: string): void;
  blockUntilReady(outputs: readonly Array[]): Promise<unknown>;
  jit<I extends readonly unknown[], O>(f: Function<I, O>): Function<I, O>;
  grad(f: (x: Array) => Array): (x: Array) => Array;
  jacfwd(f: (x: Array) => Array): (x: Array) => Array;
  valueAndGrad<P, I extends readonly unknown[]>(
    f: (p: P, ...rest: I) => Array,
  ): (p: P, ...rest: I) => [Array, P];
  jvp(f: (x: Array) => Array, x: readonly Array[], t: readonly Array[]): [Array, Array];
  tree: { ref<T>(tree: T): T };
  lax: { conv(x: Array, w: Array, strides: readonly number[], padding: string): Array };
  nn: {
    relu(x: Array): Array;
    softmax(x: Array, axis: number): Array;
    logSoftmax(x: Array, axis: number): Array;
  };
  numpy: {
    array(values: Typed, options: { dtype: unknown }): Array;
    argmax(x: Array, axis: number): Array;
    exp(x: Array): Array;
    matmul(x: Array, y: Array): Array;
    sin(x: Array): Array;
    square(x: Array): Array;
    tanh(x: Array): Array;
    float32: unknown;
    float64: unknown;
  };
}

// Its float64 arrays ask for this class, which Node 20 does not have; an empty one is enough.
const globals = globalThis as { Float16Array?: unknown };
globals.Float16Array ??= class {};

const address: string = "@jax-js/jax";
const jax = (await import(address)) as Library;
const { numpy: np, nn, lax } = jax;

const scalar = (x: Array): Array => np.sin(x.ref).mul(x.ref).add(np.exp(x));
const sineSum = (x: Array): Array => np.sin(x.ref).mul(x).sum();

const perceptron =
  (batch: number, penalty: number) =>
  ({ W1, b1, W2, b2 }: Weights, x: Array, labels: Array): Array => {
    const hidden = nn.relu(np.matmul(x, W1.ref).add(b1));
    const logits = np.matmul(hidden, W2.ref).add(b2);
    const entropy = nn
      .logSoftmax(logits, -1)
      .mul(labels)
      .sum()
      .mul(-1 / batch);
    const squares = np.square(W1).sum().add(np.square(W2).sum());
    return entropy.add(squares.mul(penalty / 2));
  };

type Inputs = Readonly<Record<string, Array>>;

const ofX =
  (f: (x: Array) => Array) =>
  ({ X }: Inputs): Run<Array> => {
    const compiled = jax.jit(f);
    return () => [compiled(X.ref)];
  };

const product =
  ({ A, B }: Inputs): Run<Array> =>
  () => [np.matmul(A.ref, B.ref)];

const number =
  (f: (x: Array) => Array) =>
  ({ X }: Inputs): Run<Array> =>
  () => [f(X.ref).item()];

const isArray = (x: Array | number): x is Array => typeof x !== "number";

export const peer: Peer<Array> = {
  async start() {
    await jax.init("wasm");
    jax.defaultDevice("wasm");
  },
  array: ({ values, shape }) =>
    np.array(values, { dtype: values instanceof Float64Array ? np.float64 : np.float32 }).reshape(shape),
  settle: (outputs) => {
    const arrays = outputs.filter(isArray);
    return arrays.length === 0 ? undefined : jax.blockUntilReady(arrays);
  },
  read: (outputs) => Promise.all(outputs.map(async (x) => (isArray(x) ? await x.ref.data() : [x]))),
  free: (outputs) => {
    for (const x of outputs.filter(isArray)) x.dispose();
  },
  programs: {
    product,
    product64: product,
    matvec: product,
    wave: ofX((x) => np.tanh(x.ref.mul(1.5).add(0.25)).mul(np.exp(x.ref.mul(x).neg()))),
    sum:
      ({ X }) =>
      () => [X.ref.sum()],
    softmax: ofX((x) => nn.softmax(x, -1)),
    argmax: ofX((x) => np.argmax(x, -1)),
    convNchw:
      ({ X, W }) =>
      () => [lax.conv(X.ref, W.ref, [1, 1], "SAME")],
    mlp: ({ X, Y, W1, b1, W2, b2 }, { batch, penalty }) => {
      const [loss, weights] = [jax.jit(perceptron(batch, penalty)), { W1, b1, W2, b2 }];
      return () => [loss(jax.tree.ref(weights), X.ref, Y.ref)];
    },
    mlpGrad: ({ X, Y, W1, b1, W2, b2 }, { batch, penalty }) => {
      const weights: Weights = { W1, b1, W2, b2 };
      const step = jax.jit(jax.valueAndGrad(perceptron(batch, penalty)));
      return () => {
        const [loss, slopes] = step(jax.tree.ref(weights), X.ref, Y.ref);
        return [loss, slopes.W1, slopes.b1, slopes.W2, slopes.b2];
      };
    },
    scalarAdd: number((x) => x.add(1)),
    scalarGrad: number(jax.grad(scalar)),
    scalarGradJit: (inputs) => number(jax.jit(jax.grad(scalar)))(inputs),
    sine: ofX(sineSum),
    sineGrad: ofX(jax.grad(sineSum)),
    sineJvp: ({ X, T }) => {
      const f = jax.jit((x: Array, t: Array) => jax.jvp(sineSum, [x], [t]));
      return () => f(X.ref, T.ref);
    },
    sineJacfwd: ofX(jax.jacfwd(sineSum)),
    chain: (inputs, { length }) =>
      ofX((x) => {
        let y = x;
        for (let i = 0; i < length / 2; i++) y = y.mul(1.0001).add(0.001);
        return y;
      })(inputs),
  },
};
