/**
 * Partial evaluation of a cond whose index is known: one cond of what the branches can do with the known operands, and one
 * of the rest. They share one list of residuals. Residuals of different branches stand in the same place where their types
 * are equal, because only one branch runs; a branch that has none for a place gives zeros.
 */
import type { NDArray } from "../../core/array.js";
import { type Aval, showAval } from "../../core/aval.js";
import { buildJaxpr, maskKey, memoize } from "../../core/build.js";
import { evalJaxpr } from "../../core/eval.js";
import { type Atom, type Eqn, Jaxpr, Var } from "../../core/jaxpr.js";
import type { PartialEvalResult, PartialEvalRule, Passes } from "../../core/primitive.js";
import { zeros } from "../filled.js";
import { branchesKey, type Mask, union } from "./condBranches.js";

/**
 * Where the second cond has an operand from: a residual that the first one makes for it, a known operand, or a known
 * result.
 */
type Place =
  | { readonly from: "fresh"; readonly aval: Aval }
  | { readonly from: "operand" | "result"; readonly index: number };

interface SplitBranches {
  /** Give the known results, then what is made for the places that are fresh. */
  readonly known: readonly Jaxpr[];
  /** Take the places, then the unknown operands. */
  readonly unknown: readonly Jaxpr[];
  readonly unknownOut: Mask;
  readonly places: readonly Place[];
}

export const splitCond: PartialEvalRule = (eqn, unknown, passes, fresh) => {
  const [branchUnknown, ...mask] = unknown;
  if (branchUnknown) return undefined;
  const [first, ...rest] = eqn.params.branches as readonly Jaxpr[];
  const split = splitBranches(first, rest, passes, mask);
  const [index, ...operands] = eqn.inputs;
  const knownOperands = operands.filter((_, i) => !mask[i]);
  const results = eqn.outputs.filter((_, k) => !split.unknownOut[k]);
  const made: Var[] = [];
  const residuals = split.places.map((place): Atom => {
    if (place.from !== "fresh") return (place.from === "operand" ? knownOperands : results)[place.index];
    const v = fresh(place.aval);
    made.push(v);
    return v;
  });
  const known: Eqn = {
    ...eqn,
    params: { branches: split.known },
    inputs: [index, ...knownOperands],
    outputs: [...results, ...made],
  };
  const later: Eqn = {
    ...eqn,
    params: { branches: split.unknown },
    inputs: [index, ...residuals, ...operands.filter((_, i) => mask[i])],
    outputs: eqn.outputs.filter((_, k) => split.unknownOut[k]),
  };
  return { known: [known], unknown: later.outputs.length > 0 || hasWork(split) ? [later] : [] };
};

/** Whether the second part does anything beside giving results: it may have effects. */
const hasWork = ({ unknown }: SplitBranches): boolean => unknown.some(({ eqns }) => eqns.length > 0);

const splitBranches = memoize(
  (rest: readonly Jaxpr[], _: Passes, mask: Mask) => `${branchesKey(rest)}/${maskKey(mask)}`,
  (first: Jaxpr, rest: readonly Jaxpr[], passes: Passes, mask: Mask): SplitBranches => {
    const branches = [first, ...rest];
    const unknownOut = union(branches.map((branch) => passes.partialEval(branch, mask).unknownOut));
    const parts = branches.map((branch) => passes.partialEval(branch, mask, unknownOut));
    const places = new Places();
    const taken = parts.map((part) => places.take(part));
    const fresh = places.list.flatMap((place, k) =>
      place.from === "fresh" ? [{ k, aval: place.aval }] : [],
    );
    return {
      known: parts.map(({ known, residuals }, i) =>
        buildJaxpr("cond", known.inAvals, (inputs) => {
          const all = evalJaxpr(known, inputs);
          const own = all.length - residuals;
          const given = new Map(taken[i].map((k, r): [number, NDArray] => [k, all[own + r]]));
          return [...all.slice(0, own), ...fresh.map(({ k, aval }) => given.get(k) ?? zeros(aval))];
        }),
      ),
      unknown: parts.map(({ unknown, residuals }, i) =>
        withPlaces(unknown, residuals, taken[i], placeAvals(places.list, parts)),
      ),
      unknownOut,
      places: places.list,
    };
  },
);

/** The list of places, as it grows from branch to branch. */
class Places {
  readonly list: Place[] = [];
  private readonly found = new Map<string, number[]>();

  /** For each residual of a branch its place. No two of them share one, unless they are the same. */
  take({ known, residuals }: PartialEvalResult): number[] {
    const own = known.outputs.length - residuals;
    const used = new Map<string, number>();
    return known.outputs.slice(own).map((r) => {
      const operand = known.inputs.indexOf(r as Var);
      if (operand >= 0) return this.place(`operand ${operand}`, 0, { from: "operand", index: operand });
      const result = known.outputs.slice(0, own).indexOf(r);
      if (result >= 0) return this.place(`result ${result}`, 0, { from: "result", index: result });
      const type = showAval(r.aval);
      const nth = used.get(type) ?? 0;
      used.set(type, nth + 1);
      return this.place(type, nth, { from: "fresh", aval: r.aval });
    });
  }

  private place(key: string, nth: number, place: Place): number {
    const found = this.found.get(key) ?? [];
    this.found.set(key, found);
    if (found[nth] === undefined) {
      found[nth] = this.list.length;
      this.list.push(place);
    }
    return found[nth];
  }
}

/** The types of all places; operands and results have one type in all branches. */
const placeAvals = (places: readonly Place[], [{ known }]: readonly PartialEvalResult[]): readonly Aval[] =>
  places.map((place) =>
    place.from === "fresh"
      ? place.aval
      : (place.from === "operand" ? known.inputs : known.outputs)[place.index].aval,
  );

/** The second part of a branch with an input for every place, those of other branches included. */
function withPlaces(
  { inputs, eqns, outputs, varCount }: Jaxpr,
  residuals: number,
  taken: readonly number[],
  places: readonly Aval[],
): Jaxpr {
  let next = varCount;
  const own = new Map(taken.map((k, r) => [k, inputs[r]]));
  const all = places.map((type, k) => own.get(k) ?? new Var(next++, type));
  return new Jaxpr([...all, ...inputs.slice(residuals)], eqns, outputs, next);
}
