/** Arrays from nothing: counting, and filled with a value. */
import { NDArray, scalar } from "../core/array.js";
import { describe, type Shape } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { ShapeError } from "../core/errors.js";
import { filled } from "../primitives/filled.js";
import * as p from "../primitives/shape.js";
import { axisOf, optionsOf, shapeOf, wholeNumber } from "./arguments.js";
import { convertElementType, dataDType } from "./cast.js";
import { type ArrayLike, operand } from "./operands.js";

/**
 * 0, 1, ..., n - 1.
 * @throws DtypeError for bool or a dtype that is none; ArgumentError if n is not a count.
 * @example
 * lax.iota("int32", 3); // [0, 1, 2]
 */
export const iota = (dtype: DType, n: number): NDArray =>
  p.iota(dataDType("iota", dtype), [wholeNumber("iota", "the length", n, 0)], 0);

/**
 * An array of the given shape that counts 0, 1, 2, ... along one axis.
 * @throws DtypeError for bool or a dtype that is none; ShapeError for a shape that is none; AxisError for the axis.
 * @example
 * lax.broadcastedIota("int32", [2, 3], 1); // [[0, 1, 2], [0, 1, 2]]
 */
export function broadcastedIota(dtype: DType, shape: Shape, axis: number): NDArray {
  const lengths = shapeOf("broadcastedIota", shape);
  return p.iota(
    dataDType("broadcastedIota", dtype),
    lengths,
    axisOf("broadcastedIota", axis, lengths.length),
  );
}

export interface FullOptions {
  /** Default: the dtype of the value. */
  readonly dtype?: DType;
}

/** A scalar of the dtype asked for, or of its own. */
function fillValue(name: string, value: ArrayLike, dtype: DType | undefined): NDArray {
  const x = dtype === undefined ? operand(name, value) : convertElementType(value, dtype);
  if (x.ndim > 0) throw new ShapeError(`lax.${name} fills with a scalar, got ${describe(x.aval)}`);
  return x;
}

/**
 * An array filled with one value.
 * @throws ShapeError for a shape that is none, or a value that is not a scalar; DtypeError for a dtype that is none.
 * @example
 * lax.full([2, 2], 7); // [[7, 7], [7, 7]]
 */
export function full(shape: Shape, value: ArrayLike, options?: FullOptions): NDArray {
  const { dtype } = optionsOf("full", options, ["dtype"]);
  return filled(shapeOf("full", shape), fillValue("full", value, dtype));
}

export interface FullLikeOptions extends FullOptions {
  /** Default: the shape of the array. */
  readonly shape?: Shape;
}

/**
 * An array of the shape and dtype of x, filled with one value.
 * @throws ShapeError for a shape that is none, or a value that is not a scalar; DtypeError for a dtype that is none.
 * @example
 * lax.fullLike(np.array([1, 2]), 7); // [7, 7]
 */
export function fullLike(x: ArrayLike, value: ArrayLike, options?: FullLikeOptions): NDArray {
  const { dtype, shape } = optionsOf("fullLike", options, ["dtype", "shape"]);
  const a = operand("fullLike", x);
  const lengths = shape === undefined ? a.shape : shapeOf("fullLike", shape);
  if (dtype === undefined && !(value instanceof NDArray) && a.weakType)
    return filled(lengths, scalar(value, a.dtype, true));
  return filled(lengths, fillValue("fullLike", value, dtype ?? a.dtype));
}

/**
 * Zeros in the shape and dtype of x.
 * @example
 * lax.zerosLike(np.array([1.5, 2])); // [0, 0]
 */
export const zerosLike = (x: ArrayLike): NDArray => fullLike(x, 0);
