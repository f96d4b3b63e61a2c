/**
 * Loop-invariant code: what the body of a loop computes from values that are the same in every step is computed once,
 * before the loop. Only work moves. A broadcast or a transposition of an invariant value stays where it is: it costs
 * nothing there, and before the loop it would have to be stored.
 */
import { maskKey, memoize } from "../../core/build.js";
import { isEffectful } from "../../core/effects.js";
import { type Atom, type Eqn, Jaxpr, subJaxprs, Var } from "../../core/jaxpr.js";

export interface Hoisted {
  /** Takes the invariant inputs; gives the values that have moved. */
  readonly before: Jaxpr;
  /** Takes the values that have moved, then all inputs; gives what the jaxpr gave. */
  readonly body: Jaxpr;
}

/**
 * Splits the body of a loop into what is computed once and what is left of it. Calls in it are written out, so that
 * invariant work inside them is found. Variables of both parts that are variables of the jaxpr mean the same.
 *
 * @param invariant which inputs are the same in every step.
 * @returns undefined if there is no work that depends on them alone.
 */
export const hoistInvariants = (jaxpr: Jaxpr, invariant: readonly boolean[]): Hoisted | undefined =>
  hoisting(jaxpr, invariant).found;

const hoisting = memoize(
  maskKey,
  (jaxpr: Jaxpr, invariant: readonly boolean[]): { readonly found: Hoisted | undefined } => {
    const flat = withoutCalls(jaxpr);
    const fixed = new Set<Atom>(flat.inputs.filter((_, i) => invariant[i]));
    const early: Eqn[] = [];
    const late: Eqn[] = [];
    for (const eqn of flat.eqns) {
      const known = eqn.inputs.every((a) => !(a instanceof Var) || fixed.has(a));
      if (!known || isEffectful(eqn.primitive, eqn.params)) {
        late.push(eqn);
        continue;
      }
      for (const v of eqn.outputs) fixed.add(v);
      early.push(eqn);
      if (isFree(eqn)) late.push(eqn);
    }
    const rest = needed(late, flat.outputs);
    const made = new Set(rest.flatMap((eqn) => eqn.outputs));
    const moved = [...new Set([...rest.flatMap((eqn) => eqn.inputs), ...flat.outputs])].filter(
      (a): a is Var => a instanceof Var && !made.has(a) && !flat.inputs.includes(a),
    );
    if (moved.length === 0) return { found: undefined };
    const given = flat.inputs.filter((_, i) => invariant[i]);
    return {
      found: {
        before: new Jaxpr(given, needed(early, moved), moved, flat.varCount),
        body: new Jaxpr([...moved, ...flat.inputs], rest, flat.outputs, flat.varCount),
      },
    };
  },
);

/** Whether an equation only moves data, so that it may as well be done again. */
export const isFree = ({ primitive, inputs, params, outputs }: Eqn): boolean =>
  !isEffectful(primitive, params) &&
  subJaxprs(params).length === 0 &&
  primitive.cost(
    inputs.map((a) => a.aval),
    params,
    outputs.map((v) => v.aval),
  ).operations === 0;

/** Those of the equations that the outputs or effects need. */
function needed(eqns: readonly Eqn[], outputs: readonly Atom[]): Eqn[] {
  const used = new Set<Atom>(outputs);
  return [...eqns]
    .reverse()
    .filter((eqn) => {
      const keep = eqn.outputs.some((v) => used.has(v)) || isEffectful(eqn.primitive, eqn.params);
      if (keep) for (const a of eqn.inputs) used.add(a);
      return keep;
    })
    .reverse();
}

/** What stands for an equation, if it is written out. */
type WriteOut = (eqn: Eqn) => Jaxpr | undefined;

/** The jaxpr with the bodies of calls in their place. */
const withoutCalls = memoize(
  () => "",
  (jaxpr: Jaxpr): Jaxpr =>
    writeOut(jaxpr, (eqn) => (eqn.primitive.name === "jit" ? inlined(eqn) : undefined)),
);

/** The jaxpr as it is compiled: with all equations that stand for others written out. */
export const writtenOut: (jaxpr: Jaxpr) => Jaxpr = memoize(
  () => "",
  (jaxpr: Jaxpr): Jaxpr => writeOut(jaxpr, inlined),
);

const inlined: WriteOut = ({ primitive, inputs, params }) =>
  primitive.inline?.(
    params,
    inputs.map((a) => a.aval),
  );

function writeOut(jaxpr: Jaxpr, rule: WriteOut): Jaxpr {
  let { varCount } = jaxpr;
  const eqns: Eqn[] = [];
  let changed = false;

  /** Writes the equations of a body; `values` are what its variables stand for, itself if a variable is not in it. */
  const write = (body: Jaxpr, values: Map<Var, Atom>, renames: boolean): Atom[] => {
    const valueOf = (a: Atom): Atom => (a instanceof Var ? (values.get(a) ?? a) : a);
    for (const eqn of body.eqns) {
      const inputs = eqn.inputs.map(valueOf);
      const inner = rule({ ...eqn, inputs });
      if (inner !== undefined) {
        changed = true;
        const results = write(inner, new Map(inner.inputs.map((v, i) => [v, inputs[i]])), true);
        for (const [k, v] of eqn.outputs.entries()) values.set(v, results[k]);
        continue;
      }
      const outputs = renames ? eqn.outputs.map((v) => new Var(varCount++, v.aval)) : eqn.outputs;
      for (const [k, v] of eqn.outputs.entries()) if (renames) values.set(v, outputs[k]);
      eqns.push({ ...eqn, inputs, outputs });
    }
    return body.outputs.map(valueOf);
  };

  const outputs = write(jaxpr, new Map(), false);
  return changed ? new Jaxpr(jaxpr.inputs, eqns, outputs, varCount) : jaxpr;
}
