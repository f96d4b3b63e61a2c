/** Derivatives against the values they are derivatives of, by finite differences that know their error. */
import { evalJaxpr, makeJaxpr, type NDArray } from "fluxion";
import { numbers } from "../close.js";
import { Differences, double, type Estimate, type Precision, single } from "../differences.js";
import { type ArrayFunction, abstains, fails, holds, type Law, law, type Verdict } from "../law.js";
import { type Arrays, push } from "../modes.js";
import type { Point } from "../point.js";
import { dtypesWithin } from "../precision.js";
import { largestOf, like, onSmooth } from "../vectors.js";

const source = "Ridders 1982; Press et al., Numerical Recipes, 5.7";

/** What the numbers are computed with; undefined where differences would be nothing but rounding. */
function precisionOf(dtypes: ReadonlySet<string>): Precision | undefined {
  if (dtypes.has("float16")) return undefined;
  return dtypes.has("float32") ? single : double;
}

const flat = (arrays: Arrays): readonly number[] => arrays.flatMap(numbers);

/** How close a claimed derivative has to be, beside what the differences do not know: relative to it, and to the largest. */
const allowance = { double: [1e-6, 1e-9], single: [2e-3, 2e-5] } as const;

/** A factor this far from 1 would have been seen. */
const VISIBLE = 0.01;

/** A slope that is not known to this part of itself is not known. */
const VAGUE = 0.1;

const showEstimate = ({ value, error }: Estimate): string =>
  `${value === 0 ? "0" : value.toPrecision(8)} ± ${error === 0 ? "0" : error.toPrecision(1)}`;

interface Question {
  readonly f: ArrayFunction;
  readonly xs: Arrays;
  /** The direction. */
  readonly along: Arrays;
  /** What is said to be the derivative. */
  readonly claimed: Arrays;
  readonly names: readonly [string, string];
}

/** Decides element by element, with as few evaluations of f as that takes. */
function judge({ f, xs, along, claimed, names }: Question, precision: Precision): Verdict {
  const [points, directions] = [xs.map(numbers), along.map(numbers)];
  const line = (h: number): readonly number[] =>
    flat(
      f(
        ...xs.map((x, k) =>
          like(
            x,
            points[k].map((e, i) => e + h * directions[k][i]),
          ),
        ),
      ),
    );
  const claims = flat(claimed);
  const [relative, absolute] = allowance[precision === double ? "double" : "single"];
  const floor = Math.max(1, largestOf(claimed));
  const differences = new Differences(line, precision, largestOf(xs));

  const opinion = (i: number): "agrees" | "differs" | "unclear" => {
    const { value, error } = differences.estimate(i);
    const claim = claims[i];
    const size = Math.max(Math.abs(value), Number.isFinite(claim) ? Math.abs(claim) : 0);
    const agrees = Math.abs(value - claim) <= error + relative * size + absolute * floor;
    if (agrees) return error <= (VISIBLE / 2) * Math.max(size, 1e-3 * floor) ? "agrees" : "unclear";
    // An estimate that is vague in itself accuses nobody, however far away the claim is.
    return error <= VAGUE * Math.max(Math.abs(value), 0.01) ? "differs" : "unclear";
  };

  let opinions = claims.map((_, i) => opinion(i));
  if (differences.canRefine && opinions.some((o) => o !== "agrees")) {
    differences.refine();
    opinions = claims.map((_, i) => opinion(i));
  }
  for (const [i, o] of opinions.entries()) {
    if (o !== "differs") continue;
    const estimate = differences.estimate(i);
    if (differences.confirms(estimate, i, claims[i]))
      return fails(
        { name: names[0], value: String(claims[i]) },
        { name: names[1], value: showEstimate(estimate) },
        whereIs(claimed, i),
      );
    opinions[i] = "unclear";
  }
  const unclear = opinions.filter((o) => o === "unclear").length;
  return unclear === 0
    ? holds
    : abstains(`finite differences are not precise enough for ${unclear} of ${claims.length} elements`);
}

/** The array and element at a position among all elements. */
function whereIs(arrays: Arrays, position: number): string {
  let start = 0;
  for (const [k, { size }] of arrays.entries()) {
    if (position < start + size) return `output ${k}, element ${position - start} of ${size}`;
    start += size;
  }
  return "";
}

/** Decides in the precision of the inputs; an accusation, only in that of everything f computes. */
function compare(question: Question): Verdict {
  const { f, xs, claimed } = question;
  const halves = "finite differences in half precision are nothing but rounding";
  const given = precisionOf(new Set([...xs, ...claimed].map((x) => x.dtype)));
  if (given === undefined) return abstains(halves);
  const verdict = judge(question, given);
  if (verdict.kind !== "fails") return verdict;
  const actual = precisionOf(dtypesWithin(f, xs));
  if (actual === undefined) return abstains(halves);
  return actual === given ? verdict : judge(question, actual);
}

export const firstDifferences = law<Point>({
  name: "jvp agrees with finite differences",
  subject: "function",
  statement: "J v = lim (f(x + hv) − f(x − hv)) / 2h",
  source,
  check: onSmooth(({ f, xs, v }) =>
    compare({ f, xs, along: v, claimed: push(f, xs, v), names: ["jvp", "finite difference"] }),
  ),
});

/** A function as a traced program, which costs less to apply; the function itself where it cannot be traced. */
function compiled(f: ArrayFunction, xs: Arrays): ArrayFunction {
  try {
    const program = makeJaxpr(f as (...xs: NDArray[]) => Arrays)(...xs);
    return (...zs) => evalJaxpr(program, ...zs);
  } catch {
    return f;
  }
}

export const secondDifferences = law<Point>({
  name: "jvp of jvp agrees with finite differences",
  subject: "function",
  statement: "D(Df·v)(x)·w = lim (Df(x + hw)·v − Df(x − hw)·v) / 2h",
  source,
  check: onSmooth(({ f, xs, v, w }) => {
    const slopes: ArrayFunction = (...zs) => push(f, zs, v);
    return compare({
      f: compiled(slopes, xs),
      xs,
      along: w,
      claimed: push(slopes, xs, w),
      names: ["jvp of jvp", "finite difference of jvp"],
    });
  }),
});

export const functionLaws: readonly Law<Point>[] = [firstDifferences, secondDifferences];
