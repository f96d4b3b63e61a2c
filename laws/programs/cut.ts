/** Parts of programs as programs: what is computed outside of a part becomes its input, with the value it had. */
import { type Eqn, Jaxpr, Literal, Var } from "fluxion";
import { isEffectful } from "../bodies.js";
import type { Copies } from "./copies.js";
import { Program } from "./program.js";

type Atom = Eqn["inputs"][number];

/** The equations that the outputs or effects need. */
export function needed(eqns: readonly Eqn[], outputs: readonly Atom[]): readonly Eqn[] {
  const wanted = new Set(outputs);
  const kept: Eqn[] = [];
  for (const eqn of eqns.toReversed()) {
    if (!isEffectful(eqn) && !eqn.outputs.some((v) => wanted.has(v))) continue;
    kept.push(eqn);
    for (const a of eqn.inputs) wanted.add(a);
  }
  return kept.reverse();
}

/** The same equations with variables numbered from 0: first the inputs, then what the equations define. */
export function renumbered(inputs: readonly Var[], eqns: readonly Eqn[], outputs: readonly Atom[]): Jaxpr {
  const fresh = new Map<Var, Var>();
  const define = (v: Var): Var => {
    const w = new Var(fresh.size, v.aval);
    fresh.set(v, w);
    return w;
  };
  const use = (a: Atom): Atom => (a instanceof Var ? (fresh.get(a) as Var) : new Literal(a.value, a.aval));
  const heads = inputs.map(define);
  const body = eqns.map(
    (eqn): Eqn => ({ ...eqn, inputs: eqn.inputs.map(use), outputs: eqn.outputs.map(define) }),
  );
  return new Jaxpr(heads, body, outputs.map(use), fresh.size);
}

/** The variables that the equations and outputs use and that no equation defines, in the order of use. */
export function freeVariables(eqns: readonly Eqn[], outputs: readonly Atom[]): readonly Var[] {
  const defined = new Set<Atom>();
  const free = new Set<Var>();
  const use = (a: Atom): void => {
    if (a instanceof Var && !defined.has(a)) free.add(a);
  };
  for (const eqn of eqns) {
    eqn.inputs.forEach(use);
    for (const v of eqn.outputs) defined.add(v);
  }
  outputs.forEach(use);
  return [...free];
}

/** The program that computes the outputs with these equations, at the values that the other variables had. */
export function assemble(
  eqns: readonly Eqn[],
  outputs: readonly Atom[],
  valueOf: (v: Var) => Copies,
): Program {
  const kept = needed(eqns, outputs);
  const inputs = freeVariables(kept, outputs);
  const values = inputs.map(valueOf);
  return new Program(
    renumbered(inputs, kept, outputs),
    values.map((x) => x[0]),
    [values.map((x) => x[1]), values.map((x) => x[2])],
  );
}

/** The outputs of some equations that are used outside of them, or nowhere. */
export function resultsOf(part: readonly Eqn[], whole: Jaxpr): readonly Var[] {
  const inside = new Set(part);
  const outer = new Set<Atom>(whole.outputs);
  const inner = new Set<Atom>();
  for (const eqn of whole.eqns) for (const a of eqn.inputs) (inside.has(eqn) ? inner : outer).add(a);
  const made = part.flatMap((eqn) => eqn.outputs);
  const results = made.filter((v) => outer.has(v));
  return results.length > 0 ? results : made.filter((v) => !inner.has(v));
}

/** The equations from one position to another as a program of their own. */
export function windowOf(jaxpr: Jaxpr, values: readonly Copies[], start: number, end: number): Program {
  const part = jaxpr.eqns.slice(start, end);
  return assemble(part, resultsOf(part, jaxpr), (v) => values[v.id]);
}
