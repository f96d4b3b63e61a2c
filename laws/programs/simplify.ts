/** The same program with simpler numbers, where its equations may be applied to these. */
import { type ConcreteArray, type Eqn, Jaxpr, Literal, Var } from "fluxion";
import { arrayOf, type Copies, copiesOf, isFloatType } from "./copies.js";
import { renumbered } from "./cut.js";
import { type Habits, habitsOf, staysInside } from "./domain.js";
import { Program } from "./program.js";
import { EndlessLoop } from "./run.js";

type Atom = Eqn["inputs"][number];

/** Simpler numbers to try in the place of one, the simplest first. */
function simpler(x: number, isFloat: boolean): readonly number[] {
  const candidates = isFloat
    ? [0, 1, 0.5, -1, -0.5, Math.round(x), Number(x.toPrecision(1)), Number(x.toPrecision(2))]
    : [0, 1, Math.trunc(x / 2)];
  const complexity = (y: number): number => String(Math.abs(y)).length + (y < 0 ? 0.5 : 0);
  return candidates.filter(
    (y, i) => y !== x && candidates.indexOf(y) === i && (y === 0 || y === 1 || complexity(y) < complexity(x)),
  );
}

/** How complex the numbers are: every candidate has less of it, so that shrinking comes to an end. */
const weight = (x: number): number =>
  x === 0 ? 0 : x === 1 ? 1 : 1 + String(Math.abs(x)).length + (x < 0 ? 0.5 : 0);

function weightOf({ values }: ConcreteArray): number {
  let sum = 0;
  for (const x of values) sum += weight(x);
  return sum;
}

/** Copies of an array with other elements; its neighbours are as far away as before. */
function withElements(copies: Copies, elements: readonly number[]): Copies {
  const [x, ...others] = copies;
  const here = arrayOf(elements, x.aval);
  if (!isFloatType(x.dtype)) return [here, here, here];
  const [one, other] = others.map((y) =>
    arrayOf(
      elements.map((e, i) => e + (y.values[i] - x.values[i])),
      x.aval,
    ),
  );
  return [here, one, other];
}

const withInputs = (jaxpr: Jaxpr, inputs: readonly Copies[]): Program =>
  new Program(
    jaxpr,
    inputs.map((x) => x[0]),
    [inputs.map((x) => x[1]), inputs.map((x) => x[2])],
  );

/** The candidate, if its equations keep to where those of the program were, and its loops end. */
export function admitted(habits: Habits, candidate: Program): Program | undefined {
  try {
    return staysInside(habits, habitsOf(candidate.jaxpr, candidate.values())) ? candidate : undefined;
  } catch (error) {
    if (error instanceof EndlessLoop) return undefined;
    throw error;
  }
}

/** Programs with simpler elements of one input: all at once, then one by one. */
export function* withSimplerInputs(program: Program, habits: Habits): Generator<Program> {
  const inputs = program.inputCopies;
  for (const [k, copies] of inputs.entries()) {
    const old = [...copies[0].values];
    const isFloat = isFloatType(copies[0].dtype);
    const tries: number[][] = [];
    if (old.length > 1) {
      if (isFloat) for (const digits of [1, 2]) tries.push(old.map((x) => Number(x.toPrecision(digits))));
      for (const y of isFloat ? [0, 1, 0.5] : [0, 1]) tries.unshift(old.map(() => y));
    }
    for (const [i, x] of old.entries())
      for (const y of simpler(x, isFloat)) tries.push(old.map((e, j) => (j === i ? y : e)));
    for (const elements of tries) {
      const changed = withElements(copies, elements);
      if (weightOf(changed[0]) >= weightOf(copies[0])) continue;
      const candidate = withInputs(
        program.jaxpr,
        inputs.map((x, j) => (j === k ? changed : x)),
      );
      const good = admitted(habits, candidate);
      if (good !== undefined) yield good;
    }
  }
}

/** Programs with a scalar input written as a literal, or with a simpler literal. */
export function* withLiterals(
  program: Program,
  values: readonly Copies[],
  habits: Habits,
): Generator<Program> {
  const { jaxpr, inputs } = program;
  for (const [k, v] of jaxpr.inputs.entries()) {
    if (v.aval.shape.length > 0) continue;
    const literal = new Literal(inputs[k].values[0], v.aval);
    const use = (a: Atom): Atom => (a === v ? literal : a);
    const eqns = jaxpr.eqns.map((eqn) => ({ ...eqn, inputs: eqn.inputs.map(use) }));
    const rest = jaxpr.inputs.filter((w) => w !== v);
    const copies = program.inputCopies.filter((_, i) => i !== k);
    yield withInputs(renumbered(rest, eqns, jaxpr.outputs.map(use)), copies);
  }
  for (const [k, eqn] of jaxpr.eqns.entries())
    for (const [i, a] of eqn.inputs.entries()) {
      if (a instanceof Var) continue;
      for (const y of simpler(a.value, isFloatType(a.aval.dtype))) {
        if (weight(y) >= weight(a.value)) continue;
        const literal = new Literal(copiesOf(new Literal(y, a.aval), values)[0].values[0], a.aval);
        const operands = eqn.inputs.map((b, j) => (j === i ? literal : b));
        const eqns = jaxpr.eqns.map((e, j) => (j === k ? { ...e, inputs: operands } : e));
        const changed = new Jaxpr(jaxpr.inputs, eqns, jaxpr.outputs, jaxpr.varCount);
        const good = admitted(habits, withInputs(changed, program.inputCopies));
        if (good !== undefined) yield good;
      }
    }
}
