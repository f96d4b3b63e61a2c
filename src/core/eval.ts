/** Running a jaxpr: every equation is bound in turn, so that it is evaluated or, under a trace, recorded again. */
import { ConcreteArray, type NDArray, scalar } from "./array.js";
import { type Aval, equalAvals } from "./aval.js";
import { memoize } from "./build.js";
import { InternalError } from "./errors.js";
import { type Atom, type ClosedJaxpr, type Eqn, type Jaxpr, Var } from "./jaxpr.js";
import {
  bind,
  currentTrace,
  deriving,
  evaluateAs,
  inheritingSources,
  inheritSource,
  literalArray,
} from "./trace.js";

/** What running an equation has to know beside the equation. */
interface Step {
  /** The types of its outputs. */
  readonly types: readonly Aval[];
  /** The variables that are not needed after it. */
  readonly drops: readonly number[];
}

const stepsOf = memoize(
  () => "",
  (jaxpr: Jaxpr): readonly Step[] => {
    const needed = new Uint8Array(jaxpr.varCount);
    for (const a of jaxpr.outputs) if (a instanceof Var) needed[a.id] = 1;
    const steps = new Array<Step>(jaxpr.eqns.length);
    const drop = (a: Atom, list: number[]): void => {
      if (!(a instanceof Var) || needed[a.id] === 1) return;
      needed[a.id] = 1;
      list.push(a.id);
    };
    for (let i = jaxpr.eqns.length - 1; i >= 0; i--) {
      const { inputs, outputs } = jaxpr.eqns[i];
      const drops: number[] = [];
      for (const a of inputs) drop(a, drops);
      for (const v of outputs) drop(v, drops);
      steps[i] = { types: outputs.map((v) => v.aval), drops };
    }
    return steps;
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
  const steps = stepsOf(jaxpr);
  const typed = currentTrace() === undefined && haveTypes(args, jaxpr.inputs);
  for (let i = 0; i < jaxpr.eqns.length; i++) {
    const { primitive, inputs: atoms, params, outputs: variables, source } = jaxpr.eqns[i];
    const { types, drops } = steps[i];
    const inputs = new Array<NDArray>(atoms.length);
    for (let k = 0; k < inputs.length; k++) inputs[k] = read(env, atoms[k]);
    inheritSource(source);
    const outputs = typed
      ? evaluateAs(primitive, inputs as ConcreteArray[], params, types)
      : bind(primitive, inputs, params);
    for (let k = 0; k < outputs.length; k++) env[variables[k].id] = outputs[k];
    for (let k = 0; k < drops.length; k++) env[drops[k]] = undefined;
  }
  // A literal's own array is not given away: whoever gets it may dispose of it.
  return jaxpr.outputs.map((a) =>
    a instanceof Var ? (env[a.id] as NDArray) : scalar(a.value, a.aval.dtype, a.aval.weakType),
  );
}

/** Whether these are arrays of the very types that a jaxpr takes; all types in it are then as it says. */
function haveTypes(args: readonly NDArray[], inputs: readonly Var[]): boolean {
  for (let i = 0; i < args.length; i++) {
    const [x, { aval }] = [args[i], inputs[i]];
    if (!(x instanceof ConcreteArray) || (x.aval !== aval && !equalAvals(x.aval, aval))) return false;
  }
  return true;
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
