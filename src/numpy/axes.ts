/** Axes as users write them: negative ones count from the end, options may be just the axis. */
import { NDArray } from "../core/array.js";
import { describe, type Shape } from "../core/aval.js";
import { ArgumentError, AxisError, ShapeError } from "../core/errors.js";
import type { Axis } from "../core/methods.js";
import { isShape, showParam } from "../primitives/checks.js";
import { checkOptions } from "./operands.js";

const wrongAxis = (name: string, axis: unknown, shape: Shape): AxisError =>
  new AxisError(
    `${name}: ${showParam(axis)} is not an axis of an array of shape [${shape.join(",")}]` +
      (shape.length === 0 ? ", which has no axes" : `; its axes are ${-shape.length} to ${shape.length - 1}`),
  );

/** One axis of an array of the given shape, from 0 on. */
export function oneAxis(name: string, axis: unknown, shape: Shape): number {
  const n = shape.length;
  if (typeof axis !== "number" || !Number.isInteger(axis) || axis < -n || axis >= n)
    throw wrongAxis(name, axis, shape);
  return axis < 0 ? axis + n : axis;
}

/** Axes of an array of the given shape, from 0 on, in the order given; null or nothing means all of them. */
export function severalAxes(name: string, axis: Axis | undefined, shape: Shape): number[] {
  if (axis === undefined || axis === null) return shape.map((_, i) => i);
  if (typeof axis === "number") return [oneAxis(name, axis, shape)];
  const axes = (axis as readonly unknown[]).map((a) => oneAxis(name, a, shape));
  if (new Set(axes).size < axes.length)
    throw new AxisError(`${name}: an axis is named twice in ${showParam(axis)}`);
  return axes;
}

/** Options, of which NumPy's positional axis is a short form: `1` for `{ axis: 1 }`. */
export function axisOptions<O extends object>(
  name: string,
  given: Axis | O | undefined,
  known: readonly (keyof O & string)[],
): O {
  if (given === undefined) return {} as O;
  // Only functions that have an axis call this.
  if (given === null || typeof given === "number" || Array.isArray(given))
    return { axis: given } as unknown as O;
  return plainOptions(name, given as O, known);
}

/** Options as an object. */
export function plainOptions<O extends object>(
  name: string,
  given: O,
  known: readonly (keyof O & string)[],
): O {
  if (typeof given !== "object" || given === null || given instanceof NDArray)
    throw new ArgumentError(
      `${name}: options must be an object with some of ${known.join(", ")}, got ${what(given)}`,
    );
  checkOptions(name, given, known);
  return given;
}

const what = (x: unknown): string => (x instanceof NDArray ? `an array (${describe(x.aval)})` : showParam(x));

/** A shape that came from outside; a number is the shape of a vector. */
export function shapeOf(name: string, given: number | Shape): Shape {
  const shape = typeof given === "number" ? [given] : given;
  if (!isShape(shape))
    throw new ShapeError(`${name}: ${showParam(given)} is not a shape (a list of lengths)`);
  return shape;
}

/** A whole number that came from outside. */
export function wholeNumber(
  name: string,
  what: string,
  given: unknown,
  least = Number.NEGATIVE_INFINITY,
): number {
  if (typeof given === "number" && Number.isSafeInteger(given) && given >= least) return given;
  const bound = Number.isFinite(least) ? ` from ${least} on` : "";
  throw new ArgumentError(`${name}: ${what} must be a whole number${bound}, got ${showParam(given)}`);
}
