/** `checkLaws`: is the derivative of this function a derivative? */
import fc from "fast-check";
import { ArgumentError } from "fluxion";
import type { Law } from "../law.js";
import { makePoint, type Point } from "../point.js";
import { attemptOnValues } from "./attempt.js";
import { type Interval, points } from "./draw.js";
import { type AnyFunction, type FlatFunction, flattenFunction, type Precision } from "./functions.js";
import { isAboutPoints, orderedLaws, topicOf } from "./order.js";
import { codeOfArray, codeOfTree, countNumbers } from "./print.js";
import type { LawsReport } from "./report.js";
import { type Cases, type TrialResult, tryLaws } from "./trials.js";
import type { Named, Replay } from "./violation.js";

/** What `checkLaws` is told beside the function. */
export interface CheckOptions {
  /** Example arguments: one call of the function. Trees of arrays, numbers and booleans. */
  readonly inputs: readonly unknown[];
  /** Draws the same points again. Default: another one each time; failures and reports name it. */
  readonly seed?: number;
  /** From a failure, with its seed: goes to the counterexample at once. */
  readonly path?: string;
  /**
   * How many points are tried: the example, and others near it. Default: 10. Laws that say how transforms get along with
   * each other are tried on a quarter of them.
   */
  readonly runs?: number;
  /** Only these laws, by name or as values. */
  readonly laws?: readonly (string | Law<Point>)[];
  /** False leaves out the laws of `vmap`. */
  readonly batch?: boolean;
  /** Elements of float inputs are drawn from this interval. Default: near those of the example, with their sign. */
  readonly domain?: Interval;
  /** `"float64"` (default): floats are tried in double precision if the function takes it. `"given"`: as they are. */
  readonly precision?: Precision;
}

const known = ["inputs", "seed", "path", "runs", "laws", "batch", "domain", "precision"];

function requireOptions(options: CheckOptions): void {
  if (typeof options !== "object" || options === null || !Array.isArray(options.inputs))
    throw new ArgumentError("checkLaws needs { inputs: [...] }: the arguments of one call of the function");
  for (const key of Object.keys(options))
    if (!known.includes(key))
      throw new ArgumentError(`checkLaws: there is no option "${key}"; the options are ${known.join(", ")}`);
  const { runs, path, seed, domain } = options;
  if (runs !== undefined && !(Number.isInteger(runs) && runs >= 1))
    throw new ArgumentError(`checkLaws: runs must be a positive integer, got ${runs}`);
  if (domain !== undefined && !(domain[0] <= domain[1]))
    throw new ArgumentError(`checkLaws: domain must be [lo, hi] with lo ≤ hi, got [${String(domain)}]`);
  if (path !== undefined && seed === undefined)
    throw new ArgumentError("checkLaws: a path is one with a seed; give both as the failure named them");
}

/** The laws that the options choose, in the order in which failures are reported. */
function chosenLaws({ laws, batch = true }: CheckOptions): readonly Law<Point>[] {
  if (laws === undefined) return orderedLaws.filter((law) => batch || topicOf(law) !== "batching");
  const extra: Law<Point>[] = [];
  const wanted = new Set(
    laws.map((law) => {
      if (typeof law !== "string") {
        if (!orderedLaws.includes(law)) extra.push(law);
        return law;
      }
      const found = orderedLaws.find(({ name }) => name === law);
      if (found === undefined)
        throw new ArgumentError(
          `checkLaws: there is no law "${law}"; the laws are ${orderedLaws.map(({ name }) => name).join("; ")}`,
        );
      return found;
    }),
  );
  return [...orderedLaws.filter((law) => wanted.has(law)), ...extra];
}

/** Inputs, and of the directions those that are not 0: a law did not need the others. */
export function showPoint(point: Point, names: FlatFunction["names"]): readonly Named[] {
  const named = (arrays: Point["inputs"], all: readonly string[]): Named[] =>
    arrays.map((array, i) => ({ name: all[i], array }));
  const directions = (["v", "w", "u"] as const).flatMap((key) =>
    named(point[key], names[key]).filter(({ array }) => countNumbers([array]) > 0),
  );
  const rows = point.rows.flatMap((row, r) =>
    row === point.inputs
      ? []
      : named(
          row,
          names.inputs.map((name) => `row ${r + 1} of ${name}`),
        ),
  );
  return [...named(point.inputs, names.inputs), ...directions, ...rows];
}

/** Numbers in what is shown. */
export const countOfPoint = ({ inputs, v, w, u, rows }: Point): number =>
  countNumbers([...inputs, ...v, ...w, ...u, ...rows.filter((row) => row !== inputs).flat()]);

function snippetOf(f: AnyFunction, flat: FlatFunction, options: CheckOptions) {
  const { domain, precision } = options;
  const more = [
    ...(domain === undefined ? [] : [`domain: [${domain.join(", ")}]`]),
    ...(precision === undefined ? [] : [`precision: "${precision}"`]),
    ...(options.runs === undefined ? [] : [`runs: ${options.runs}`]),
  ];
  const name = f.name === "" ? "f" : f.name;
  const call = (fields: readonly string[]): string => `await checkLaws(${name}, { ${fields.join(", ")} });`;
  return (point: Point, law: Law<Point>, { seed, path }: Replay): string => {
    const laws = `laws: [${JSON.stringify(law.name)}]`;
    const directions = showPoint(point, flat.names)
      .filter(({ name: direction }) => /^[vwu]/.test(direction))
      .map(({ name: direction, array }) => `// ${direction} = ${codeOfArray(array)}`);
    return [
      "// The function at the smallest inputs that were found.",
      ...directions,
      call([`inputs: ${codeOfTree(flat.rebuild(point.inputs))}`, laws, ...more]),
      "// The same search again, with the inputs that it began with.",
      call(["inputs", `seed: ${seed}`, `path: "${path}"`, laws, ...more]),
    ].join("\n");
  };
}

/** `checkLaws` without the promise: the report, and the violation instead of throwing it. */
export function tryLawsOf(f: AnyFunction, options: CheckOptions): TrialResult {
  if (typeof f !== "function") throw new ArgumentError(`checkLaws takes a function, got ${typeof f}`);
  requireOptions(options);
  const { inputs, runs = 10, seed = Math.floor(Math.random() * 2 ** 31), path, domain, precision } = options;
  const laws = chosenLaws(options);
  const flat = flattenFunction(f, inputs, precision ?? "float64");
  const arbitrary = points(flat.f, flat.inputs, { domain });
  const example = makePoint(flat.f, flat.inputs, seed);
  const cases: Cases<Point> = {
    isFor: (law, index) => isAboutPoints(law) || index < Math.ceil(runs / 4),
    values: [example, ...(runs > 1 ? fc.sample(arbitrary, { seed, numRuns: runs - 1 }) : [])],
    arbitrary,
    attempt: attemptOnValues,
    show: (point) => showPoint(point, flat.names),
    count: countOfPoint,
    snippet: snippetOf(f, flat, options),
    what: () => "",
  };
  return tryLaws(laws, cases, { seed, path });
}

/**
 * Tries the laws of differentiation on a function: that its derivatives agree with finite differences, in both modes and of
 * second order, that `vmap` is a loop and `jit` changes nothing. For a function with rules of its own, or one made of
 * primitives of yours, this says whether they are right.
 *
 * @param f a pure function of trees of arrays to trees of arrays, differentiable near the inputs.
 * @param options `inputs` are arguments of one call: shapes and dtypes of what is tried follow from them.
 * @returns a report: how often each law was tried, and how often it could not be decided.
 * @throws LawViolation for the first law that does not hold, with the smallest case that shows it; ArgumentError for options
 * that are none; whatever `f` throws at the inputs.
 * @example
 * const report = await checkLaws((x) => x.sin().sum(), { inputs: [np.array([0.3, 1])] });
 * report.laws.find(({ name }) => name === "duality").abstained; // 0
 */
export async function checkLaws(f: AnyFunction, options: CheckOptions): Promise<LawsReport> {
  const { report, violation } = tryLawsOf(f, options);
  if (violation !== undefined) throw violation;
  return report;
}
