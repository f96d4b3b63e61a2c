/** Trying all laws on one random program. */

import { equationsOf } from "../bodies.js";
import { attempt, attemptOn } from "../check/attempt.js";
import { isAboutPoints } from "../check/order.js";
import type { Fails, Law, Verdict } from "../law.js";
import type { ProgramKind } from "../programs/catalogue.js";
import { randomProgram } from "../programs/generate.js";
import type { Program } from "../programs/program.js";
import { minimised } from "../programs/shrink.js";
import { splitProgram } from "../programs/split.js";
import { wrappers } from "../programs/wrappers.js";
import * as compiling from "../statements/compiling.js";
import { functionLaws, pairLaws } from "../statements/index.js";
import * as passes from "../statements/passes.js";
import * as types from "../statements/types.js";

/** A law in the form in which programs are held against it. */
export interface ProgramLaw {
  readonly name: string;
  readonly statement: string;
  readonly kinds: readonly ProgramKind[];
  /** Whether it says of each program that its derivatives are right, and not that transforms get along. */
  readonly isAboutPoints: boolean;
  /** Undefined where the program is no case for the law. */
  readonly check: (program: Program, seed: number) => Verdict | undefined;
}

const ofAnyProgram: readonly Law<never>[] = [
  ...types.functionLaws,
  ...compiling.functionLaws,
  ...passes.functionLaws,
];

/** The laws of functions, and those of pairs on both parts of a program that is cut in two. */
export const programLaws: readonly ProgramLaw[] = [
  ...functionLaws.map(
    (law): ProgramLaw => ({
      name: law.name,
      statement: law.statement,
      kinds: (ofAnyProgram as readonly unknown[]).includes(law) ? ["smooth", "any"] : ["smooth"],
      isAboutPoints: isAboutPoints(law),
      check: (program, seed) => attemptOn(law, () => program.toPoint(seed)),
    }),
  ),
  ...pairLaws.map(
    (law): ProgramLaw => ({
      name: law.name,
      statement: law.statement,
      kinds: ["smooth"],
      isAboutPoints: true,
      check: (program, seed) => {
        const pair = splitProgram(program, seed, seed);
        return pair && attempt(law, pair);
      },
    }),
  ),
];

export interface Outcome {
  readonly law: string;
  readonly kind: Verdict["kind"];
  readonly milliseconds: number;
}

/** A failure, shrunk, in words. */
export interface Failure {
  readonly index: number;
  readonly kind: ProgramKind;
  readonly law: string;
  readonly statement: string;
  readonly verdict: Fails;
  readonly size: number;
  readonly program: string;
  readonly snippet: string;
  readonly shrunkFrom: number;
}

/** Whole numbers from 0 that have nothing to do with each other, for the programs of a run (the finaliser of MurmurHash3). */
export function seedOf(seed: number, index: number): number {
  let h = (Math.imul(seed, 0x9e3779b1) + index) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Every fourth program has all dtypes. */
export const kindOf = (index: number): ProgramKind => (index % 4 === 3 ? "any" : "smooth");

/** The program with this number in the run. */
export const programAt = (seed: number, index: number): Program =>
  randomProgram(seedOf(seed, index), { kind: kindOf(index) });

/** Primitives that hold programs of their own: they are counted by how deep they stand, too. */
export const holders: readonly string[] = [
  ...["cond", "scan", "while"],
  ...wrappers.map(({ primitive }) => primitive),
];

export interface Applied {
  readonly name: string;
  /** How many bodies it stands in. */
  readonly depth: number;
}

/** The primitives of a program, one for each equation, those in bodies included. */
export const primitivesOf = ({ jaxpr }: Program): readonly Applied[] =>
  equationsOf(jaxpr).map(({ eqn, depth }) => ({ name: eqn.primitive.name, depth }));

export interface Trial {
  readonly index: number;
  readonly program: Program;
  readonly outcomes: readonly Outcome[];
  readonly failed: readonly { readonly law: ProgramLaw; readonly verdict: Fails }[];
}

/** Whether a law is tried on a program, if those about how transforms get along are tried on one in so many. */
const isDue = (law: ProgramLaw, seed: number, index: number, every: number): boolean => {
  if (law.isAboutPoints || every === 1) return true;
  const number = programLaws.findIndex(({ name }) => name === law.name);
  return seedOf(seedOf(seed, index), number) % every === 0;
};

/** Tries laws on the program with this number: all, or some only on one program in `every`. */
export function tryProgram(seed: number, index: number, laws: readonly ProgramLaw[], every = 1): Trial {
  const program = programAt(seed, index);
  const outcomes: Outcome[] = [];
  const failed: { law: ProgramLaw; verdict: Fails }[] = [];
  for (const law of laws) {
    if (!law.kinds.includes(kindOf(index)) || !isDue(law, seed, index, every)) continue;
    const start = performance.now();
    const verdict = law.check(program, seedOf(seed, index));
    const milliseconds = performance.now() - start;
    outcomes.push({ law: law.name, kind: verdict?.kind ?? "abstains", milliseconds });
    if (verdict?.kind === "fails") failed.push({ law, verdict });
  }
  return { index, program, outcomes, failed };
}

/** How a law fails, so that a smaller program is one that fails in the same way: by throwing, or with two sides. */
const mannerOf = ({ left }: Fails): string =>
  left.name === "throws" ? left.value.slice(0, 24) : "sides differ";

/** The failure on the smallest program that can be found. */
export function shrunkFailure(
  { index, program }: Trial,
  { law, verdict }: { readonly law: ProgramLaw; readonly verdict: Fails },
  seed: number,
): Failure {
  let last = verdict;
  const fails = (candidate: Program): boolean => {
    const found = law.check(candidate, seedOf(seed, index));
    if (found?.kind !== "fails" || mannerOf(found) !== mannerOf(verdict)) return false;
    last = found;
    return true;
  };
  const smallest = minimised(program, fails, { tries: 1000 });
  return {
    index,
    kind: kindOf(index),
    law: law.name,
    statement: law.statement,
    verdict: last,
    size: smallest.size,
    program: String(smallest),
    snippet: smallest.toTypeScript(),
    shrunkFrom: program.size,
  };
}
