/** Types of functions with derivatives of their own, and of the rules that give them. */
import type { NDArray } from "../core/array.js";
import type { ArrayLike } from "../core/methods.js";
import type { Zero } from "../core/zero.js";
import type { ArrayTree, Fn } from "./types.js";

/** Positions of arguments that no derivative is taken for. */
export type Positions = readonly number[];

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The arguments at other positions than N. */
export type DiffArgs<
  P extends readonly unknown[],
  N extends Positions,
  Seen extends 0[] = [],
> = P extends readonly [infer Head, ...infer Rest]
  ? Seen["length"] extends N[number]
    ? DiffArgs<Rest, N, [...Seen, 0]>
    : [Head, ...DiffArgs<Rest, N, [...Seen, 0]>]
  : P;

/** The arguments at positions N. */
export type NondiffArgs<
  P extends readonly unknown[],
  N extends Positions,
  Seen extends 0[] = [],
> = P extends readonly [infer Head, ...infer Rest]
  ? Seen["length"] extends N[number]
    ? [Head, ...NondiffArgs<Rest, N, [...Seen, 0]>]
    : NondiffArgs<Rest, N, [...Seen, 0]>
  : [];

// What a function without types takes is any: that is how its rule is to see it, too.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Traced<T> = IsAny<T> extends true ? any : ArrayTree<T>;

/** Arguments as a rule gets them: arrays for numbers. */
export type TracedArgs<P extends readonly unknown[]> = { -readonly [K in keyof P]: Traced<P[K]> };

/** A result as rules may give it: numbers for scalars. */
export type RuleValue<T> = T extends ArrayLike
  ? ArrayLike
  : T extends null | undefined
    ? T
    : { readonly [K in keyof T]: RuleValue<T[K]> };

/** A tangent as a rule may give it: `Zero` stands for zeros. */
export type RuleTangent<T> =
  IsAny<T> extends true
    ? unknown
    : T extends ArrayLike
      ? NDArray | number | Zero
      : T extends null | undefined
        ? T
        : { readonly [K in keyof T]: RuleTangent<T[K]> };

/** A cotangent as a rule may give it: null stands for zeros, for a whole subtree too. */
export type RuleCotangent<T> =
  | null
  | (IsAny<T> extends true
      ? unknown
      : T extends ArrayLike
        ? NDArray | number | Zero
        : T extends null | undefined
          ? T
          : { readonly [K in keyof T]: RuleCotangent<T[K]> });

/** A cotangent for each argument. */
export type RuleCotangents<P extends readonly unknown[]> = { readonly [K in keyof P]: RuleCotangent<P[K]> };

/**
 * A tangent rule: from the arguments that are not differentiated, then lists of the others and of their tangents, to the
 * result and its tangent.
 */
export type JvpRule<F extends Fn, N extends Positions = readonly []> = (
  ...args: [
    ...nondiff: NondiffArgs<Parameters<F>, N>,
    primals: TracedArgs<DiffArgs<Parameters<F>, N>>,
    tangents: TracedArgs<DiffArgs<Parameters<F>, N>>,
  ]
) => readonly [RuleValue<ReturnType<F>>, RuleTangent<ReturnType<F>>];

/** The part of one argument: from its tangent, the result and the arguments to what it adds to the tangent of the result. */
export type JvpPart<F extends Fn, T> = (
  tangent: Traced<T>,
  result: ArrayTree<ReturnType<F>>,
  ...primals: TracedArgs<Parameters<F>>
) => RuleTangent<ReturnType<F>>;

/** A part for each argument; null where an argument has no influence. */
export type JvpParts<F extends Fn> =
  Parameters<F> extends infer P extends readonly unknown[]
    ? { readonly [K in keyof P]: JvpPart<F, P[K]> | null }
    : never;

/** A forward pass: from the arguments to the result, and what the backward pass needs. */
export type ForwardPass<F extends Fn, R> = (
  ...args: TracedArgs<Parameters<F>>
) => readonly [RuleValue<ReturnType<F>>, R];

/**
 * A backward pass: from the arguments that are not differentiated, what the forward pass has kept, and a cotangent of the
 * result to a cotangent for each other argument.
 */
export type BackwardPass<F extends Fn, R, N extends Positions = readonly []> = (
  ...args: [...nondiff: NondiffArgs<Parameters<F>, N>, residuals: R, cotangent: ArrayTree<ReturnType<F>>]
) => RuleCotangents<DiffArgs<Parameters<F>, N>>;

export interface CustomOptions<N extends Positions> {
  /**
   * Positions of arguments that no derivative is taken for: they may be anything (functions, texts, options) but traced
   * arrays, and are handed to the rule in front of its other arguments.
   */
  readonly nondiffArgnums?: N;
}

export interface RuleOptions {
  /** Zeros that are known to be zeros are given as `Zero` instead of arrays, so that the rule can save work. Default false. */
  readonly symbolicZeros?: boolean;
}
