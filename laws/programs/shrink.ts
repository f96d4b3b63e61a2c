/** Smaller programs that are parts of a program, or the same with simpler numbers: the biggest cuts first. */
import { Jaxpr, type Params, type Var } from "fluxion";
import { bodiesOf } from "../bodies.js";
import type { Copies } from "./copies.js";
import { assemble, windowOf } from "./cut.js";
import { type Habits, habitsOf } from "./domain.js";
import { bodyEdits, type Edit } from "./edit.js";
import type { Program } from "./program.js";
import { prunedJaxpr } from "./prune.js";
import { runsOf } from "./run.js";
import { shorterScan } from "./shorter.js";
import { admitted, withLiterals, withSimplerInputs } from "./simplify.js";
import { unfolded } from "./unfold.js";

/** Each equation alone, then runs of 2, 3 and more up to half of all, at the values that were computed. */
function* windows({ jaxpr }: Program, values: readonly Copies[]): Generator<Program> {
  const n = jaxpr.eqns.length;
  const lengths = [1, 2, 3, 5, 8, Math.ceil(n / 2)].filter(
    (length, i, all) => length < n && all.indexOf(length) === i,
  );
  for (const length of lengths.filter((k) => k <= Math.max(1, n / 2)))
    for (let start = 0; start + length <= n; start++) yield windowOf(jaxpr, values, start, start + length);
}

/** The bodies of calls, of branches that are taken and of steps as programs, at the values that they met. */
function* bodies({ jaxpr }: Program, values: readonly Copies[]): Generator<Program> {
  for (const eqn of jaxpr.eqns)
    for (const { body, values: met } of runsOf(eqn, values))
      yield assemble(body.eqns, body.outputs, (v) => met[v.id]);
}

/** The program with inputs added, without those that are not needed. */
const edited = ({ inputCopies }: Program, { jaxpr, added }: Edit): Program => {
  const all = [...inputCopies, ...added];
  const at = new Map(jaxpr.inputs.map((v, i) => [v, all[i]]));
  return assemble(jaxpr.eqns, jaxpr.outputs, (v) => at.get(v) as Copies);
};

/** Programs with a call, a branch or a loop written out. */
function* inlinings(program: Program, values: readonly Copies[]): Generator<Program> {
  const { jaxpr } = program;
  for (const k of jaxpr.eqns.keys()) {
    const written = unfolded(jaxpr, k, values);
    if (written !== undefined) yield edited(program, { jaxpr: written, added: [] });
  }
}

/** The program without what its outputs do not need, in bodies too. */
function* withoutWaste(program: Program): Generator<Program> {
  yield edited(program, { jaxpr: prunedJaxpr(program.jaxpr), added: [] });
}

/** Programs with less in a body, or with a loop of fewer steps. */
function* edits(program: Program, values: readonly Copies[], habits: Habits): Generator<Program> {
  const { jaxpr } = program;
  const changes = function* (): Generator<Edit> {
    for (const k of jaxpr.eqns.keys()) {
      const shorter = shorterScan(jaxpr, k, values);
      if (shorter !== undefined) yield shorter;
    }
    yield* bodyEdits(jaxpr, [values]);
  };
  for (const change of changes()) {
    const pruned = edited(program, { ...change, jaxpr: prunedJaxpr(change.jaxpr) });
    const good = admitted(habits, pruned);
    if (good !== undefined) yield good;
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

/** How much there is to read: a loop counts for more than its steps written out, so that these are simpler. */
const weightOf = ({ eqns }: Jaxpr): number =>
  eqns.reduce((sum, { primitive, params }) => {
    const inner = bodiesOf(params).reduce((n, body) => n + weightOf(body), 0);
    const times = primitive.name === "scan" ? Math.max(1, params.length as number) : 1;
    const length = primitive.name === "while" ? 4 : times;
    const ends = primitive.name === "scan" ? scanEnds(params) : 0;
    return sum + 1 + (bodiesOf(params).length === 0 ? 0 : 1) + length * (inner + 2 * ends);
  }, 0);

/** The arrays that a scan takes and gives, entry by entry. */
const scanEnds = ({ jaxpr, consts, carries }: Params): number =>
  jaxpr instanceof Jaxpr
    ? jaxpr.inputs.length + jaxpr.outputs.length - (consts as number) - 2 * (carries as number)
    : 0;

const lengthOf = (p: Program): number =>
  // An equation without operands or outputs counts as one like any other; inputs count less.
  weightOf(p.jaxpr) * 100 + p.jaxpr.outputs.length * 10 + p.jaxpr.inputs.length;

/**
 * Programs that are simpler than this one and well typed. They compute what this one does in part, at the same values,
 * so that a smooth program stays smooth.
 */
export function* shrunkPrograms(program: Program): Generator<Program> {
  const values = program.values();
  const habits = habitsOf(program.jaxpr, values);
  const size = lengthOf(program);
  const smaller = [
    ...[withoutWaste, withFewerOutputs, windows, bodies, inlinings],
    ...[withFewerEqns, edits, withLiterals],
  ];
  const seen = new Set([String(program)]);
  for (const candidates of smaller)
    for (const candidate of candidates(program, values, habits)) {
      const isPlainer = candidates === withLiterals || candidates === edits;
      if (isPlainer ? lengthOf(candidate) > size : lengthOf(candidate) >= size) continue;
      const text = String(candidate);
      if (seen.has(text)) continue;
      seen.add(text);
      yield candidate;
    }
  yield* withSimplerInputs(program, habits);
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
