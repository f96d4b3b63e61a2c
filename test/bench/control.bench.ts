/** Branches and loops on the CPU device, one thread: what a step costs, and what a loop saves. */
import { grad, init, jit, lax, type NDArray, numpy as np, random, ShapeDtype } from "fluxion";
import { type Case, microsecondsPerCall } from "./harness.js";

await init({ device: "wasm", threads: 1 });

const steps = 100_000;
const scalar = np.array(0.5);
const scan = jit(
  (x: NDArray) =>
    lax.scan((c: NDArray): [NDArray, null] => [c.mul(0.5).add(1), null], x, null, { length: steps })[0],
);
const loop = jit((x: NDArray) =>
  lax.whileLoop(
    ([i]: [NDArray, NDArray]) => i.less(steps),
    ([i, c]: [NDArray, NDArray]): [NDArray, NDArray] => [i.add(1), c.mul(0.5).add(1)],
    [np.array(0, { dtype: "int32" }), x],
  ),
);
const branches = jit(
  (x: NDArray) =>
    lax.scan(
      (c: NDArray): [NDArray, null] => [
        lax.cond(
          c.greater(1),
          (y: NDArray) => y.mul(0.5),
          (y: NDArray) => y.add(1),
          c,
        ),
        null,
      ],
      x,
      null,
      { length: steps },
    )[0],
);
const size = 1_000_000;
const updates = jit((x: NDArray) =>
  lax.foriLoop(0, steps, (i: NDArray, c: NDArray) => c.at(i).set(i.astype("float32")), x),
);
const large = np.zeros([size]);

const [batch, hidden] = [32, 128];
const keys = random.split(random.key(0), 3);
const w = random.normal(keys.slice(0), [hidden, hidden]).mul(0.05);
const inputs = random.normal(keys.slice(1), [1000, batch, hidden]);
const start = np.zeros([batch, hidden]);

const cell = (w: NDArray, h: NDArray, x: NDArray): NDArray => np.tanh(h.matmul(w).add(x));
const scanned = (w: NDArray, xs: NDArray): NDArray =>
  np.sum(lax.scan((h: NDArray, x: NDArray): [NDArray, null] => [cell(w, h, x), null], start, xs)[0]);
const unrolled =
  (n: number) =>
  (w: NDArray, xs: NDArray): NDArray => {
    let h = start;
    for (let t = 0; t < n; t++) h = cell(w, h, xs.slice(t));
    return np.sum(h);
  };

const forward = jit(scanned);
const backward = jit(grad(scanned));
const forwardUnrolled = jit(unrolled(20));
const backwardUnrolled = jit(grad(unrolled(20)));
const few = inputs.slice({ start: 0, stop: 20 });

const perStep = (name: string, n: number, unit: "ns" | "µs", f: () => unknown): Case => ({
  name,
  unit: `${unit}/step`,
  measure: () => (microsecondsPerCall(f) / n) * (unit === "ns" ? 1000 : 1),
});

/** Time to trace and to compile the gradient of a loss over 1,000 steps, in ms. */
function compileTime(loss: (w: NDArray, xs: NDArray) => NDArray): number {
  const before = performance.now();
  jit(grad((w: NDArray, xs: NDArray) => loss(w, xs)))
    .lower(new ShapeDtype([hidden, hidden]), new ShapeDtype([1000, batch, hidden]))
    .compile();
  return performance.now() - before;
}

const cases: readonly Case[] = [
  perStep("scan of a scalar", steps, "ns", () => scan(scalar)),
  perStep("whileLoop of a scalar", steps, "ns", () => loop(scalar)),
  perStep("scan of a cond of a scalar", steps, "ns", () => branches(scalar)),
  perStep("foriLoop of x.at(i).set in 1e6 elements", steps, "ns", () => updates(large)),
  perStep("RNN [32,128], scan of 1,000", 1000, "µs", () => forward(w, inputs)),
  perStep("  the same kernels, 20 steps written out", 20, "µs", () => forwardUnrolled(w, few)),
  perStep("its gradient, scan of 1,000", 1000, "µs", () => backward(w, inputs)),
  perStep("  the same kernels, 20 steps written out", 20, "µs", () => backwardUnrolled(w, few)),
  { name: "compiling the gradient, scan", unit: "ms", measure: () => compileTime(scanned) },
  {
    name: "  1,000 steps written out take so many times that",
    unit: "times",
    measure: () => compileTime(unrolled(1000)) / compileTime(scanned),
    rounds: 1,
    warmup: 0,
    goal: { atLeast: 10 },
  },
];

export default cases;
