/** `optimizationBarrier` for trees. */
import { unflatten } from "../core/tree.js";
import { bindBarrier } from "../primitives/barrier.js";
import { flattenArrays } from "../transforms/functions.js";
import type { ArrayTree } from "../transforms/types.js";

/**
 * The same tree of arrays, behind a barrier that the compiler respects: what is computed from the result is not merged with
 * equal computations from the arrays themselves, and in a compiled program it starts only once all arrays of the tree are
 * there. Nothing is copied. `checkpoint` puts one in front of what it computes again.
 *
 * @param tree a tree of arrays and numbers of any shapes and dtypes.
 * @returns a tree of the same structure, shapes and dtypes. Its derivative is that of the identity.
 * @throws ArgumentError if a leaf is no array or number.
 * @example
 * const twice = (x) => x.sin().add(lax.optimizationBarrier(x).sin());
 * jit(twice).lower(np.ones([3])).costAnalysis().transcendentals; // 6
 * jit((x) => x.sin().add(x.sin())).lower(np.ones([3])).costAnalysis().transcendentals; // 3
 */
export function optimizationBarrier<T>(tree: T): ArrayTree<T> {
  const { arrays, treedef } = flattenArrays(tree, "the argument of lax.optimizationBarrier");
  return unflatten(treedef, bindBarrier(arrays));
}
