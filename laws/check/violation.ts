/** The error that says which law does not hold, where, and what the two sides came to. */
import type { NDArray } from "fluxion";
import type { Fails, Subject } from "../law.js";
import { thrown } from "./attempt.js";
import { showArray } from "./print.js";

/** A named array of a counterexample. */
export interface Named {
  readonly name: string;
  readonly array: NDArray;
}

/** How to come to the same counterexample again: options of `checkLaws` and `checkPrimitive`. */
export interface Replay {
  readonly seed: number;
  readonly path: string;
}

/** What the other laws said of the same function. */
export interface Others {
  readonly hold: readonly string[];
  readonly fail: readonly string[];
  /** Nowhere could they be tried. */
  readonly abstain: readonly string[];
}

/** All that a `LawViolation` knows. */
export interface Counterexample {
  readonly law: {
    readonly name: string;
    readonly subject: Subject;
    readonly statement: string;
    readonly source: string;
  };
  readonly verdict: Fails;
  /** Inputs and directions; of the directions those that are not 0 and so take part. */
  readonly at: readonly Named[];
  /** How many numbers that are not 0 it has. */
  readonly numbers: number;
  /** How many it had before it was shrunk; undefined where it was replayed. */
  readonly shrunkFrom: number | undefined;
  readonly replay: Replay;
  readonly others: Others;
  /** TypeScript that shows it. */
  readonly snippet: string;
  /** What was tried, as in `sin at example 2`; empty for functions of users. */
  readonly what: string;
}

const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** The two sides beside each other where they are short, and what they are about. */
function sidesOf({ left, right, where }: Fails): string[] {
  const texts =
    left.name === thrown ? [`throws ${left.value}`] : [left, right].map((s) => `${s.name} ${s.value}`);
  const lines = texts.some((text) => text.length > 60 || text.includes("\n"))
    ? texts
    : [texts.join("        ")];
  return where === "" ? lines : [...lines, `(${where})`];
}

function othersLine({ hold, fail, abstain }: Others): string {
  const parts: string[] = [];
  if (fail.length > 0)
    parts.push(
      `${plural(fail.length, "other law")} ${fail.length === 1 ? "fails" : "fail"} too: ${fail.join("; ")}.`,
    );
  if (hold.length > 0)
    parts.push(hold.length === 1 ? "The other law holds." : `The other ${hold.length} laws hold.`);
  if (abstain.length > 0) parts.push(`${plural(abstain.length, "law")} could not be tried.`);
  return parts.join(" ");
}

const indent = (text: string, by: number): string => text.replace(/^(?=.)/gm, " ".repeat(by));

function messageOf(c: Counterexample): string {
  const at = c.at.map(({ name, array }) => `${name} = ${showArray(array)}`);
  const from = c.shrunkFrom === undefined ? "" : `shrunk from ${plural(c.shrunkFrom, "value")}; `;
  const place = `(${from}seed ${c.replay.seed}, path ${c.replay.path})`;
  const oneLine = `at ${[...at, place].join(", ").replace(/, \(/, " (")}`;
  const where =
    oneLine.length <= 130 ? [oneLine] : [`at ${at[0]}`, ...at.slice(1).map((line) => `   ${line}`), place];
  return [
    c.law.name + (c.what === "" ? "" : `, for ${c.what}`),
    ...(at.length > 0 ? where : [`at no input ${place}`]).map((line) => indent(line, 2)),
    ...sidesOf(c.verdict).map((line) => indent(line, 2)),
    ...[othersLine(c.others)].filter((line) => line !== "").map((line) => indent(line, 2)),
    `  The law: ${c.law.statement} (${c.law.source})`,
    "",
    indent(c.snippet, 2),
  ].join("\n");
}

/**
 * A law does not hold. The message names the law, the smallest case that was found, both sides of the equation, the seed and
 * path that find it again, and what the other laws say; the fields have the same as data. `code` is `"law"`.
 */
export class LawViolation extends Error {
  readonly code = "law";
  /** The law: its name, statement and source. */
  readonly law: Counterexample["law"];
  /** The two sides that should be the same. */
  readonly verdict: Fails;
  /** The shrunk case. */
  readonly at: readonly Named[];
  readonly numbers: number;
  readonly replay: Replay;
  readonly others: Others;
  readonly snippet: string;

  constructor(counterexample: Counterexample) {
    super(messageOf(counterexample));
    this.name = "LawViolation";
    const { law, verdict, at, numbers, replay, others, snippet } = counterexample;
    this.law = { name: law.name, subject: law.subject, statement: law.statement, source: law.source };
    this.verdict = verdict;
    this.at = at;
    this.numbers = numbers;
    this.replay = replay;
    this.others = others;
    this.snippet = snippet;
  }
}
