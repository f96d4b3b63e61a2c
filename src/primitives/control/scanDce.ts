/** Dead code elimination of a scan: a carry is needed if its last value is, or if something that is needed reads it. */
import { maskKey, memoize } from "../../core/build.js";
import { Jaxpr } from "../../core/jaxpr.js";
import type { DceRule, Passes } from "../../core/primitive.js";
import { inputParts, outputParts, type ScanParams } from "./scanParams.js";

interface Pruned {
  readonly jaxpr: Jaxpr;
  readonly inputs: readonly boolean[];
  readonly outputs: readonly boolean[];
}

export const scanDce: DceRule = (eqn, used, passes) => {
  const params = eqn.params as ScanParams;
  const { consts, carries } = params;
  const pruned = pruneBody(params.jaxpr, consts, carries, used, passes);
  const count = (mask: readonly boolean[]): number => mask.filter((kept) => kept).length;
  const kept = inputParts(pruned.inputs, params);
  return {
    ...eqn,
    params: { ...params, jaxpr: pruned.jaxpr, consts: count(kept.consts), carries: count(kept.carry) },
    inputs: eqn.inputs.filter((_, i) => pruned.inputs[i]),
    outputs: eqn.outputs.filter((_, k) => pruned.outputs[k]),
  };
};

const pruneBody = memoize(
  (consts: number, carries: number, used: readonly boolean[], _: Passes) =>
    `${consts}/${carries}/${maskKey(used)}`,
  (jaxpr: Jaxpr, consts: number, carries: number, used: readonly boolean[], passes: Passes): Pruned => {
    const parts = { consts, carries };
    const { carry, ys } = outputParts(used, parts);
    let needed = carry;
    for (;;) {
      const outputs = [...needed, ...ys];
      const pruned = passes.dce(jaxpr, outputs);
      const read = inputParts(pruned.usedInputs, parts);
      const more = needed.map((n, i) => n || read.carry[i]);
      if (more.some((n, i) => n !== needed[i])) {
        needed = more;
        continue;
      }
      // A carry that is wanted goes in, even if the body does not read it.
      const inputs = [...read.consts, ...needed, ...read.xs];
      const body = new Jaxpr(
        jaxpr.inputs.filter((_, i) => inputs[i]),
        pruned.jaxpr.eqns,
        pruned.jaxpr.outputs,
        jaxpr.varCount,
      );
      return { jaxpr: body, inputs, outputs };
    }
  },
);
