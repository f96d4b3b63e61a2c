/** Smaller programs that are parts of a program, or the same with simpler numbers: the biggest cuts first. */
import { type Eqn, type Jaxpr, Var } from "fluxion";
import { type Copies, copiesOf } from "./copies.js";
import { assemble, renumbered, windowOf } from "./cut.js";
import { Program } from "./program.js";
import { withLiterals, withSimplerInputs } from "./simplify.js";
import { inlinedBody } from "./wrappers.js";

type Atom = Eqn["inputs"][number];

/** Each equation alone, then runs of 2, 3 and more up to half of all, at the values that were computed. */
function* windows({ jaxpr }: Program, values: readonly Copies[]): Generator<Program> {
  const n = jaxpr.eqns.length;
  const lengths = [1, 2, 3, 5, 8, Math.ceil(n / 2)].filter(
    (length, i, all) => length < n && all.indexOf(length) === i,
  );
  for (const length of lengths.filter((k) => k <= Math.max(1, n / 2)))
    for (let start = 0; start + length <= n; start++) yield windowOf(jaxpr, values, start, start + length);
}

/** The body of a call as a program. */
function* bodies({ jaxpr }: Program, values: readonly Copies[]): Generator<Program> {
  for (const eqn of jaxpr.eqns) {
    const body = inlinedBody(eqn.primitive, eqn.params);
    if (body === undefined) continue;
    const inputs = eqn.inputs.map((a) => copiesOf(a, values));
    const at = new Map(body.inputs.map((v, i) => [v, inputs[i]]));
    yield assemble(body.eqns, body.outputs, (v) => at.get(v) as Copies);
  }
}

/** The jaxpr with the equations of a call's body in its place. */
function inlined(jaxpr: Jaxpr, index: number, body: Jaxpr): Jaxpr {
  const call = jaxpr.eqns[index];
  // Variables of the body are renamed, so that a body that is called twice can be inlined twice.
  const names = new Map<Atom, Atom>(body.inputs.map((v, i) => [v, call.inputs[i]]));
  let next = jaxpr.varCount;
  const use = (a: Atom): Atom => names.get(a) ?? a;
  const inner = body.eqns.map((eqn): Eqn => {
    const inputs = eqn.inputs.map(use);
    const outputs = eqn.outputs.map((v) => {
      const w = new Var(next++, v.aval);
      names.set(v, w);
      return w;
    });
    return { ...eqn, inputs, outputs };
  });
  const results = new Map<Atom, Atom>(call.outputs.map((v, i) => [v, use(body.outputs[i])]));
  const outer = (a: Atom): Atom => results.get(a) ?? a;
  const rename = (eqn: Eqn): Eqn => ({ ...eqn, inputs: eqn.inputs.map(outer) });
  const eqns = [...jaxpr.eqns.slice(0, index), ...inner, ...jaxpr.eqns.slice(index + 1).map(rename)];
  return renumbered(jaxpr.inputs, eqns, jaxpr.outputs.map(outer));
}

/** Programs with a call replaced by its body. */
function* inlinings({ jaxpr, inputs, neighbours }: Program): Generator<Program> {
  for (const [k, eqn] of jaxpr.eqns.entries()) {
    const body = inlinedBody(eqn.primitive, eqn.params);
    if (body !== undefined) yield new Program(inlined(jaxpr, k, body), inputs, neighbours);
  }
}

/** Programs with one of several outputs, or without one; what only the others need goes with them. */
function* withFewerOutputs({ jaxpr }: Program, values: readonly Copies[]): Generator<Program> {
  const valueOf = (v: Var): Copies => values[v.id];
  const { eqns, outputs } = jaxpr;
  if (outputs.length < 2) return;
  for (const a of outputs) yield assemble(eqns, [a], valueOf);
  if (outputs.length > 2)
    for (const k of outputs.keys()) yield assemble(eqns, outputs.toSpliced(k, 1), valueOf);
}

/** Programs with one equation less: what it computed is an input. */
function* withFewerEqns({ jaxpr }: Program, values: readonly Copies[]): Generator<Program> {
  for (const k of jaxpr.eqns.keys())
    yield assemble(jaxpr.eqns.toSpliced(k, 1), jaxpr.outputs, (v) => values[v.id]);
}

const lengthOf = (p: Program): number =>
  // An equation without operands or outputs counts as one like any other; inputs count less.
  p.size * 100 + p.jaxpr.outputs.length * 10 + p.jaxpr.inputs.length;

/**
 * Programs that are simpler than this one and well typed. They compute what this one does in part, at the same values,
 * so that a smooth program stays smooth.
 */
export function* shrunkPrograms(program: Program): Generator<Program> {
  const values = program.values();
  const size = lengthOf(program);
  const smaller = [windows, bodies, inlinings, withFewerOutputs, withFewerEqns, withLiterals];
  const seen = new Set<string>();
  for (const candidates of smaller)
    for (const candidate of candidates(program, values)) {
      if (candidates !== withLiterals && lengthOf(candidate) >= size) continue;
      const text = String(candidate);
      if (seen.has(text)) continue;
      seen.add(text);
      yield candidate;
    }
  yield* withSimplerInputs(program, values);
}

/**
 * The smallest program to be found on which `fails` is true, beginning with one on which it is.
 *
 * @param options `tries`: how often `fails` may be called. Default 2000.
 */
export function minimised(
  program: Program,
  fails: (program: Program) => boolean,
  { tries = 2000 }: { readonly tries?: number } = {},
): Program {
  let best = program;
  let left = tries;
  for (let found = true; found && left > 0; ) {
    found = false;
    for (const candidate of shrunkPrograms(best)) {
      if (left-- <= 0) break;
      if (!fails(candidate)) continue;
      best = candidate;
      found = true;
      break;
    }
  }
  return best;
}
