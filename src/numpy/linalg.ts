/** Products of vectors, matrices and arrays with more axes. */
import type { NDArray } from "../core/array.js";
import { describeAll, type Shape } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { AxisOr } from "../core/methods.js";
import { broadcastInDim, reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { dotGeneral } from "../primitives/dot.js";
import { mul } from "../primitives/field.js";
import { reshape } from "../primitives/shape.js";
import { axisOptions, oneAxis, plainOptions, severalAxes, wholeNumber } from "./axes.js";
import {
  lengthsByName,
  type Named,
  type ProductOptions,
  permuted,
  product,
  productOperands,
  withoutRepeated,
} from "./contraction.js";
import { type DiagonalOptions, diagonalOf } from "./indexing.js";
import { moveaxis, ravel } from "./manipulation.js";
import { type ArrayLike, asArray, sumType } from "./operands.js";
import { dataDType } from "./options.js";
import { counting } from "./rearrange.js";

const known = ["preferredElementType"] as const;

const mismatch = (name: string, xs: readonly NDArray[], why: string): ShapeError =>
  new ShapeError(`${name}: ${why}, got ${describeAll(xs.map((x) => x.aval))}`);

/** Multiplies operands whose last axes have the given names; axes before them broadcast. */
function multiplyNamed(
  name: string,
  xs: readonly [ArrayLike, ArrayLike],
  core: readonly [readonly string[], readonly string[]],
  result: readonly string[],
  options: ProductOptions,
): NDArray {
  const { operands, finish } = productOperands(name, xs, plainOptions(name, options, known));
  const named = operands.map((x, k): Named => {
    const count = x.ndim - core[k].length;
    if (count < 0) throw mismatch(name, operands, `operand ${k + 1} needs ${core[k].length} axes`);
    return { x, names: [...counting(count, count - 1, -1).map((i) => `batch ${i}`), ...core[k]] };
  });
  const lengths = lengthsByName(named);
  // Only leading axes broadcast: a contracted axis of length 1 is a mistake.
  const contracted = core[0].filter((n) => core[1].includes(n));
  const own = (k: 0 | 1, n: string) => operands[k].shape[named[k].names.indexOf(n)];
  if (contracted.some((n) => own(0, n) !== own(1, n)) || [...lengths.values()].includes(undefined))
    throw mismatch(name, operands, "shapes do not fit");
  const ranks = named.map((n, k) => n.names.length - core[k].length);
  const batch = named[ranks[0] >= ranks[1] ? 0 : 1].names.slice(0, Math.max(...ranks));
  const order = [...batch, ...result];
  const [a, b] = named.map((n) => withoutRepeated(n, lengths));
  return finish(permuted(product(a, b, new Set(order), order), order).x);
}

/**
 * The product of two matrices; with more axes, of stacks of matrices, whose leading axes broadcast. A vector counts as a
 * row on the left and as a column on the right, and loses that axis.
 * @throws ShapeError if the inner lengths differ or an operand is a scalar.
 * @example
 * np.matmul(np.array([[1, 2], [3, 4]]), np.array([10, 1])); // [12, 34]
 */
export function matmul(x: ArrayLike, y: ArrayLike, options: ProductOptions = {}): NDArray {
  const [a, b] = [asArray(x, "matmul"), asArray(y, "matmul")];
  if (a.ndim === 0 || b.ndim === 0)
    throw mismatch("matmul", [a, b], "scalars are multiplied with np.multiply");
  const left = a.ndim === 1 ? ["k"] : ["i", "k"];
  const right = b.ndim === 1 ? ["k"] : ["k", "j"];
  const result = [...left, ...right].filter((name) => name !== "k");
  return multiplyNamed("matmul", [x, y], [left, right], result, options);
}

/** A product summed over the given axes of both; the result has the other axes of x, then those of y. */
function contractAxes(
  name: string,
  xs: readonly ArrayLike[],
  axes: (a: NDArray, b: NDArray) => readonly [readonly number[], readonly number[]],
  options: ProductOptions,
): NDArray {
  const { operands, finish } = productOperands(name, xs, plainOptions(name, options, known));
  const [a, b] = operands;
  const [i, j] = axes(a, b);
  if (i.length !== j.length || i.some((axis, k) => a.shape[axis] !== b.shape[j[k]]))
    throw mismatch(name, operands, "axes that are summed over must have equal lengths");
  return finish(dotGeneral(a, b, { contracting: [i, j] }));
}

const scaled = (xs: readonly [ArrayLike, ArrayLike], options: ProductOptions): NDArray => {
  const { operands, finish } = productOperands("dot", xs, plainOptions("dot", options, known));
  return finish(mul(operands[0], operands[1]));
};

/**
 * The product of two vectors (a number) or matrices; with more axes, summed over the last axis of `x` and the one before
 * the last of `y`. A scalar multiplies.
 * @throws ShapeError if these axes have different lengths.
 * @example
 * np.dot(np.array([1, 2, 3]), np.array([4, 5, 6])); // 32
 */
export function dot(x: ArrayLike, y: ArrayLike, options: ProductOptions = {}): NDArray {
  if (asArray(x, "dot").ndim === 0 || asArray(y, "dot").ndim === 0) return scaled([x, y], options);
  return contractAxes("dot", [x, y], (a, b) => [[a.ndim - 1], [Math.max(b.ndim - 2, 0)]], options);
}

/**
 * The products of the last axes of both, summed. A scalar multiplies.
 * @throws ShapeError if these axes have different lengths.
 * @example
 * np.inner(np.array([[1, 2], [3, 4]]), np.array([10, 1])); // [12, 34]
 */
export function inner(x: ArrayLike, y: ArrayLike, options: ProductOptions = {}): NDArray {
  if (asArray(x, "inner").ndim === 0 || asArray(y, "inner").ndim === 0) return scaled([x, y], options);
  return contractAxes("inner", [x, y], (a, b) => [[a.ndim - 1], [b.ndim - 1]], options);
}

/**
 * The product of two arrays as vectors: all elements multiplied and summed.
 * @throws ShapeError if they have different numbers of elements.
 * @example
 * np.vdot(np.array([[1, 2], [3, 4]]), np.array([[1, 1], [1, 1]])); // 10
 */
export const vdot = (x: ArrayLike, y: ArrayLike, options: ProductOptions = {}): NDArray =>
  contractAxes("vdot", [ravel(x), ravel(y)], () => [[0], [0]], options);

/**
 * The products of vectors along an axis (default: the last), which is dropped; other axes broadcast.
 * @throws ShapeError, AxisError
 * @example
 * np.vecdot(np.array([[1, 2], [3, 4]]), np.array([10, 1])); // [12, 34]
 */
export function vecdot(
  x: ArrayLike,
  y: ArrayLike,
  options?: AxisOr<ProductOptions & { readonly axis?: number }>,
): NDArray {
  type Options = ProductOptions & { axis?: number };
  const { axis = -1, ...rest } = axisOptions<Options>("vecdot", options, ["axis", ...known]);
  const last = (z: ArrayLike) => {
    const a = asArray(z, "vecdot");
    return moveaxis(a, oneAxis("vecdot", axis, a.shape), -1);
  };
  return multiplyNamed("vecdot", [last(x), last(y)], [["k"], ["k"]], [], rest);
}

/**
 * Matrices times vectors: the last two axes of `x` with the last one of `y`; the others broadcast.
 * @throws ShapeError
 * @example
 * np.matvec(np.array([[1, 2], [3, 4]]), np.array([10, 1])); // [12, 34]
 */
export const matvec = (x: ArrayLike, y: ArrayLike): NDArray =>
  multiplyNamed("matvec", [x, y], [["i", "k"], ["k"]], ["i"], {});

/**
 * Vectors times matrices: the last axis of `x` with the last two of `y`; the others broadcast.
 * @throws ShapeError
 * @example
 * np.vecmat(np.array([10, 1]), np.array([[1, 2], [3, 4]])); // [13, 24]
 */
export const vecmat = (x: ArrayLike, y: ArrayLike): NDArray =>
  multiplyNamed("vecmat", [x, y], [["k"], ["k", "j"]], ["j"], {});

/**
 * All products of an element of `x` and one of `y`, both flattened.
 * @example
 * np.outer(np.array([1, 2]), np.array([1, 10])); // [[1, 10], [2, 20]]
 */
export function outer(x: ArrayLike, y: ArrayLike): NDArray {
  const { operands, finish } = productOperands("outer", [x, y], {});
  const [a, b] = operands.map(ravel);
  const shape = [a.size, b.size];
  return finish(mul(broadcastInDim(a, shape, [0]), broadcastInDim(b, shape, [1])));
}

/**
 * The product of `x` and `y` summed over some axes of both: the last `axes` of `x` with the first of `y` if it is a
 * number (default 2), else `axes[0]` of `x` with `axes[1]` of `y`.
 * @throws AxisError, ShapeError if paired axes differ in length.
 * @example
 * np.tensordot(np.ones([2, 3, 4]), np.ones([3, 4, 5])); // shape [2, 5]
 */
export function tensordot(
  x: ArrayLike,
  y: ArrayLike,
  options:
    | number
    | readonly (number | readonly number[])[]
    | (ProductOptions & { readonly axes?: number | readonly (number | readonly number[])[] }) = {},
): NDArray {
  type Options = ProductOptions & { axes?: number | readonly (number | readonly number[])[] };
  const given =
    typeof options === "number" || Array.isArray(options) ? { axes: options } : (options as Options);
  const { axes = 2, ...rest } = plainOptions<Options>("tensordot", given, ["axes", ...known]);
  return contractAxes("tensordot", [x, y], (a, b) => pairedAxes(axes, a.shape, b.shape), rest);
}

function pairedAxes(
  axes: number | readonly (number | readonly number[])[],
  a: Shape,
  b: Shape,
): readonly [readonly number[], readonly number[]] {
  if (Array.isArray(axes)) {
    if (axes.length !== 2)
      throw new ArgumentError(`tensordot: axes must be [axes of x, axes of y], got ${axes.length} lists`);
    return [severalAxes("tensordot", axes[0], a), severalAxes("tensordot", axes[1], b)];
  }
  const count = wholeNumber("tensordot", "axes", axes, 0);
  if (count > Math.min(a.length, b.length))
    throw new ShapeError(
      `tensordot: over ${count} axes of arrays of shapes [${a.join(",")}] and [${b.join(",")}]`,
    );
  return [counting(count, a.length - count), counting(count)];
}

/**
 * The sum along a diagonal of the matrices along two axes. Booleans and small integers are summed in 32 bits.
 * @throws AxisError
 * @example
 * np.trace(np.array([[1, 2], [3, 4]])); // 5
 */
export function trace(x: ArrayLike, options: DiagonalOptions & { readonly dtype?: DType } = {}): NDArray {
  const {
    offset = 0,
    axis1 = 0,
    axis2 = 1,
    dtype,
  } = plainOptions("trace", options, ["offset", "axis1", "axis2", "dtype"]);
  const a = asArray(x, "trace");
  const type = dtype === undefined ? sumType(a.dtype) : dataDType("trace", dtype);
  const d = diagonalOf("trace", type === a.dtype ? a : convertElementType(a, type), offset, axis1, axis2);
  return reduceSum(d, [d.ndim - 1]);
}

/**
 * The Kronecker product: each element of `x` times all of `y`, as blocks.
 * @example
 * np.kron(np.array([1, 10]), np.array([1, 2])); // [1, 2, 10, 20]
 */
export function kron(x: ArrayLike, y: ArrayLike): NDArray {
  const { operands, finish } = productOperands("kron", [x, y], {});
  const ndim = Math.max(operands[0].ndim, operands[1].ndim);
  const full = operands.map((a) => reshape(a, [...new Array<number>(ndim - a.ndim).fill(1), ...a.shape]));
  const [a, b] = full;
  const shape = a.shape.flatMap((n, i) => [n, b.shape[i]]);
  const spread = full.map((z, k) =>
    broadcastInDim(
      z,
      shape,
      z.shape.map((_, i) => 2 * i + k),
    ),
  );
  return finish(
    reshape(
      mul(spread[0], spread[1]),
      a.shape.map((n, i) => n * b.shape[i]),
    ),
  );
}
