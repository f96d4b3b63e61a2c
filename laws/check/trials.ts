/** Tries laws on cases and shrinks the failure of the most telling one. Knows nothing of what the cases are. */
import fc from "fast-check";
import { ArgumentError } from "fluxion";
import type { Fails, Law, Verdict } from "../law.js";
import { thrown } from "./attempt.js";
import { type LawReport, LawsReport } from "./report.js";
import { Bounded } from "./shrink.js";
import { type Counterexample, LawViolation, type Named } from "./violation.js";

/** Cases of one kind, and how they are shrunk and shown. */
export interface Cases<T> {
  readonly values: readonly T[];
  /** Whether a law is tried on the value at a position. */
  readonly isFor: (law: Law<T>, index: number) => boolean;
  /** Shrinks them. */
  readonly arbitrary: fc.Arbitrary<T>;
  readonly attempt: (law: Law<T>, value: T) => Verdict;
  /** The arrays that a message shows. */
  readonly show: (value: T) => readonly Named[];
  /** How many numbers there are to understand. */
  readonly count: (value: T) => number;
  readonly snippet: (value: T, law: Law<T>, replay: { seed: number; path: string }) => string;
  readonly what: (value: T) => string;
}

export interface TrialOptions {
  readonly seed: number;
  /** Of an earlier failure: only this case is tried, and by the law that failed there. */
  readonly path?: string;
  /** Milliseconds for shrinking. */
  readonly shrinkTime?: number;
}

interface Trial<T> {
  readonly law: Law<T>;
  readonly report: LawReport;
  /** The first case on which it fails. */
  readonly failing?: { readonly index: number; readonly verdict: Fails };
}

/** Tries a law on one case after the other, up to the first failure. */
function tryLaw<T>(law: Law<T>, { values, isFor, attempt }: Cases<T>): Trial<T> {
  const reasons = new Set<string>();
  let tried = 0;
  let abstained = 0;
  let failing: Trial<T>["failing"];
  for (const [index, value] of values.entries()) {
    if (!isFor(law, index)) continue;
    const verdict = attempt(law, value);
    tried++;
    if (verdict.kind === "abstains") {
      abstained++;
      reasons.add(verdict.reason);
    } else if (verdict.kind === "fails") {
      failing = { index, verdict };
      break;
    }
  }
  const { name, statement } = law;
  return { law, failing, report: { name, statement, tried, abstained, reasons: [...reasons] } };
}

/** Failures of one sort: an error of the same class, or two sides that differ. A smaller case must fail in the same way. */
const sortOf = ({ left }: Fails): string =>
  left.name === thrown ? `throws ${left.value.split(":")[0]}` : "differ";

const notThere = (laws: readonly { readonly name: string }[], { seed, path }: TrialOptions): ArgumentError =>
  new ArgumentError(
    `${laws.length === 1 ? `"${laws[0].name}" does not fail` : "no law fails"} at seed ${seed}, path ${path}: the function, the inputs or other options have changed`,
  );

interface Shrunk<T> {
  readonly value: T;
  readonly verdict: Fails;
  readonly path: string;
  readonly shrunkFrom: T | undefined;
}

/** The smallest failing case that can be found in the time, from the first one on. */
function shrink<T>(law: Law<T>, cases: Cases<T>, path: string, options: TrialOptions): Shrunk<T> {
  const { seed, shrinkTime = 2000 } = options;
  const replayed = path.includes(":");
  let first: { readonly value: T; readonly sort: string; readonly until: number } | undefined;
  let last: { readonly value: T; readonly verdict: Fails } | undefined;
  const property = fc.property(
    new Bounded(cases.arbitrary, () => first === undefined || performance.now() < first.until),
    (value) => {
      const verdict = cases.attempt(law, value);
      if (verdict.kind !== "fails") return true;
      const sort = sortOf(verdict);
      first ??= { value, sort, until: performance.now() + shrinkTime };
      if (first.sort !== sort) return true;
      last = { value, verdict };
      return false;
    },
  );
  const details = fc.check(property, {
    seed,
    path,
    numRuns: cases.values.length,
    // A path with a colon leads through the shrinking to its end.
    endOnFailure: replayed,
    examples: cases.values.map((value) => [value] as [T]),
  });
  if (!details.failed || first === undefined || last === undefined) throw notThere([law], options);
  return {
    ...last,
    path: details.counterexamplePath ?? path,
    shrunkFrom: replayed ? undefined : first.value,
  };
}

/** What the laws gave: a report, and the violation of the first law that fails, if one does. */
export interface TrialResult {
  readonly report: LawsReport;
  readonly violation: LawViolation | undefined;
}

/**
 * Tries all laws on all cases.
 *
 * @param laws in the order in which a failure is to be reported.
 */
export function tryLaws<T>(laws: readonly Law<T>[], cases: Cases<T>, options: TrialOptions): TrialResult {
  const { seed, path } = options;
  const trials = laws.map((law) => tryLaw(law, cases));
  const report = new LawsReport(
    trials.map((t) => t.report),
    seed,
  );
  const broken = trials.filter((t) => t.failing !== undefined);
  const [first] = broken;
  if (first?.failing === undefined) {
    if (path !== undefined) throw notThere(laws, options);
    return { report, violation: undefined };
  }
  const { law } = first;
  const shrunk = shrink(law, cases, path ?? String(first.failing.index), options);
  const others = trials.filter((t) => t !== first);
  const names = (which: (t: Trial<T>) => boolean): string[] => others.filter(which).map((t) => t.law.name);
  const isSilent = ({ failing, report: { tried, abstained } }: Trial<T>): boolean =>
    failing === undefined && tried === abstained;
  const counterexample: Counterexample = {
    law,
    verdict: shrunk.verdict,
    at: cases.show(shrunk.value),
    numbers: cases.count(shrunk.value),
    shrunkFrom: shrunk.shrunkFrom === undefined ? undefined : cases.count(shrunk.shrunkFrom),
    replay: { seed, path: shrunk.path },
    others: {
      hold: names((t) => t.failing === undefined && !isSilent(t)),
      fail: names((t) => t.failing !== undefined),
      abstain: names(isSilent),
    },
    snippet: cases.snippet(shrunk.value, law, { seed, path: shrunk.path }),
    what: cases.what(shrunk.value),
  };
  return { report, violation: new LawViolation(counterexample) };
}
