/** Whether a program may be run at other inputs: each equation where the examples of its primitive allow it. */
import { type Eqn, type Example, Jaxpr, type Params, type Primitive } from "fluxion";
import { domainOf } from "../cases.js";
import { type Copies, copiesOf, isConstant, isFloatType } from "./copies.js";
import { type BodyRun, meaningOf, operandsOf, typesOf } from "./run.js";
import { stepwise } from "./steady.js";

const spellings = new WeakMap<Params, string>();

function keyOf(params: Params): string {
  let key = spellings.get(params);
  if (key === undefined) {
    key = JSON.stringify(params, (_, value) => (value instanceof Jaxpr ? String(value) : value));
    spellings.set(params, key);
  }
  return key;
}

/** The examples of a primitive with these params and dtypes. */
function examplesFor({ laws }: Primitive, eqn: Eqn): readonly Example[] {
  const key = keyOf(eqn.params);
  return laws.examples.filter(
    (example) =>
      example.avals.length === eqn.inputs.length &&
      example.avals.every(({ dtype }, i) => dtype === eqn.inputs[i].aval.dtype) &&
      keyOf(example.params) === key,
  );
}

/** Whether the values of operands are such as the example draws. */
function allows(example: Example, operands: readonly Copies[]): boolean {
  const elements: number[] = [];
  for (const [i, copies] of operands.entries()) {
    const [lo, hi] = domainOf(example, i);
    for (const { values } of copies) for (const x of values) if (!(x >= lo && x <= hi)) return false;
    if (isFloatType(example.avals[i].dtype)) elements.push(...copies[0].values);
  }
  if (!example.distinct) return true;
  elements.sort((a, b) => a - b);
  return elements.every((x, i) => i === 0 || x - elements[i - 1] > 0.01);
}

/** What equations of a program do that examples do not: by primitive, params and dtypes. */
export interface Habits {
  /** Equations that meet operands outside of the domains of all examples. Whoever made the program thought it harmless. */
  readonly outside: ReadonlySet<string>;
  /** Equations whose results jump nearby, or that choose otherwise there. */
  readonly jumping: ReadonlySet<string>;
  readonly isFinite: boolean;
}

const isFiniteArray = (copies: Copies): boolean =>
  copies.every(({ values }) => {
    for (const x of values) if (!Number.isFinite(x)) return false;
    return true;
  });

/** What the equations of a jaxpr do at these values, in bodies too, in each step of a loop. */
export function habitsOf(jaxpr: Jaxpr, values: readonly Copies[]): Habits {
  const [outside, jumping] = [new Set<string>(), new Set<string>()];
  let allFinite = true;
  const visit = (body: Jaxpr, at: readonly Copies[]): void => {
    for (const eqn of body.eqns) {
      const { primitive, params } = eqn;
      const [operands, types] = [operandsOf(eqn, at), typesOf(eqn)];
      if (!operands.every(isFiniteArray)) allFinite = false;
      const meaning = meaningOf(primitive, operands, params, types);
      const key = (): string =>
        meaning === undefined
          ? `${primitive.name} ${eqn.inputs.map((a) => a.aval.dtype).join(" ")} ${keyOf(params)}`
          : primitive.name;
      if (meaning === undefined) {
        const examples = examplesFor(primitive, eqn);
        if (!examples.some((e) => allows(e, operands))) outside.add(key());
      }
      for (const made of meaning?.runs ?? []) visit(made.body, made.values);
      const chooses =
        (primitive.name === "cond" && !isConstant(operands[0])) ||
        meaning?.runs.some((r) => primitive.name === "while" && r.index === 0 && !isConstant(answerOf(r)));
      const jumps = stepwise(primitive, types, "smooth");
      if (chooses || eqn.outputs.some((v, i) => jumps[i] && !isConstant(at[v.id]))) jumping.add(key());
    }
  };
  visit(jaxpr, values);
  return { outside, jumping, isFinite: allFinite };
}

/** What a condition has said. */
const answerOf = ({ body, values }: BodyRun): Copies => copiesOf(body.outputs[0], values);

/**
 * Whether every equation has its operands in the domain of an example, or does what its like has done before, all values are
 * finite, and no jump has come near.
 */
export const staysInside = (before: Habits, after: Habits): boolean =>
  after.isFinite &&
  [...after.outside].every((key) => before.outside.has(key)) &&
  [...after.jumping].every((key) => before.jumping.has(key));
