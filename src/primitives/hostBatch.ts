/**
 * Functions of the user's that run on the host once for each example of a batch: the levels of `vmap` that their equation has
 * been through.
 */
import { ConcreteArray } from "../core/array.js";
import { type Aval, describe, sizeOf, withShape } from "../core/aval.js";
import { ArgumentError, type FluxionError, ShapeError } from "../core/errors.js";
import type { Params, ParamValue } from "../core/primitive.js";
import { isCount, showParam } from "./checks.js";

/** A vmap that the equation has been through: one run for each of `size` examples, along axis 0 of `batched` operands. */
export interface Level {
  readonly size: number;
  readonly batched: readonly boolean[];
}

/** Levels as they stand in params, the outermost first. */
export type Levels = readonly (Level & Params)[];

function isLevel(x: unknown, operands: number): x is Level {
  if (typeof x !== "object" || x === null) return false;
  const { size, batched } = x as Record<string, unknown>;
  return (
    isCount(size) &&
    Array.isArray(batched) &&
    batched.length === operands &&
    batched.every((b) => typeof b === "boolean")
  );
}

/** What is wrong with the param `levels`, if anything. */
export function levelsFault(
  name: string,
  levels: ParamValue,
  inputs: readonly Aval[],
): FluxionError | undefined {
  if (!Array.isArray(levels) || !levels.every((level) => isLevel(level, inputs.length)))
    return new ArgumentError(
      `${name}: the param levels must be a list of sizes with a flag for each of the ${inputs.length} operands, got ${showParam(levels)}`,
    );
  for (const [i, input] of inputs.entries()) {
    const axes = (levels as readonly Level[]).filter((level) => level.batched[i]).map(({ size }) => size);
    if (axes.some((size, axis) => input.shape[axis] !== size))
      return new ShapeError(
        `${name}: operand ${i} is batched and must begin with axes of lengths [${axes.join(",")}], got ${describe(input)}`,
      );
  }
  return undefined;
}

/** Calls `run` for every example of the batches, those of the outermost vmap slowest: in row-major order. */
export function forEachExample(
  inputs: readonly ConcreteArray[],
  levels: readonly Level[],
  run: (inputs: readonly ConcreteArray[]) => unknown,
): void {
  if (levels.length === 0) {
    run(inputs);
    return;
  }
  const [{ size, batched }, ...inner] = levels;
  for (let i = 0; i < size; i++)
    forEachExample(
      inputs.map((x, k) => (batched[k] ? entryOf(x, i) : x)),
      inner,
      run,
    );
}

/** Entry i along axis 0. */
function entryOf(x: ConcreteArray, i: number): ConcreteArray {
  const shape = x.shape.slice(1);
  const n = sizeOf(shape);
  return new ConcreteArray(x.values.slice(i * n, (i + 1) * n), withShape(x.aval, shape));
}
