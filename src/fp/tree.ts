/**
 * Trees as an fp-ts container: instances of Functor, Foldable and Traversable, so that what is written against those
 * works on parameters of any structure.
 */

import type { HKT, Kind, URIS } from "fp-ts/HKT.js";
import type { Applicative, Applicative1 } from "fp-ts/lib/Applicative.js";
import type { Foldable1 } from "fp-ts/lib/Foldable.js";
import type { Functor1 } from "fp-ts/lib/Functor.js";
import type { Monoid } from "fp-ts/lib/Monoid.js";
import type { PipeableTraverse1, Traversable1 } from "fp-ts/lib/Traversable.js";
import type { Tree } from "../core/tree.js";
import * as T from "../core/tree.js";

export const URI = "FluxionTree";
export type URI = typeof URI;

declare module "fp-ts/HKT.js" {
  interface URItoKind<A> {
    readonly [URI]: Tree<A>;
  }
}

const mapTree = <A, B>(tree: Tree<A>, f: (a: A) => B): Tree<B> => {
  const { leaves, treedef } = T.flatten(tree as object);
  return T.unflatten<Tree<B>>(treedef, (leaves as A[]).map(f));
};

const leavesOf = <A>(tree: Tree<A>): readonly A[] => T.leaves(tree as object) as unknown as A[];

/**
 * Applies a function to every leaf.
 * @example
 * pipe({ w: 1, b: [2, 3] }, map((x) => x + 1)); // { w: 2, b: [3, 4] }
 */
export const map =
  <A, B>(f: (a: A) => B) =>
  (tree: Tree<A>): Tree<B> =>
    mapTree(tree, f);

/** Folds the leaves, first to last. */
export const reduce =
  <A, B>(initial: B, f: (b: B, a: A) => B) =>
  (tree: Tree<A>): B =>
    leavesOf(tree).reduce(f, initial);

/** Folds the leaves, last to first. */
export const reduceRight =
  <A, B>(initial: B, f: (a: A, b: B) => B) =>
  (tree: Tree<A>): B =>
    leavesOf(tree).reduceRight((b, a) => f(a, b), initial);

/** Maps every leaf into a monoid and combines the results. */
export const foldMap =
  <M>(monoid: Monoid<M>) =>
  <A>(f: (a: A) => M) =>
  (tree: Tree<A>): M =>
    leavesOf(tree).reduce((m: M, a) => monoid.concat(m, f(a)), monoid.empty);

function traverseTree<F>(
  F: Applicative<F>,
  isLeaf?: T.IsLeaf,
): <A, B>(tree: Tree<A>, f: (a: A) => HKT<F, B>) => HKT<F, Tree<B>> {
  return <A, B>(tree: Tree<A>, f: (a: A) => HKT<F, B>) => {
    const { leaves, treedef } = T.flatten(tree as object, isLeaf);
    let collected = F.of<readonly B[]>([]);
    for (const leaf of leaves as A[])
      collected = F.ap<B, readonly B[]>(
        F.map(collected, (bs) => (b: B) => [...bs, b]),
        f(leaf),
      );
    return F.map(collected, (bs) => T.unflatten<Tree<B>>(treedef, bs));
  };
}

/** An Option, Either or These, which as an object would be taken for a container. Other effects are functions. */
const isTagged: T.IsLeaf = (node) =>
  typeof node === "object" && node !== null && "_tag" in node && typeof node._tag === "string";

/** Runs an effect for every leaf, first to last, and rebuilds the tree from the results. */
export const traverse: PipeableTraverse1<URI> = (<F extends URIS>(F: Applicative1<F>) => {
  const run = traverseTree(F as unknown as Applicative<F>);
  return <A, B>(f: (a: A) => Kind<F, B>) =>
    (tree: Tree<A>) =>
      run(tree, f as unknown as (a: A) => HKT<F, B>);
}) as unknown as PipeableTraverse1<URI>;

export const Functor: Functor1<URI> = { URI, map: mapTree };

export const Foldable: Foldable1<URI> = {
  URI,
  reduce: (tree, initial, f) => leavesOf(tree).reduce(f, initial),
  foldMap: (M) => (tree, f) => foldMap(M)(f)(tree),
  reduceRight: (tree, initial, f) => leavesOf(tree).reduceRight((b, a) => f(a, b), initial),
};

export const Traversable: Traversable1<URI> = {
  ...Functor,
  ...Foldable,
  traverse: traverseTree as unknown as Traversable1<URI>["traverse"],
  sequence: ((F: Applicative<URIS>) => (tree: Tree<HKT<URIS, unknown>>) =>
    traverseTree(F, isTagged)(tree, (x) => x)) as unknown as Traversable1<URI>["sequence"],
};
