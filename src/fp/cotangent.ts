/**
 * Adding up cotangents. A value that is used several times collects a cotangent from each use; the sum is a monoid whose
 * empty element is the symbolic zero. (Addition of floats is associative only up to rounding; the laws say so.)
 */
import type { Monoid } from "fp-ts/lib/Monoid.js";
import type { Semigroup } from "fp-ts/lib/Semigroup.js";
import type { Aval } from "../core/aval.js";
import { tangentAval } from "../core/aval.js";
import * as T from "../core/tree.js";
import { isZero, type Tangent, Zero } from "../core/zero.js";
import { add } from "../primitives/elementwise.js";

const concat = (x: Tangent, y: Tangent): Tangent => (isZero(x) ? y : isZero(y) ? x : add(x, y));

/** Cotangents of one shape and dtype under addition. */
export const Additive: Semigroup<Tangent> = { concat };

/**
 * The monoid of cotangents of values of the given type; adding the empty element costs nothing.
 * @example
 * const x = np.array([1, 2]);
 * const M = getMonoid(x.aval);
 * M.concat(x, x); // [2, 4]
 * M.concat(M.empty, x) === x; // true
 */
export const getMonoid = (primal: Aval): Monoid<Tangent> => ({
  concat,
  empty: new Zero(tangentAval(primal)),
});

/** The same for trees, leaf by leaf. Both trees must have the structure of `primals`. */
export const getTreeMonoid = <P>(primals: P): Monoid<T.MapTree<P, T.LeafOf<P>, Tangent>> => {
  type Cotangents = T.MapTree<P, T.LeafOf<P>, Tangent>;
  return {
    concat: (x, y) => T.map(concat as never, x as object, y) as unknown as Cotangents,
    empty: T.map(
      ((leaf: { aval: Aval }) => new Zero(tangentAval(leaf.aval))) as never,
      primals as object,
    ) as unknown as Cotangents,
  };
};
