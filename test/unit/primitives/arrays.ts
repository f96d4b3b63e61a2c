/** Short names for making arrays in tests of primitives, and for the errors of type rules. */
import { isLeft } from "fp-ts/lib/Either.js";
import { type ConcreteArray, concreteArray, type NDArray } from "../../../src/core/array.js";
import type { Aval, Shape } from "../../../src/core/aval.js";
import type { DType } from "../../../src/core/dtype.js";
import { findPrimitive, type Params } from "../../../src/core/primitive.js";

const maker =
  (dtype: DType) =>
  (values: readonly number[], shape: Shape = [values.length]): ConcreteArray =>
    concreteArray(values, shape, dtype);

export const f64 = maker("float64");
export const f32 = maker("float32");
export const f16 = maker("float16");
export const i32 = maker("int32");
export const u32 = maker("uint32");
export const u8 = maker("uint8");
export const bool = maker("bool");

/** Integers 0, 1, 2, ... in a float64 array of the given shape. */
export const counting = (shape: Shape): ConcreteArray =>
  f64(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    shape,
  );

export const list = (x: NDArray): number[] => [...x.dataSync()];

/** The class and message (without the line of this file) of the error that a type rule gives, or "no error". */
export function refusal(name: string, inputs: readonly Aval[], params: object): string {
  const primitive = findPrimitive(name);
  if (primitive === undefined) return `there is no primitive ${name}`;
  const result = primitive.abstractEval(inputs, params as Params);
  return isLeft(result)
    ? `${result.left.name}: ${result.left.message.replace(/ \(at .*\)$/, "")}`
    : "no error";
}
