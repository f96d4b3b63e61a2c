/**
 * `jacobian` against the best of the single modes: compiled, and measured in turns. Then what a sparse Jacobian saves, and how
 * long planning takes.
 */
import {
  equalJaxprs,
  type Jaxpr,
  jacfwd,
  jaxprCost,
  jit,
  makeJaxpr,
  type NDArray,
  numpy as np,
  tidy,
} from "fluxion";
import { jacobian } from "fluxion/analysis";
import { type Case, microsecondsPerCall } from "./harness.js";
import { broyden, functions, type JacobianFunction } from "./jacobianFunctions.js";

const modes = ["forward", "reverse", "compressedForward", "compressedReverse"] as const;
type Mode = (typeof modes)[number] | "auto";

const within = 1.2;
const rounds = 60;

const operations = ({ f, x }: JacobianFunction, mode: Mode): number =>
  jaxprCost(makeJaxpr(jacobian(f, { mode }) as (x: object) => NDArray)(x).jaxpr).operations;

/** Times of the chosen way in times of the best single mode's, by name of the function. */
const ratios = new Map<string, number>();

/** Ways of the same program are one, and are measured as one. */
function waysOf({ f, x }: JacobianFunction): { readonly modes: readonly Mode[]; readonly run: () => void }[] {
  const ways: { modes: Mode[]; program: Jaxpr; run: () => void }[] = [];
  for (const mode of ["auto", ...modes] as const) {
    const way = jacobian(f, { mode }) as (x: object) => NDArray;
    const program = makeJaxpr(way)(x).jaxpr;
    const same = ways.find((other) => equalJaxprs(other.program, program));
    if (same !== undefined) {
      same.modes.push(mode);
      continue;
    }
    const compiled = jit(way);
    const run = () =>
      tidy(() => {
        compiled(x);
      });
    ways.push({ modes: [mode], program, run });
  }
  return ways;
}

/**
 * Short rounds in which all ways take their turn; those that are slower by far take part in the first few only. The least of
 * each: on a shared machine what is above belongs to whoever else was running.
 */
function measured(example: JacobianFunction): number {
  const timeOf = ({ times }: { readonly times: readonly number[] }): number => Math.min(...times);
  let ways = waysOf(example).map((way) => ({ ...way, times: [] as number[] }));
  for (const { run } of ways) for (let k = 0; k < 20; k++) run();
  for (let k = 0; k < rounds; k++) {
    // Whoever comes first in a round may pay for what the one before has left behind.
    for (const { run, times } of k % 2 === 0 ? ways : ways.toReversed())
      times.push(microsecondsPerCall(run, 1));
    if (k !== 4) continue;
    const least = Math.min(...ways.map(timeOf));
    ways = ways.filter((way) => way.modes.includes("auto") || timeOf(way) < 3 * least);
  }
  const single = ways.filter(({ modes }) => modes.some((mode) => mode !== "auto"));
  const ratio = timeOf(ways[0]!) / Math.min(...single.map(timeOf));
  ratios.set(example.name, ratio);
  return ratio;
}

const once = { rounds: 1, warmup: 0 } as const;
const cases: Case[] = [];

cases.push({
  name: "counted, worst of all functions",
  unit: "× best",
  measure: () =>
    Math.max(
      ...functions.map(
        (example) =>
          operations(example, "auto") / Math.min(...modes.map((mode) => operations(example, mode))),
      ),
    ),
  ...once,
  goal: { atMost: within },
  strict: true,
});
for (const example of functions)
  cases.push({ name: example.name, unit: "× best", measure: () => measured(example), ...once });
cases.push({
  name: `measured within ${within} × best`,
  unit: "% of them",
  measure: () => (100 * [...ratios.values()].filter((r) => r <= within).length) / functions.length,
  ...once,
  goal: { atLeast: 95 },
});

// A tridiagonal Jacobian of 10,000 × 10,000: 400 MB as a dense array.
const large = 10_000;
const chain = (n: number): NDArray => np.sin(np.arange(n, "float32"));
const timeOf = (f: (x: NDArray) => unknown, n: number): number => {
  const x = chain(n);
  const compiled = jit(f as (x: NDArray) => NDArray);
  const call = () =>
    tidy(() => {
      compiled(x);
    });
  for (let k = 0; k < 3; k++) call();
  return microsecondsPerCall(call, 20);
};
const sparse = jacobian(broyden, { sparse: true });
const dense = jacfwd(broyden);
cases.push({
  name: "tridiagonal of 10,000, sparse",
  unit: "µs",
  measure: () => timeOf(sparse, large),
  rounds: 5,
});
for (const n of [1_000, large])
  cases.push({
    name: `tridiagonal of ${n.toLocaleString("en-US")}, jacfwd`,
    unit: "µs",
    measure: () => timeOf(dense, n),
    rounds: 3,
    warmup: 1,
  });
cases.push({
  name: "jacfwd over sparse, 10,000",
  unit: "times",
  measure: () => timeOf(dense, large) / timeOf(sparse, large),
  rounds: 5,
  warmup: 1,
  goal: { atLeast: 300 },
});
cases.push({
  name: "equal to jacfwd at 500, largest difference",
  unit: "",
  measure: () =>
    np
      .max(
        np.abs(
          sparse(chain(500))
            .toDense()
            .sub(dense(chain(500))),
        ),
      )
      .item() as number,
  ...once,
  goal: { atMost: 0 },
  strict: true,
});

// Each call makes a function that was never seen, so that it is traced and planned; then the same function again.
let seen = 0;
const fresh = (n: number) => {
  const shift = 1 + ++seen * 1e-3;
  const f = (x: NDArray) => broyden(x.mul(shift));
  const x = chain(n);
  return { first: () => makeJaxpr(jacobian(f))(x), plain: () => makeJaxpr(jacfwd(f))(x) };
};
for (const n of [100, large])
  cases.push({
    name: `planning a tridiagonal of ${n.toLocaleString("en-US")}`,
    unit: "ms",
    measure: () => {
      const { first, plain } = fresh(n);
      const start = performance.now();
      first();
      const middle = performance.now();
      plain();
      return middle - start - (performance.now() - middle);
    },
    rounds: 9,
  });
cases.push({
  name: "second call of jacobian over jacfwd, 1 → 1, eager",
  unit: "× jacfwd",
  measure: () => {
    const f = (x: NDArray) => np.sin(x).mul(x);
    const x = np.array(0.5);
    const [auto, plain] = [jacobian(f), jacfwd(f)];
    for (let k = 0; k < 3; k++) [auto(x), plain(x)];
    return microsecondsPerCall(() => auto(x), 10) / microsecondsPerCall(() => plain(x), 10);
  },
});

export default cases;
