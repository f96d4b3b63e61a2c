/**
 * Rules of the user's that have to be linear and are not: which equation is to blame. Tangents are propagated, and cotangents
 * pulled back, by linear maps; one that adds 1 or squares cannot be transposed.
 */
import { maskKey, memoize } from "../core/build.js";
import { MissingRuleError, NotDifferentiableError } from "../core/errors.js";
import { type Atom, type Eqn, type Jaxpr, Literal } from "../core/jaxpr.js";
import { passes } from "../core/passes.js";
import { printEqn } from "../core/print.js";
import { atUserLine, describeSource } from "../core/source.js";

type Mask = readonly boolean[];

/** Operations that put elements of one operand elsewhere or in another dtype: constants stay constants. */
const moving: ReadonlySet<string> = new Set(["broadcastInDim", "convertElementType", "reshape"]);

/**
 * In words the first equation that is certainly not linear in the inputs that ought to be linear, of those that the wanted
 * outputs need; empty if none is seen. What is hidden in calls, and products of two linear values, come to light when the
 * program is transposed.
 */
const nonlinearity: (jaxpr: Jaxpr, linear: Mask, wanted: Mask) => string = memoize(
  (linear: Mask, wanted: Mask) => `nonlinear${maskKey(linear)}/${maskKey(wanted)}`,
  (jaxpr: Jaxpr, linear: Mask, wanted: Mask): string => {
    const depends = new Set<Atom>(jaxpr.inputs.filter((_, i) => linear[i]));
    const needed = passes.dce(jaxpr, wanted).jaxpr;
    const constants = new Map<Atom, number>();
    const constantOf = (a: Atom): number | undefined => (a instanceof Literal ? a.value : constants.get(a));
    for (const eqn of needed.eqns) {
      const { primitive, inputs, outputs } = eqn;
      if (!inputs.some((a) => depends.has(a))) {
        const value = moving.has(primitive.name) ? constantOf(inputs[0]) : undefined;
        if (value !== undefined) constants.set(outputs[0], value);
        continue;
      }
      if (outputs.length > 0 && primitive.transpose === undefined)
        return `${show(needed, eqn)} is linear in no operand`;
      if (primitive.name === "add" || primitive.name === "sub") {
        const added = inputs.map((a) => constantOf(a) ?? 0).find((c) => c !== 0);
        if (added !== undefined) return `${show(needed, eqn)} has ${added} added to it`;
      }
      for (const v of outputs) depends.add(v);
    }
    const fixed = needed.outputs.map((a) => constantOf(a) ?? 0).find((c) => c !== 0);
    return fixed === undefined ? "" : `it gives ${fixed}, whatever it is given`;
  },
);

function show(jaxpr: Jaxpr, eqn: Eqn): string {
  const where = describeSource(eqn.source);
  return `the equation ${printEqn(jaxpr, eqn)}${where === undefined ? "" : ` (at ${where})`}`;
}

/**
 * Transposes what the user claims to be linear.
 *
 * @param claim begins the message: `the jvp rule of softclip must be linear in the tangents`.
 * @param wanted the outputs that have a cotangent.
 * @throws NotDifferentiableError if it is not linear, with the equation that is to blame as far as it can be told.
 */
export function transposingClaim<R>(
  claim: string,
  jaxpr: Jaxpr,
  linear: Mask,
  wanted: Mask,
  transpose: () => R,
): R {
  const fault = nonlinearity(jaxpr, linear, wanted);
  if (fault !== "") throw new NotDifferentiableError(`${claim}, but ${fault}`);
  try {
    return transpose();
  } catch (error) {
    if (error instanceof MissingRuleError && error.rule === "transpose")
      throw new NotDifferentiableError(`${claim}, but ${error.primitive} is linear in no operand`);
    if (error instanceof NotDifferentiableError && !error.message.includes(claim))
      throw new NotDifferentiableError(`${claim}, but ${withoutLine(error.message)}`);
    throw error;
  }
}

/** A message without the line of user code, which the error that takes it up names again. */
function withoutLine(message: string): string {
  const line = atUserLine();
  return line !== "" && message.endsWith(line) ? message.slice(0, -line.length) : message;
}
