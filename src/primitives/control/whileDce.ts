/** Dead code elimination of dynamic loops: a carry is needed if its last value is, or if something that is needed reads it. */
import { maskKey, memoize } from "../../core/build.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import type { DceRule, Passes } from "../../core/primitive.js";
import { count, type Mask, only, pruneBody, rewired } from "./whileBody.js";
import { type IterateParams, type WhileParams, whileParts } from "./whileParams.js";

export const whileDce: DceRule = (eqn, used, passes) => {
  const params = eqn.params as WhileParams;
  const { cond, condConsts, bodyConsts } = params;
  const asked = passes.dce(cond, [true]).usedInputs;
  const wanted = used.map((u, i) => u || asked[condConsts + i]);
  const pruned = pruneBody(params.body, bodyConsts, wanted, passes);
  const ofCond = [...asked.slice(0, condConsts), ...pruned.carry];
  const ofBody = pruned.inputs.slice(0, bodyConsts);
  const parts = whileParts(eqn.inputs, params);
  return {
    ...eqn,
    params: {
      ...params,
      cond: condOf(cond, ofCond, passes),
      body: pruned.jaxpr,
      condConsts: count(ofCond.slice(0, condConsts)),
      bodyConsts: count(ofBody),
    },
    inputs: [
      ...only(parts.condConsts, ofCond),
      ...only(parts.bodyConsts, ofBody),
      ...only(parts.carry, pruned.carry),
    ],
    outputs: only(eqn.outputs, pruned.carry),
  };
};

/** The condition with only some of its inputs, all that it needs among them. */
const condOf = memoize(
  (inputs: Mask, _: Passes) => maskKey(inputs),
  (cond: Jaxpr, inputs: Mask, passes: Passes): Jaxpr =>
    rewired(passes.dce(cond, [true]).jaxpr, only(cond.inputs, inputs)),
);

export const iterateDce: DceRule = (eqn, used, passes) => {
  const params = eqn.params as IterateParams;
  const pruned = pruneBody(params.body, params.consts, used, passes);
  const [steps, ...operands] = eqn.inputs;
  return {
    ...eqn,
    params: { ...params, body: pruned.jaxpr, consts: count(pruned.inputs.slice(0, params.consts)) },
    inputs: [steps, ...only(operands, pruned.inputs)],
    outputs: only(eqn.outputs, pruned.carry),
  };
};
