/** Programs with a change inside of a body: what an equation there computed handed in, a branch or loop written out, and so on. */
import { type Eqn, Jaxpr, Literal, Var } from "fluxion";
import { bodiesOf, withBodies } from "../bodies.js";
import { type Copies, copiesOf } from "./copies.js";
import { needed } from "./cut.js";
import { type BodyRun, runsOf } from "./run.js";
import { unfolded } from "./unfold.js";
import { inlinedBody, wrapperOf } from "./wrappers.js";

type Atom = Eqn["inputs"][number];

/** A changed jaxpr, with inputs that were added at its end and the values that these are to have. */
export interface Edit {
  readonly jaxpr: Jaxpr;
  readonly added: readonly Copies[];
}

/** The values of the variables of a jaxpr each time that it runs. */
type Runs = readonly (readonly Copies[])[];

const sameType = (a: Atom, b: Atom): boolean =>
  a.aval.dtype === b.aval.dtype &&
  a.aval.weakType === b.aval.weakType &&
  String(a.aval.shape) === String(b.aval.shape);

/** The jaxpr with atoms in the place of variables. */
function replaced(jaxpr: Jaxpr, eqns: readonly Eqn[], names: ReadonlyMap<Atom, Atom>): Jaxpr {
  const use = (a: Atom): Atom => names.get(a) ?? a;
  const outputs = jaxpr.outputs.map(use);
  const renamed = eqns.map((eqn) => ({ ...eqn, inputs: eqn.inputs.map(use) }));
  return new Jaxpr(jaxpr.inputs, needed(renamed, outputs), outputs, jaxpr.varCount);
}

/** Without one equation: in the place of its results stand its operands, or the results of its first run as inputs. */
function* without(jaxpr: Jaxpr, index: number, runs: Runs): Generator<Edit> {
  const { inputs, outputs } = jaxpr.eqns[index];
  const eqns = jaxpr.eqns.toSpliced(index, 1);
  const operands = outputs.map((v) => inputs.find((a) => sameType(a, v)));
  if (operands.every((a) => a !== undefined))
    yield {
      jaxpr: replaced(jaxpr, eqns, new Map(outputs.map((v, i) => [v, operands[i] as Atom]))),
      added: [],
    };
  if (runs.length === 0) return;
  const uses = new Set<Atom>([...jaxpr.outputs, ...eqns.flatMap((eqn) => eqn.inputs)]);
  const names = new Map<Atom, Atom>();
  const added: Var[] = [];
  for (const v of outputs.filter((w) => uses.has(w))) {
    const [x] = copiesOf(v, runs[0]);
    if (v.aval.shape.length === 0 && runs[0][v.id][1] === x) {
      names.set(v, new Literal(x.values[0], v.aval));
      continue;
    }
    const w = new Var(jaxpr.varCount + added.length, v.aval);
    names.set(v, w);
    added.push(w);
  }
  const changed = replaced(jaxpr, eqns, names);
  yield {
    jaxpr: new Jaxpr(
      [...jaxpr.inputs, ...added],
      changed.eqns,
      changed.outputs,
      jaxpr.varCount + added.length,
    ),
    added: [...names].flatMap(([v, w]) => (w instanceof Var ? [copiesOf(v, runs[0])] : [])),
  };
}

/** Where operands are put that a body takes beside those that it took. */
interface Place {
  /** The position among the operands of the equation. */
  readonly operand: number;
  /** The position among the inputs of the body. */
  readonly input: number;
  /** The param that counts such operands. */
  readonly counter: string | undefined;
}

function placeFor({ primitive, params, inputs }: Eqn, index: number, body: Jaxpr): Place | undefined {
  if (inlinedBody(primitive, params) !== undefined || primitive.name === "cond")
    return { operand: inputs.length, input: body.inputs.length, counter: undefined };
  const at = (counter: string, before: number): Place => ({
    operand: before + (params[counter] as number),
    input: params[counter] as number,
    counter,
  });
  if (primitive.name === "scan") return at("consts", 0);
  if (primitive.name !== "while") return undefined;
  return index === 0 ? at("condConsts", 0) : at("bodyConsts", params.condConsts as number);
}

/** An equation with an edit of one of its bodies; `operands` are what is handed in for the inputs that were added. */
function withEdit(eqn: Eqn, index: number, edit: Edit, operands: readonly Atom[]): Eqn | undefined {
  const bodies = bodiesOf(eqn.params);
  const place = placeFor(eqn, index, bodies[index]);
  if (place === undefined) return undefined;
  const { inputs, eqns, outputs, varCount } = edit.jaxpr;
  const own = inputs.slice(0, inputs.length - operands.length);
  const added = inputs.slice(own.length);
  const body = new Jaxpr(own.toSpliced(place.input, 0, ...added), eqns, outputs, varCount);
  const others = (jaxpr: Jaxpr): Jaxpr => {
    // The other branches take the operand and leave it.
    if (eqn.primitive.name !== "cond" || operands.length === 0) return jaxpr;
    const idle = added.map((v, i) => new Var(jaxpr.varCount + i, v.aval));
    return new Jaxpr([...jaxpr.inputs, ...idle], jaxpr.eqns, jaxpr.outputs, jaxpr.varCount + idle.length);
  };
  const changed = bodies.map((jaxpr, k) => (k === index ? body : others(jaxpr)));
  const wrapper = wrapperOf(eqn.primitive);
  const params = wrapper ? wrapper.withBody(eqn.params, body) : withBodies(eqn.params, changed);
  if (params === undefined) return undefined;
  const { counter } = place;
  const counted =
    counter === undefined ? params : { ...params, [counter]: (params[counter] as number) + operands.length };
  return { ...eqn, params: counted, inputs: eqn.inputs.toSpliced(place.operand, 0, ...operands) };
}

/** Edits of the bodies of an equation, as edits of the jaxpr that it stands in. */
function* inBodies(jaxpr: Jaxpr, index: number, made: readonly BodyRun[]): Generator<Edit> {
  const eqn = jaxpr.eqns[index];
  for (const [k, body] of bodiesOf(eqn.params).entries()) {
    const runs = made.filter((r) => r.index === k).map((r) => r.values);
    for (const edit of editsOf(body, runs)) {
      const added = edit.added.map((x, i) => new Var(jaxpr.varCount + i, x[0].aval));
      const changed = withEdit(eqn, k, edit, added);
      if (changed === undefined) return;
      yield {
        jaxpr: new Jaxpr(
          [...jaxpr.inputs, ...added],
          jaxpr.eqns.toSpliced(index, 1, changed),
          jaxpr.outputs,
          jaxpr.varCount + added.length,
        ),
        added: edit.added,
      };
    }
  }
}

/** Simpler ways to run the same bodies. */
function* plainer(jaxpr: Jaxpr, index: number): Generator<Edit> {
  const eqn = jaxpr.eqns[index];
  const { params } = eqn;
  const simple: readonly (readonly [string, number | boolean])[] = [
    ["unroll", 1],
    ["slots", 1],
    ["reverse", false],
  ];
  for (const [key, value] of simple)
    if (key in params && params[key] !== value) {
      const changed = { ...eqn, params: { ...params, [key]: value } };
      yield {
        jaxpr: new Jaxpr(
          jaxpr.inputs,
          jaxpr.eqns.toSpliced(index, 1, changed),
          jaxpr.outputs,
          jaxpr.varCount,
        ),
        added: [],
      };
    }
}

/** Changes in the bodies of a jaxpr's equations, and in those of theirs. */
export function* bodyEdits(jaxpr: Jaxpr, runs: Runs): Generator<Edit> {
  for (const [k, eqn] of jaxpr.eqns.entries()) {
    if (bodiesOf(eqn.params).length === 0) continue;
    yield* plainer(jaxpr, k);
    yield* inBodies(
      jaxpr,
      k,
      runs.flatMap((values) => runsOf(eqn, values)),
    );
  }
}

/** All changes of a body that make it smaller, given its runs. */
function* editsOf(jaxpr: Jaxpr, runs: Runs): Generator<Edit> {
  for (const k of jaxpr.eqns.keys()) {
    const written = runs.length > 0 ? unfolded(jaxpr, k, runs[0]) : undefined;
    if (written !== undefined) yield { jaxpr: written, added: [] };
  }
  for (const k of jaxpr.eqns.keys()) yield* without(jaxpr, k, runs);
  yield* bodyEdits(jaxpr, runs);
}
