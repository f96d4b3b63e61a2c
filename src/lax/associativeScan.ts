/** Running combinations of arrays by an associative function, in logarithmically many steps. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { unflatten } from "../core/tree.js";
import { showParam } from "../primitives/checks.js";
import { concatenate } from "../primitives/concatenate.js";
import { reshape } from "../primitives/shape.js";
import { rev, slice } from "../primitives/slicing.js";
import { typeMismatch } from "../transforms/bodies.js";
import { flattenArrays, leafName, requireFunction } from "../transforms/functions.js";
import type { ArrayTree } from "../transforms/types.js";
import { axisOf, optionsOf } from "./arguments.js";

export interface AssociativeScanOptions {
  /** From the last entry to the first. Default: false. */
  readonly reverse?: boolean;
  /** Along which axis of each array. Default: 0. */
  readonly axis?: number;
}

/**
 * Running combinations: entry i of the result is e₀ ∘ e₁ ∘ ... ∘ eᵢ (with `reverse`, eₙ₋₁ ∘ ... ∘ eᵢ). The function is
 * applied to many entries at a time, about 2 log₂ n times in all, where a `scan` would take n steps one after the other.
 *
 * The entries are combined in pairs, the pairs by the same method; what stands between two pairs is then the combination
 * up to the pair before with one more entry (Blelloch, Prefix Sums and Their Applications, 1990).
 *
 * @param fn associative; takes two trees of arrays that have any number of entries along the axis, and combines entry
 *   with entry. It gives a tree of the same structure, shapes and dtypes.
 * @param elems a tree of arrays of the same length along the axis.
 * @param options `reverse`, `axis`.
 * @throws ShapeError if the lengths differ; AxisError if an array has no such axis; TreeMismatchError, ShapeError or DtypeError
 *   if `fn` gives something else than it takes.
 * @example
 * lax.associativeScan(np.maximum, np.array([1, 3, 2])); // [1, 3, 3]
 */
export function associativeScan<E>(
  fn: (a: ArrayTree<E>, b: ArrayTree<E>) => NoInfer<ArrayTree<E>>,
  elems: E,
  options?: AssociativeScanOptions,
): ArrayTree<E> {
  const name = "lax.associativeScan";
  requireFunction(fn, name);
  const { reverse = false, axis = 0 } = optionsOf<AssociativeScanOptions>("associativeScan", options, [
    "reverse",
    "axis",
  ]);
  if (typeof reverse !== "boolean")
    throw new ArgumentError(`${name}: reverse must be true or false, got ${showParam(reverse)}`);
  const { arrays, treedef } = flattenArrays(elems, `the elements of ${name}`);
  const axes = arrays.map((x) => axisOf("associativeScan", axis, x.ndim));
  for (const [i, x] of arrays.entries())
    if (x.shape[axes[i]] !== arrays[0].shape[axes[0]])
      throw new ShapeError(
        `${name}: all lengths must be the same, but ${leafName("the elements", treedef, 0)} (${describe(arrays[0].aval)}) has ${arrays[0].shape[axes[0]]} ` +
          `and ${leafName("the elements", treedef, i)} (${describe(x.aval)}) has ${x.shape[axes[i]]}`,
      );
  const along: Along = {
    axes,
    combine: (a, b) => {
      const result = fn(unflatten(treedef, a), unflatten(treedef, b));
      const given = flattenArrays(result, `the output of the function of ${name}`);
      const error = typeMismatch(
        `${name}: the function must give what it takes`,
        { what: "what it takes", treedef, avals: b.map((x) => x.aval) },
        {
          what: "what it gives",
          treedef: given.treedef,
          // A weak type is not a difference.
          avals: given.arrays.map((x, i) =>
            b[i]?.dtype === x.dtype ? { ...x.aval, weakType: b[i].weakType } : x.aval,
          ),
        },
      );
      if (error !== undefined) throw error;
      return given.arrays;
    },
  };
  const turned = (xs: readonly NDArray[]): readonly NDArray[] =>
    reverse ? xs.map((x, i) => rev(x, [axes[i]])) : xs;
  return unflatten(treedef, turned(combinations(turned(arrays), along))) as ArrayTree<E>;
}

interface Along {
  /** For each array the axis along which its entries lie. */
  readonly axes: readonly number[];
  readonly combine: (a: readonly NDArray[], b: readonly NDArray[]) => readonly NDArray[];
}

function combinations(xs: readonly NDArray[], along: Along): readonly NDArray[] {
  const { axes, combine } = along;
  const length = xs.length === 0 ? 0 : xs[0].shape[axes[0]];
  if (length < 2) return xs;
  const every = (list: readonly NDArray[], start: number, limit: number, step: number): NDArray[] =>
    list.map((x, i) => entriesOf(x, axes[i], start, limit, step));
  const pairs = combine(every(xs, 0, length - 1, 2), every(xs, 1, length, 2));
  const odd = combinations(pairs, along);
  if (length === 2) return odd.map((y, i) => concatenate([every(xs, 0, 1, 1)[i], y], axes[i]));
  const later = every(xs, 2, length, 2);
  const even = combine(every(odd, 0, later[0].shape[axes[0]], 1), later);
  return xs.map((x, i) => {
    const first = entriesOf(x, axes[i], 0, 1, 1);
    return interleaved(concatenate([first, even[i]], axes[i]), odd[i], axes[i]);
  });
}

/** The entries from `start` to `limit` (exclusive) along an axis. */
function entriesOf(x: NDArray, axis: number, start: number, limit: number, step: number): NDArray {
  const at = <T>(value: T, others: readonly T[]): T[] =>
    others.map((other, i) => (i === axis ? value : other));
  return slice(
    x,
    at(
      start,
      x.shape.map(() => 0),
    ),
    at(limit, x.shape),
    at(
      step,
      x.shape.map(() => 1),
    ),
  );
}

/** Entries of `a` and `b` by turns; `a` begins, and may have one more. */
function interleaved(a: NDArray, b: NDArray, axis: number): NDArray {
  const count = b.shape[axis];
  const alone = (x: NDArray): NDArray =>
    reshape(x, [...x.shape.slice(0, axis), count, 1, ...x.shape.slice(axis + 1)]);
  const pairs = concatenate([alone(entriesOf(a, axis, 0, count, 1)), alone(b)], axis + 1);
  const both = reshape(pairs, [...b.shape.slice(0, axis), 2 * count, ...b.shape.slice(axis + 1)]);
  const left = a.shape[axis];
  return left === count ? both : concatenate([both, entriesOf(a, axis, count, left, 1)], axis);
}
