/** Numbers of classes as vectors. */
import type { NDArray } from "../core/array.js";
import type { DType } from "../core/dtype.js";
import { oneAxis, plainOptions, wholeNumber } from "../numpy/axes.js";
import { type ArrayLike, numericOperand } from "../numpy/operands.js";
import { dataDType } from "../numpy/options.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { eq } from "../primitives/comparison.js";
import { iota } from "../primitives/shape.js";

export interface OneHotOptions {
  /** Default: float32. */
  readonly dtype?: DType;
  /** Where the axis of classes stands in the result. Default: at the end. */
  readonly axis?: number;
}

/** In a dtype that tells all classes apart. */
const counting = (x: NDArray): NDArray =>
  x.dtype === "uint8"
    ? convertElementType(x, "int32")
    : x.dtype === "float16"
      ? convertElementType(x, "float32")
      : x;

/**
 * For each number k a vector that is 1 at place k and 0 elsewhere; all 0 if k is not from 0 to `numClasses` - 1.
 * @throws ArgumentError if `numClasses` is not a count; AxisError if there is no such place for the axis.
 * @example
 * nn.oneHot(np.array([0, 2, 5]), 3); // [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
 */
export function oneHot(x: ArrayLike, numClasses: number, options: OneHotOptions = {}): NDArray {
  const name = "nn.oneHot";
  const given = plainOptions(name, options, ["dtype", "axis"]);
  const a = counting(numericOperand(name, x));
  const count = wholeNumber(name, "numClasses", numClasses, 0);
  const axis = oneAxis(name, given.axis ?? -1, [...a.shape, count]);
  const shape = [...a.shape.slice(0, axis), count, ...a.shape.slice(axis)];
  const numbers = broadcastInDim(
    a,
    shape,
    a.shape.map((_, i) => (i < axis ? i : i + 1)),
  );
  return convertElementType(
    eq(numbers, iota(a.dtype, shape, axis)),
    dataDType(name, given.dtype ?? "float32"),
  );
}
