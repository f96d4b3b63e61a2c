/** Arrays of one value. In a jaxpr they are broadcast scalars, not constants of their size. */
import { type NDArray, scalar } from "../core/array.js";
import { describe, type Shape, sameShape } from "../core/aval.js";
import type { DType, Typed } from "../core/dtype.js";
import { ShapeError } from "../core/errors.js";
import { filled } from "../primitives/filled.js";
import { plainOptions, shapeOf } from "./axes.js";
import { type ArrayLike, asArray, commonShape, convertTo, stretch } from "./operands.js";
import { type DTypeOption, dataDType, dtypeOption, isOptions } from "./options.js";

const constant = (
  name: string,
  value: number,
  shape: number | Shape,
  options?: DType | DTypeOption,
): NDArray => filled(shapeOf(name, shape), scalar(value, dtypeOption(name, options) ?? "float32"));

/**
 * An array of zeros, float32 unless `dtype` says otherwise. A number as shape is the length of a vector.
 * @throws ShapeError for a shape that is none; DtypeError for a dtype that is none.
 * @example
 * np.zeros([2, 3]); // [[0, 0, 0], [0, 0, 0]]
 * np.zeros(2, "bool"); // [false, false]
 */
export const zeros = (shape: number | Shape, options?: DType | DTypeOption): NDArray =>
  constant("zeros", 0, shape, options);

/**
 * An array of ones, float32 unless `dtype` says otherwise. A number as shape is the length of a vector.
 * @throws ShapeError for a shape that is none; DtypeError for a dtype that is none.
 * @example
 * np.ones([2, 2], { dtype: "int32" }); // [[1, 1], [1, 1]]
 */
export const ones = (shape: number | Shape, options?: DType | DTypeOption): NDArray =>
  constant("ones", 1, shape, options);

/**
 * An array whose elements do not matter: zeros, since arrays are immutable.
 * @throws ShapeError for a shape that is none; DtypeError for a dtype that is none.
 * @example
 * np.empty([2, 3]); // shape [2,3]
 */
export const empty = (shape: number | Shape, options?: DType | DTypeOption): NDArray =>
  constant("empty", 0, shape, options);

function fill(name: string, shape: Shape, value: ArrayLike, type: Typed | undefined): NDArray {
  const x = type === undefined ? asArray(value, name) : convertTo(value, type);
  if (x.ndim === 0) return filled(shape, x);
  const common = commonShape([x.shape, shape]);
  if (common === undefined || !sameShape(common, shape))
    throw new ShapeError(`${name}: ${describe(x.aval)} does not broadcast to [${shape.join(",")}]`);
  return stretch(x, shape);
}

/**
 * An array filled with a value, or with an array that broadcasts to the shape. Without `dtype` it has that of the array;
 * a number gives float32, a boolean bool.
 * @throws ShapeError for a shape that is none, or to which the value does not broadcast.
 * @example
 * np.full([2, 2], 7); // [[7, 7], [7, 7]]
 * np.full([2, 2], np.array([1, 2])); // [[1, 2], [1, 2]]
 */
export function full(shape: number | Shape, value: ArrayLike, options?: DType | DTypeOption): NDArray {
  // As in `array`, a bare number is a float, whole or not.
  const dtype = dtypeOption("full", options) ?? (typeof value === "number" ? "float32" : undefined);
  return fill("full", shapeOf("full", shape), value, dtype && { dtype, weakType: false });
}

export interface LikeOptions extends DTypeOption {
  /** Another shape than that of the array. */
  readonly shape?: number | Shape;
}

/** The type and shape of an array, but for what options replace. */
function like(
  name: string,
  x: ArrayLike,
  given: DType | LikeOptions | undefined,
): { type: Typed; shape: Shape } {
  const options = isOptions(given)
    ? plainOptions<LikeOptions>(name, given, ["dtype", "shape"])
    : { dtype: given };
  const a = asArray(x, name);
  const { dtype, shape } = options as LikeOptions;
  return {
    type: dtype === undefined ? a.aval : { dtype: dataDType(name, dtype), weakType: false },
    shape: shape === undefined ? a.shape : shapeOf(name, shape),
  };
}

function constantLike(name: string, value: number, x: ArrayLike, options?: DType | LikeOptions): NDArray {
  const { type, shape } = like(name, x, options);
  return filled(shape, scalar(value, type.dtype, type.weakType));
}

/**
 * Zeros with the shape and dtype of x, unless the options `shape` or `dtype` say otherwise.
 * @throws ShapeError for a shape that is none; DtypeError for a dtype that is none.
 * @example
 * np.zerosLike(np.array([1, 2])); // [0, 0]
 */
export const zerosLike = (x: ArrayLike, options?: DType | LikeOptions): NDArray =>
  constantLike("zerosLike", 0, x, options);

/**
 * Ones with the shape and dtype of x, unless the options `shape` or `dtype` say otherwise.
 * @throws ShapeError for a shape that is none; DtypeError for a dtype that is none.
 * @example
 * np.onesLike(np.array([1.5, 2])); // [1, 1]
 */
export const onesLike = (x: ArrayLike, options?: DType | LikeOptions): NDArray =>
  constantLike("onesLike", 1, x, options);

/**
 * An array with the shape and dtype of x whose elements do not matter: zeros.
 * @throws ShapeError for a shape that is none; DtypeError for a dtype that is none.
 * @example
 * np.emptyLike(np.zeros([2, 3])); // shape [2,3]
 */
export const emptyLike = (x: ArrayLike, options?: DType | LikeOptions): NDArray =>
  constantLike("emptyLike", 0, x, options);

/**
 * A value, converted to the dtype of x and broadcast to its shape, unless the options `shape` or `dtype` say otherwise.
 * @throws ShapeError for a shape that is none, or to which the value does not broadcast.
 * @example
 * np.fullLike(np.array([1, 2]), 7); // [7, 7]
 */
export function fullLike(x: ArrayLike, value: ArrayLike, options?: DType | LikeOptions): NDArray {
  const { type, shape } = like("fullLike", x, options);
  return fill("fullLike", shape, value, { dtype: type.dtype, weakType: false });
}
