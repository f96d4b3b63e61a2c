/**
 * Checks that type rules share. Params may come from a text parser or from users of `bind`, so a type rule takes
 * nothing about them for granted: they may be missing or of any type.
 */
import { type Either, left } from "fp-ts/lib/Either.js";
import { type Aval, describeAll, type Shape } from "../core/aval.js";
import { ArgumentError, type FluxionError } from "../core/errors.js";
import type { Params } from "../core/primitive.js";

/** The result of a type rule. */
export type TypeResult = Either<FluxionError, readonly Aval[]>;

/** A type rule for a fixed number of operands. */
export const typeRule =
  (name: string, operands: number, rule: (inputs: readonly Aval[], params: Params) => TypeResult) =>
  (inputs: readonly Aval[], params: Params): TypeResult =>
    inputs.length === operands
      ? rule(inputs, params)
      : left(
          new ArgumentError(
            `${name} takes ${operands} operand${operands === 1 ? "" : "s"}, got ${describeAll(inputs)}`,
          ),
        );

/** Whether a param is a count or an index. */
export const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

/** Whether a param is a shape: a list of lengths. */
export const isShape = (x: unknown): x is Shape => Array.isArray(x) && x.every(isCount);

/** Whether a param is one axis of an operand with `ndim` axes. */
export const isAxis = (x: unknown, ndim: number): x is number => isCount(x) && x < ndim;

/** Whether a param is a list of axes in canonical form: increasing, not negative. */
export const isAxes = (x: unknown, ndim: number): x is readonly number[] =>
  Array.isArray(x) && x.every((a, i) => isAxis(a, ndim) && (i === 0 || a > x[i - 1]));

/** A param in an error message, whatever it is. */
export const showParam = (x: unknown): string => {
  if (Array.isArray(x)) return `[${x.map(showParam).join(",")}]`;
  if (typeof x === "string") return JSON.stringify(x);
  return typeof x === "object" && x !== null ? "an object" : String(x);
};
