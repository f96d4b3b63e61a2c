/** Sparsity patterns: what they leave out is zero. */
import { evalJaxpr, type NDArray } from "fluxion";
import { type SparsityPattern, sparsity } from "fluxion/analysis";
import { isSmooth, type PrimitiveCase } from "../cases.js";
import { carriesTangent, numbers } from "../close.js";
import { type ArrayFunction, abstains, every, fails, holds, type Law, law, type Verdict } from "../law.js";
import { type Arrays, jacobianForward, push } from "../modes.js";
import { generator, type Point } from "../point.js";
import { largestOf, like, onSmooth, sizeOf } from "../vectors.js";
import { programOf } from "./recordTypes.js";

const source = "Griewank & Walther, Evaluating Derivatives, ch. 7";

/** Jacobians with more entries than this are looked at in some of their columns. */
const MOST = 16384;
const COLUMNS = 8;

/** The patterns of all blocks of the Jacobian, [output][input]. */
const patternsOf = (f: ArrayFunction, xs: Arrays, argnums: readonly number[]) =>
  sparsity(f as (...xs: NDArray[]) => NDArray[], ...(xs as NDArray[]), {
    argnums,
  }) as unknown as readonly (readonly SparsityPattern[])[];

/** The first entry of a column that is not zero although the pattern says so. */
function outside(
  pattern: SparsityPattern,
  column: number,
  entries: (row: number) => number,
  negligible: number,
  where: string,
): Verdict {
  for (let row = 0; row < pattern.rows; row++) {
    const entry = entries(row);
    if (!(Math.abs(entry) > negligible) || pattern.has(row, column)) continue;
    return fails(
      { name: `∂yᵢ/∂xⱼ for i = ${row}, j = ${column}`, value: String(entry) },
      { name: "what the pattern leaves out", value: "0" },
      where,
    );
  }
  return holds;
}

/** Compares patterns with the columns of the Jacobian that `f` has at a point: all of them, or some. */
function covered(
  patterns: readonly (readonly SparsityPattern[])[],
  f: ArrayFunction,
  xs: Arrays,
  outputs: number,
  tolerance: number,
  seed: number,
): Verdict {
  const label = (k: number, i: number): string => `output ${k} by input ${i}`;
  if (sizeOf(xs) * outputs <= MOST) {
    const blocks = jacobianForward(f, xs);
    const negligible = tolerance * Math.max(1, largestOf(...blocks));
    return every(
      ...blocks.flatMap((row, k) =>
        row.map((block, i) => (): Verdict => {
          const entries = numbers(block);
          const n = xs[i].size;
          return every(
            ...Array.from(
              { length: n },
              (_, j) => () => outside(patterns[k][i], j, (r) => entries[r * n + j], negligible, label(k, i)),
            ),
          );
        }),
      ),
    );
  }
  const random = generator(seed);
  return every(
    ...Array.from({ length: COLUMNS }, () => (): Verdict => {
      const i = Math.floor(random() * xs.length);
      const j = Math.floor(random() * xs[i].size);
      if (xs[i].size === 0) return holds;
      const basis = xs.map((x, k) =>
        like(
          x,
          Array.from({ length: x.size }, (_, e) => (k === i && e === j ? 1 : 0)),
        ),
      );
      const column = push(f, xs, basis);
      const negligible = tolerance * Math.max(1, largestOf(column));
      return every(
        ...column.map(
          (y, k) => () => outside(patterns[k][i], j, (r) => numbers(y)[r], negligible, label(k, i)),
        ),
      );
    }),
  );
}

const covers = law<Point>({
  name: "the pattern covers the Jacobian",
  subject: "function",
  statement: "∂fᵢ/∂xⱼ ≠ 0 ⇒ (i, j) ∈ sparsity(f)",
  source,
  check: onSmooth(({ f, xs, u, tolerance }, { seed }) => {
    if (sizeOf(xs) === 0 || sizeOf(u) === 0) return abstains("the Jacobian has no entries");
    const patterns = patternsOf(f, xs, [...xs.keys()]);
    return covered(patterns, f, xs, sizeOf(u), tolerance, seed);
  }),
});

/** Rounding, of numbers of size 1: a Jacobian that goes through a solver may have this where it is zero. */
const rounding = 1e-6;

const ruleCovers = law<PrimitiveCase>({
  name: "the dependence rule covers the Jacobian",
  subject: "primitive",
  statement: "∂fᵢ/∂xⱼ ≠ 0 ⇒ (i, j) ∈ sparsity(f), by each operand, the others known or not",
  source,
  check: (given) => {
    if (!isSmooth(given)) return abstains("it has no derivative");
    const { inputs, seed } = given;
    const jaxpr = programOf(given);
    const smooth = inputs.flatMap((x, i) => (carriesTangent(x) ? [i] : []));
    const results = (...all: NDArray[]): NDArray[] => evalJaxpr(jaxpr, ...all).filter(carriesTangent);
    const outputs = sizeOf(results(...inputs));
    if (outputs === 0 || sizeOf(smooth.map((i) => inputs[i])) === 0)
      return abstains("the Jacobian has no entries");
    return every(
      ...smooth.map((i) => (): Verdict => {
        const others = (x: NDArray): NDArray[] => inputs.map((y, k) => (k === i ? x : y));
        const alone: ArrayFunction = (x) => results(...others(x));
        const known = patternsOf(alone, [inputs[i]], [0]);
        const unknown = patternsOf((...xs) => results(...xs), inputs, [i]);
        return every(
          () => covered(known, alone, [inputs[i]], outputs, rounding, seed),
          () => covered(unknown, alone, [inputs[i]], outputs, rounding, seed),
        );
      }),
    );
  },
});

export const functionLaws: readonly Law<Point>[] = [covers];
export const primitiveLaws: readonly Law<PrimitiveCase>[] = [ruleCovers];
