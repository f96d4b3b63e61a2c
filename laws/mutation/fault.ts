/** What a seeded fault is: a small change of what one rule of one primitive computes. */
import type { Example, Jaxpr, Primitive } from "fluxion";
import { forgetPrograms } from "../../src/core/recurring.js";
import { bodiesOf } from "../bodies.js";
import type { Difference } from "./compare.js";

/** The rules that faults are seeded in. */
export const ruleNames = ["jvp", "transpose", "batch", "abstractEval", "lower", "dependence"] as const;
export type RuleName = (typeof ruleNames)[number];

/** What people do wrong when they write rules. */
export const faultKinds = [
  "sign",
  "factor",
  "dropped term",
  "swapped operands",
  "wrong residual",
  "missing sum",
  "off-by-one axis",
  "wrong constant",
  "wrong function",
  "wrong mask",
  "wrong row",
  "wrong flag",
  "wrong shape",
  "wrong dtype",
  "wrong weak type",
  "wrong index",
  "wrong start",
  "dropped statement",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A fault that can be seeded. Nothing of it is in the primitive until `install` is called. */
export interface Mutant {
  readonly primitive: Primitive;
  readonly rule: RuleName;
  readonly kind: FaultKind;
  /** Unique among the mutants of the primitive, and the same in every run. */
  readonly id: string;
  /** What was changed, for people. */
  readonly what: string;
  /** The examples whose operand types and params meet the fault, as positions in the list of examples of its cases. */
  readonly examples: readonly Example[];
  /** Which float operands vary while the laws are tried: operands that this fault can be seen from. */
  readonly active: readonly boolean[] | undefined;
  /** Puts the faulty rule in; the result takes it out again. */
  readonly install: () => () => void;
  /** Whether the faulty rule gives what the sound one gives, on many operands; says how many, or why. */
  readonly same: (seed: number) => string | undefined;
  /** How far results are off, on many operands; undefined where it is not numbers that differ. */
  readonly difference: (seed: number) => Difference | undefined;
}

/** Faults of a rule, and the number of places where one might be: many more, where a rule computes much. */
export interface Mutants {
  readonly mutants: readonly Mutant[];
  readonly places: number;
}

/** The record as it is at run time: an object whose rules can be replaced. */
export type Patchable = { -readonly [K in keyof Primitive]: Primitive[K] };

let fresh = 1 << 20;

/** Takes from the bodies of examples what passes remember of them, and from eager code: it came about by the rules that were in force then. */
function forget({ laws }: Primitive): void {
  const done = new Set<Jaxpr>();
  const visit = (jaxpr: Jaxpr): void => {
    if (done.has(jaxpr)) return;
    done.add(jaxpr);
    jaxpr.memo = undefined;
    for (const { params } of jaxpr.eqns) bodiesOf(params).forEach(visit);
  };
  for (const { params } of laws.examples) bodiesOf(params).forEach(visit);
  forgetPrograms();
}

/**
 * Replaces a rule. The primitive gets another number too, under which nothing has been compiled or merged yet, and the
 * passes forget what they made of its examples; the result brings everything back.
 */
export function replaceRule<R extends RuleName>(
  primitive: Primitive,
  rule: R,
  by: NonNullable<Primitive[R]>,
): () => void {
  const record = primitive as Patchable;
  const before = { rule: record[rule], id: record.id };
  record[rule] = by as Patchable[R];
  record.id = fresh++;
  forget(primitive);
  return () => {
    forget(primitive);
    record[rule] = before.rule as Patchable[R];
    record.id = before.id;
  };
}

/** Runs `body` while the fault is in. */
export function seeded<T>(mutant: Mutant, body: () => T): T {
  const restore = mutant.install();
  try {
    return body();
  } finally {
    restore();
  }
}
