/** Running a jaxpr: every equation is bound in turn, so that it is evaluated or, under a trace, recorded again. */
import type { NDArray } from "./array.js";
import { memoize } from "./build.js";
import { InternalError } from "./errors.js";
import { type Atom, type ClosedJaxpr, type Eqn, type Jaxpr, Var } from "./jaxpr.js";
import { bind, deriving, inheritingSources, inheritSource, literalArray } from "./trace.js";

/** For each equation the variables that are not needed after it. */
const lastUsesOf = memoize(
  () => "",
  (jaxpr: Jaxpr): readonly (readonly number[])[] => {
    const needed = new Uint8Array(jaxpr.varCount);
    for (const a of jaxpr.outputs) if (a instanceof Var) needed[a.id] = 1;
    const drops = new Array<number[]>(jaxpr.eqns.length);
    const drop = (a: Atom, list: number[]): void => {
      if (!(a instanceof Var) || needed[a.id] === 1) return;
      needed[a.id] = 1;
      list.push(a.id);
    };
    for (let i = jaxpr.eqns.length - 1; i >= 0; i--) {
      const list: number[] = [];
      for (const a of jaxpr.eqns[i].inputs) drop(a, list);
      for (const v of jaxpr.eqns[i].outputs) drop(v, list);
      drops[i] = list;
    }
    return drops;
  },
);

/** An environment: values by variable id. */
export const read = <T>(env: readonly (T | undefined)[], atom: Atom): T | NDArray =>
  atom instanceof Var ? (env[atom.id] as T) : literalArray(atom);

/** Applies a jaxpr to arrays: constants first, then arguments. */
export function evalJaxpr(jaxpr: Jaxpr, args: readonly NDArray[]): NDArray[] {
  if (args.length !== jaxpr.inputs.length)
    throw new InternalError(`a jaxpr of ${jaxpr.inputs.length} inputs was given ${args.length}`);
  return deriving(() => inheritingSources(() => run(jaxpr, args)));
}

function run(jaxpr: Jaxpr, args: readonly NDArray[]): NDArray[] {
  const env = new Array<NDArray | undefined>(jaxpr.varCount);
  for (let i = 0; i < args.length; i++) env[jaxpr.inputs[i].id] = args[i];
  const drops = lastUsesOf(jaxpr);
  for (let i = 0; i < jaxpr.eqns.length; i++) {
    const eqn = jaxpr.eqns[i];
    const inputs = new Array<NDArray>(eqn.inputs.length);
    for (let k = 0; k < inputs.length; k++) inputs[k] = read(env, eqn.inputs[k]);
    inheritSource(eqn.source);
    const outputs = bind(eqn.primitive, inputs, eqn.params);
    for (let k = 0; k < outputs.length; k++) env[eqn.outputs[k].id] = outputs[k];
    for (const id of drops[i]) env[id] = undefined;
  }
  return jaxpr.outputs.map((a) => read(env, a));
}

export const evalClosed = (closed: ClosedJaxpr, args: readonly NDArray[]): NDArray[] =>
  evalJaxpr(closed.jaxpr, [...closed.consts, ...args]);

/** Calls `visit` on every equation; what it records inherits the equation's source. */
export function walk(jaxpr: Jaxpr, visit: (eqn: Eqn) => void): void {
  inheritingSources(() => {
    for (const eqn of jaxpr.eqns) {
      inheritSource(eqn.source);
      visit(eqn);
    }
  });
}
