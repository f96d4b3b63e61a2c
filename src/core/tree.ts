/**
 * Trees (JAX's pytrees): nested objects, arrays and registered classes with leaves in them, as arguments and results of
 * transforms. Users import this module as the namespace `tree`.
 *
 * Containers are plain objects (own enumerable string keys, sorted), arrays, `null` and `undefined` (both without
 * children) and instances of registered classes; anything else is a leaf. Nesting may be of any depth.
 */
import { ArgumentError, TreeMismatchError } from "./errors.js";
import { leafDef, type Path, place, type TreeDef } from "./treeDef.js";
import { nodeType } from "./treeRegistry.js";
import type { LeafOf, MapTree, SubtreeAt } from "./treeTypes.js";
import { build, type IsLeaf, matchContainers, takeApart } from "./treeWalk.js";

export { checkSameStructure, difference, keystr, type Path, TreeDef, tupleDef } from "./treeDef.js";
export {
  type ClassHandler,
  type ClassOf,
  type PathKey,
  registerClass,
  registerDataclass,
  registerStatic,
} from "./treeRegistry.js";
export type { LeafOf, MapTree, SubtreeAt, Tree } from "./treeTypes.js";
export type { IsLeaf } from "./treeWalk.js";

/** For prefixes such as `inAxes`, where `null` is a value. */
export const nullIsLeaf: IsLeaf = (node) => node === null;

/**
 * Takes a tree apart into its leaves, in order, and its structure.
 *
 * @param isLeaf stops at nodes for which it is true, and makes them leaves (`null` too).
 * @throws ArgumentError if the tree contains itself.
 * @example
 * const { leaves, treedef } = tree.flatten({ w: [1, 2], b: null });
 * leaves; // [1, 2]
 * String(treedef); // "TreeDef({b: null, w: [*, *]})"
 */
export function flatten<T>(tree: T, isLeaf?: IsLeaf): { leaves: LeafOf<T>[]; treedef: TreeDef } {
  if (isLeaf === undefined && nodeType(tree) === "leaf")
    return { leaves: [tree as LeafOf<T>], treedef: leafDef };
  const leaves: unknown[] = [];
  const treedef = takeApart(tree, leaves, isLeaf);
  return { leaves: leaves as LeafOf<T>[], treedef };
}

/** The leaves of a tree, in order: fields by sorted name, entries by position. */
export const leaves = <T>(tree: T, isLeaf?: IsLeaf): LeafOf<T>[] => flatten(tree, isLeaf).leaves;

/** The structure of a tree. */
export const structure = (tree: unknown, isLeaf?: IsLeaf): TreeDef => flatten(tree, isLeaf).treedef;

/**
 * The tree with a structure and leaves. Objects come out as plain ones with sorted keys, class instances from their
 * `unflatten`.
 *
 * @throws TreeMismatchError if the number of leaves is not that of the structure.
 * @example
 * const { leaves, treedef } = tree.flatten({ w: np.array([1, 2]), b: np.array([3]) });
 * tree.unflatten(treedef, leaves.map((x) => x.mul(2))); // { b: [6], w: [2, 4] }
 */
export function unflatten<T = unknown>(treedef: TreeDef, leaves: readonly unknown[]): T {
  if (leaves.length !== treedef.numLeaves)
    throw new TreeMismatchError(
      `tree.unflatten: ${leaves.length} leaves for a structure that has ${treedef.numLeaves}: ${treedef}`,
    );
  return build(treedef, leaves) as T;
}

/**
 * What stands in `tree` where `treedef` has leaves: leaves, or whole subtrees where `tree` goes deeper.
 *
 * @param what begins the error message.
 * @throws TreeMismatchError at the first place where a container of `treedef` is another one in `tree`.
 */
export function flattenUpTo(treedef: TreeDef, tree: unknown, what = "tree.flattenUpTo"): unknown[] {
  if (treedef === leafDef) return [tree];
  const found: unknown[] = [];
  matchContainers(
    treedef,
    tree,
    (value, def) => {
      if (def !== leafDef) return false;
      found.push(value);
      return true;
    },
    (text, node) => {
      throw new TreeMismatchError(`${what}: trees differ at ${place(treedef.pathOfNode(node))}: ${text}`);
    },
  );
  return found;
}

/** The rest of the trees given to `map`, taken apart like the first: for each leaf of the first, what the others have there. */
function alongside(treedef: TreeDef, rest: readonly unknown[], what: string): unknown[][] {
  return rest.map((other, i) => flattenUpTo(treedef, other, `${what}, tree ${i + 2} against tree 1`));
}

function mapLeaves(
  f: (leaf: unknown, ...others: unknown[]) => unknown,
  { leaves, treedef }: { leaves: readonly unknown[]; treedef: TreeDef },
  rest: readonly unknown[],
  what: string,
): unknown {
  if (rest.length === 0)
    return build(
      treedef,
      leaves.map((leaf) => f(leaf)),
    );
  const others = alongside(treedef, rest, what);
  return build(
    treedef,
    leaves.map((leaf, i) => f(leaf, ...others.map((column) => column[i]))),
  );
}

/**
 * Applies a function to every leaf. With several trees, the structure of the first decides: `f` gets a leaf of it and
 * what the others have at that place, which is a subtree where they go deeper.
 *
 * @returns a tree of the structure of the first.
 * @throws TreeMismatchError if another tree lacks that structure; the message names the first difference.
 * @example
 * const [params, gradients] = [{ w: np.array([1, 2]) }, { w: np.array([5, -5]) }];
 * tree.map((p, g) => p.sub(g.mul(0.1)), params, gradients); // { w: [0.5, 2.5] }
 */
export function map<T, B>(
  f: (leaf: NoInfer<LeafOf<T>>, ...others: NoInfer<LeafOf<T>>[]) => B,
  tree: T,
  ...rest: NoInfer<T>[]
): MapTree<T, LeafOf<T>, B>;
export function map<T, B, R extends readonly unknown[]>(
  f: (leaf: NoInfer<LeafOf<T>>, ...others: { [K in keyof R]: NoInfer<SubtreeAt<T, R[K]>> }) => B,
  tree: T,
  ...rest: R
): MapTree<T, LeafOf<T>, B>;
export function map(
  f: (leaf: unknown, ...others: unknown[]) => unknown,
  tree: unknown,
  ...rest: unknown[]
): unknown {
  return mapLeaves(f, flatten(tree), rest, "tree.map");
}

/**
 * `map` that also stops at nodes for which `isLeaf` is true. `isLeaf` is asked of the first tree only.
 *
 * @example
 * tree.mapUntil((x) => x === null, (x) => x ?? 0, { a: 1, b: null }); // { a: 1, b: 0 }
 */
export function mapUntil<T, L, B>(
  isLeaf: (node: unknown) => node is L,
  f: (leaf: NoInfer<L | LeafOf<T>>) => B,
  tree: T,
): MapTree<T, L | LeafOf<T>, B>;
export function mapUntil<A, B>(
  isLeaf: IsLeaf,
  f: (leaf: A, ...others: A[]) => B,
  tree: unknown,
  ...rest: unknown[]
): unknown;
export function mapUntil<A>(
  isLeaf: IsLeaf,
  f: (leaf: A, ...others: A[]) => unknown,
  tree: unknown,
  ...rest: unknown[]
): unknown {
  type F = (leaf: unknown, ...others: unknown[]) => unknown;
  return mapLeaves(f as F, flatten(tree, isLeaf), rest, "tree.mapUntil");
}

/**
 * The leaves with their paths, in order, and the structure.
 *
 * @example
 * tree.flattenWithPath({ w: [1, 2] }).leaves; // [[["w", 0], 1], [["w", 1], 2]]
 */
export function flattenWithPath<T>(
  tree: T,
  isLeaf?: IsLeaf,
): { leaves: [path: Path, leaf: LeafOf<T>][]; treedef: TreeDef } {
  const { leaves, treedef } = flatten(tree, isLeaf);
  const paths = treedef.paths();
  return { leaves: leaves.map((leaf, i) => [paths[i], leaf]), treedef };
}

/**
 * `map` with the path of the leaf as first argument of `f`.
 *
 * @example
 * tree.mapWithPath((path, x) => `${tree.keystr(path)} = ${x}`, { w: [1, 2] }); // { w: [".w[0] = 1", ".w[1] = 2"] }
 */
export function mapWithPath<T, B, R extends readonly unknown[]>(
  f: (path: Path, leaf: NoInfer<LeafOf<T>>, ...others: { [K in keyof R]: NoInfer<SubtreeAt<T, R[K]>> }) => B,
  tree: T,
  ...rest: R
): MapTree<T, LeafOf<T>, B> {
  type F = (path: unknown, ...others: unknown[]) => unknown;
  const { leaves, treedef } = flatten(tree);
  const others = [leaves, ...alongside(treedef, rest, "tree.mapWithPath")];
  const results = treedef.paths().map((path, i) => (f as F)(path, ...others.map((column) => column[i])));
  return build(treedef, results) as MapTree<T, LeafOf<T>, B>;
}

/**
 * Folds the leaves from the first to the last.
 *
 * @throws ArgumentError without an initial value if there are no leaves.
 * @example
 * tree.reduce((sum, x) => sum + x, { a: 1, b: [2, 3] }, 0); // 6
 */
export function reduce<T, A>(f: (accumulated: A, leaf: NoInfer<LeafOf<T>>) => A, tree: T, initial: A): A;
export function reduce<T>(
  f: (accumulated: NoInfer<LeafOf<T>>, leaf: NoInfer<LeafOf<T>>) => NoInfer<LeafOf<T>>,
  tree: T,
): LeafOf<T>;
export function reduce(
  f: (accumulated: unknown, leaf: unknown) => unknown,
  tree: unknown,
  ...initial: [unknown?]
): unknown {
  const all: unknown[] = leaves(tree);
  if (initial.length > 0) return all.reduce((a, leaf) => f(a, leaf), initial[0]);
  if (all.length === 0) throw new ArgumentError("tree.reduce: a tree without leaves needs an initial value");
  return all.reduce((a, leaf) => f(a, leaf));
}

/** Whether all leaves are true; arrays count by their `item()`, so they must have one element. */
export const all = (tree: unknown, isLeaf?: IsLeaf): boolean =>
  leaves(tree, isLeaf).every((leaf) => (hasItem(leaf) ? Boolean(leaf.item()) : Boolean(leaf)));

const hasItem = (x: unknown): x is { item(): unknown } =>
  typeof x === "object" && x !== null && "item" in x && typeof x.item === "function";

/**
 * One value for each leaf of a structure from a prefix of it, that is a tree which may stop early: a leaf of the prefix
 * stands for all leaves below that place. `vmap` reads `inAxes` so, with `nullIsLeaf`.
 *
 * @param what begins the error message.
 * @throws TreeMismatchError if the prefix has a container where the structure has another one, or a leaf.
 * @example
 * const def = tree.structure([{ w: 1, b: 1 }, 1]);
 * tree.flattenPrefix([null, 0], def, tree.nullIsLeaf); // [null, null, 0]
 */
export function flattenPrefix(
  prefix: unknown,
  treedef: TreeDef,
  isLeaf?: IsLeaf,
  what = "tree.flattenPrefix",
): unknown[] {
  const found: unknown[] = [];
  matchContainers(
    treedef,
    prefix,
    (value, def) => {
      if (!isLeaf?.(value) && nodeType(value) !== "leaf") return false;
      for (let i = 0; i < def.numLeaves; i++) found.push(value);
      return true;
    },
    (text, node) => {
      throw new TreeMismatchError(
        `${what}: the prefix (here) does not fit the tree (there) at ${place(treedef.pathOfNode(node))}: ${text}`,
      );
    },
  );
  return found;
}

/**
 * The tree with the structure of `full` and the leaves of `prefix`, each repeated for all leaves below its place.
 *
 * @param isLeaf is asked of the prefix only.
 * @throws TreeMismatchError if `prefix` is not a prefix of `full`.
 * @example
 * tree.broadcast({ a: 1, b: 2 }, { a: [0, 0], b: 0 }); // { a: [1, 1], b: 2 }
 */
export function broadcast<P, T>(prefix: P, full: T, isLeaf?: IsLeaf): MapTree<T, LeafOf<T>, LeafOf<P>> {
  const treedef = structure(full);
  return unflatten(treedef, flattenPrefix(prefix, treedef, isLeaf, "tree.broadcast"));
}

/**
 * Turns a tree of trees inside out: from structure `outer` with trees of structure `inner` at its leaves to structure
 * `inner` with trees of structure `outer`.
 *
 * @param inner may be left undefined: it is then the structure of the first subtree.
 * @throws TreeMismatchError if `tree` has another structure; ArgumentError if `inner` is left out and `outer` has no leaf.
 * @example
 * const pairs = { a: [1, 2], b: [3, 4] };
 * tree.transpose(tree.structure({ a: 0, b: 0 }), tree.structure([0, 0]), pairs); // [{ a: 1, b: 3 }, { a: 2, b: 4 }]
 */
export function transpose<T = unknown>(outer: TreeDef, inner: TreeDef | undefined, tree: unknown): T {
  const subtrees = flattenUpTo(outer, tree, "tree.transpose (outer structure)");
  if (inner === undefined && subtrees.length === 0)
    throw new ArgumentError("tree.transpose: the inner structure cannot be found in a tree without leaves");
  const innerDef = inner ?? structure(subtrees[0]);
  const paths = outer.paths();
  const rows = subtrees.map((subtree, i) =>
    flattenUpTo(innerDef, subtree, `tree.transpose (inner structure, in the subtree at ${place(paths[i])})`),
  );
  const columns = Array.from({ length: innerDef.numLeaves }, (_, j) =>
    build(
      outer,
      rows.map((row) => row[j]),
    ),
  );
  return build(innerDef, columns) as T;
}
