/**
 * Compiled programs on the CPU device, on all threads and on one: how many times as fast. Both are measured in every round, so
 * that they share what else the machine is doing.
 */
import { devices, grad, init, jit, type NDArray, nn, numpy as np, random, valueAndGrad } from "fluxion";
import { type Case, microsecondsPerCall } from "./harness.js";

const keys = random.split(random.key(0), 8);
const normal = (i: number, shape: readonly number[]): NDArray => random.normal(keys.slice(i), shape);

const all = devices().find(({ name }) => name === "wasm")!.threads;

type Params = { w1: NDArray; w2: NDArray };

/** Value and gradient of a classifier with one hidden layer. */
function mlp(sizes: readonly [number, number, number], count: number): () => { dispose(): void } {
  const [inputs, hidden, classes] = sizes;
  const params: Params = {
    w1: normal(0, [inputs, hidden]).mul(0.05),
    w2: normal(1, [hidden, classes]).mul(0.05),
  };
  const batch = normal(2, [count, inputs]);
  const labels = nn.oneHot(np.arange(count).mod(10), classes);
  const loss = ({ w1, w2 }: Params, x: NDArray, y: NDArray): NDArray =>
    np.mean(np.sum(nn.logSoftmax(nn.relu(x.matmul(w1)).matmul(w2)).mul(y), 1)).neg();
  const step = jit(valueAndGrad(loss));
  return () => {
    const [value, { w1, w2 }] = step(params, batch, labels);
    return {
      dispose: () => {
        for (const x of [value, w1, w2]) x.dispose();
      },
    };
  };
}

const matmul = jit((x: NDArray, y: NDArray) => np.matmul(x, y));
const wave = jit((x: NDArray): NDArray => np.tanh(x.mul(1.5).add(0.25)).mul(np.exp(x.mul(x).neg())));
const increment = jit((x: NDArray): NDArray => x.add(1));
const sort = jit((x: NDArray): NDArray => np.sort(x));
const slope = jit(grad((x: NDArray) => np.sin(x).mul(x).add(np.exp(x))));

const [a, b] = [normal(3, [1024, 1024]), normal(4, [1024, 1024])];
const tenMillion = normal(5, [10_000_000]);
const tenThousand = tenMillion.slice([0, 10_000]);
const rows = normal(6, [4096, 1024]);
const scalar = np.array(0.7);

/** What it takes to call the function; its results are freed, which otherwise the garbage collector does in between. */
const time = (f: () => { dispose(): void }, milliseconds: number): number =>
  microsecondsPerCall(() => f().dispose(), milliseconds);

const ratio = (name: string, f: () => { dispose(): void }, goal?: Case["goal"]): Case => ({
  name,
  unit: "×",
  goal,
  measure: async () => {
    const times: number[] = [];
    for (const threads of [1, all]) {
      await init({ device: "wasm", threads });
      // Threads start when there has been work for them.
      if (threads > 1) time(() => wave(tenMillion), 150);
      time(f, 20);
      times.push(time(f, 60));
    }
    return times[0]! / times[1]!;
  },
});

const many = { atLeast: Math.min(1.7, 0.85 * all) };
const notSlower = { atLeast: 0.9 };

const cases: readonly Case[] = [
  ratio(`matmul 1024, ${all} threads against one`, () => matmul(a, b), many),
  ratio("tanh(1.5x+.25)*exp(-x*x), 1e7", () => wave(tenMillion), many),
  ratio("MLP 784-256-10, batch 128, value and gradient", mlp([784, 256, 10], 128), many),
  ratio("MLP 1024-4096-1024, batch 128, the same", mlp([1024, 4096, 1024], 128), many),
  ratio("sort [4096,1024], last axis", () => sort(rows)),
  ratio("x + 1, 1e7 (waits for memory)", () => increment(tenMillion)),
  ratio("tanh(1.5x+.25)*exp(-x*x), 1e4", () => wave(tenThousand), notSlower),
  ratio("MLP 64-64-10, batch 32, value and gradient", mlp([64, 64, 10], 32), notSlower),
  ratio("scalar gradient", () => slope(scalar), notSlower),
];

export default cases;
