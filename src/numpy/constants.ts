/** Arrays that are known while tracing. */
import { ConcreteArray, concreteArray, type NDArray, scalar } from "../core/array.js";
import type { Shape } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { withTrace } from "../core/trace.js";
import { filled } from "../primitives/filled.js";

/** An array of one value: in a jaxpr a broadcast scalar, not a constant of that size. */
export const full = (shape: Shape, value: number, dtype: DType, weakType = false): NDArray =>
  filled(shape, scalar(value, dtype, weakType));

/** Whole numbers as an int32 constant. */
export const integers = (values: ArrayLike<number>, shape: Shape = [values.length]): ConcreteArray =>
  concreteArray(values, shape, "int32");

/** Computes at once what depends on known arrays only, so that a trace gets the result and not the computation. */
export const known = (inputs: readonly NDArray[], compute: () => NDArray): NDArray =>
  inputs.every((x) => x instanceof ConcreteArray) ? withTrace(undefined, compute) : compute();
