/** Trees as types: which type a tree has whose leaves have another one. */

/**
 * A tree with leaves of type `A`. Types declared with `interface` do not fit it, as TypeScript gives them no index
 * signature; a `type` does. The functions of this module take either.
 */
export type Tree<A> = A | null | undefined | readonly Tree<A>[] | { readonly [key: string]: Tree<A> };

/** What the type system takes for a leaf. Unregistered classes cannot be told from plain objects, so it names the usual ones. */
export type LeafValue =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | ((...args: never[]) => unknown)
  | { readonly shape: readonly number[]; readonly dtype: string }
  | ArrayBufferView
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | Promise<unknown>
  | RegExp
  | Date;

/**
 * The types of the leaves of `T`: `LeafOf<{ w: NDArray; n?: [number, null] }>` is `NDArray | number`. Functions inside
 * objects are taken for methods. (`Depth` stops at 16 levels, for types that contain themselves.)
 */
export type LeafOf<T, Depth extends 0[] = []> = Depth["length"] extends 16
  ? never
  : T extends null | undefined
    ? never
    : T extends LeafValue
      ? T
      : T extends readonly (infer U)[]
        ? LeafOf<U, [...Depth, 0]>
        : T extends object
          ? { [K in keyof T]-?: FieldLeaf<T[K], [...Depth, 0]> }[keyof T]
          : T;

type FieldLeaf<T, Depth extends 0[]> = T extends (...args: never[]) => unknown ? never : LeafOf<T, Depth>;

/**
 * `T` with its leaves of type `A` replaced by `B`; tuples stay tuples, optional fields optional, null null. If leaves
 * keep their type so does the tree, classes and interfaces included.
 */
export type MapTree<T, A, B> = SameLeaf<A, B> extends true ? T : MapLeaves<T, A, B>;

type MapLeaves<T, A, B> = T extends A
  ? B
  : T extends null | undefined | LeafValue
    ? T
    : { [K in keyof T]: MapLeaves<T[K], A, B> };

// Of several leaf types, `f` may turn one into the other, and then the tree does change its type.
type SameLeaf<A, B> = [A, B] extends [B, A] ? (IsUnion<A> extends true ? false : true) : false;
type IsUnion<A, Whole = A> = A extends unknown ? ([Whole] extends [A] ? false : true) : never;

/** What stands in `S` where `T` has leaves, if `S` has the structure of `T` or goes deeper. */
export type SubtreeAt<T, S> = unknown extends S
  ? S
  : [S] extends [T]
    ? LeafOf<S>
    : T extends null | undefined
      ? never
      : T extends LeafValue
        ? S
        : T extends readonly (infer U)[]
          ? S extends readonly (infer V)[]
            ? SubtreeAt<U, V>
            : never
          : { [K in keyof T & keyof S]-?: SubtreeAt<T[K], S[K]> }[keyof T & keyof S];
