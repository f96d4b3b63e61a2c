/** Programs with a loop of fewer steps. */
import { aval, ConcreteArray, type Eqn, Jaxpr, Var } from "fluxion";
import { type Copies, copiesOf, isConstant } from "./copies.js";

type Atom = Eqn["inputs"][number];

/** All entries of an array but the last, or the first. */
function fewer(x: Copies, fromEnd: boolean): Copies {
  const [n, ...rest] = x[0].shape;
  const entry = rest.reduce((a, b) => a * b, 1);
  const type = aval([n - 1, ...rest], x[0].dtype, x[0].weakType);
  const part = ({ values }: ConcreteArray): ConcreteArray =>
    new ConcreteArray(fromEnd ? values.slice(0, (n - 1) * entry) : values.slice(entry), type);
  const here = part(x[0]);
  return isConstant(x) ? [here, here, here] : [here, part(x[1]), part(x[2])];
}

/**
 * The jaxpr with the last step of a scan left out, and the values of the inputs that take the place of its arrays;
 * undefined where that changes a type that another equation needs.
 */
export function shorterScan(
  jaxpr: Jaxpr,
  index: number,
  values: readonly Copies[],
): { readonly jaxpr: Jaxpr; readonly added: readonly Copies[] } | undefined {
  const eqn = jaxpr.eqns[index];
  const { params, inputs, outputs } = eqn;
  const length = params.length as number;
  if (eqn.primitive.name !== "scan" || length === 0) return undefined;
  const [consts, carries] = [params.consts, params.carries] as number[];
  const uses = new Set<Atom>(jaxpr.eqns.flatMap((e) => e.inputs));
  if (outputs.slice(carries).some((v) => uses.has(v))) return undefined;
  const added = inputs
    .slice(consts + carries)
    .map((a) => fewer(copiesOf(a, values), params.reverse !== true));
  const xs = added.map(([x], i) => new Var(jaxpr.varCount + i, x.aval));
  let next = jaxpr.varCount + xs.length;
  const results = outputs.map((v, k) =>
    k < carries
      ? v
      : new Var(next++, aval([length - 1, ...v.aval.shape.slice(1)], v.aval.dtype, v.aval.weakType)),
  );
  const names = new Map<Atom, Atom>(outputs.map((v, k) => [v, results[k]]));
  const shorter: Eqn = {
    ...eqn,
    params: { ...params, length: length - 1 },
    inputs: [...inputs.slice(0, consts + carries), ...xs],
    outputs: results,
  };
  const eqns = jaxpr.eqns.toSpliced(index, 1, shorter);
  const whole = new Jaxpr(
    [...jaxpr.inputs, ...xs],
    eqns,
    jaxpr.outputs.map((a) => names.get(a) ?? a),
    next,
  );
  return { jaxpr: whole, added };
}
