/** Compiled programs on the CPU device, one thread. What a call gives is not read back. */
import { grad, init, jit, lax, type NDArray, nn, numpy as np, random, valueAndGrad } from "fluxion";
import { type Case, microsecondsPerCall } from "./harness.js";

await init({ device: "wasm", threads: 1 });

const keys = random.split(random.key(0), 8);
const normal = (i: number, shape: readonly number[]): NDArray => random.normal(keys.slice(i), shape);

const million = normal(0, [1_000_000]);
const tenMillion = np.ones([10_000_000]);
const rows = normal(1, [4096, 1024]);
const [square, vector] = [normal(2, [4096, 4096]), normal(3, [4096])];
const [a, b] = [normal(4, [1024, 1024]), normal(5, [1024, 1024])];
const images = normal(6, [8, 32, 64, 64]);
const filters = normal(7, [64, 32, 3, 3]);

const wave = (x: NDArray): NDArray => np.tanh(x.mul(1.5).add(0.25)).mul(np.exp(x.mul(x).neg()));
const sinTimes = (x: NDArray): NDArray => np.sum(np.sin(x).mul(x));

type Params = { w1: NDArray; w2: NDArray };
const params: Params = { w1: normal(0, [784, 256]).mul(0.05), w2: normal(1, [256, 10]).mul(0.05) };
const batch = normal(2, [128, 784]);
const labels = nn.oneHot(np.arange(128).mod(10), 10);
const loss = ({ w1, w2 }: Params, x: NDArray, y: NDArray): NDArray =>
  np.mean(np.sum(nn.logSoftmax(nn.relu(x.matmul(w1)).matmul(w2)).mul(y), 1)).neg();

const one = (name: string, f: () => unknown): Case => ({
  name,
  unit: "ms",
  measure: () => microsecondsPerCall(f, 20) / 1000,
});

const waveJit = jit(wave);
const sum = jit((x: NDArray) => np.sum(x));
const argmax = jit((x: NDArray) => np.argmax(x, 1));
const softmax = jit((x: NDArray) => nn.softmax(x));
const matmul = jit((x: NDArray, y: NDArray) => np.matmul(x, y));
const conv = jit((x: NDArray, w: NDArray) =>
  lax.convGeneralDilated(x, w, { windowStrides: [1, 1], padding: "SAME" }),
);
const step = jit(valueAndGrad(loss));
const value = jit(sinTimes);
const slope = jit(grad(sinTimes));
const scalarSlope = jit(grad((x: NDArray) => np.sin(x).mul(x).add(np.exp(x))));
const scalar = np.array(0.7);

const cases: readonly Case[] = [
  one("tanh(1.5x+.25)*exp(-x*x), 1e6", () => waveJit(million)),
  one("sum of 1e7", () => sum(tenMillion)),
  one("argmax [4096,1024], last axis", () => argmax(rows)),
  one("softmax [4096,1024], last axis", () => softmax(rows)),
  one("matmul 1024", () => matmul(a, b)),
  one("matvec 4096", () => matmul(square, vector)),
  one("conv [8,32,64,64]*[64,32,3,3]", () => conv(images, filters)),
  one("MLP 784-256-10, batch 128, value and gradient", () => step(params, batch, labels)),
  one("sum(sin(x)*x), 1e6", () => value(million)),
  one("its gradient", () => slope(million)),
  {
    name: "scalar grad under jit",
    unit: "µs",
    measure: () => microsecondsPerCall(() => scalarSlope(scalar)),
  },
];

export default cases;
