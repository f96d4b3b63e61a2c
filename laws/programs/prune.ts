/** Programs without what nobody needs: unused results of equations that hold bodies, and the operands that only these used. */
import { type Eqn, Jaxpr, Var } from "fluxion";
import { bodiesOf, withBodies } from "../bodies.js";
import { needed } from "./cut.js";
import { inlinedBody, wrapperOf } from "./wrappers.js";

type Atom = Eqn["inputs"][number];

const kept = <T>(items: readonly T[], mask: readonly boolean[]): T[] => items.filter((_, i) => mask[i]);

/** The jaxpr with some of its inputs and outputs, and the equations that these need. */
function narrowed(jaxpr: Jaxpr, inputs: readonly boolean[], outputs: readonly boolean[]): Jaxpr {
  const wanted = kept(jaxpr.outputs, outputs);
  return new Jaxpr(kept(jaxpr.inputs, inputs), needed(jaxpr.eqns, wanted), wanted, jaxpr.varCount);
}

/** Which inputs the wanted outputs of a body depend on, by use. */
function usedInputs(body: Jaxpr, wanted: readonly boolean[]): readonly boolean[] {
  const outputs = kept(body.outputs, wanted);
  const uses = new Set<Atom>([...outputs, ...needed(body.eqns, outputs).flatMap((eqn) => eqn.inputs)]);
  return body.inputs.map((v) => uses.has(v));
}

const either = (a: readonly boolean[], b: readonly boolean[]): boolean[] => a.map((x, i) => x || b[i]);

/** The carries of a loop that are needed, once some are. `first`: where they begin among the inputs of the body. */
function neededCarries(
  body: Jaxpr,
  first: number,
  wanted: readonly boolean[],
  rest: readonly boolean[],
): boolean[] {
  let carries = [...wanted];
  for (let count = -1; count !== carries.filter(Boolean).length; ) {
    count = carries.filter(Boolean).length;
    const uses = usedInputs(body, [...carries, ...rest]);
    carries = either(carries, uses.slice(first, first + carries.length));
  }
  return carries;
}

/** The equation without results that nobody uses, and without operands that are not needed for the others. */
function pruned(eqn: Eqn, used: readonly boolean[]): Eqn {
  const { primitive, params, inputs, outputs } = eqn;
  const call = inlinedBody(primitive, params);
  const bodies = bodiesOf(params);
  if (call !== undefined) {
    const ins = usedInputs(call, used);
    const body = narrowed(call, ins, used);
    const changed = wrapperOf(primitive)?.withBody(params, body);
    if (changed === undefined) return eqn;
    return { ...eqn, params: changed, inputs: kept(inputs, ins), outputs: kept(outputs, used) };
  }
  if (primitive.name === "cond") {
    const ins = bodies.map((body) => usedInputs(body, used)).reduce(either);
    const branches = bodies.map((body) => narrowed(body, ins, used));
    const operands = [inputs[0], ...kept(inputs.slice(1), ins)];
    return { ...eqn, params: { branches }, inputs: operands, outputs: kept(outputs, used) };
  }
  if (primitive.name === "scan") {
    const [consts, carries] = [params.consts, params.carries] as number[];
    const [body] = bodies;
    const ys = used.slice(carries);
    const carry = neededCarries(body, consts, used.slice(0, carries), ys);
    const outs = [...carry, ...ys];
    const uses = usedInputs(body, outs);
    const ins = uses.map((u, i) => (i >= consts && i < consts + carries ? carry[i - consts] : u));
    const count = (from: number, to: number): number => ins.slice(from, to).filter(Boolean).length;
    const numbers = { consts: count(0, consts), carries: count(consts, consts + carries) };
    const jaxpr = narrowed(body, ins, outs);
    return {
      ...eqn,
      params: { ...params, jaxpr, ...numbers },
      inputs: kept(inputs, ins),
      outputs: kept(outputs, outs),
    };
  }
  if (primitive.name !== "while") return eqn;
  const [forCond, forBody] = [params.condConsts, params.bodyConsts] as number[];
  const [cond, body] = bodies;
  const asked = usedInputs(cond, [true]);
  const carry = neededCarries(body, forBody, either(used, asked.slice(forCond)), []);
  const condIns = [...asked.slice(0, forCond), ...carry];
  const bodyIns = [...usedInputs(body, carry).slice(0, forBody), ...carry];
  const ins = [...condIns.slice(0, forCond), ...bodyIns];
  const changed = {
    ...params,
    cond: narrowed(cond, condIns, [true]),
    body: narrowed(body, bodyIns, carry),
    condConsts: condIns.slice(0, forCond).filter(Boolean).length,
    bodyConsts: bodyIns.slice(0, forBody).filter(Boolean).length,
  };
  return { ...eqn, params: changed, inputs: kept(inputs, ins), outputs: kept(outputs, carry) };
}

/** The jaxpr with all that is not needed for its outputs left out, in bodies too. It keeps its inputs. */
export function prunedJaxpr(jaxpr: Jaxpr): Jaxpr {
  const uses = new Set<Atom>(jaxpr.outputs);
  const eqns: Eqn[] = [];
  for (const eqn of needed(jaxpr.eqns, jaxpr.outputs).toReversed()) {
    const used = eqn.outputs.map((v) => uses.has(v));
    const narrow = bodiesOf(eqn.params).length === 0 ? eqn : inside(pruned(eqn, used));
    for (const a of narrow.inputs) if (a instanceof Var) uses.add(a);
    eqns.push(narrow);
  }
  return new Jaxpr(jaxpr.inputs, eqns.reverse(), jaxpr.outputs, jaxpr.varCount);
}

/** The equation with its bodies pruned. */
function inside(eqn: Eqn): Eqn {
  const { primitive, params } = eqn;
  const call = inlinedBody(primitive, params);
  if (call !== undefined) {
    const body = prunedJaxpr(call);
    return String(body) === String(call)
      ? eqn
      : { ...eqn, params: wrapperOf(primitive)?.withBody(params, body) ?? params };
  }
  if (!["cond", "scan", "while"].includes(primitive.name)) return eqn;
  return { ...eqn, params: withBodies(params, bodiesOf(params).map(prunedJaxpr)) };
}
