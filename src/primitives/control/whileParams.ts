/** The params of `while`, its parts, and its type rule. */
import { left, right } from "fp-ts/lib/Either.js";
import type { NDArray } from "../../core/array.js";
import { type Aval, describe, describeAll, sameType } from "../../core/aval.js";
import { ArgumentError, DtypeError, type FluxionError, ShapeError } from "../../core/errors.js";
import { Jaxpr } from "../../core/jaxpr.js";
import type { Params } from "../../core/primitive.js";
import { isCount, showParam, type TypeResult } from "../checks.js";

/** Operands are the constants of `cond`, those of `body`, and the carry. */
export interface WhileParams {
  /** Takes its constants and the carry; gives whether there is another step. */
  readonly cond: Jaxpr;
  /** Takes its constants and the carry; gives the next carry. */
  readonly body: Jaxpr;
  readonly condConsts: number;
  readonly bodyConsts: number;
  /** So many carries may be stored for reverse mode; others are computed again. */
  readonly slots: number;
  readonly [key: string]: Jaxpr | number;
}

/** The operands of a loop with a given number of steps: that number, the constants of the body, the carry. */
export interface IterateParams {
  readonly body: Jaxpr;
  readonly consts: number;
  readonly slots: number;
  readonly [key: string]: Jaxpr | number;
}

export type BindWhile = (params: WhileParams, inputs: readonly NDArray[]) => readonly NDArray[];
export type BindIterate = (params: IterateParams, inputs: readonly NDArray[]) => readonly NDArray[];

/** Loops, for files that build programs of them. */
export interface Loops {
  readonly while: BindWhile;
  readonly iterate: BindIterate;
}

/** A list for the operands of `while` in its parts. */
export interface WhileParts<T> {
  readonly condConsts: readonly T[];
  readonly bodyConsts: readonly T[];
  readonly carry: readonly T[];
}

export const whileParts = <T>(
  list: readonly T[],
  { condConsts, bodyConsts }: Pick<WhileParams, "condConsts" | "bodyConsts">,
): WhileParts<T> => ({
  condConsts: list.slice(0, condConsts),
  bodyConsts: list.slice(condConsts, condConsts + bodyConsts),
  carry: list.slice(condConsts + bodyConsts),
});

const isSlots = (x: unknown): boolean => isCount(x) && x > 0;

const sameTypes = (a: readonly Aval[], b: readonly Aval[]): boolean =>
  a.length === b.length && a.every((type, i) => sameType(type, b[i]));

/** What is wrong with a body that takes these and gives the carry again. */
function bodyFault(
  name: string,
  body: Jaxpr,
  consts: readonly Aval[],
  carry: readonly Aval[],
): FluxionError | undefined {
  if (!sameTypes(body.inAvals, [...consts, ...carry]))
    return new ShapeError(
      `${name}: the body takes ${describeAll(body.inAvals)}, got ${describeAll([...consts, ...carry])}`,
    );
  if (!sameTypes(body.outAvals, carry))
    return new ShapeError(
      `${name}: the body must give the carry again, ${describeAll(carry)}, and gives ${describeAll(body.outAvals)}`,
    );
  return undefined;
}

/** The carry in the types of the body, which may be weak where those of the operands are not. */
export function whileTypes(inputs: readonly Aval[], params: Params): TypeResult {
  const { cond, body, condConsts, bodyConsts, slots } = params;
  if (!(cond instanceof Jaxpr) || !(body instanceof Jaxpr))
    return left(new ArgumentError("while: the params cond and body must be jaxprs"));
  if (!isCount(condConsts) || !isCount(bodyConsts) || condConsts + bodyConsts > inputs.length)
    return left(
      new ArgumentError(
        `while: of ${inputs.length} operands ${showParam(condConsts)} cannot be constants of cond and ${showParam(bodyConsts)} of body`,
      ),
    );
  if (!isSlots(slots))
    return left(
      new ArgumentError(`while: the param slots must be a whole number from 1 on, got ${showParam(slots)}`),
    );
  const parts = whileParts(inputs, { condConsts, bodyConsts });
  if (!sameTypes(cond.inAvals, [...parts.condConsts, ...parts.carry]))
    return left(
      new ShapeError(
        `while: cond takes ${describeAll(cond.inAvals)}, got ${describeAll([...parts.condConsts, ...parts.carry])}`,
      ),
    );
  const [pred] = cond.outAvals;
  if (cond.outputs.length !== 1 || pred.dtype !== "bool" || pred.shape.length > 0)
    return left(new DtypeError(`while: cond must give one bool[], and gives ${describeAll(cond.outAvals)}`));
  const fault = bodyFault("while", body, parts.bodyConsts, parts.carry);
  return fault === undefined ? right(body.outAvals) : left(fault);
}

export function iterateTypes(inputs: readonly Aval[], { body, consts, slots }: Params): TypeResult {
  if (!(body instanceof Jaxpr)) return left(new ArgumentError("iterate: the param body must be a jaxpr"));
  const [count, ...rest] = inputs;
  if (count === undefined || count.dtype !== "int32" || count.shape.length > 0)
    return left(
      new DtypeError(
        `iterate: the number of steps must be int32[], got ${count === undefined ? "none" : describe(count)}`,
      ),
    );
  if (!isCount(consts) || consts > rest.length)
    return left(
      new ArgumentError(`iterate: of ${rest.length} operands ${showParam(consts)} cannot be constants`),
    );
  if (!isSlots(slots))
    return left(
      new ArgumentError(`iterate: the param slots must be a whole number from 1 on, got ${showParam(slots)}`),
    );
  const fault = bodyFault("iterate", body, rest.slice(0, consts), rest.slice(consts));
  return fault === undefined ? right(body.outAvals) : left(fault);
}
