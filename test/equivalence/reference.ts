/**
 * What devices are measured against: the `evaluate` rules. Where a result is rounded, they are given the same operands as
 * float64, so that they give the result before it is rounded to float32 or float16.
 */
import { isLeft } from "fp-ts/lib/Either.js";
import { ConcreteArray } from "../../src/core/array.js";
import { aval } from "../../src/core/aval.js";
import { isDType, isFloat, type TypedArray } from "../../src/core/dtype.js";
import type { Params, Primitive } from "../../src/core/primitive.js";
import { widenedBodies } from "../webgpu/narrowed.js";
import { boundOf } from "./bounds.js";
import { magnitudes } from "./magnitudes.js";

export interface Wanted {
  /** For each output its elements. */
  readonly exact: readonly TypedArray[];
  /** For each output the numbers whose last place errors are counted in, where it is not that of the result. */
  readonly magnitude: readonly TypedArray[] | undefined;
}

function evaluate(primitive: Primitive, inputs: readonly ConcreteArray[], params: Params): ConcreteArray[] {
  const types = primitive.abstractEval(
    inputs.map((x) => x.aval),
    params,
  );
  if (isLeft(types)) throw types.left;
  return [...primitive.evaluate(inputs, params, types.right)];
}

/** Floats as float64; the values stay. */
export const widened = (x: ConcreteArray): ConcreteArray =>
  isFloat(x.dtype) ? new ConcreteArray(Float64Array.from(x.values), aval(x.shape, "float64")) : x;

const widenedParams = (params: Params): Params =>
  isDType(params.preferredElementType) && isFloat(params.preferredElementType)
    ? { ...params, preferredElementType: "float64" }
    : widenedBodies(params);

/** The results of a primitive, as exact as they can be had. */
export function wantedOf(primitive: Primitive, inputs: readonly ConcreteArray[], params: Params): Wanted {
  if (boundOf(primitive).kind === "exact")
    return { exact: evaluate(primitive, inputs, params).map((y) => y.values), magnitude: undefined };
  const wide = inputs.map(widened);
  const outputs = evaluate(primitive, wide, widenedParams(params));
  const again = (xs: readonly ConcreteArray[], p: Params) => evaluate(primitive, xs, p);
  const magnitude = magnitudes[primitive.name]?.(wide, outputs, again, widenedParams(params));
  return { exact: outputs.map((y) => y.values), magnitude };
}

/** All that a device may see of pointwise operands if it takes subnormal float32 for zero: each operand with and without. */
export function flushedOperands(inputs: readonly ConcreteArray[]): (readonly ConcreteArray[])[] {
  let choices: (readonly ConcreteArray[])[] = [[]];
  for (const x of inputs) {
    const flushed = x.dtype === "float32" && x.values.some(isSubnormal) ? flush(x) : undefined;
    choices = choices.flatMap((c) =>
      flushed === undefined
        ? [[...c, x]]
        : [
            [...c, x],
            [...c, flushed],
          ],
    );
  }
  return choices;
}

const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126;

const flush = (x: ConcreteArray): ConcreteArray =>
  new ConcreteArray(
    x.values.map((v) => (isSubnormal(v) ? v * 0 : v)),
    x.aval,
  );
