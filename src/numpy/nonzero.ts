/** Where elements are not zero. */
import { concreteArray, type NDArray } from "../core/array.js";
import { describe, type Shape, stridesOf } from "../core/aval.js";
import { ArgumentError } from "../core/errors.js";
import { div, rem } from "../primitives/arithmetic.js";
import { bitwiseNot } from "../primitives/bits.js";
import { reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { lt } from "../primitives/comparison.js";
import { select } from "../primitives/select.js";
import { iota, reshape } from "../primitives/shape.js";
import { pad } from "../primitives/slicing.js";
import { sort } from "../primitives/sort.js";
import { plainOptions, wholeNumber } from "./axes.js";
import { stack } from "./joining.js";
import { type ArrayLike, asArray, asCondition } from "./operands.js";

export interface NonzeroOptions {
  /**
   * How many indices to return. Their number is then known while tracing: surplus ones are left out, missing ones are
   * `fillValue`.
   */
  readonly size?: number;
  /** What missing indices are (default 0): a number, or one for each axis. */
  readonly fillValue?: number | readonly number[];
}

/** The indices along each axis that flat indices mean. */
const unravel = (flat: NDArray, shape: Shape): NDArray[] =>
  stridesOf(shape).map((stride, i) => {
    const outer = stride === 1 ? flat : div(flat, stride);
    // Nothing is left over along the first axis.
    return i === 0 ? outer : rem(outer, shape[i]);
  });

/** All of them, for an array whose values are known. */
function everyIndex(name: string, a: NDArray): NDArray[] {
  const { values } = a.concrete(`np.${name} without the option "size"`);
  const flat: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) flat.push(i);
  return stridesOf(a.shape).map((stride, axis) => {
    const along = flat.map((i) => Math.floor(i / stride) % a.shape[axis]);
    return concreteArray(along, [along.length], "int32");
  });
}

/** The first `size` of them: a stable sort brings the indices of what is not zero to the front, in their order. */
function firstIndices(a: NDArray, size: number, fill: readonly number[]): NDArray[] {
  const isNonzero = reshape(asCondition(a), [a.size]);
  const counts = iota("int32", [a.size], 0);
  const [, order] = sort([bitwiseNot(isNonzero), counts], { dimension: 0, numKeys: 1, isStable: true });
  const flat = pad(order, 0, [[0, size - a.size, 0]]);
  const found = reduceSum(convertElementType(isNonzero, "int32"), [0]);
  const isFound = lt(iota("int32", [size], 0), found);
  return unravel(flat, a.shape).map((along, axis) => select(isFound, along, fill[axis]));
}

function nonzeroOf(name: string, x: ArrayLike, options: NonzeroOptions): NDArray[] {
  const { size, fillValue = 0 } = plainOptions(name, options, ["size", "fillValue"]);
  const a = asArray(x, name);
  if (a.ndim === 0)
    throw new ArgumentError(`${name} needs an array with axes, got ${describe(a.aval)}; use np.atleast1d`);
  if (size === undefined) return everyIndex(name, a);
  const fill = typeof fillValue === "number" ? a.shape.map(() => fillValue) : fillValue;
  if (fill.length !== a.ndim)
    throw new ArgumentError(`${name}: ${describe(a.aval)} needs ${a.ndim} fill values, got ${fill.length}`);
  return firstIndices(a, wholeNumber(name, "size", size, 0), fill);
}

/**
 * The indices of the elements that are not zero, in row-major order: for each axis an int32 vector. How many there are
 * depends on the values, so under `jit` and `vmap` their number must be given with `size`.
 * @throws ConcretizationError for a traced array without `size`.
 * @throws ArgumentError for a scalar.
 * @example
 * np.nonzero(np.array([0, 5, 0, 7]))[0]; // [1, 3]
 * np.nonzero(np.array([0, 5, 0, 7]), { size: 3, fillValue: -1 })[0]; // [1, 3, -1]
 */
export const nonzero = (x: ArrayLike, options: NonzeroOptions = {}): NDArray[] =>
  nonzeroOf("nonzero", x, options);

/**
 * The indices, in the flattened array, of the elements that are not zero. Options and errors are those of `nonzero`.
 * @example
 * np.flatnonzero(np.array([[0, 5], [0, 7]])); // [1, 3]
 */
export function flatnonzero(x: ArrayLike, options: NonzeroOptions = {}): NDArray {
  const a = asArray(x, "flatnonzero");
  return nonzeroOf("flatnonzero", reshape(a, [a.size]), options)[0];
}

/**
 * The indices of the elements that are not zero, as rows of a matrix. Options and errors are those of `nonzero`.
 * @example
 * np.argwhere(np.array([[0, 5], [7, 0]])); // [[0, 1], [1, 0]]
 */
export const argwhere = (x: ArrayLike, options: NonzeroOptions = {}): NDArray =>
  stack(nonzeroOf("argwhere", x, options), { axis: 1 });
