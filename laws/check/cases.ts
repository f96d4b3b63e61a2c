/** The examples of a primitive's record as cases for laws of functions and for laws of records alike. */
import fc from "fast-check";
import { aval, bind, Jaxpr, type NDArray, type Params, type Primitive } from "fluxion";
import { domainOf, isSmooth, type PrimitiveCase, pointOfPrimitive, primitiveCase } from "../cases.js";
import { abstains, fails, holds, type Law, law } from "../law.js";
import type { Point } from "../point.js";
import { primitiveLaws } from "../statements/index.js";
import { isAboutDerivatives, isAboutPoints, orderedLaws } from "./order.js";
import { shrinks } from "./shrink.js";
import { movesOfPoint } from "./shrinkPoint.js";

/** The application of a primitive as a point, with the case that it comes from. */
export interface CasePoint extends Point {
  readonly of: PrimitiveCase;
  /** The position of the example in the record. */
  readonly index: number;
  /** What applying the primitive threw, where it did. */
  readonly error?: unknown;
}

/** The case with the inputs and rows that the point has come to by shrinking. */
function caseOf({ of, inputs, rows }: CasePoint): PrimitiveCase {
  if (of.inputs === inputs && of.rows === rows) return of;
  const avals = of.example.avals.map((a, i) => aval(inputs[i].shape, a.dtype, a.weakType));
  return { ...of, example: { ...of.example, avals }, inputs, rows };
}

function casePoint(of: PrimitiveCase, index: number): CasePoint {
  try {
    return { ...pointOfPrimitive(of), of, index };
  } catch (error) {
    const { primitive, example, inputs, rows, seed } = of;
    const f = (...xs: readonly NDArray[]) => bind(primitive, xs, example.params);
    return { f, inputs, v: [], w: [], u: [], rows, seed, of, index, error };
  }
}

/** The cases of a primitive: every example of its record, `runs` times with operands of their own. */
export function casesOf(primitive: Primitive, seed: number, runs: number): readonly CasePoint[] {
  return Array.from({ length: runs }, (_, run) =>
    primitive.laws.examples.map((example, index) =>
      casePoint(primitiveCase(primitive, example, seed + run * 1009 + index), index),
    ),
  ).flat();
}

/** Without it nothing else is tried. */
const defined = law<CasePoint>({
  name: "the primitive applies to its examples",
  subject: "primitive",
  statement: "p(x) is defined for the operands x of every example",
  source: "Plotkin & Abadi, A Simple Differentiable Programming Language, 2020, section 2",
  check: ({ error, of }) => {
    if (error === undefined) return holds;
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return fails({ name: of.primitive.name, value: text }, { name: "wanted", value: "a value" });
  },
});

/** Of the laws below that are laws of functions, these. */
const lifted = new Map<Law<CasePoint>, Law<Point>>();

/** Whether a law has something of its own to say about every example. */
export function isAboutExamples(law: Law<CasePoint>): boolean {
  const pointLaw = lifted.get(law);
  return pointLaw === undefined || isAboutPoints(pointLaw);
}

function ofFunction(pointLaw: Law<Point>): Law<CasePoint> {
  const caseLaw = law<CasePoint>({
    ...pointLaw,
    check: (point) => {
      if (point.error !== undefined) return abstains("the primitive does not apply");
      if (isAboutDerivatives(pointLaw) && !isSmooth(caseOf(point)))
        return abstains("the record says that there is no derivative");
      return pointLaw.check(point);
    },
  });
  lifted.set(caseLaw, pointLaw);
  return caseLaw;
}

const ofRecord = (recordLaw: Law<PrimitiveCase>): Law<CasePoint> =>
  law({
    ...recordLaw,
    check: (point) =>
      point.error === undefined ? recordLaw.check(caseOf(point)) : abstains("the primitive does not apply"),
  });

/** All laws of a primitive, in the order in which failures are reported. */
export const lawsOfCases: readonly Law<CasePoint>[] = [
  defined,
  ...orderedLaws.map(ofFunction),
  ...primitiveLaws.map(ofRecord),
];

/** Cases are not drawn by fast-check, they follow from the seed; it shrinks them. */
export class CaseArbitrary extends fc.Arbitrary<CasePoint> {
  constructor(private readonly cases: readonly CasePoint[]) {
    super();
  }

  override generate(mrng: fc.Random): fc.Value<CasePoint> {
    return new fc.Value(this.cases[mrng.nextInt(0, this.cases.length - 1)], undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is CasePoint {
    return typeof value === "object" && value !== null && (value as CasePoint).error === undefined;
  }

  override shrink(value: CasePoint, context: unknown): fc.Stream<fc.Value<CasePoint>> {
    const { example } = value.of;
    const domain = (i: number) => domainOf(example, i);
    return shrinks((point) => movesOfPoint(point, { domain, fixed: example.distinct }), value, context);
  }
}

/** Params as TypeScript. */
export function codeOfParams(params: Params): string {
  const code = (value: unknown): string => {
    if (value instanceof Jaxpr) return `parseJaxpr(${JSON.stringify(String(value))})`;
    if (Array.isArray(value)) return `[${value.map(code).join(", ")}]`;
    if (typeof value === "object" && value !== null)
      return `{ ${Object.entries(value)
        .map(([key, field]) => `${key}: ${code(field)}`)
        .join(", ")} }`;
    return typeof value === "string" ? JSON.stringify(value) : Object.is(value, -0) ? "-0" : String(value);
  };
  return code(params);
}
