/** What a deep run has counted so far. It is plain data: workers send parts of it, and it is written to a file. */
import type { Verdict } from "../law.js";
import { type Failure, holders, primitivesOf, type Trial } from "./trial.js";

export interface LawCount {
  tried: number;
  abstained: number;
  failed: number;
  milliseconds: number;
}

export interface Tally {
  programs: number;
  equations: number;
  /** How many equations apply each primitive. */
  primitives: Record<string, number>;
  /** How many equations of those that hold programs stand in so many bodies, by primitive. */
  depths: Record<string, number[]>;
  laws: Record<string, LawCount>;
  failures: Failure[];
}

export const emptyTally = (): Tally => ({
  programs: 0,
  equations: 0,
  primitives: {},
  depths: {},
  laws: {},
  failures: [],
});

const countOf = (tally: Tally, law: string): LawCount =>
  (tally.laws[law] ??= { tried: 0, abstained: 0, failed: 0, milliseconds: 0 });

/** Counts equations at a depth; there are no gaps in the list. */
function addAt(tally: Tally, name: string, depth: number, count: number): void {
  tally.depths[name] ??= [];
  const counts = tally.depths[name];
  while (counts.length <= depth) counts.push(0);
  counts[depth] += count;
}

const fieldOf: Record<Verdict["kind"], "abstained" | "failed" | undefined> = {
  holds: undefined,
  abstains: "abstained",
  fails: "failed",
};

/** Adds a trial. */
export function record(tally: Tally, { program, outcomes }: Trial): void {
  const applied = primitivesOf(program);
  tally.programs++;
  tally.equations += applied.length;
  for (const { name, depth } of applied) {
    tally.primitives[name] = (tally.primitives[name] ?? 0) + 1;
    if (holders.includes(name)) addAt(tally, name, depth, 1);
  }
  for (const { law, kind, milliseconds } of outcomes) {
    const count = countOf(tally, law);
    count.tried++;
    count.milliseconds += milliseconds;
    const field = fieldOf[kind];
    if (field !== undefined) count[field]++;
  }
}

/** Adds what another tally has counted. */
export function merge(tally: Tally, other: Tally): void {
  tally.programs += other.programs;
  tally.equations += other.equations;
  for (const [name, n] of Object.entries(other.primitives))
    tally.primitives[name] = (tally.primitives[name] ?? 0) + n;
  for (const [name, counts] of Object.entries(other.depths))
    for (const [depth, count] of counts.entries()) addAt(tally, name, depth, count);
  for (const [name, count] of Object.entries(other.laws)) {
    const own = countOf(tally, name);
    own.tried += count.tried;
    own.abstained += count.abstained;
    own.failed += count.failed;
    own.milliseconds += count.milliseconds;
  }
  tally.failures.push(...other.failures);
}
