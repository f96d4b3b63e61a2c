/**
 * The type checker of jaxprs: finds what a pass did wrong before its result is run or transformed further.
 *
 * What holds for every jaxpr, and what the passes rely on:
 * - ids of variables are below `varCount`, and each variable is defined once, before it is used;
 * - a variable has the same type wherever it occurs: shape, dtype and weakness;
 * - literals are scalars that their dtype can hold;
 * - params are data, and jaxprs among them are well typed as well;
 * - each equation's outputs have the types that the type rule of its primitive gives.
 */
import { chain, type Either, left, mapLeft, right, tryCatch } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { type Aval, equalAvals, showAval } from "./aval.js";
import { isDType } from "./dtype.js";
import { type FluxionError, JaxprTypeError } from "./errors.js";
import { type Atom, type Eqn, Jaxpr, Literal, type Var } from "./jaxpr.js";
import { findPrimitive, type Params, type ParamValue, type Primitive } from "./primitive.js";
import { printEqn } from "./print.js";
import { atUserLine } from "./source.js";
import { isRepresentable } from "./spelling.js";

/**
 * Checks a jaxpr and all jaxprs inside it.
 *
 * @returns the jaxpr itself, or an error that names the first equation that is wrong, and the types.
 * @example
 * isRight(checkJaxpr(makeJaxpr(grad(np.tanh))(0.5).jaxpr)); // true
 */
export function checkJaxpr(jaxpr: Jaxpr): Either<JaxprTypeError, Jaxpr> {
  const fault = jaxprFault(jaxpr, new Set());
  return fault === undefined ? right(jaxpr) : left(new JaxprTypeError(fault));
}

/**
 * `checkJaxpr` for tests and between passes: gives back the jaxpr.
 *
 * @throws JaxprTypeError if it is not well typed.
 */
export function checked(jaxpr: Jaxpr): Jaxpr {
  const result = checkJaxpr(jaxpr);
  if (result._tag === "Left") throw result.left;
  return result.right;
}

/** Output types by the type rule of a primitive, or in words why there are none. Nothing is thrown. */
export const inferOutputs = (
  primitive: Primitive,
  inputs: readonly Aval[],
  params: Params,
): Either<string, readonly Aval[]> =>
  pipe(
    // Rules read params, which may come from a text: a rule that stumbles over them has found them wrong.
    tryCatch(
      () => primitive.abstractEval(inputs, params),
      (e) =>
        `${primitive.name} does not take these operands and params (${e instanceof Error ? e.message : String(e)})`,
    ),
    chain(mapLeft(reason)),
  );

/** What an error says, without the line of user code: the error that takes it up names the same line. */
function reason(error: FluxionError): string {
  const where = atUserLine();
  return where !== "" && error.message.endsWith(where)
    ? error.message.slice(0, -where.length)
    : error.message;
}

/** In words how the declared output types of an equation differ from those of its primitive's type rule. */
export function outputFault(
  primitive: Primitive,
  declared: readonly Aval[],
  types: readonly Aval[],
): string | undefined {
  if (declared.length === types.length && declared.every((type, i) => equalAvals(type, types[i])))
    return undefined;
  return `${primitive.name} gives ${showAll(types)}, but the equation declares ${showAll(declared)}`;
}

const showAll = (avals: readonly Aval[]): string => avals.map(showAval).join(" ") || "nothing";

/** In words what is wrong with a jaxpr. `done` are jaxprs without fault: one that occurs often is checked once. */
function jaxprFault(jaxpr: Jaxpr, done: Set<Jaxpr>): string | undefined {
  if (done.has(jaxpr)) return undefined;
  const types = new Map<number, Aval>();
  for (const [i, v] of jaxpr.inputs.entries()) {
    const fault = definitionFault(v, jaxpr.varCount, types);
    if (fault !== undefined) return `input ${i}: ${fault}`;
  }
  for (const [i, eqn] of jaxpr.eqns.entries()) {
    const fault = eqnFault(eqn, jaxpr.varCount, types, done);
    if (fault !== undefined) return `equation ${i}, ${printEqn(jaxpr, eqn)}: ${fault}`;
  }
  for (const [i, a] of jaxpr.outputs.entries()) {
    const fault = atomFault(a, types);
    if (fault !== undefined) return `output ${i}: ${fault}`;
  }
  done.add(jaxpr);
  return undefined;
}

/** Checks an equation, and adds its outputs to the types of variables. */
function eqnFault(
  eqn: Eqn,
  varCount: number,
  types: Map<number, Aval>,
  done: Set<Jaxpr>,
): string | undefined {
  const { primitive, inputs, params, outputs } = eqn;
  if (findPrimitive(primitive.name) !== primitive)
    return `there is no primitive "${primitive.name}" in the registry`;
  for (const [i, a] of inputs.entries()) {
    const fault = atomFault(a, types);
    if (fault !== undefined) return `operand ${i}: ${fault}`;
  }
  for (const [key, value] of Object.entries(params)) {
    const fault = paramFault(value, done);
    if (fault !== undefined) return `param ${key}: ${fault}`;
  }
  const inferred = inferOutputs(
    primitive,
    inputs.map((a) => a.aval),
    params,
  );
  if (inferred._tag === "Left") return inferred.left;
  for (const [i, v] of outputs.entries()) {
    const fault = definitionFault(v, varCount, types);
    if (fault !== undefined) return `result ${i}: ${fault}`;
  }
  return outputFault(
    primitive,
    outputs.map((v) => v.aval),
    inferred.right,
  );
}

/** Checks a variable where it is defined, and notes its type. */
function definitionFault(v: Var, varCount: number, types: Map<number, Aval>): string | undefined {
  const fault = typeFault(v.aval);
  if (fault !== undefined) return fault;
  if (!Number.isInteger(v.id) || v.id < 0 || v.id >= varCount)
    return `the variable's id ${v.id} is not below the jaxpr's varCount, ${varCount}`;
  if (types.has(v.id)) return `the variable (id ${v.id}) is defined twice`;
  types.set(v.id, v.aval);
  return undefined;
}

/** Checks an atom where it is used. */
function atomFault(a: Atom, types: ReadonlyMap<number, Aval>): string | undefined {
  if (a instanceof Literal) return literalFault(a);
  const type = types.get(a.id);
  if (type === undefined) return `the variable (id ${a.id}) is used before it is defined`;
  return equalAvals(type, a.aval)
    ? undefined
    : `the variable (id ${a.id}) is used as ${showAval(a.aval)}, but it was defined as ${showAval(type)}`;
}

function literalFault({ value, aval }: Literal): string | undefined {
  const fault = typeFault(aval);
  if (fault !== undefined) return fault;
  if (aval.shape.length > 0 || aval.dtype === "float0") return `a literal is a scalar, not ${showAval(aval)}`;
  if (!isRepresentable(value, aval.dtype)) return `the literal ${value} is not a value of ${showAval(aval)}`;
  return undefined;
}

function typeFault({ shape, dtype }: Aval): string | undefined {
  if (!isDType(dtype)) return `${String(dtype)} is not a dtype`;
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) return `[${shape.join(",")}] is not a shape`;
  return undefined;
}

/** Checks that a param is data, and the jaxprs in it. */
function paramFault(value: ParamValue, done: Set<Jaxpr>): string | undefined {
  if (value instanceof Jaxpr) {
    const fault = jaxprFault(value, done);
    return fault === undefined ? undefined : `in its jaxpr: ${fault}`;
  }
  if (typeof value === "object" && value !== null) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null)
      return `an object of class ${value.constructor.name} is not data`;
    for (const item of Object.values(value)) {
      const fault = paramFault(item as ParamValue, done);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  return ["number", "boolean", "string", "undefined", "object"].includes(typeof value)
    ? undefined
    : `a ${typeof value} is not data`;
}
