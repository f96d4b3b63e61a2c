/** A program as two functions, one after the other. */
import { evalJaxpr, Var } from "fluxion";
import type { Pair } from "../cases.js";
import { direction, generator } from "../point.js";
import { isFloatType } from "./copies.js";
import { freeVariables, needed, renumbered } from "./cut.js";
import type { Program } from "./program.js";

/**
 * Cuts a program between two equations: f computes what comes before, g what comes after from the floats that are alive
 * at the cut. What else is alive there, integers and booleans, g closes over. Undefined where no float crosses the cut,
 * or none comes in or out.
 *
 * @param cut how many equations go to f; where it comes from a seed any number does, by its remainder.
 */
export function splitProgram(program: Program, cut: number, seed: number): Pair | undefined {
  const { jaxpr } = program;
  const at = cut % (jaxpr.eqns.length + 1);
  const outputs = jaxpr.outputs.filter((a) => isFloatType(a.aval.dtype));
  const later = needed(jaxpr.eqns.slice(at), outputs);
  const alive = freeVariables(later, outputs);
  const crossing = alive.filter((v) => isFloatType(v.aval.dtype));
  const xs = program.inputs.filter((x) => isFloatType(x.dtype));
  if (crossing.length === 0 || outputs.length === 0 || xs.length === 0) return undefined;

  const first = renumbered(jaxpr.inputs, jaxpr.eqns.slice(0, at), crossing);
  const closedOver = alive.filter((v) => !crossing.includes(v));
  const second = renumbered([...closedOver, ...crossing], later, outputs);
  const values = program.values();
  const constants = closedOver.map((v) => values[v.id][0]);
  const random = generator(seed);
  return {
    f: (...floats) => {
      let next = 0;
      return evalJaxpr(first, ...program.inputs.map((x) => (isFloatType(x.dtype) ? floats[next++] : x)));
    },
    g: (...ys) => evalJaxpr(second, ...constants, ...ys),
    xs,
    v: xs.map((x) => direction(x.aval, random)),
    u: outputs.map((a) => direction(a instanceof Var ? values[a.id][0].aval : a.aval, random)),
  };
}
