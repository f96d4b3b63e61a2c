/**
 * A dynamic loop in two parts: one that finds out what does not depend on unknown values, and with it how many steps there
 * are, and one that makes as many steps with the unknown values.
 *
 * The second part makes the known steps again. Storing what it needs of each would take memory for a number of steps that
 * nobody knows.
 */
import { type Aval, aval } from "../../core/aval.js";
import { maskKey, memoize } from "../../core/build.js";
import { type Eqn, Jaxpr, Literal, Var } from "../../core/jaxpr.js";
import type { PartialEvalRule, Passes, Primitive } from "../../core/primitive.js";
import { count, counting, except, type Mask, splitBody } from "./whileBody.js";
import { type IterateParams, type WhileParams, whileParts } from "./whileParams.js";

/** A `while` over the known carries that counts its steps, and a body for as many steps of all. */
export interface CountedLoop {
  /** Which carries are unknown. */
  readonly carry: Mask;
  readonly known: WhileParams;
  readonly unknown: IterateParams;
}

/** Which carries a condition looks at. */
export const lookedAt = (cond: Jaxpr, condConsts: number, passes: Passes): Mask =>
  passes.dce(cond, [true]).usedInputs.slice(condConsts);

/**
 * Undefined if the number of steps depends on unknown values.
 *
 * @param unknown which constants of the body are unknown, and which carries are at the start.
 */
export function countSteps(params: WhileParams, unknown: Mask, passes: Passes): CountedLoop | undefined {
  const { cond, body, condConsts, bodyConsts, slots } = params;
  const { carry, known, whole } = splitBody(body, bodyConsts, unknown, passes);
  if (lookedAt(cond, condConsts, passes).some((looked, i) => looked && carry[i])) return undefined;
  return {
    carry,
    known: {
      cond: condOfKnown(cond, condConsts, carry, passes),
      body: counting(known),
      condConsts,
      bodyConsts: bodyConsts - count(unknown.slice(0, bodyConsts)),
      slots,
    },
    unknown: { body: whole, consts: bodyConsts, slots },
  };
}

/** The condition of the known carries and of a counter. */
const condOfKnown = memoize(
  (condConsts: number, unknown: Mask, _: Passes) => `${condConsts}/${maskKey(unknown)}`,
  (cond: Jaxpr, condConsts: number, unknown: Mask, passes: Passes): Jaxpr => {
    const { eqns } = passes.dce(cond, [true]).jaxpr;
    const inputs = [
      ...cond.inputs.slice(0, condConsts),
      ...except(cond.inputs.slice(condConsts), unknown),
      new Var(cond.varCount, aval([], "int32")),
    ];
    return new Jaxpr(inputs, eqns, cond.outputs, cond.varCount + 1);
  },
);

/** Splits an equation of `while`. */
export function splitWhile(
  iterate: Primitive,
  eqn: Eqn,
  unknown: Mask,
  passes: Passes,
  fresh: (type: Aval) => Var,
): ReturnType<PartialEvalRule> {
  const params = eqn.params as WhileParams;
  const mask = whileParts(unknown, params);
  if (mask.condConsts.includes(true)) return undefined;
  const counted = countSteps(params, [...mask.bodyConsts, ...mask.carry], passes);
  if (counted === undefined) return undefined;
  const { condConsts, bodyConsts, carry } = whileParts(eqn.inputs, params);
  const steps = fresh(aval([], "int32"));
  return {
    known: [
      {
        ...eqn,
        params: counted.known,
        inputs: [
          ...condConsts,
          ...except(bodyConsts, mask.bodyConsts),
          ...except(carry, counted.carry),
          new Literal(0, aval([], "int32")),
        ],
        outputs: [...except(eqn.outputs, counted.carry), steps],
      },
    ],
    unknown: [
      {
        ...eqn,
        primitive: iterate,
        params: counted.unknown,
        inputs: [steps, ...bodyConsts, ...carry],
        outputs: eqn.outputs.map((v, k) => (counted.carry[k] ? v : fresh(v.aval))),
      },
    ],
  };
}

/** Splits an equation of `iterate`: the known carries alone, and all of them. */
export function splitIterate(
  eqn: Eqn,
  [countUnknown, ...unknown]: Mask,
  passes: Passes,
  fresh: (type: Aval) => Var,
): ReturnType<PartialEvalRule> {
  if (countUnknown) return undefined;
  const params = eqn.params as IterateParams;
  const { consts } = params;
  const { carry, inputs, known, whole } = splitBody(params.body, consts, unknown, passes);
  const [steps, ...operands] = eqn.inputs;
  return {
    known: [
      {
        ...eqn,
        params: { ...params, body: known, consts: consts - count(inputs.slice(0, consts)) },
        inputs: [steps, ...except(operands, inputs)],
        outputs: except(eqn.outputs, carry),
      },
    ],
    unknown: [
      {
        ...eqn,
        params: { ...params, body: whole },
        outputs: eqn.outputs.map((v, k) => (carry[k] ? v : fresh(v.aval))),
      },
    ],
  };
}
