/** How fast user code becomes a jaxpr, and whether that stays linear in its length. */
import { grad, makeJaxpr, type NDArray, numpy as np, vmap } from "fluxion";
import type { Case } from "./harness.js";

const chain = (length: number) => (x: NDArray) => {
  let y = x;
  for (let i = 0; i < length; i++) y = i % 2 === 0 ? np.sin(y) : np.multiply(y, x);
  return y;
};

/** Equations a second of tracing `f`; the result's size is read, not assumed. */
function equationsPerSecond(f: (x: NDArray) => NDArray, x: NDArray): number {
  const start = performance.now();
  const { jaxpr } = makeJaxpr(f)(x);
  return jaxpr.eqns.length / ((performance.now() - start) / 1000);
}

const scalar = np.array(0.5);
const vector = np.array([0.1, 0.2, 0.3]);

const cases: readonly Case[] = [
  {
    name: "trace, a chain of 10,000 operations",
    unit: "equations/s",
    measure: () => equationsPerSecond(chain(10_000), scalar),
    goal: { atLeast: 200_000 },
  },
  {
    name: "trace, a chain of 100,000 operations",
    unit: "equations/s",
    measure: () => equationsPerSecond(chain(100_000), scalar),
    rounds: 7,
  },
  {
    name: "trace grad of a chain of 10,000",
    unit: "equations/s",
    measure: () => equationsPerSecond(grad(chain(10_000)), scalar),
  },
  {
    name: "trace vmap of a chain of 10,000",
    unit: "equations/s",
    measure: () => equationsPerSecond(vmap(chain(10_000)), vector),
  },
];

export default cases;
