/** Arguments that are no arrays: axes (negative ones count from the end), shapes, counts, and objects of options. */
import { NDArray } from "../core/array.js";
import { describe, type Shape } from "../core/aval.js";
import { ArgumentError, AxisError, ShapeError } from "../core/errors.js";
import { isShape, showParam } from "../primitives/checks.js";

/** An axis among `rank`, from 0 on. */
export function axisOf(name: string, axis: unknown, rank: number): number {
  if (typeof axis === "number" && Number.isInteger(axis) && axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  const range = rank === 0 ? "there are no axes" : `the axes are ${-rank} to ${rank - 1}`;
  throw new AxisError(`lax.${name}: ${showParam(axis)} is not an axis; ${range}`);
}

/** Axes among `rank`, from 0 on, in the order given. */
export function axesOf(name: string, axes: readonly number[], rank: number): number[] {
  if (!Array.isArray(axes))
    throw new ArgumentError(`lax.${name} takes a list of axes, got ${showParam(axes)}`);
  const found = axes.map((a) => axisOf(name, a, rank));
  if (new Set(found).size < found.length)
    throw new AxisError(`lax.${name}: an axis is named twice in ${showParam(axes)}`);
  return found;
}

/** The same in increasing order, as the primitives take them. */
export const sortedAxes = (name: string, axes: readonly number[], rank: number): number[] =>
  axesOf(name, axes, rank).sort((a, b) => a - b);

export function shapeOf(name: string, shape: unknown): Shape {
  if (isShape(shape)) return shape;
  throw new ShapeError(`lax.${name}: ${showParam(shape)} is not a shape (a list of lengths)`);
}

/** A whole number, `least` or more. */
export function wholeNumber(
  name: string,
  what: string,
  x: unknown,
  least = Number.NEGATIVE_INFINITY,
): number {
  if (typeof x === "number" && Number.isSafeInteger(x) && x >= least) return x;
  const bound = Number.isFinite(least) ? ` from ${least} on` : "";
  throw new ArgumentError(`lax.${name}: ${what} must be a whole number${bound}, got ${showParam(x)}`);
}

/** An object of options; a key that is none of `known` is an error, so that a misspelt one is noticed. */
export function optionsOf<O extends object>(
  name: string,
  given: O | undefined,
  known: readonly (keyof O & string)[],
): Partial<O> {
  if (given === undefined) return {};
  if (typeof given !== "object" || given === null || Array.isArray(given) || given instanceof NDArray) {
    const what = given instanceof NDArray ? `an array (${describe(given.aval)})` : showParam(given);
    throw new ArgumentError(`lax.${name} takes an object of options (${known.join(", ")}), got ${what}`);
  }
  for (const key of Object.keys(given))
    if (!(known as readonly string[]).includes(key))
      throw new ArgumentError(
        `lax.${name}: there is no option "${key}"; the options are ${known.join(", ")}`,
      );
  return given;
}

/** Options some of which must be there. */
export function requiredOptions<O extends object>(
  name: string,
  given: O,
  known: readonly (keyof O & string)[],
  required: readonly (keyof O & string)[],
): O {
  const options = optionsOf(name, given, known);
  for (const key of required)
    if (options[key] === undefined) throw new ArgumentError(`lax.${name} needs the option "${key}"`);
  return options as O;
}
