/**
 * Reverse mode through long loops in bounded memory: bytes beside arguments and results, and the time of value and gradient
 * over that of the value, measured in turns. The state is a vector of 256 numbers: 1 KiB. Slots grow with the logarithm of
 * the number of steps.
 */
import { jaxprCost, jit, lax, makeJaxpr, type NDArray, numpy as np, valueAndGrad } from "fluxion";
import { type Case, microsecondsPerCall } from "./harness.js";

const width = 256;
const x0 = np.linspace(0.1, 0.9, width);
const weights = np.linspace(0.5, 1.5, width);

/** One step: smooth, bounded, and it needs its state to go backwards. */
const step = (x: NDArray, w: NDArray): NDArray => np.sin(x.mul(w)).add(0.1);

type Loss = (x: NDArray, w: NDArray) => NDArray;

const slotsFor = (steps: number): number => Math.ceil(2 * Math.log2(steps));

const byWhile =
  (steps: number): Loss =>
  (x, w) =>
    lax
      .whileLoop(
        ([i]) => i.less(steps),
        ([i, y]) => [i.add(1), step(y, w)] as const,
        [np.zeros([], "int32"), x] as const,
        { checkpoint: { slots: slotsFor(steps) } },
      )[1]
      .sum();

const byScan =
  (steps: number, bounded: boolean): Loss =>
  (x, w) =>
    lax
      .scan((y: NDArray) => [step(y, w), null] as const, x, null, {
        length: steps,
        ...(bounded ? { checkpoint: { slots: slotsFor(steps) } } : {}),
      })[0]
      .sum();

const temporaries = (f: Loss): number =>
  jit(valueAndGrad(f)).lower(x0, weights).memoryAnalysis().temporaryBytes / 1024;

/** Time of value and gradient, in times of the value. */
function ratio(f: Loss): () => number {
  const value = jit(f);
  const both = jit(valueAndGrad(f));
  return () => {
    const alone = microsecondsPerCall(() => value(x0, weights), 1);
    return microsecondsPerCall(() => both(x0, weights), 1) / alone;
  };
}

const memory = (name: string, f: Loss, atMost?: number): Case => ({
  name: `${name}: memory`,
  unit: "KiB",
  measure: () => temporaries(f),
  rounds: 1,
  warmup: 0,
  ...(atMost === undefined ? {} : { goal: { atMost } }),
});

const time = (name: string, f: Loss): Case => ({
  name: `${name}: time`,
  unit: "× the loop",
  measure: ratio(f),
  rounds: 3,
  warmup: 1,
});

/** As many states as there are slots, and some more for what a step and the accumulation of its cotangents need. */
const bound = (steps: number): number => 1.25 * slotsFor(steps) + 32;

const cases: Case[] = [];
for (const steps of [1_000, 10_000, 100_000]) {
  const shown = steps.toLocaleString("en-US");
  cases.push(memory(`while, ${shown} steps`, byWhile(steps), bound(steps)));
  cases.push(memory(`scan, ${shown} steps, bounded`, byScan(steps, true), 1.5 * bound(steps)));
  cases.push(time(`while, ${shown} steps`, byWhile(steps)));
  cases.push(time(`scan, ${shown} steps, bounded`, byScan(steps, true)));
}
/** A recurrent network with a matrix of 64 by 64, 1,000 steps: its sum and the derivatives by first states and matrix. */
const recurrent: Loss = (h, w) =>
  lax.scan((y: NDArray) => [np.tanh(y.matmul(w)), null] as const, h, null, { length: 1_000 })[0].sum();
const matrix = np.eye(64);

/** Of one vector, what is added up for the matrix is as much work as half a product with it. */
for (const [batch, goal] of [
  [32, { atMost: 3.5 }],
  [1, undefined],
] as const) {
  const h0 = np.zeros([batch, 64]);
  const operations = (f: (h: NDArray, w: NDArray) => unknown): number =>
    jaxprCost(makeJaxpr(f)(h0, matrix).jaxpr).operations;
  cases.push({
    name: `scan, RNN of [${batch},64], 1,000 steps: operations`,
    unit: "× the loop",
    measure: () => operations(valueAndGrad(recurrent, { argnums: [0, 1] })) / operations(recurrent),
    rounds: 1,
    warmup: 0,
    ...(goal === undefined ? {} : { goal }),
  });
}
cases.push(memory("scan, 10,000 steps, all stored", byScan(10_000, false)));
cases.push(time("scan, 10,000 steps, all stored", byScan(10_000, false)));

export default cases;
