/** Turns runs of equations into equations that hold jaxprs. */
import { type Eqn, type Jaxpr, Var } from "fluxion";
import { freeVariables, renumbered, resultsOf } from "./cut.js";
import { Program } from "./program.js";
import { primitiveOf, type Wrapper, wrappers } from "./wrappers.js";

/** The same jaxpr with the equations from `start` to `end` in the body of one. */
export function wrapped(jaxpr: Jaxpr, start: number, end: number, wrapper: Wrapper, name: string): Jaxpr {
  const part = jaxpr.eqns.slice(start, end);
  const inputs = freeVariables(part, []);
  const results = resultsOf(part, jaxpr);
  const body = renumbered(inputs, part, results);
  const call: Eqn = {
    primitive: primitiveOf(wrapper),
    inputs,
    params: wrapper.params(body, name),
    outputs: results.map((v, i) => new Var(jaxpr.varCount + i, v.aval)),
    source: undefined,
  };
  const renamed = new Map(results.map((v, i) => [v, call.outputs[i]] as const));
  const use = <A>(a: A): A => (a instanceof Var ? ((renamed.get(a) ?? a) as A) : a);
  const later = jaxpr.eqns.slice(end).map((eqn) => ({ ...eqn, inputs: eqn.inputs.map(use) }));
  const eqns = [...jaxpr.eqns.slice(0, start), call, ...later];
  return renumbered(jaxpr.inputs, eqns, jaxpr.outputs.map(use));
}

/** The program with one or two runs of its equations in calls, and calls inside these, down to a depth. */
export function outlined(program: Program, random: () => number, depth: number): Program {
  let { jaxpr } = program;
  if (depth === 0) return program;
  for (let k = random() < 0.3 ? 2 : 1; k > 0; k--) {
    const n = jaxpr.eqns.length;
    if (n === 0) break;
    const length = 1 + Math.floor(random() * n);
    const start = Math.floor(random() * (n - length + 1));
    const wrapper = wrappers[Math.floor(random() * wrappers.length)];
    jaxpr = wrapped(jaxpr, start, start + length, wrapper, k === 1 ? "f" : "g");
    // A run that holds the first call makes it nested.
    if (depth === 1) break;
  }
  return new Program(jaxpr, program.inputs, program.neighbours);
}
