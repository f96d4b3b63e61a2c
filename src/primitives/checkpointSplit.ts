/**
 * A checkpointed body in two: what is computed once, and what is computed again when the derivative needs it. Between the
 * two go the arguments, which are there anyway, and the values that a policy or a budget chooses to store.
 */

import type { NDArray } from "../core/array.js";
import { type Aval, bytesOf } from "../core/aval.js";
import { buildJaxpr, maskKey, memoize } from "../core/build.js";
import { hasEffects, isEffectful } from "../core/effects.js";
import { ArgumentError } from "../core/errors.js";
import { evalJaxpr, read, walk } from "../core/eval.js";
import { type Atom, type Eqn, Jaxpr, Var } from "../core/jaxpr.js";
import type { Passes } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { callPrimitive } from "./call.js";
import { convertElementType } from "./cast.js";
import {
  chooseStored,
  type Step,
  type StorageChoice,
  type StorageProblem,
  storing,
} from "./checkpointBudget.js";
import { type CheckpointCandidate, type CheckpointPolicy, policies } from "./checkpointPolicies.js";
import { makerOf, Origins } from "./origin.js";

/** What is to be stored of a body: what a policy says, or as much as fits; nothing if neither is given. */
export interface StorageRule {
  readonly policy?: CheckpointPolicy | undefined;
  /** Bytes. */
  readonly budget?: number | undefined;
}

export interface CheckpointSplit {
  /** Takes the known inputs; gives the known outputs, then what is stored and is none of these. */
  readonly known: Jaxpr;
  /** Takes what is stored, then the inputs of the body; gives the unknown outputs. */
  readonly again: Jaxpr;
  /** The inputs of `again` that it needs. */
  readonly needs: readonly boolean[];
  readonly unknownOut: readonly boolean[];
  /** What is stored: the known output that it is, or undefined if it is none, and its type. */
  readonly stored: readonly { readonly output: number | undefined; readonly aval: Aval }[];
  readonly analysis: StorageAnalysis;
}

/** What a choice costs, and what storing everything and nothing would. */
export interface StorageAnalysis {
  readonly chosen: StorageChoice;
  readonly everything: StorageChoice;
  readonly nothing: StorageChoice;
  /** The values that `stored` of a choice counts. */
  readonly values: readonly Var[];
  /** Where they come from. */
  readonly origins: Origins;
}

/** Splits a body by which of its inputs are unknown. */
export function splitCheckpoint(
  jaxpr: Jaxpr,
  unknown: readonly boolean[],
  rule: StorageRule,
  passes: Passes,
): CheckpointSplit {
  const key = `${rule.policy === undefined ? "" : policies.keyOf(rule.policy)}/${rule.budget ?? ""}`;
  return splitBy(jaxpr, unknown, key, rule, passes);
}

const splitBy = memoize(
  (unknown: readonly boolean[], key: string, _rule: StorageRule, _passes: Passes) =>
    `${maskKey(unknown)}/${key}`,
  (
    jaxpr: Jaxpr,
    unknown: readonly boolean[],
    _: string,
    rule: StorageRule,
    passes: Passes,
  ): CheckpointSplit => {
    // Values inside of calls can be stored as well, and effects inside are kept apart from what runs again.
    const choosing = rule.policy !== undefined || rule.budget !== undefined || hasEffects(jaxpr);
    const split = passes.partialEval(choosing ? withoutCalls(jaxpr) : jaxpr, unknown);
    const { known } = split;
    const own = known.outputs.length - split.residuals;
    const wanted = known.outputs.slice(own);
    const analysis = analyse(known, wanted, rule);
    const stored = analysis.chosen.stored.map((v) => analysis.values[v]);

    const isStored = new Set<Atom>(stored);
    const remaining = known.eqns.filter(
      ({ primitive, params, outputs }) =>
        !isEffectful(primitive, params) && !outputs.some((v) => isStored.has(v)),
    );
    const repeated = new Jaxpr([...stored, ...known.inputs], remaining, wanted, known.varCount);
    const knownAt = jaxpr.inputs.flatMap((_, i) => (unknown[i] ? [] : [i]));
    const unknownAt = jaxpr.inputs.flatMap((_, i) => (unknown[i] ? [i] : []));
    const again = buildJaxpr("checkpoint", [...stored.map((v) => v.aval), ...jaxpr.inAvals], (inputs) => {
      const given = inputs.slice(stored.length);
      const pruned = passes.dce(
        repeated,
        wanted.map(() => true),
      );
      const operands = [...inputs.slice(0, stored.length), ...knownAt.map((i) => given[i])];
      const values = evalJaxpr(
        pruned.jaxpr,
        operands.filter((_, i) => pruned.usedInputs[i]),
      );
      return evalJaxpr(split.unknown, [...values, ...unknownAt.map((i) => given[i])]);
    });
    const pruned = passes.dce(
      again,
      again.outputs.map(() => true),
    );
    const outputs = known.outputs.slice(0, own);
    const fresh = stored.filter((v) => !outputs.includes(v));
    const forward = new Jaxpr(known.inputs, known.eqns, [...outputs, ...fresh], known.varCount);
    const needed = passes.dce(
      forward,
      forward.outputs.map(() => true),
    ).jaxpr;
    return {
      known: new Jaxpr(known.inputs, needed.eqns, forward.outputs, known.varCount),
      again: pruned.jaxpr,
      needs: pruned.usedInputs,
      unknownOut: split.unknownOut,
      stored: stored.map((v) => ({
        output: outputs.includes(v) ? outputs.indexOf(v) : undefined,
        aval: v.aval,
      })),
      analysis,
    };
  },
);

/** What to store of the values that a jaxpr computes, so that it need not compute the wanted ones again. */
function analyse(jaxpr: Jaxpr, wanted: readonly Atom[], { policy, budget }: StorageRule): StorageAnalysis {
  const origins = new Origins(jaxpr);
  const numbers = new Map<Atom, number>();
  const values: Var[] = [];
  const numberOf = (v: Var): number => {
    let n = numbers.get(v);
    if (n === undefined) {
      n = values.push(v) - 1;
      numbers.set(v, n);
    }
    return n;
  };
  const variables = (atoms: readonly Atom[]): number[] =>
    atoms.flatMap((a) => (a instanceof Var ? [numberOf(a)] : []));
  const steps = jaxpr.eqns.map((eqn): Step => {
    const { inputs, outputs } = eqn;
    const operations = costOf(eqn);
    return {
      operations,
      reads: variables(inputs),
      makes: variables(outputs),
      stored: isEffectful(eqn.primitive, eqn.params)
        ? "always"
        : isView(eqn, operations)
          ? "never"
          : undefined,
    };
  });
  const problem: StorageProblem = {
    steps,
    wanted: variables(wanted),
    bytes: values.map((v) => bytesOf(v.aval)),
  };
  const choices = { ...problem, steps: steps.map((step, i) => asOwnValue(step, jaxpr.eqns[i])) };
  const nothing = storing(problem, () => false);
  const isWanted = (i: number): boolean =>
    jaxpr.eqns[i].outputs.some((v) => policy?.(candidateFor(origins, v, jaxpr.eqns[i])));
  return {
    chosen:
      policy !== undefined
        ? storing(choices, isWanted)
        : budget === undefined
          ? nothing
          : withinBudget(problem, budget, nothing),
    everything: storing(choices, () => true),
    nothing,
    values,
    origins,
  };
}

/** A view is a value like any other to those who do not look at bytes; a name is none. */
const asOwnValue = (step: Step, { primitive }: Eqn): Step =>
  step.stored === "never" && primitive.name !== "name" ? { ...step, stored: undefined } : step;

function withinBudget(problem: StorageProblem, budget: number, nothing: StorageChoice): StorageChoice {
  const chosen = chooseStored(problem, budget);
  if (chosen.bytes > budget)
    throw new ArgumentError(
      `checkpoint: the budget is ${budget} bytes, but results of operations with effects, which cannot run again, take ${nothing.bytes}`,
    );
  return chosen;
}

/** What a policy is told about a value that an equation hands out: it may compute it inside, or hand on what it is given. */
function candidateFor(origins: Origins, v: Var, eqn: Eqn): CheckpointCandidate {
  const origin = origins.of(v);
  const { primitive, params, inputs, outputs } = makerOf(origins, v) ?? origin.eqn ?? eqn;
  const typesOf = (atoms: readonly Atom[]): Aval[] => atoms.map((a) => a.aval);
  return {
    primitive: primitive.name,
    params,
    inputs: typesOf(inputs),
    outputs: typesOf(outputs),
    name: origin.name,
  };
}

const costOf = ({ primitive, inputs, params, outputs }: Eqn): number =>
  primitive.cost(
    inputs.map((a) => a.aval),
    params,
    outputs.map((v) => v.aval),
  ).operations;

/** Whether an equation gives for no work the elements of something that is no larger, which may be stored in its place. */
function isView({ inputs, outputs }: Eqn, operations: number): boolean {
  const read = inputs.filter((a) => a instanceof Var);
  if (operations > 0 || read.length > 1 || outputs.length !== 1) return false;
  return read.length === 0 || bytesOf(read[0].aval) <= bytesOf(outputs[0].aval);
}

/** The body with calls written out. */
const withoutCalls = memoize(
  () => "",
  (jaxpr: Jaxpr): Jaxpr =>
    jaxpr.eqns.some(isCall)
      ? buildJaxpr("checkpoint", jaxpr.inAvals, (inputs) => unfold(jaxpr, inputs))
      : jaxpr,
);

const isCall = ({ primitive }: Eqn): boolean =>
  primitive === callPrimitive || primitive.name === "tangentCall";

function unfold(jaxpr: Jaxpr, args: readonly NDArray[]): NDArray[] {
  const env = new Array<NDArray | undefined>(jaxpr.varCount);
  for (const [i, v] of jaxpr.inputs.entries()) env[v.id] = retyped(args[i], v.aval);
  walk(jaxpr, (eqn) => {
    const inputs = eqn.inputs.map((a) => read(env, a) as NDArray);
    const results = isCall(eqn)
      ? unfold(eqn.params.jaxpr as Jaxpr, inputs)
      : bind(eqn.primitive, inputs, eqn.params);
    for (const [k, v] of eqn.outputs.entries()) env[v.id] = results[k];
  });
  return jaxpr.outputs.map((a) => read(env, a) as NDArray);
}

/** A body is typed by itself: an operand that is weak may not be so inside. */
const retyped = (x: NDArray, { dtype, weakType }: Aval): NDArray =>
  x.weakType === weakType || dtype === "float0" ? x : convertElementType(x, dtype, weakType);
