/** How types follow values through transforms: the gradient has the type of the parameters. */
import type { NDArray } from "../core/array.js";
import type { ArrayLike } from "../core/methods.js";

/**
 * `T` with every array and number as an array: the type of its gradient, of its tangent, of its copy on a device. Where
 * all are arrays already it is `T` itself, classes and names of types included.
 */
export type ArrayTree<T> = T extends ArrayLike
  ? NDArray
  : T extends null | undefined | string | ArrayContainer | ((...args: never[]) => unknown)
    ? T
    : Unchanged<T, { [K in keyof T]: ArrayTree<T[K]> }>;

/** An instance of a registered class whose leaves are all arrays: transforms give it back as what it is. */
export interface ArrayContainer {
  readonly holdsArrays: true;
}

type Unchanged<T, Mapped> = T extends Mapped ? T : Mapped;

/** Anything; that tuples are named makes the type checker read a list in a result as a tuple, not as an array. */
type Returned = NonNullable<unknown> | null | undefined | readonly [unknown, ...unknown[]];

// biome-ignore lint/suspicious/noExplicitAny: a function with parameters of type T does not take unknown
export type Fn = (...args: any[]) => Returned;

/** A function with a gradient: its value is an array, or an array with an auxiliary output. */
// biome-ignore lint/suspicious/noExplicitAny: a function with parameters of type T does not take unknown
export type ScalarFn = (...args: any[]) => ArrayLike | readonly [ArrayLike, unknown];

/**
 * Positions of arguments: 0 to n - 1, or from the end -n to -1; any number for a function of any number of arguments.
 */
export type Argnum<A extends readonly unknown[]> = number extends A["length"]
  ? number
  : NonNullable<{ [K in keyof A]: K extends `${infer N extends number}` ? N | FromLast<K> : never }[number]>;

/** Several of them. */
export type Argnums<F extends Fn> = Argnum<Parameters<F>> | readonly Argnum<Parameters<F>>[];

type Negatives = readonly [-1, -2, -3, -4, -5, -6, -7, -8];
type FromLast<K> = K extends keyof Negatives ? Negatives[K] : never;

type At<A extends readonly unknown[], N extends number> = `${N}` extends `-${infer M extends number}`
  ? FromEnd<A, M>
  : A[N];

type FromEnd<A extends readonly unknown[], M extends number> = A extends readonly [...infer Init, infer Last]
  ? M extends 1
    ? Last
    : FromEnd<Init, Decrement<M>>
  : A[number];

type Decrement<M extends number> = [0, 0, 1, 2, 3, 4, 5, 6, 7][M] & number;

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

/** The auxiliary output comes back as it is: what is no array stays what it is. */
export type Aux<F extends Fn> = ReturnType<F> extends readonly [unknown, infer A] ? A : never;

/** `H`, if the function returns two things. */
export type HasAux<F extends Fn, H> = ReturnType<F> extends readonly [unknown, unknown] ? H : false;

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
