/** Dead code elimination: drops the equations and inputs that neither the wanted outputs nor effects need. */
import { maskKey, memoize } from "../core/build.js";
import { isEffectful } from "../core/effects.js";
import { type Eqn, Jaxpr, Var } from "../core/jaxpr.js";
import { passes, providePasses } from "./passes.js";

export interface DceJaxprResult {
  /** Only the used inputs and the wanted outputs are left. */
  readonly jaxpr: Jaxpr;
  readonly usedInputs: readonly boolean[];
}

export const dceJaxpr = memoize(
  maskKey,
  (jaxpr: Jaxpr, wanted: readonly boolean[]): DceJaxprResult => {
    const needed = new Uint8Array(jaxpr.varCount);
    const need = (a: unknown): void => {
      if (a instanceof Var) needed[a.id] = 1;
    };
    const outputs = jaxpr.outputs.filter((_, i) => wanted[i]);
    outputs.forEach(need);
    const kept: Eqn[] = [];
    let narrowed = false;
    for (let i = jaxpr.eqns.length - 1; i >= 0; i--) {
      const eqn = jaxpr.eqns[i];
      const used = eqn.outputs.map((v) => needed[v.id] === 1);
      if (!used.includes(true) && !isEffectful(eqn.primitive, eqn.params)) continue;
      const { dce } = eqn.primitive;
      if (dce === undefined || !used.includes(false)) {
        kept.push(eqn);
        eqn.inputs.forEach(need);
        continue;
      }
      narrowed = true;
      const pruned = dce(eqn, used, passes);
      kept.push(pruned);
      pruned.inputs.forEach(need);
    }
    const usedInputs = jaxpr.inputs.map((v) => needed[v.id] === 1);
    const same = kept.length === jaxpr.eqns.length && !narrowed;
    if (same && !usedInputs.includes(false) && !wanted.includes(false)) return { jaxpr, usedInputs };
    const inputs = jaxpr.inputs.filter((_, i) => usedInputs[i]);
    return { jaxpr: new Jaxpr(inputs, kept.reverse(), outputs, jaxpr.varCount), usedInputs };
  },
  "dce",
);

/** The same with all inputs kept, for callers that hold on to the signature. */
export function dceKeepingInputs(jaxpr: Jaxpr, wanted: readonly boolean[]): Jaxpr {
  const pruned = dceJaxpr(jaxpr, wanted).jaxpr;
  return pruned === jaxpr ? jaxpr : new Jaxpr(jaxpr.inputs, pruned.eqns, pruned.outputs, jaxpr.varCount);
}

providePasses({ dce: dceJaxpr });
