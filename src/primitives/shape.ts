/** The same elements under another shape or order of axes, reshape and transpose; and the array that counts, iota. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import {
  type Aval,
  aval,
  describe,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
  withShape,
} from "../core/aval.js";
import { allocate, type DType, isDType, isFloat, isInteger, settle } from "../core/dtype.js";
import { AxisError, DtypeError, ShapeError } from "../core/errors.js";
import { definePrimitive } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { zeroFor } from "../core/zero.js";
import { isAxis, isShape, showParam, typeRule } from "./checks.js";
import { elementByElement, moving } from "./dependence.js";
import { linear, noWork } from "./linear.js";
import { lowerIota, lowerReshape, lowerTranspose } from "./shapeLower.js";
import { copyStrided } from "./strided.js";

const reshapePrimitive = definePrimitive({
  name: "reshape",
  family: "shape",
  summary: "the same elements in row-major order under another shape",
  abstractEval: typeRule("reshape", 1, ([x], { shape }) => {
    if (!isShape(shape)) return left(new ShapeError(`reshape: ${showParam(shape)} is not a shape`));
    if (sizeOf(shape) !== sizeOf(x.shape))
      return left(
        new ShapeError(
          `reshape: ${describe(x)} has ${sizeOf(x.shape)} elements, shape [${shape.join(",")}] needs ${sizeOf(shape)}`,
        ),
      );
    return right([withShape(x, shape)]);
  }),
  // Arrays are immutable, so both may share the storage.
  evaluate: ([x], _, [out]) => [x.alias(out)],
  ...linear(
    (inputs, params) => bind(reshapePrimitive, inputs, params),
    (ct, x) => reshape(ct, x.shape),
  ),
  batch: (size, [x], _, { shape }) => ({
    outputs: [reshape(x, [size, ...(shape as Shape)])],
    batched: [true],
  }),
  lower: lowerReshape,
  cost: noWork,
  dependence: elementByElement,
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([2, 3], "float64")], params: { shape: [3, 2] } },
      { avals: [aval([4], "float64")], params: { shape: [2, 1, 2] } },
      { avals: [aval([1, 1], "float64")], params: { shape: [] } },
      { avals: [aval([], "float64")], params: { shape: [1] } },
      { avals: [aval([0, 2], "float64")], params: { shape: [3, 0] } },
      { avals: [aval([2], "bool")], params: { shape: [2, 1] } },
    ],
  },
  simplify: ([x], { shape }) => (sameShape(shape as Shape, x.aval.shape) ? 0 : undefined),
});

/**
 * The elements of `x`, read in row-major order, as an array of the given shape (any dtype, as many elements).
 * Throws `ShapeError` if the numbers of elements differ.
 *
 *     reshape(np.array([1, 2, 3, 4]), [2, 2]) // [[1, 2], [3, 4]]
 */
export function reshape(x: NDArray, shape: Shape): NDArray {
  return sameShape(x.shape, shape) ? x : bind(reshapePrimitive, [x], { shape })[0];
}

/**
 * Drops axes of length 1 (given as increasing, not negative numbers). It is a reshape.
 * Throws `AxisError` if an axis does not exist or has another length.
 *
 *     squeeze(np.zeros([1, 3, 1]), [0]) // shape [3, 1]
 */
export function squeeze(x: NDArray, axes: readonly number[]): NDArray {
  for (const a of axes)
    if (!isAxis(a, x.ndim) || x.shape[a] !== 1)
      throw new AxisError(`squeeze: axis ${showParam(a)} of ${describe(x.aval)} is not an axis of length 1`);
  return reshape(
    x,
    x.shape.filter((_, i) => !axes.includes(i)),
  );
}

/**
 * Inserts axes of length 1, so that they stand at the given places (increasing, not negative) of the result.
 * It is a reshape. Throws `AxisError` if a place is beyond the end.
 *
 *     expandDims(np.zeros([3]), [0, 2]) // shape [1, 3, 1]
 */
export function expandDims(x: NDArray, axes: readonly number[]): NDArray {
  const shape = [...x.shape];
  for (const a of axes) {
    if (!isAxis(a, shape.length + 1))
      throw new AxisError(`expandDims: there is no place ${showParam(a)} for an axis in ${describe(x.aval)}`);
    shape.splice(a, 0, 1);
  }
  return reshape(x, shape);
}

const isPermutation = (x: unknown, ndim: number): x is readonly number[] =>
  Array.isArray(x) && x.length === ndim && x.every((a) => isAxis(a, ndim)) && new Set(x).size === ndim;

const isIdentity = (permutation: readonly number[], x: Aval): boolean =>
  permutation.length === x.shape.length && permutation.every((a, i) => a === i);

const transposePrimitive = definePrimitive({
  name: "transpose",
  family: "shape",
  summary: "the axes in another order",
  abstractEval: typeRule("transpose", 1, ([x], { permutation }) =>
    isPermutation(permutation, x.shape.length)
      ? right([
          withShape(
            x,
            permutation.map((a) => x.shape[a]),
          ),
        ])
      : left(
          new AxisError(
            `transpose: ${showParam(permutation)} does not name each axis of ${describe(x)} once`,
          ),
        ),
  ),
  evaluate: ([x], { permutation }, [out]) => {
    const values = allocate(out.dtype, sizeOf(out.shape));
    const strides = stridesOf(x.shape);
    const source = { start: 0, strides: (permutation as readonly number[]).map((a) => strides[a]) };
    copyStrided(out.shape, x.values, source, values, { start: 0, strides: stridesOf(out.shape) });
    return [new ConcreteArray(values, out)];
  },
  ...linear(
    (inputs, params) => bind(transposePrimitive, inputs, params),
    (ct, _, { permutation }) => {
      const axes = permutation as readonly number[];
      return transpose(
        ct,
        axes.map((_, i) => axes.indexOf(i)),
      );
    },
  ),
  batch: (_, [x], __, { permutation }) => ({
    outputs: [transpose(x, [0, ...(permutation as readonly number[]).map((a) => a + 1)])],
    batched: [true],
  }),
  lower: lowerTranspose,
  cost: noWork,
  dependence: (...args) => moving(transposePrimitive.evaluate)(...args),
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([2, 3], "float64")], params: { permutation: [1, 0] } },
      { avals: [aval([2, 3], "float64")], params: { permutation: [0, 1] } },
      { avals: [aval([2, 3, 4], "float64")], params: { permutation: [2, 0, 1] } },
      { avals: [aval([], "float64")], params: { permutation: [] } },
      { avals: [aval([0, 2], "float64")], params: { permutation: [1, 0] } },
      { avals: [aval([2, 2], "int32")], params: { permutation: [1, 0] } },
    ],
  },
  simplify: ([x], { permutation }) => (isIdentity(permutation as readonly number[], x.aval) ? 0 : undefined),
});

/**
 * The axes of `x` in another order: axis i of the result is axis `permutation[i]` of `x` (any dtype).
 * Throws `AxisError` if `permutation` does not name each axis once.
 *
 *     transpose(np.array([[1, 2], [3, 4]]), [1, 0]) // [[1, 3], [2, 4]]
 */
export function transpose(x: NDArray, permutation: readonly number[]): NDArray {
  if (isIdentity(permutation, x.aval)) return x;
  return bind(transposePrimitive, [x], { permutation })[0];
}

interface IotaParams {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly dimension: number;
  readonly [key: string]: DType | Shape | number;
}

const iotaPrimitive = definePrimitive({
  name: "iota",
  family: "shape",
  summary: "counts 0, 1, 2, ... along one axis",
  abstractEval: typeRule("iota", 0, (_, { dtype, shape, dimension }) => {
    if (!isDType(dtype) || !(isFloat(dtype) || isInteger(dtype)))
      return left(new DtypeError(`iota: ${showParam(dtype)} is not the dtype of numbers`));
    if (!isShape(shape)) return left(new ShapeError(`iota: ${showParam(shape)} is not a shape`));
    if (!isAxis(dimension, shape.length))
      return left(new AxisError(`iota: ${showParam(dimension)} is not an axis of [${shape.join(",")}]`));
    return right([aval(shape, dtype)]);
  }),
  evaluate: (_, params, [out]) => {
    const { dtype, shape, dimension } = params as IotaParams;
    const values = allocate(dtype, sizeOf(shape));
    const run = sizeOf(shape.slice(dimension + 1));
    const length = shape[dimension];
    for (let at = 0, count = 0; at < values.length; at += run, count = (count + 1) % length)
      values.fill(count, at, at + run);
    return [new ConcreteArray(settle(dtype, values), out)];
  },
  // Without operands there is nothing to differentiate or batch over.
  jvp: (primals, _, params) => {
    const outputs = bind(iotaPrimitive, primals, params);
    return { outputs, tangents: outputs.map((o) => zeroFor(o.aval)) };
  },
  batch: (_, inputs, __, params) => ({ outputs: bind(iotaPrimitive, inputs, params), batched: [false] }),
  lower: lowerIota,
  cost: noWork,
  laws: {
    differentiable: false,
    examples: () => [
      { avals: [], params: { dtype: "int32", shape: [3], dimension: 0 } },
      { avals: [], params: { dtype: "float32", shape: [2, 3, 2], dimension: 1 } },
      { avals: [], params: { dtype: "uint8", shape: [0, 2], dimension: 0 } },
    ],
  },
});

/**
 * An array of the given shape whose elements count 0, 1, 2, ... along axis `dimension` and are the same along the
 * others. Any dtype but bool; uint8 wraps around after 255. Throws `DtypeError`, `ShapeError` or `AxisError`.
 *
 *     iota("int32", [2, 3], 1) // [[0, 1, 2], [0, 1, 2]]
 */
export function iota(dtype: DType, shape: Shape, dimension: number): NDArray {
  return bind(iotaPrimitive, [], { dtype, shape, dimension })[0];
}
