/** How types follow values through transforms: the gradient has the type of the parameters. */
import type { NDArray } from "../core/array.js";
import type { ArrayLike } from "../core/methods.js";

/** `T` with every array and number as an array: the type of its gradient, of its tangent, of its copy on a device. */
export type ArrayTree<T> = T extends ArrayLike
  ? NDArray
  : T extends null | undefined | string | ((...args: never[]) => unknown)
    ? T
    : { [K in keyof T]: ArrayTree<T[K]> };

// biome-ignore lint/suspicious/noExplicitAny: a function with parameters of type T does not take unknown
export type Fn = (...args: any[]) => unknown;

/** Positions of arguments: 0 to n - 1, or any number for a function of any number of arguments. */
export type Argnum<A extends readonly unknown[]> = number extends A["length"]
  ? number
  : { [K in keyof A]: K extends `${infer N extends number}` ? N : never }[number] | NegativeArgnum;

/** Counting from the end; the range is checked when called. */
type NegativeArgnum = -1 | -2 | -3 | -4;

type At<A extends readonly unknown[], N extends number> = `${N}` extends `-${infer M extends number}`
  ? FromEnd<A, M>
  : A[N];

type FromEnd<A extends readonly unknown[], M extends number> = A extends readonly [...infer Init, infer Last]
  ? M extends 1
    ? Last
    : FromEnd<Init, Decrement<M>>
  : A[number];

type Decrement<M extends number> = M extends 2 ? 1 : M extends 3 ? 2 : M extends 4 ? 3 : never;

/** The type of the gradient for `argnums` N of a function with parameters A. */
export type Gradients<A extends readonly unknown[], N> = N extends number
  ? ArrayTree<At<A, N>>
  : N extends readonly number[]
    ? { -readonly [K in keyof N]: N[K] extends number ? ArrayTree<At<A, N[K]>> : never }
    : never;

/** The two parts of what a function with an auxiliary output returns. */
export type Result<F extends Fn, HasAux> = HasAux extends true
  ? ReturnType<F> extends readonly [infer R, unknown]
    ? R
    : never
  : ReturnType<F>;

export type Aux<F extends Fn> = ReturnType<F> extends readonly [unknown, infer A] ? ArrayTree<A> : never;

/** Tangents or cotangents given by the user: the structure of the values, numbers allowed. */
export type TangentTree<T> = T extends ArrayLike
  ? NDArray | number
  : T extends null | undefined
    ? T
    : { [K in keyof T]: TangentTree<T[K]> };

/** A tangent for each argument of F, as a list. */
export type Tangents<F extends Fn> =
  Parameters<F> extends infer A extends readonly unknown[]
    ? { readonly [K in keyof A]: TangentTree<A[K]> }
    : never;

/** A gradient, or cotangent, for each argument of F, as a list. */
export type ArgumentTrees<F extends Fn> =
  Parameters<F> extends infer A extends readonly unknown[]
    ? { -readonly [K in keyof A]: ArrayTree<A[K]> }
    : never;
