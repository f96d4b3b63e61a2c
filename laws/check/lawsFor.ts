/** `lawsFor` and `checkPrimitive`: are the rules of this record right? */
import { ArgumentError, type Primitive } from "fluxion";
import { carriesTangent } from "../close.js";
import type { Law } from "../law.js";
import { attempt } from "./attempt.js";
import {
  CaseArbitrary,
  type CasePoint,
  casesOf,
  codeOfParams,
  isAboutExamples,
  lawsOfCases,
} from "./cases.js";
import { countOfPoint, showPoint } from "./checkLaws.js";
import type { Names } from "./functions.js";
import { codeOfArray } from "./print.js";
import type { LawReport, LawsReport } from "./report.js";
import { type Cases, type TrialResult, tryLaws } from "./trials.js";
import type { Replay } from "./violation.js";

/** What `lawsFor` and `checkPrimitive` are told beside the primitive. */
export interface PrimitiveOptions {
  /** How often every example of the record is tried, each time with operands of its own. Default: 1. */
  readonly runs?: number;
  /** Draws other operands. Default: 1. */
  readonly seed?: number;
  /** From a failure, with its seed and runs: goes to the counterexample at once. */
  readonly path?: string;
  /**
   * On how many cases the laws are tried that say how transforms get along with each other: they take most of the time.
   * Which cases differs from law to law. Default: all.
   */
  readonly sample?: number;
  /** Only these laws, by name. */
  readonly laws?: readonly string[];
}

/** A law of one primitive, ready to be tried. */
export interface PrimitiveLaw {
  readonly name: string;
  readonly statement: string;
  readonly source: string;
  /**
   * Tries it on the examples of the record.
   *
   * @throws LawViolation if it does not hold.
   */
  readonly check: () => LawReport;
}

const numbered = (letter: string, count: number): string[] =>
  count === 1 ? [letter] : Array.from({ length: count }, (_, i) => `${letter}${i}`);

function namesOf({ inputs, v, u }: CasePoint): Names {
  const names = numbered("x", inputs.length);
  const tangents = numbered("v", inputs.length).filter((_, i) => carriesTangent(inputs[i]));
  return {
    inputs: names,
    v: tangents.slice(0, v.length),
    w: tangents.slice(0, v.length).map((name) => name.replace("v", "w")),
    u: numbered("u", u.length),
  };
}

function snippetOf(primitive: Primitive, { runs = 1, sample }: PrimitiveOptions) {
  return (point: CasePoint, law: Law<CasePoint>, { seed, path }: Replay): string => {
    const names = namesOf(point).inputs;
    const declared = point.inputs.map((x, i) => `const ${names[i]} = ${codeOfArray(x)};`);
    const found = `findPrimitive("${primitive.name}")!`;
    const fields = [
      `seed: ${seed}`,
      ...(runs === 1 ? [] : [`runs: ${runs}`]),
      ...(sample === undefined ? [] : [`sample: ${sample}`]),
      `path: "${path}"`,
    ];
    return [
      ...declared,
      `bind(${found}, [${names.join(", ")}], ${codeOfParams(point.of.example.params)});`,
      "// The same search again.",
      `checkPrimitive(${found}, { ${fields.join(", ")}, laws: [${JSON.stringify(law.name)}] });`,
    ].join("\n");
  };
}

/** The laws that are wanted, and the cases of the primitive to try them on. */
function prepare(primitive: Primitive, options: PrimitiveOptions) {
  const { runs = 1, seed = 1, path, laws, sample = Number.POSITIVE_INFINITY } = options;
  for (const name of laws ?? [])
    if (!lawsOfCases.some((law) => law.name === name))
      throw new ArgumentError(
        `lawsFor: there is no law "${name}"; the laws are ${lawsOfCases.map((law) => law.name).join("; ")}`,
      );
  if (primitive.laws.examples.length === 0)
    throw new ArgumentError(
      `lawsFor: the record of "${primitive.name}" has no examples, so that nothing can be tried`,
    );
  const values = casesOf(primitive, seed, runs);
  const stride = Math.max(1, values.length / sample);
  const cases: Cases<CasePoint> = {
    values,
    isFor: (law, index) => {
      if (isAboutExamples(law)) return true;
      const shifted = index + lawsOfCases.indexOf(law);
      return Math.floor((shifted + 1) / stride) > Math.floor(shifted / stride);
    },
    arbitrary: new CaseArbitrary(values),
    attempt,
    show: (point) => showPoint(point, namesOf(point)),
    count: countOfPoint,
    snippet: snippetOf(primitive, options),
    what: ({ index }) => `the primitive ${primitive.name} at its example ${index}`,
  };
  const chosen = lawsOfCases.filter((law) => laws === undefined || laws.includes(law.name));
  return { chosen, cases, trial: { seed, path } };
}

/**
 * The laws of a primitive, each ready to be tried on the examples of its record: those of the function that applies it, and
 * those that the rules of the record keep. The registry's own primitives are tested by these.
 *
 * @throws ArgumentError if the record has no examples, or a name is none of a law.
 * @example
 * const laws = lawsFor(findPrimitive("sin"));
 * for (const { check } of laws) check();
 * laws.find(({ name }) => name === "vmap is map").statement; // "vmap f (stack xᵢ) = stack f(xᵢ)"
 */
export function lawsFor(primitive: Primitive, options: PrimitiveOptions = {}): readonly PrimitiveLaw[] {
  const { chosen, cases, trial } = prepare(primitive, options);
  return chosen.map((law) => ({
    name: law.name,
    statement: law.statement,
    source: law.source,
    check: () => {
      const { report, violation } = tryLaws([law], cases, trial);
      if (violation !== undefined) throw violation;
      return report.laws[0];
    },
  }));
}

/** `checkPrimitive` with the violation as a value. */
export function tryPrimitive(primitive: Primitive, options: PrimitiveOptions = {}): TrialResult {
  const { chosen, cases, trial } = prepare(primitive, options);
  return tryLaws(chosen, cases, trial);
}

/**
 * Tries all laws of a primitive on the examples of its record.
 *
 * @returns a report: how often each law was tried, and how often it could not be decided.
 * @throws LawViolation for the first law that does not hold, with the smallest case that shows it; ArgumentError if the
 * record has no examples.
 * @example
 * checkPrimitive(findPrimitive("sin")).laws.length > 20; // true
 */
export function checkPrimitive(primitive: Primitive, options: PrimitiveOptions = {}): LawsReport {
  const { report, violation } = tryPrimitive(primitive, options);
  if (violation !== undefined) throw violation;
  return report;
}
