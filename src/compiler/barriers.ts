/**
 * Barriers, taken out of a flat jaxpr: what they order stands with the equations behind them. Equal equations have been merged
 * before, on each side by themselves, so nothing but the order is left to keep; and nothing is copied.
 */
import { type Atom, type Eqn, Jaxpr, Var } from "../core/jaxpr.js";

/** An equation that must not run before certain values are there, beside those that it reads. */
export interface OrderedEqn extends Eqn {
  readonly after?: readonly Var[];
}

const isBarrier = ({ primitive }: Eqn): boolean => primitive.name === "optimizationBarrier";

/** What the output of a barrier stands for. */
interface Behind {
  readonly atom: Atom;
  readonly after: readonly Var[];
}

/** The jaxpr with the operands of barriers in the place of their outputs. */
export function dissolveBarriers(jaxpr: Jaxpr): Jaxpr {
  if (!jaxpr.eqns.some(isBarrier)) return jaxpr;
  const behind = new Map<Atom, Behind>();
  const seen = (a: Atom): Atom => behind.get(a)?.atom ?? a;
  const eqns: OrderedEqn[] = [];
  for (const eqn of jaxpr.eqns) {
    const inputs = eqn.inputs.map(seen);
    const after = [...new Set(eqn.inputs.flatMap((a) => behind.get(a)?.after ?? []))];
    if (!isBarrier(eqn)) {
      eqns.push(eqn.inputs.some((a) => behind.has(a)) ? { ...eqn, inputs, after } : eqn);
      continue;
    }
    const all = [...new Set([...inputs.filter((a) => a instanceof Var), ...after])];
    for (const [k, v] of eqn.outputs.entries()) behind.set(v, { atom: inputs[k], after: all });
  }
  return new Jaxpr(jaxpr.inputs, eqns, jaxpr.outputs.map(seen), jaxpr.varCount);
}
