/** Places in sorted arrays. */
import { isReadable, type NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { add, sub } from "../primitives/arithmetic.js";
import { bitwiseAnd, bitwiseOr } from "../primitives/bits.js";
import { showParam } from "../primitives/checks.js";
import { eq, ge, le, lt, ne } from "../primitives/comparison.js";
import { select } from "../primitives/select.js";
import { rev } from "../primitives/slicing.js";
import { plainOptions } from "./axes.js";
import { full } from "./constants.js";
import { type Indices, take } from "./indexing.js";
import { type ArrayLike, promoteOperands } from "./operands.js";
import { elementAt, gatherAxis } from "./rearrange.js";

export type Side = "left" | "right";

export interface SearchOptions {
  /** Before ("left", the default) or behind elements that are equal. */
  readonly side?: Side;
  /** A permutation that sorts `a`, if it is not sorted. */
  readonly sorter?: Indices;
}

/** Whether elements stand before what is searched for; NaN stands last. */
function standsBefore(v: NDArray, side: Side): (element: NDArray) => NDArray {
  if (!isFloat(v.dtype)) return (element) => (side === "left" ? lt(element, v) : le(element, v));
  const missing = ne(v, v);
  return side === "left"
    ? (element) => bitwiseOr(lt(element, v), bitwiseAnd(missing, eq(element, element)))
    : (element) => bitwiseOr(le(element, v), missing);
}

/** For each value how many elements of a sorted vector stand before it: a binary search of all values in step. */
export function countBefore(sorted: NDArray, v: NDArray, side: Side): NDArray {
  const n = sorted.size;
  const before = standsBefore(v, side);
  let count = full(v.shape, 0, "int32");
  for (let step = 2 ** Math.floor(Math.log2(n)); step >= 1; step /= 2) {
    const more = add(count, step);
    const isBefore = before(gatherAxis(sorted, 0, sub(more, 1), "clip"));
    // Steps add up to more than n, unless n is one less than a power of two.
    const exists = Number.isInteger(Math.log2(n + 1)) ? isBefore : bitwiseAnd(isBefore, le(more, n));
    count = select(exists, more, count);
  }
  return count;
}

/**
 * For each value the place, as int32, where it would have to be put into the sorted vector `a` to keep it sorted.
 * @throws ShapeError if `a` is not a vector.
 * @example
 * np.searchsorted(np.array([1, 3, 5]), np.array([0, 3, 9])); // [0, 1, 3]
 */
export function searchsorted(a: ArrayLike, v: ArrayLike, options: Side | SearchOptions = {}): NDArray {
  const given = typeof options === "string" ? { side: options } : options;
  const { side = "left", sorter } = plainOptions<SearchOptions>("searchsorted", given, ["side", "sorter"]);
  if (side !== "left" && side !== "right")
    throw new ArgumentError(`searchsorted: side must be "left" or "right", got ${showParam(side)}`);
  const [vector, values] = promoteOperands("searchsorted", [a, v]);
  if (vector.ndim !== 1)
    throw new ShapeError(`searchsorted: a must be a vector, got ${describe(vector.aval)}`);
  const sorted = sorter === undefined ? vector : take(vector, sorter, { axis: 0, mode: "clip" });
  return countBefore(sorted, values, side);
}

/**
 * For each element the number of the bin that it falls into: i for bins[i-1] <= x < bins[i], or with `right`
 * bins[i-1] < x <= bins[i]; 0 and the number of edges are outside. The edges ascend or descend.
 * @throws ShapeError if `bins` is not a vector.
 * @example
 * np.digitize(np.array([0.5, 1, 9]), np.array([0, 1, 2])); // [1, 2, 3]
 */
export function digitize(
  x: ArrayLike,
  bins: ArrayLike,
  options: boolean | { readonly right?: boolean } = {},
): NDArray {
  const given = typeof options === "boolean" ? { right: options } : options;
  const { right = false } = plainOptions<{ right?: boolean }>("digitize", given, ["right"]);
  const [values, edges] = promoteOperands("digitize", [x, bins]);
  if (edges.ndim !== 1) throw new ShapeError(`digitize: bins must be a vector, got ${describe(edges.aval)}`);
  const n = edges.size;
  if (n === 0) return full(values.shape, 0, "int32");
  const side = right ? "left" : "right";
  const ascending = () => countBefore(edges, values, side);
  // Turned around, elements of the same bin count from the other end.
  const descending = () => sub(n, countBefore(rev(edges, [0]), values, side));
  if (isReadable(edges)) return edges.values[n - 1] >= edges.values[0] ? ascending() : descending();
  return select(ge(elementAt(edges, 0, n - 1), elementAt(edges, 0, 0)), ascending(), descending());
}
