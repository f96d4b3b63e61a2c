/**
 * What a law is: a statement about functions and their derivatives that can be tried on cases. Everything here is a value:
 * laws are listed, filtered, run by fast-check, and named in failures.
 */
import type { NDArray } from "fluxion";

/** What trying a law on one case gave. */
export type Verdict = Holds | Abstains | Fails;

export interface Holds {
  readonly kind: "holds";
}

/** The case says nothing about the law: it has no derivative there, or rounding hides it. */
export interface Abstains {
  readonly kind: "abstains";
  readonly reason: string;
}

export interface Fails {
  readonly kind: "fails";
  /** The two sides that should be the same, by what they are called in the statement. */
  readonly left: Side;
  readonly right: Side;
  /** Which output, element or pass it is about, where there are several. */
  readonly where: string;
}

/** One side of an equation: its name in the statement and what it came to. */
export interface Side {
  readonly name: string;
  readonly value: string;
}

export const holds: Holds = { kind: "holds" };
export const abstains = (reason: string): Abstains => ({ kind: "abstains", reason });
export const fails = (left: Side, right: Side, where = ""): Fails => ({ kind: "fails", left, right, where });

/** The first verdict that is not `holds`; the laws of several parts are tried part by part. */
export function every(...parts: readonly (() => Verdict)[]): Verdict {
  let doubt: Abstains | undefined;
  for (const part of parts) {
    const verdict = part();
    if (verdict.kind === "fails") return verdict;
    if (verdict.kind === "abstains") doubt ??= verdict;
  }
  return doubt ?? holds;
}

/** What a law is about; `checkLaws` and `lawsFor` choose by it. */
export type Subject =
  /** A function at a point: any function of a user's. */
  | "function"
  /** Two functions that compose. */
  | "pair"
  /** A linear function. */
  | "linear"
  /** A primitive with one of its examples. */
  | "primitive"
  /** Trees of leaves, cotangents: values that are no functions. */
  | "value";

/** A law about cases of type `T`. */
export interface Law<T> {
  /** A few words, unique among the laws. */
  readonly name: string;
  readonly subject: Subject;
  /** One line, in the notation of the textbooks. */
  readonly statement: string;
  /** Where it is proved. */
  readonly source: string;
  /** Tries it. What the function under test throws is a failure of the law and reported as one. */
  readonly check: (value: T) => Verdict;
}

export const law = <T>(description: Law<T>): Law<T> => Object.freeze({ ...description });

/** A function of arrays to arrays, as laws see it. */
export type ArrayFunction = (...inputs: readonly NDArray[]) => readonly NDArray[];
