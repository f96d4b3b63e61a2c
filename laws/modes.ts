/** The transforms as laws use them: for functions of a list of arrays to a list of arrays. */
import {
  grad,
  hvp,
  jacfwd,
  jacrev,
  jvp,
  linearize,
  linearTranspose,
  type NDArray,
  numpy as np,
  vjp,
} from "fluxion";
import type { ArrayFunction } from "./law.js";

export type Arrays = readonly NDArray[];
export type ScalarFunction = (...xs: Arrays) => NDArray;

/** The type checker takes parameters of a list that can be written to for any number of them. */
type Loose<R> = (...xs: NDArray[]) => R;
const loose = <R>(f: (...xs: Arrays) => R): Loose<R> => f as Loose<R>;

/** f(x) and J v, by forward mode. */
export const pushed = (f: ArrayFunction, x: Arrays, v: Arrays): readonly [Arrays, Arrays] =>
  jvp(loose(f), [...x], [...v]);

/** J v. */
export const push = (f: ArrayFunction, x: Arrays, v: Arrays): Arrays => pushed(f, x, v)[1];

/** The derivative of a scalar function in a direction. */
export const slope = (f: ScalarFunction, x: Arrays, v: Arrays): NDArray => jvp(loose(f), [...x], [...v])[1];

/** f(x) and u ↦ Jᵀ u, by reverse mode. */
export function pulled(f: ArrayFunction, x: Arrays): readonly [Arrays, (u: Arrays) => Arrays] {
  const [value, back] = vjp(loose(f), ...x);
  return [value, (u) => back([...u])];
}

/** Jᵀ u. */
export const pull = (f: ArrayFunction, x: Arrays, u: Arrays): Arrays => pulled(f, x)[1](u);

/** f(x) and v ↦ J v, linearised once. */
export function linearized(f: ArrayFunction, x: Arrays): readonly [Arrays, ArrayFunction] {
  const [value, forth] = linearize(loose(f), ...x);
  return [value, (...v) => forth(...v)];
}

/** u ↦ Aᵀ u of a linear function. */
export function transposed(f: ArrayFunction, x: Arrays): ArrayFunction {
  const back = linearTranspose(loose(f), ...x);
  return (...u) => back([...u]);
}

const everyArgument = (x: Arrays): { readonly argnums: readonly number[] } => ({
  argnums: x.map((_, i) => i),
});

/** The gradient of a scalar function by all its arguments. */
export const gradient = (f: ScalarFunction, x: Arrays): Arrays => grad(loose(f), everyArgument(x))(...x);

/** Second derivatives of a scalar function along a direction: H v. */
export const curvature = (f: ScalarFunction, x: Arrays, v: Arrays): Arrays => hvp(loose(f), [...x], [...v]);

/** For each output and each input an array of shape [...output, ...input]. */
export type Blocks = readonly (readonly NDArray[])[];

export const jacobianForward = (f: ArrayFunction, x: Arrays): Blocks =>
  jacfwd(loose(f), everyArgument(x))(...x) as unknown as Blocks;

export const jacobianReverse = (f: ArrayFunction, x: Arrays): Blocks =>
  jacrev(loose(f), everyArgument(x))(...x) as unknown as Blocks;

/** The scalar function ⟨u, f⟩. */
export const weighted =
  (f: ArrayFunction, u: Arrays): ScalarFunction =>
  (...xs) =>
    f(...xs)
      .map((y, k) => np.sum(np.multiply(u[k], y)))
      .reduce((a, b) => np.add(a, b));
