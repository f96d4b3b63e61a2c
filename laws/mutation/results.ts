/** What trying all faults gave: data, kept beside the report that is made of it. */
import type { FaultKind, RuleName } from "./fault.js";

/** Numbers of faults. */
export interface Tally {
  /** Places where a fault might be. */
  places: number;
  /** Faults that were seeded. */
  seeded: number;
  killed: number;
  /** Faults that change no number. */
  same: number;
  /** Faults that no law noticed and that change numbers by no more than the rounding that the library allows itself. */
  rounding: number;
  survived: number;
}

export const emptyTally = (): Tally => ({
  places: 0,
  seeded: 0,
  killed: 0,
  same: 0,
  rounding: 0,
  survived: 0,
});

/** A fault that no law noticed. */
export interface Survivor {
  readonly primitive: string;
  readonly rule: RuleName;
  readonly kind: FaultKind;
  readonly what: string;
  /** Whether it means the same, up to rounding, or not. */
  readonly outcome: "same" | "rounding" | "survived";
  /** Why it means the same, or how far results are off. */
  readonly reason: string;
}

/** What one law did. */
export interface Killer {
  /** Faults that it noticed before other laws were tried. */
  first: number;
  /** Of the faults that all laws were tried on: those that it noticed, and those that no other law did. */
  sampled: number;
  alone: number;
}

export interface Results {
  readonly seed: number;
  readonly limit: number;
  /** By primitive, then by rule; rules that a primitive lacks are left out. */
  readonly primitives: Record<string, Partial<Record<RuleName, Tally>>>;
  readonly kinds: Partial<Record<FaultKind, Tally>>;
  readonly laws: Record<string, Killer>;
  /** How the faults were noticed: a law failed, or which error it threw. */
  readonly how: Record<string, number>;
  /** Faults that all laws were tried on. */
  sampled: number;
  readonly survivors: Survivor[];
  /** Laws that failed where there was no fault; they kill nothing there. */
  readonly unsound: string[];
}

export const emptyResults = (seed: number, limit: number): Results => ({
  seed,
  limit,
  primitives: {},
  kinds: {},
  laws: {},
  how: {},
  sampled: 0,
  survivors: [],
  unsound: [],
});

/** What a worker says of one fault. */
export interface Judged {
  readonly kind: FaultKind;
  readonly what: string;
  readonly outcome: "killed" | "same" | "rounding" | "survived";
  /** The law that killed it. */
  readonly law?: string;
  readonly how?: string;
  /** Of the others: why none did. */
  readonly reason?: string;
  /** All laws that notice it, where all were tried. */
  readonly killers?: readonly string[];
}

/** Adds one fault to the results. */
export function count(results: Results, primitive: string, rule: RuleName, judged: Judged): void {
  const { kind, what, outcome, law, how, reason = "", killers } = judged;
  results.kinds[kind] ??= emptyTally();
  for (const tally of [tallyOf(results, primitive, rule), results.kinds[kind]]) {
    tally.seeded++;
    tally[outcome]++;
  }
  if (law !== undefined) killer(results, law).first++;
  if (how !== undefined) results.how[how] = (results.how[how] ?? 0) + 1;
  if (killers !== undefined && killers.length > 0) {
    results.sampled++;
    for (const name of killers) killer(results, name).sampled++;
    if (killers.length === 1) killer(results, killers[0]).alone++;
  }
  if (outcome !== "killed") results.survivors.push({ primitive, rule, kind, what, outcome, reason });
}

export function killer(results: Results, law: string): Killer {
  results.laws[law] ??= { first: 0, sampled: 0, alone: 0 };
  return results.laws[law];
}

export function tallyOf(results: Results, primitive: string, rule: RuleName): Tally {
  results.primitives[primitive] ??= {};
  const rules = results.primitives[primitive];
  rules[rule] ??= emptyTally();
  return rules[rule];
}

/** The sum of tallies. */
export function total(tallies: Iterable<Tally | undefined>): Tally {
  const sum = emptyTally();
  for (const tally of tallies)
    for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally?.[key] ?? 0;
  return sum;
}

/** Of the faults that change a number by more than rounding the part that was killed. */
export const rate = ({ killed, survived }: Tally): number =>
  killed + survived === 0 ? 1 : killed / (killed + survived);
