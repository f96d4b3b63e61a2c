/**
 * Differentiable maps as a category.
 *
 * A `Diff<A, B>` takes a point to a value together with the derivative there, forwards and backwards. Composing two of
 * them composes values and derivatives at once: D(g∘f) = Dg∘Df forwards, (g∘f)* = f*∘g* backwards. The chain rule is
 * not applied to the composition; it *is* the composition. (Elliott, "The simple essence of automatic differentiation".)
 */
import type { Category2 } from "fp-ts/lib/Category.js";
import type { NDArray } from "../core/array.js";
import * as T from "../core/tree.js";
import { add } from "../primitives/elementwise.js";
import { zeros } from "../primitives/filled.js";
import { linearize, linearTranspose } from "../transforms/linearize.js";
import type { Fn } from "../transforms/types.js";

/** A value with the derivative of the map that gave it. */
export interface Dual<A, B> {
  readonly value: B;
  /** J: from a tangent of the argument to the tangent of the value. */
  readonly push: (tangent: A) => B;
  /** Jᵀ: from a cotangent of the value to the cotangent of the argument. */
  readonly pull: (cotangent: B) => A;
}

/** A differentiable map from trees of arrays to trees of arrays. */
export type Diff<A, B> = (point: A) => Dual<A, B>;

export const URI = "FluxionDiff";
export type URI = typeof URI;

declare module "fp-ts/HKT.js" {
  interface URItoKind2<E, A> {
    readonly [URI]: Diff<E, A>;
  }
}

/**
 * A function as a differentiable map. The function is linearised once per point; `pull` is the transpose of `push`.
 * @example
 * fromFunction(np.sin)(np.zeros([])).push(np.array(2.5)); // 2.5
 */
export const fromFunction =
  <A, B>(f: (a: A) => B): Diff<A, B> =>
  (point) => {
    const [value, push] = linearize(f as Fn, point) as unknown as [B, (tangent: A) => B];
    const pull = linearTranspose(push as Fn, point) as unknown as (cotangent: B) => readonly [A];
    return { value, push, pull: (cotangent) => pull(cotangent)[0] };
  };

/** The map without its derivative. */
export const toFunction =
  <A, B>(f: Diff<A, B>): ((a: A) => B) =>
  (point) =>
    f(point).value;

/** The identity: so is its derivative, both ways. */
export const id =
  <A>(): Diff<A, A> =>
  (point) => ({ value: point, push: (t) => t, pull: (ct) => ct });

/** g after f: the chain rule. */
export const compose =
  <B, C>(g: Diff<B, C>) =>
  <A>(f: Diff<A, B>): Diff<A, C> =>
  (point) => {
    const inner = f(point);
    const outer = g(inner.value);
    return {
      value: outer.value,
      push: (tangent) => outer.push(inner.push(tangent)),
      pull: (cotangent) => inner.pull(outer.pull(cotangent)),
    };
  };

/** A linear map with its transpose, as a differentiable map: it is its own derivative at every point. */
export const linear =
  <A, B>(apply: (a: A) => B, transposed: (b: B) => A): Diff<A, B> =>
  (point) => ({ value: apply(point), push: apply, pull: transposed });

// ---------------------------------------------------------------------------------------------------------------------
// Products
// ---------------------------------------------------------------------------------------------------------------------

const addTrees = <A>(x: A, y: A): A => T.map(add as never, x as object, y) as A;

const zerosLike = <A>(x: A): A => T.map(((leaf: NDArray) => zeros(leaf.aval)) as never, x as object) as A;

/** Two maps side by side: (a, c) ↦ (f a, g c). */
export const product =
  <A, B, C, D>(f: Diff<A, B>, g: Diff<C, D>): Diff<readonly [A, C], readonly [B, D]> =>
  ([a, c]) => {
    const first = f(a);
    const second = g(c);
    return {
      value: [first.value, second.value],
      push: ([ta, tc]) => [first.push(ta), second.push(tc)],
      pull: ([cb, cd]) => [first.pull(cb), second.pull(cd)],
    };
  };

/** a ↦ (a, a). Backwards, what comes from the two copies adds up. */
export const duplicate = <A>(): Diff<A, readonly [A, A]> =>
  linear(
    (a) => [a, a] as const,
    ([x, y]) => addTrees(x, y),
  );

/** Two maps from the same argument: a ↦ (f a, g a). */
export const fanout = <A, B, C>(f: Diff<A, B>, g: Diff<A, C>): Diff<A, readonly [B, C]> =>
  compose(product(f, g))(duplicate<A>());

/** (a, b) ↦ a. Backwards, the part that was dropped gets zeros. */
export const fst =
  <A, B>(): Diff<readonly [A, B], A> =>
  ([a, b]) => ({ value: a, push: ([t]) => t, pull: (ct) => [ct, zerosLike(b)] });

/** (a, b) ↦ b. */
export const snd =
  <A, B>(): Diff<readonly [A, B], B> =>
  ([a, b]) => ({ value: b, push: ([, t]) => t, pull: (ct) => [zerosLike(a), ct] });

/** The category of differentiable maps, for what is written against fp-ts's `Category2`. */
export const Category: Category2<URI> = {
  URI,
  id,
  compose: (g, f) => compose(g)(f),
};
