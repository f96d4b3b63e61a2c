/**
 * Whether `compareModes` names the way that is fastest on the CPU device, for a function of each shape: the time of what it
 * names over that of the fastest. How much faster than the other mode it is stands below each.
 */
import { init, type NDArray, nn, numpy as np, ShapeDtype } from "fluxion";
import { compareModes, type ModeComparison } from "fluxion/analysis";
import type { Case } from "./harness.js";

await init({ device: "wasm", threads: 1 });

const float = (...shape: number[]): ShapeDtype => new ShapeDtype(shape);
const measure = true;

const wave = (x: NDArray) => np.sum(np.sin(x).mul(x));
/** The perceptron of docs/examples/mnist, of a size at which all derivatives can be had by forward mode too. */
const objective = ({ W1, W2 }: { W1: NDArray; W2: NDArray }, x: NDArray, y: NDArray) => {
  const logProbabilities = nn.logSoftmax(nn.relu(x.matmul(W1.T)).matmul(W2.T));
  const crossEntropy = np.mean(np.sum(logProbabilities.mul(nn.oneHot(y, 10)), { axis: -1 })).neg();
  return crossEntropy.add(
    np
      .sum(np.square(W1))
      .add(np.sum(np.square(W2)))
      .mul(5e-5),
  );
};
const banded = (x: NDArray) =>
  x
    .mul(x)
    .slice({ start: 1, stop: -1 })
    .sub(x.slice({ start: 2 }).mul(x.slice({ stop: -2 })));
const curve = (t: NDArray) => np.sin(np.arange(2000).astype("float32").mul(t));

const functions: readonly (readonly [name: string, compare: () => Promise<ModeComparison>])[] = [
  ["Σ sin(x)·x, 2,000 inputs", () => compareModes(wave, float(2000), { measure })],
  [
    "the loss of a network, 1,184 parameters",
    () =>
      compareModes(
        objective,
        { W1: float(16, 64), W2: float(10, 16) },
        float(8, 64),
        new ShapeDtype([8], "int32"),
        {
          measure,
          argnums: 0,
        },
      ),
  ],
  ["a band, 2,000 inputs and 1,998 outputs", () => compareModes(banded, float(2000), { measure })],
  ["a curve, 1 input and 2,000 outputs", () => compareModes(curve, float(), { measure })],
];

const msOf = (modes: ModeComparison, kind: ModeComparison["verdict"]["mode"]): number => {
  const { ms, skipped } = modes.row(kind);
  if (ms === undefined) throw new Error(`${kind} was not measured: it ${skipped}`);
  return ms;
};

const cases: readonly Case[] = functions.flatMap(([name, compare]): Case[] => [
  {
    name: `modes: ${name}`,
    unit: "of fastest",
    measure: async () => {
      const modes = await compare();
      const fastest = Math.min(...modes.jacobians.map(({ kind }) => msOf(modes, kind)));
      return msOf(modes, modes.verdict.mode) / fastest;
    },
    rounds: 5,
    warmup: 1,
    goal: { atMost: 1 },
  },
  {
    name: "  the other mode",
    unit: "times",
    measure: async () => {
      const modes = await compare();
      return msOf(modes, modes.verdict.over ?? modes.verdict.mode) / msOf(modes, modes.verdict.mode);
    },
    rounds: 5,
    warmup: 1,
  },
]);

export default cases;
