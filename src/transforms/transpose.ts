/**
 * Transposition: turns a jaxpr that is linear in some of its inputs around. If it maps ẋ to Jẋ, the result maps a
 * cotangent u of the outputs to Jᵀu.
 *
 * Equations that do not depend on a linear input are run forwards; the linear ones are then visited backwards, each
 * handing the cotangent of its outputs to its operands by its primitive's transpose rule. A variable used several times
 * collects a cotangent from each use, and they add up: this is where the sum over paths comes from.
 *
 * Effects of values that do not depend on a linear input happen in that forward run, in order; those of linear values
 * do not happen, because in the transposed program there are no such values.
 */
import type { NDArray } from "../core/array.js";
import { tangentAval } from "../core/aval.js";
import { buildJaxpr, masksKey, memoize } from "../core/build.js";
import { hasEffects } from "../core/effects.js";
import { evalJaxpr, read } from "../core/eval.js";
import { type Atom, type Eqn, type Jaxpr, Var } from "../core/jaxpr.js";
import { LinearInput, missingRule, type TransposeResult } from "../core/primitive.js";
import { bind, inheritingSources, inheritSource } from "../core/trace.js";
import { isZero, type Tangent, Zero } from "../core/zero.js";
import { add } from "../primitives/elementwise.js";
import { instantiate } from "../primitives/filled.js";
import { partialEvalJaxpr } from "./partialEval.js";
import { passes, providePasses } from "./passes.js";

/** `force` marks linear inputs whose cotangent is given even if it is zero. */
export const transposeJaxpr = memoize(
  masksKey,
  (
    jaxpr: Jaxpr,
    linear: readonly boolean[],
    zeroCotangent: readonly boolean[],
    force: readonly boolean[] = [],
  ): TransposeResult => {
    const fixed = jaxpr.inputs.filter((_, i) => !linear[i]);
    const seeds = jaxpr.outputs.filter((_, i) => !zeroCotangent[i]);
    let zeroOut: boolean[] = [];
    const transposed = buildJaxpr(
      "transpose",
      [...fixed.map((v) => v.aval), ...seeds.map((a) => tangentAval(a.aval))],
      (inputs) => {
        let next = fixed.length;
        const cotangents = jaxpr.outputs.map(
          (a, i): Tangent => (zeroCotangent[i] ? new Zero(a.aval) : inputs[next++]),
        );
        const result = backwardPass(jaxpr, linear, inputs.slice(0, fixed.length), cotangents).map((ct, i) =>
          force[i] ? instantiate(ct) : ct,
        );
        zeroOut = result.map(isZero);
        return result.filter((ct): ct is NDArray => !isZero(ct));
      },
    );
    return { jaxpr: transposed, zeroOut };
  },
  "transpose",
);

/** Cotangents of the linear inputs, from values of the other inputs and cotangents of the outputs. */
export const backwardPass = (
  jaxpr: Jaxpr,
  linear: readonly boolean[],
  fixedInputs: readonly NDArray[],
  outCotangents: readonly Tangent[],
): Tangent[] =>
  inheritingSources(() => {
    if (!hasEffects(jaxpr)) return runBackward(jaxpr, linear, fixedInputs, outCotangents);
    // Calls may have effects on both sides. Split, they have run before the first equation is visited backwards.
    const { known, unknown, residuals } = partialEvalJaxpr(
      jaxpr,
      linear,
      jaxpr.outputs.map(() => true),
    );
    const linearRest = unknown.inputs.map((_, i) => i >= residuals);
    return runBackward(unknown, linearRest, evalJaxpr(known, fixedInputs), outCotangents);
  });

function runBackward(
  jaxpr: Jaxpr,
  linear: readonly boolean[],
  fixedInputs: readonly NDArray[],
  outCotangents: readonly Tangent[],
): Tangent[] {
  const isLinear = new Uint8Array(jaxpr.varCount);
  const values = new Array<NDArray | undefined>(jaxpr.varCount);
  const dependsOnLinear = (a: Atom): boolean => a instanceof Var && isLinear[a.id] === 1;
  let next = 0;
  for (const [i, v] of jaxpr.inputs.entries()) {
    if (linear[i]) isLinear[v.id] = 1;
    else values[v.id] = fixedInputs[next++];
  }

  const linearEqns: Eqn[] = [];
  for (const eqn of jaxpr.eqns) {
    if (eqn.inputs.some(dependsOnLinear)) {
      linearEqns.push(eqn);
      for (const v of eqn.outputs) isLinear[v.id] = 1;
      continue;
    }
    inheritSource(eqn.source);
    const inputs = eqn.inputs.map((a) => read(values, a) as NDArray);
    for (const [k, y] of bind(eqn.primitive, inputs, eqn.params).entries()) values[eqn.outputs[k].id] = y;
  }

  const collected = new Array<Tangent | undefined>(jaxpr.varCount);
  const collect = (a: Atom, ct: Tangent | null | undefined): void => {
    if (!dependsOnLinear(a) || ct === null || ct === undefined || isZero(ct)) return;
    const id = (a as Var).id;
    const already = collected[id];
    collected[id] = already === undefined || isZero(already) ? ct : add(already, ct);
  };
  for (const [i, a] of jaxpr.outputs.entries()) collect(a, outCotangents[i]);

  for (let i = linearEqns.length - 1; i >= 0; i--) {
    const { primitive, inputs, params, outputs, source } = linearEqns[i];
    const cts = outputs.map((v) => collected[v.id] ?? new Zero(v.aval));
    for (const v of outputs) collected[v.id] = undefined;
    if (cts.every(isZero)) continue;
    if (primitive.transpose === undefined) throw missingRule(primitive.name, "transpose");
    inheritSource(source);
    const operands = inputs.map((a) =>
      dependsOnLinear(a) ? new LinearInput(a.aval) : (read(values, a) as NDArray),
    );
    const results = primitive.transpose(cts, operands, params, passes);
    for (const [k, a] of inputs.entries()) collect(a, results[k]);
  }
  return jaxpr.inputs.flatMap((v, i) =>
    linear[i] ? [collected[v.id] ?? new Zero(tangentAval(v.aval))] : [],
  );
}

providePasses({ transpose: transposeJaxpr });
