/** The params of a scan, its parts, and its type rule. */
import { left, right } from "fp-ts/lib/Either.js";
import { type Aval, aval, describe, describeAll, sameType } from "../../core/aval.js";
import { ArgumentError, ShapeError } from "../../core/errors.js";
import { type Atom, Jaxpr } from "../../core/jaxpr.js";
import type { Params } from "../../core/primitive.js";
import { isCount, showParam, type TypeResult } from "../checks.js";

export interface ScanParams {
  /** Takes constants, the carry and an entry of each array; gives the next carry and an entry of each stacked output. */
  readonly jaxpr: Jaxpr;
  /** How many steps. */
  readonly length: number;
  /** Whether the steps go from the last entry to the first. */
  readonly reverse: boolean;
  /** So many steps are written out one after the other where it is compiled. */
  readonly unroll: number;
  readonly consts: number;
  readonly carries: number;
  readonly [key: string]: Jaxpr | number | boolean;
}

/** A list for the inputs of a scan, or of its body, in its parts. */
export interface ScanInputs<T> {
  readonly consts: readonly T[];
  readonly carry: readonly T[];
  readonly xs: readonly T[];
}

/** A list for the outputs of a scan, or of its body, in its parts. */
export interface ScanOutputs<T> {
  readonly carry: readonly T[];
  readonly ys: readonly T[];
}

type Parts = Pick<ScanParams, "consts" | "carries">;

export const inputParts = <T>(list: readonly T[], { consts, carries }: Parts): ScanInputs<T> => ({
  consts: list.slice(0, consts),
  carry: list.slice(consts, consts + carries),
  xs: list.slice(consts + carries),
});

export const outputParts = <T>(
  list: readonly T[],
  { carries }: Pick<ScanParams, "carries">,
): ScanOutputs<T> => ({
  carry: list.slice(0, carries),
  ys: list.slice(carries),
});

/** The type of an array that has an entry of the given type for each step. */
export const stacked = (entry: Aval, length: number): Aval =>
  aval([length, ...entry.shape], entry.dtype, entry.weakType);

/** The jaxpr with inputs and outputs in another order, or with some left out: positions of what is to stand there. */
export const rearranged = (jaxpr: Jaxpr, inputs: readonly number[], outputs: readonly number[]): Jaxpr =>
  new Jaxpr(
    inputs.map((i) => jaxpr.inputs[i]),
    jaxpr.eqns,
    outputs.map((k): Atom => jaxpr.outputs[k]),
    jaxpr.varCount,
  );

/** Output types of a scan, whatever its params are. */
export function scanTypes(inputs: readonly Aval[], params: Params): TypeResult {
  const { jaxpr, length, reverse, unroll, consts, carries } = params;
  if (!(jaxpr instanceof Jaxpr)) return left(new ArgumentError("scan: the param jaxpr must be a jaxpr"));
  if (!isCount(length)) return left(new ArgumentError(`scan: ${showParam(length)} is not a length`));
  if (typeof reverse !== "boolean")
    return left(
      new ArgumentError(`scan: the param reverse must be true or false, got ${showParam(reverse)}`),
    );
  if (!isCount(unroll) || unroll === 0)
    return left(new ArgumentError(`scan: the param unroll must be at least 1, got ${showParam(unroll)}`));
  if (
    !isCount(consts) ||
    !isCount(carries) ||
    consts + carries > jaxpr.inputs.length ||
    carries > jaxpr.outputs.length
  )
    return left(
      new ArgumentError(
        `scan: a body that takes ${jaxpr.inputs.length} and gives ${jaxpr.outputs.length} has no ${showParam(consts)} constants and ${showParam(carries)} carries`,
      ),
    );
  const parts = { consts, carries };
  const body = inputParts(jaxpr.inAvals, parts);
  const wanted = [...body.consts, ...body.carry, ...body.xs.map((x) => stacked(x, length))];
  if (wanted.length !== inputs.length || wanted.some((type, i) => !sameType(type, inputs[i])))
    return left(
      new ShapeError(
        `scan: ${length} steps of the body take ${describeAll(wanted)}, got ${describeAll(inputs)}`,
      ),
    );
  const given = outputParts(jaxpr.outAvals, parts);
  const changed = body.carry.findIndex((type, i) => !sameType(type, given.carry[i]));
  if (changed >= 0)
    return left(
      new ShapeError(
        `scan: carry ${changed} goes into the body as ${describe(body.carry[changed])} and comes out as ${describe(given.carry[changed])}`,
      ),
    );
  return right([...given.carry, ...given.ys.map((y) => stacked(y, length))]);
}
