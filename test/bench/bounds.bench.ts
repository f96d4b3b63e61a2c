/**
 * The cheap-gradient bound (Baur and Strassen; Griewank and Walther, ch. 3 and 4) over the programs of the benchmarks: a
 * tangent costs at most 2.5 times its function, value and gradient at most 4 times, however many inputs there are. Costs are
 * counted from the jaxprs, in units of an addition, so nothing here depends on the machine; beyond a bound the run fails.
 */
import { jaxprCost, jvp, makeJaxpr, type NDArray, numpy as np, valueAndGrad } from "fluxion";
import type { Case } from "./harness.js";
import * as program from "./programs.js";

type Arrays = readonly NDArray[];

const array = (...shape: number[]): NDArray => np.zeros(shape);

/** A transcendental function costs as much as ten additions, which is also what the compiler reckons with. */
function cost(f: (x: Arrays, t: Arrays) => unknown, at: Arrays): number {
  const { operations, transcendentals } = jaxprCost(makeJaxpr(f)(at, at).jaxpr);
  return operations + 9 * transcendentals;
}

/**
 * The tangent of a product a·b is ȧ·b + a·ḃ: where such products are most of the work, and both operands depend on the inputs,
 * no program has less than three for one. (The theorem arrives at 2.5 since it also counts what is read and written.)
 */
const products = 3.05;

/** Both bounds for a loss of arrays, whose derivatives are by all of them. */
function bounds(name: string, f: (x: Arrays) => NDArray, at: Arrays, tangent = 2.5): readonly Case[] {
  const ratio = (kind: string, g: (x: Arrays, t: Arrays) => unknown, atMost: number): Case => ({
    name: `${name}: ${kind}`,
    unit: "× f",
    measure: () => cost(g, at) / cost(f, at),
    rounds: 1,
    warmup: 0,
    goal: { atMost },
    strict: true,
  });
  return [
    ratio("jvp", (x, t) => jvp(f, [x], [t]), tangent),
    ratio("value, gradient", (x) => valueAndGrad(f)(x), 4),
  ];
}

const perceptron = (batch: number, inputs: number, hidden: number, classes: number) =>
  bounds(
    `MLP ${inputs}-${hidden}-${classes}`,
    ([W1, b1, W2, b2]) =>
      program.perceptron(1e-3)({ W1, b1, W2, b2 }, array(batch, inputs), array(batch, classes)),
    [array(inputs, hidden), array(hidden), array(hidden, classes), array(classes)],
  );

const cases: readonly Case[] = [
  ...bounds("tanh(1.5x+.25)·exp(−x·x)", ([x]) => np.sum(program.wave(x)), [array(1_000_000)]),
  ...bounds("sum(sin(x)·x)", ([x]) => program.sineSum(x), [array(1_000_000)]),
  ...bounds("sum", ([x]) => np.sum(x), [array(1e7)]),
  ...bounds("sin(x)·x + exp(x), scalar", ([x]) => program.scalar(x), [array()]),
  ...bounds("softmax [4096,1024]", ([x]) => np.sum(np.square(program.softmax(x))), [array(4096, 1024)]),
  ...bounds(
    "matmul 1024",
    ([a, b]) => np.sum(program.matmul(a, b)),
    [array(1024, 1024), array(1024, 1024)],
    products,
  ),
  ...bounds(
    "matvec 4096",
    ([a, b]) => np.sum(program.matmul(a, b)),
    [array(4096, 4096), array(4096)],
    products,
  ),
  ...bounds("logsumexp, 784-10", ([w]) => program.logSumExpLoss(w, array(128, 784), array(128, 10)), [
    array(784, 10),
  ]),
  ...perceptron(128, 784, 256, 10),
  ...perceptron(256, 1024, 4096, 1024),
  ...bounds(
    "conv [8,32,64,64]",
    ([x, w]) => np.sum(program.convolution("NCHW")(x, w)),
    [array(8, 32, 64, 64), array(64, 32, 3, 3)],
    products,
  ),
  ...bounds(
    "convolutional net",
    ([w1, w2, w3]) => program.convNet(w1, w2, w3, array(32, 28, 28, 1), array(32, 10)),
    [array(3, 3, 1, 16), array(3, 3, 16, 32), array(32, 10)],
    products,
  ),
  ...bounds(
    "RNN [32,128], scan of 1,000",
    ([w, h, xs]) => program.recurrent(w, h, xs),
    [array(128, 128), array(32, 128), array(1000, 32, 128)],
    products,
  ),
  ...bounds(
    "causal attention [8,64,128]",
    ([w, x]) => program.attention(w, x),
    [array(3, 128, 128), array(8, 64, 128)],
    products,
  ),
  ...bounds("chain of 1,000", ([x]) => np.sum(program.chain(1000)(x)), [array(1000)]),
  ...bounds("cond", ([x]) => program.branches(x), [array(1000)]),
  // Nobody knows how many steps it takes: of each of its loops one is counted.
  ...bounds("while", ([x, w]) => program.untilLarge(x, w), [array(256), array(256)]),
];

export default cases;
