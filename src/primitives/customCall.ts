/** What equations that stand for a function of the user's have in common: a body that says what they mean. */
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import type { ConcreteArray } from "../core/array.js";
import { type Aval, describeAll, sameType } from "../core/aval.js";
import { maskKey } from "../core/build.js";
import { ArgumentError, type FluxionError, ShapeError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import { Jaxpr } from "../core/jaxpr.js";
import type { DceRule, Params, PrimitiveRecord } from "../core/primitive.js";
import type { References } from "../core/references.js";
import { withTrace } from "../core/trace.js";
import { eachItsOwn } from "./call.js";
import { showParam, type TypeResult } from "./checks.js";

/** A body, and the name of the function in messages. */
export interface NamedBody {
  readonly jaxpr: Jaxpr;
  readonly name: string;
}

export const bodyOf = (params: Params): NamedBody => params as unknown as NamedBody;

/** The body and the name, if the params have them. */
export function readBody(primitive: string, { jaxpr, name }: Params): Either<FluxionError, NamedBody> {
  if (!(jaxpr instanceof Jaxpr))
    return left(new ArgumentError(`${primitive}: the param jaxpr must be a jaxpr, got ${showParam(jaxpr)}`));
  if (typeof name !== "string")
    return left(new ArgumentError(`${primitive}: the param name must be a string, got ${showParam(name)}`));
  return right({ jaxpr, name });
}

/** An error unless operands have the types that are wanted, up to weakness. */
export const operandFault = (
  primitive: string,
  wanted: readonly Aval[],
  inputs: readonly Aval[],
): FluxionError | undefined =>
  wanted.length === inputs.length && wanted.every((t, i) => sameType(t, inputs[i]))
    ? undefined
    : new ShapeError(`${primitive}: the jaxpr takes ${describeAll(wanted)}, got ${describeAll(inputs)}`);

/** The type rule of an equation that applies its body to its operands. */
export function bodyType(primitive: string, inputs: readonly Aval[], params: Params): TypeResult {
  const body = readBody(primitive, params);
  if (isLeft(body)) return body;
  const { inAvals, outAvals } = body.right.jaxpr;
  const fault = operandFault(primitive, inAvals, inputs);
  return fault === undefined ? right(outAvals) : left(fault);
}

/** The same for an equation that refers to a rule, which must be there. */
export const ruledType =
  <T extends object>(primitive: string, rules: References<T>): PrimitiveRecord["abstractEval"] =>
  (inputs, params) =>
    rules.find(params.rule) === undefined
      ? left(
          new ArgumentError(
            `${primitive}: the param rule refers to no rule that is there, got ${showParam(params.rule)}`,
          ),
        )
      : bodyType(primitive, inputs, params);

/** Rules for batches, of rules: the same one whenever it is asked for, so that equal programs are equal. */
export function perBatch<R extends object>(
  make: (rule: R, size: number, batched: readonly boolean[]) => R,
): typeof make {
  const made = new WeakMap<R, Map<string, R>>();
  return (rule, size, batched) => {
    const key = `${size}/${maskKey(batched)}`;
    const known = made.get(rule) ?? new Map<string, R>();
    made.set(rule, known);
    const found = known.get(key) ?? make(rule, size, batched);
    known.set(key, found);
    return found;
  };
}

/** Runs a body one equation after the other. */
export const evaluateBody = (jaxpr: Jaxpr, inputs: readonly ConcreteArray[]): readonly ConcreteArray[] =>
  eachItsOwn(
    jaxpr,
    inputs,
    withTrace(undefined, () => evalJaxpr(jaxpr, inputs) as ConcreteArray[]),
  );

/** The equation without what the outputs that are not used need. */
export const dceBody: DceRule = (eqn, used, passes) => {
  const { jaxpr, usedInputs } = passes.dce(bodyOf(eqn.params).jaxpr, used);
  return {
    ...eqn,
    params: { ...eqn.params, jaxpr },
    inputs: eqn.inputs.filter((_, i) => usedInputs[i]),
    outputs: eqn.outputs.filter((_, k) => used[k]),
  };
};
