/** What one call costs without jit. */
import { grad, jvp, type NDArray, numpy as np } from "fluxion";
import { type Case, microsecondsPerCall } from "./harness.js";

const x = np.array(0.7);
const y = np.array(1.3);
const one = np.array(1, { dtype: "float32" });
const vector = np.linspace(0, 1, 1000);
const f = (t: NDArray): NDArray => np.add(np.multiply(np.sin(t), t), np.exp(t));
const gradient = grad(f);

const cases: readonly Case[] = [
  {
    name: "x + y, scalars",
    unit: "µs",
    measure: () => microsecondsPerCall(() => np.add(x, y)),
    goal: { atMost: 5 },
  },
  {
    name: "x.add(2), scalar and number",
    unit: "µs",
    measure: () => microsecondsPerCall(() => x.add(2)),
  },
  {
    name: "x + x, 1,000 elements",
    unit: "µs",
    measure: () => microsecondsPerCall(() => np.add(vector, vector)),
  },
  { name: "sin(x)·x + exp(x), scalar", unit: "µs", measure: () => microsecondsPerCall(() => f(x).item()) },
  {
    name: "jvp of sin(x)·x + exp(x), scalar",
    unit: "µs",
    measure: () => microsecondsPerCall(() => jvp(f, [x], [one])[1].item()),
  },
  {
    name: "grad of sin(x)·x + exp(x), scalar",
    unit: "µs",
    measure: () => microsecondsPerCall(() => gradient(x).item()),
    goal: { atMost: 58 },
  },
];

export default cases;
