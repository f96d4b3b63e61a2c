/** Whether a program may be run at other inputs: each equation where the examples of its primitive allow it. */
import { type Eqn, type Example, Jaxpr, type Primitive } from "fluxion";
import { domainOf } from "../cases.js";
import { type Copies, copiesOf, isConstant, isFloatType } from "./copies.js";

const keyOf = (params: Eqn["params"]): string =>
  JSON.stringify(params, (_, value) => (value instanceof Jaxpr ? String(value) : value));

const keys = new WeakMap<Example, string>();

/** The examples of a primitive with these params and dtypes. */
function examplesFor({ laws }: Primitive, eqn: Eqn): readonly Example[] {
  const key = keyOf(eqn.params);
  return laws.examples.filter((example) => {
    let own = keys.get(example);
    if (own === undefined) {
      own = keyOf(example.params);
      keys.set(example, own);
    }
    return (
      own === key &&
      example.avals.length === eqn.inputs.length &&
      example.avals.every(({ dtype }, i) => dtype === eqn.inputs[i].aval.dtype)
    );
  });
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

/** Whether what stands still around the inputs still does: no jump has come near. Variables have the same ids. */
const staysStill = (before: readonly Copies[], after: readonly Copies[]): boolean =>
  before.every((copies, id) => !isConstant(copies) || isConstant(after[id]));

/**
 * Whether every equation that had its operands in the domain of an example still has them in that of one, all values are
 * finite, and no jump has come near. What stood in no domain was put there as harmless by whoever made the program.
 */
export function staysInside(
  before: { readonly jaxpr: Jaxpr; readonly values: readonly Copies[] },
  after: { readonly jaxpr: Jaxpr; readonly values: readonly Copies[] },
): boolean {
  if (!staysStill(before.values, after.values)) return false;
  for (const [k, eqn] of after.jaxpr.eqns.entries()) {
    const operands = eqn.inputs.map((a) => copiesOf(a, after.values));
    for (const copies of operands)
      for (const { values } of copies) for (const x of values) if (!Number.isFinite(x)) return false;
    const old = before.jaxpr.eqns[k];
    const examples = examplesFor(eqn.primitive, eqn);
    if (examples.some((e) => allows(e, operands))) continue;
    const formerly = old.inputs.map((a) => copiesOf(a, before.values));
    if (examples.some((e) => allows(e, formerly))) return false;
  }
  return true;
}
