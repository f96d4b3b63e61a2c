/** Trees of leaves. */
import * as fc from "fast-check";
import type { tree as trees } from "fluxion";

export interface TreeOptions {
  /** The most children of a list or an object. Default: 3. */
  readonly maxChildren?: number;
  /** How far lists and objects go inside each other; at the bottom there are leaves and null. Default: 4. */
  readonly maxDepth?: number;
}

/** Names of fields: such as sort differently as numbers and as text, and one with a space. */
const names = ["a", "b", "w", "0", "10", "9", "two words"] as const;

/**
 * Trees of leaves, null, lists and objects. It shrinks to a leaf or null first, then to fewer children, then to smaller leaves.
 *
 * @param leaf an arbitrary of leaves, which are no lists, plain objects, null or undefined.
 * @example
 * const [t] = fc.sample(tree(fc.integer()), { seed: 1, numRuns: 1 });
 * treeOf.leaves(t).every((x) => typeof x === "number"); // true
 */
export function tree<T>(leaf: fc.Arbitrary<T>, options: TreeOptions = {}): fc.Arbitrary<trees.Tree<T>> {
  const { maxChildren = 3, maxDepth = 4 } = options;
  const { node } = fc.letrec<{ node: trees.Tree<T> }>((tie) => ({
    node: fc.oneof(
      { maxDepth, depthSize: "small", withCrossShrink: true },
      leaf as fc.Arbitrary<trees.Tree<T>>,
      fc.constant(null as trees.Tree<T>),
      fc.array(tie("node"), { maxLength: maxChildren }) as fc.Arbitrary<trees.Tree<T>>,
      fc.dictionary(fc.constantFrom(...names), tie("node"), {
        maxKeys: maxChildren,
        noNullPrototype: true,
      }) as fc.Arbitrary<trees.Tree<T>>,
    ),
  }));
  return node;
}
