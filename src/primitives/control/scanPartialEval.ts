/**
 * Splits a scan into one of what is known and one of what is not. Values that the second takes from the first are stacked,
 * an entry for each step; but not those that are the same in every step, which are computed once, nor those that are in
 * an array that the scan reads or writes anyway, nor those that are only moved from such ones.
 */
import type { Aval } from "../../core/aval.js";
import { bytesOf } from "../../core/aval.js";
import { maskKey, memoize } from "../../core/build.js";
import { hasEffects } from "../../core/effects.js";
import { type Atom, type Eqn, Jaxpr, Var } from "../../core/jaxpr.js";
import type { PartialEvalResult, PartialEvalRule, Passes } from "../../core/primitive.js";
import { callPrimitive } from "../call.js";
import { hoistInvariants, isFree } from "./hoist.js";
import { inputParts, outputParts, type ScanParams, stacked } from "./scanParams.js";

/** A carry is unknown if its first value is, or if the body computes it from what is unknown. */
export const splitBody = memoize(
  (consts: number, carries: number, unknown: readonly boolean[], _: Passes) =>
    `${consts}/${carries}/${maskKey(unknown)}`,
  (
    jaxpr: Jaxpr,
    consts: number,
    carries: number,
    unknown: readonly boolean[],
    passes: Passes,
  ): PartialEvalResult & { readonly unknownIn: readonly boolean[] } => {
    const parts = { consts, carries };
    const given = inputParts(unknown, parts);
    let { carry } = given;
    for (;;) {
      const unknownIn = [...given.consts, ...carry, ...given.xs];
      const force = [...carry, ...jaxpr.outputs.slice(carries).map(() => false)];
      const split = passes.partialEval(jaxpr, unknownIn, force);
      const out = outputParts(split.unknownOut, parts).carry;
      if (out.every((u, i) => u === carry[i])) return { ...split, unknownIn };
      carry = out;
    }
  },
);

/** Where the unknown scan finds a value of the known body. */
type Source =
  /** The same in every step: computed before the loop, or an input of the scan. */
  | { readonly from: "hoisted" | "input"; readonly index: number }
  /** Stacked: an array that the scan reads, one that it writes, or one that is written for this. */
  | { readonly from: "xs" | "ys" | "stored"; readonly index: number };

interface Plan {
  readonly before: Jaxpr | undefined;
  /** Positions of the inputs of the scan that `before` takes. */
  readonly invariant: readonly number[];
  /** The body of the known scan: takes what was hoisted in front, and gives what is to be stored at the end. */
  readonly known: Jaxpr;
  readonly stored: readonly Aval[];
  /** The body of the unknown scan: takes loop-invariant residuals in front, and stacked ones in front of its arrays. */
  readonly unknown: Jaxpr;
  readonly fixed: readonly Source[];
  readonly along: readonly Source[];
  /** How many movements of data the unknown body does again. */
  readonly again: number;
  readonly unknownIn: readonly boolean[];
  readonly unknownOut: readonly boolean[];
}

const planOf = memoize(
  (consts: number, carries: number, unknown: readonly boolean[], _: Passes) =>
    `${consts}/${carries}/${maskKey(unknown)}`,
  (jaxpr: Jaxpr, consts: number, carries: number, unknown: readonly boolean[], passes: Passes): Plan => {
    const split = splitBody(jaxpr, consts, carries, unknown, passes);
    const { unknownIn, unknownOut } = split;
    /** Positions in the scan of the inputs of the known body. */
    const positions = unknownIn.flatMap((u, i) => (u ? [] : [i]));
    const knownCarries = unknownOut.slice(0, carries).flatMap((u, k) => (u ? [] : [k]));
    const isInvariant = positions.map((i, at) => {
      if (i < consts) return true;
      if (i >= consts + carries) return false;
      // A carry that the body hands on as it is.
      return split.known.outputs[knownCarries.indexOf(i - consts)] === split.known.inputs[at];
    });
    const hoisted = hoistInvariants(split.known, isInvariant);
    const body = hoisted?.body ?? split.known;
    const own = body.outputs.length - split.residuals;
    const moved = hoisted?.before.outputs.length ?? 0;

    const sources = new Map<Atom, Source>();
    for (const [k, a] of body.outputs.slice(0, own).entries())
      if (k >= knownCarries.length && a instanceof Var) sources.set(a, { from: "ys", index: k });
    for (const [at, v] of body.inputs.entries()) {
      const index = positions[at - moved];
      if (at < moved) sources.set(v, { from: "hoisted", index: at });
      else if (isInvariant[at - moved]) sources.set(v, { from: "input", index });
      else if (index >= consts + carries) sources.set(v, { from: "xs", index });
    }
    // A call that was written out may have made one value of two residuals, or a literal.
    const names = new Map(
      split.unknown.inputs.slice(0, split.residuals).map((v, i) => [v, body.outputs[own + i]]),
    );
    const residuals = [...new Set(names.values())].filter((a): a is Var => a instanceof Var);
    const { stored, again } = storage(body, residuals, new Set(sources.keys()));
    for (const [index, v] of stored.entries()) sources.set(v, { from: "stored", index });

    const nameOf = (a: Atom): Atom => (a instanceof Var ? (names.get(a) ?? a) : a);
    const eqns = [...again, ...split.unknown.eqns.map((eqn) => ({ ...eqn, inputs: eqn.inputs.map(nameOf) }))];
    const outputs = split.unknown.outputs.map(nameOf);
    const made = new Set<Atom>(again.flatMap((eqn) => eqn.outputs));
    const taken = [...new Set([...eqns.flatMap((eqn) => eqn.inputs), ...outputs])].filter(
      (a): a is Var => a instanceof Var && sources.has(a) && !made.has(a),
    );
    const sourceOf = (v: Var): Source => sources.get(v) as Source;
    const isFixed = (v: Var): boolean => sourceOf(v).from === "hoisted" || sourceOf(v).from === "input";
    const fixed = taken.filter(isFixed);
    const along = taken.filter((v) => !isFixed(v));
    const open = inputParts(split.unknown.inputs.slice(split.residuals), {
      consts: unknownIn.slice(0, consts).filter((u) => u).length,
      carries: carries - knownCarries.length,
    });
    return {
      before: hoisted?.before,
      invariant: positions.filter((_, at) => isInvariant[at]),
      known: new Jaxpr(body.inputs, body.eqns, [...body.outputs.slice(0, own), ...stored], body.varCount),
      stored: stored.map((v) => v.aval),
      unknown: new Jaxpr(
        [...fixed, ...open.consts, ...open.carry, ...along, ...open.xs],
        eqns,
        outputs,
        Math.max(body.varCount, split.unknown.varCount),
      ),
      fixed: fixed.map(sourceOf),
      along: along.map(sourceOf),
      again: again.length,
      unknownIn,
      unknownOut,
    };
  },
);

/**
 * Which values of the body are stored for the unknown part, and which movements of data it does again because that takes
 * less memory. `atHand` are values that need not be stored.
 */
function storage(
  { eqns }: Jaxpr,
  residuals: readonly Var[],
  atHand: Set<Atom>,
): { stored: readonly Var[]; again: readonly Eqn[] } {
  const makers = new Map(eqns.flatMap((eqn) => eqn.outputs.map((v) => [v, eqn] as const)));
  const isMoved = (v: Var): boolean => {
    const maker = makers.get(v);
    return maker !== undefined && isFree(maker);
  };
  const stored: Var[] = [];
  const again = new Set<Eqn>();

  /** Bytes for each step that it takes to have a value, at the least. */
  const price = (v: Var, known: Map<Var, number>): number => {
    if (atHand.has(v)) return 0;
    let bytes = known.get(v);
    if (bytes === undefined) {
      bytes = bytesOf(v.aval);
      if (isMoved(v)) bytes = Math.min(bytes, priceOfMoving(v, known));
      known.set(v, bytes);
    }
    return bytes;
  };
  const priceOfMoving = (v: Var, known: Map<Var, number>): number =>
    variables((makers.get(v) as Eqn).inputs).reduce((sum, a) => sum + price(a, known), 0);
  const provide = (v: Var): void => {
    if (atHand.has(v)) return;
    const moving = isMoved(v) ? priceOfMoving(v, new Map()) : Number.POSITIVE_INFINITY;
    if (moving === 0 || moving < bytesOf(v.aval)) {
      const maker = makers.get(v) as Eqn;
      variables(maker.inputs).forEach(provide);
      again.add(maker);
      for (const made of maker.outputs) atHand.add(made);
    } else {
      stored.push(v);
      atHand.add(v);
    }
  };
  // What is computed first: others may only be moved from it.
  residuals.filter((v) => !isMoved(v)).forEach(provide);
  residuals.filter(isMoved).forEach(provide);
  return { stored, again: eqns.filter((eqn) => again.has(eqn)) };
}

const variables = (atoms: readonly Atom[]): Var[] => atoms.filter((a): a is Var => a instanceof Var);

/** The rule of the record. */
export const splitScan: PartialEvalRule = (eqn, unknown, passes, fresh) => {
  const params = eqn.params as ScanParams;
  const { consts, carries, length } = params;
  const plan = planOf(params.jaxpr, consts, carries, unknown, passes);
  const { unknownIn, unknownOut } = plan;
  const count = (mask: readonly boolean[]): number => mask.filter((yes) => yes).length;

  const known: Eqn[] = [];
  // A call, since operands may be weak where the body is not.
  const hoisted = (plan.before?.outAvals ?? []).map(fresh);
  if (plan.before !== undefined)
    known.push({
      primitive: callPrimitive,
      inputs: plan.invariant.map((i) => eqn.inputs[i]),
      params: { jaxpr: plan.before, name: "invariants" },
      outputs: hoisted,
      source: eqn.source,
    });
  const stored = plan.stored.map((entry) => fresh(stacked(entry, length)));
  const knownOutputs = eqn.outputs.filter((_, k) => !unknownOut[k]);
  const knownScan: Eqn = {
    ...eqn,
    params: {
      ...params,
      jaxpr: plan.known,
      consts: hoisted.length + consts - count(unknownIn.slice(0, consts)),
      carries: carries - count(unknownOut.slice(0, carries)),
    },
    inputs: [...hoisted, ...eqn.inputs.filter((_, i) => !unknownIn[i])],
    outputs: [...knownOutputs, ...stored],
  };
  if (knownScan.outputs.length > 0 || hasEffects(plan.known)) known.push(knownScan);
  if (known.length === 0 && plan.again === 0) return undefined;

  const find = ({ from, index }: Source): Atom => {
    if (from === "hoisted") return hoisted[index];
    if (from === "stored") return stored[index];
    return from === "ys" ? knownOutputs[index] : eqn.inputs[index];
  };
  const open = inputParts(
    eqn.inputs.map((a, i) => (unknownIn[i] ? a : undefined)),
    params,
  );
  const isOpen = (a: Atom | undefined): a is Atom => a !== undefined;
  const openConsts = open.consts.filter(isOpen);
  const openCarry = open.carry.filter(isOpen);
  const unknownScan: Eqn = {
    ...eqn,
    params: {
      ...params,
      jaxpr: plan.unknown,
      consts: plan.fixed.length + openConsts.length,
      carries: openCarry.length,
    },
    inputs: [
      ...plan.fixed.map(find),
      ...openConsts,
      ...openCarry,
      ...plan.along.map(find),
      ...open.xs.filter(isOpen),
    ],
    outputs: eqn.outputs.filter((_, k) => unknownOut[k]),
  };
  return { known, unknown: [unknownScan] };
};
