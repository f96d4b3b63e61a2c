/** Turns runs of equations into equations that hold jaxprs. */
import { type Eqn, type Jaxpr, Var } from "fluxion";
import { bodiesOf } from "../bodies.js";
import { freeVariables, renumbered, resultsOf } from "./cut.js";
import { Program } from "./program.js";
import { primitiveOf, type Wrapper, wrappers } from "./wrappers.js";

/** The same jaxpr with the equations from `start` to `end` in the body of one, if they can be. */
function wrapped(
  jaxpr: Jaxpr,
  start: number,
  end: number,
  wrapper: Wrapper,
  name: string,
  random: () => number,
): Jaxpr {
  const part = jaxpr.eqns.slice(start, end);
  const inputs = freeVariables(part, []);
  const results = resultsOf(part, jaxpr);
  const body = renumbered(inputs, part, results);
  const params = wrapper.params(body, name, random);
  if (params === undefined) return jaxpr;
  const call: Eqn = {
    primitive: primitiveOf(wrapper),
    inputs,
    params,
    outputs: results.map((v, i) => new Var(jaxpr.varCount + i, v.aval)),
    source: undefined,
  };
  const renamed = new Map(results.map((v, i) => [v, call.outputs[i]] as const));
  const use = <A>(a: A): A => (a instanceof Var ? ((renamed.get(a) ?? a) as A) : a);
  const later = jaxpr.eqns.slice(end).map((eqn) => ({ ...eqn, inputs: eqn.inputs.map(use) }));
  const eqns = [...jaxpr.eqns.slice(0, start), call, ...later];
  return renumbered(jaxpr.inputs, eqns, jaxpr.outputs.map(use));
}

/** How deep bodies nest in these equations. */
const nesting = (eqns: readonly Eqn[]): number =>
  Math.max(0, ...eqns.flatMap(({ params }) => bodiesOf(params).map((body) => 1 + nesting(body.eqns))));

/** A jaxpr with one or two runs of its equations in calls; a run that holds the first makes it nested, down to a depth. */
export function outlinedJaxpr(
  jaxpr: Jaxpr,
  random: () => number,
  depth: number,
  among: readonly Wrapper[] = wrappers,
): Jaxpr {
  let whole = jaxpr;
  if (depth <= 0) return whole;
  for (let k = random() < 0.3 ? 2 : 1; k > 0; k--) {
    const n = whole.eqns.length;
    if (n === 0) break;
    const length = 1 + Math.floor(random() * n);
    const start = Math.floor(random() * (n - length + 1));
    if (1 + nesting(whole.eqns.slice(start, start + length)) > depth) continue;
    const wrapper = among[Math.floor(random() * among.length)];
    whole = wrapped(whole, start, start + length, wrapper, k === 1 ? "f" : "g", random);
  }
  return whole;
}

export const outlined = (
  program: Program,
  random: () => number,
  depth: number,
  among?: readonly Wrapper[],
): Program =>
  new Program(outlinedJaxpr(program.jaxpr, random, depth, among), program.inputs, program.neighbours);
