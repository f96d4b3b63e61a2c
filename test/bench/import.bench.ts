/** What importing the package adds to an empty Node: pairs of processes, one of each kind, so that both meet the same noise. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Case } from "./harness.js";

/** Milliseconds from start to end of a Node that runs `program`; its folder makes `fluxion` the package itself. */
function milliseconds(program: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    encoding: "utf8",
  });
  const elapsed = performance.now() - start;
  if (status !== 0) throw new Error(stderr);
  return elapsed;
}

let emptyFirst = true;
function added(program: string): number {
  emptyFirst = !emptyFirst;
  if (emptyFirst) {
    const empty = milliseconds("");
    return milliseconds(program) - empty;
  }
  const full = milliseconds(program);
  return full - milliseconds("");
}

const cases: readonly Case[] = [
  { name: "an empty Node", unit: "ms", measure: () => milliseconds(""), rounds: 21 },
  {
    name: 'import "fluxion" adds',
    unit: "ms",
    measure: () =>
      added('import { grad } from "fluxion"; if (typeof grad !== "function") throw new Error();'),
    rounds: 41,
    goal: { atMost: 33 },
  },
  {
    name: 'import "fluxion/fp" adds',
    unit: "ms",
    measure: () =>
      added('import { pipe } from "fluxion/fp"; if (typeof pipe !== "function") throw new Error();'),
    rounds: 41,
  },
];

export default cases;
