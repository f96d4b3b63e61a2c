/** `customLinearSolve`: linear equations whose solution is differentiated as what it is, not as how it was found. */
import type { NDArray } from "../core/array.js";
import { strong } from "../core/aval.js";
import { evalJaxpr } from "../core/eval.js";
import { Jaxpr } from "../core/jaxpr.js";
import type { ArrayLike } from "../core/methods.js";
import { type TreeDef, tupleDef, unflatten } from "../core/tree.js";
import { convertElementType } from "../primitives/cast.js";
import { transposingClaim } from "../primitives/customLinearity.js";
import { bindLinearSolve, type Part } from "../primitives/linearSolve.js";
import { type Body, traceBody } from "../transforms/bodies.js";
import {
  type AnyFunction,
  asDifferentiable,
  flattenArrays,
  leafName,
  requireFloat,
  requireFunction,
  requireOptions,
} from "../transforms/functions.js";
import { transposeJaxpr } from "../transforms/transpose.js";
import type { ArrayTree } from "../transforms/types.js";
import { requireSameTypes, splitResult } from "./solutions.js";

/** A linear function on trees like `T`. */
export type LinearFunction<T> = (x: ArrayTree<T>) => ArrayTree<T>;

/** Finds x with matvec(x) = b. */
export type LinearSolver<T, R> = (matvec: LinearFunction<T>, b: ArrayTree<T>) => R;

export interface LinearSolveOptions<T> {
  /** Solves the transposed equation: gets Aᵀ and the right hand side. Reverse mode needs it. */
  readonly transposeSolve?: LinearSolver<T, ArrayTree<T>>;
  /** The matrix is its own transpose, so that `solve` solves the transposed equation, too. Default false. */
  readonly symmetric?: boolean;
}

/**
 * Solves a linear equation A x = b by a procedure of the user's, of which nothing is differentiated. Derivatives with respect
 * to b, and to what `matvec` closes over, are those of the solution: A ẋ = ḃ - Ȧ x, solved by the same procedure, and Aᵀ for
 * reverse mode.
 *
 * @param matvec the linear function x ↦ A x, from a tree of float arrays to one of the same structure and types.
 * @param b the right hand side.
 * @param solve gets `matvec` and a right hand side; returns the solution.
 * @param options `transposeSolve`, `symmetric`; `hasAux`: `solve` returns [solution, aux], with aux a tree of arrays that is
 *   not differentiated.
 * @returns the solution, or with `hasAux` [solution, aux].
 * @throws TreeMismatchError, ShapeError or DtypeError if `matvec` or a solver gives something else than trees like `b`;
 *   NotDifferentiableError if `matvec` is not linear, and in reverse mode without `transposeSolve` or `symmetric`.
 * @example
 * // A diagonal matrix of 2 and 4.
 * const solve = (d) => lax.customLinearSolve((x) => d.mul(x), np.array([6, 8]), (_, b) => b.div(d), { symmetric: true });
 * solve(np.array([2, 4])); // [3, 2]
 * grad((d) => solve(d).sum())(np.array([2, 4])); // [-1.5, -0.5]
 */
export function customLinearSolve<T, Aux = never, H extends boolean = false>(
  matvec: LinearFunction<T>,
  b: T,
  solve: LinearSolver<T, H extends true ? readonly [ArrayTree<T>, Aux] : ArrayTree<T>>,
  options: LinearSolveOptions<T> & { readonly hasAux?: H } = {},
): H extends true ? [ArrayTree<T>, ArrayTree<Aux>] : ArrayTree<T> {
  requireFunction(matvec, "customLinearSolve");
  requireFunction(solve, "customLinearSolve");
  requireOptions(options, ["transposeSolve", "symmetric", "hasAux"], "customLinearSolve");
  const { transposeSolve, symmetric = false, hasAux = false } = options;
  if (transposeSolve !== undefined) requireFunction(transposeSolve, "customLinearSolve: transposeSolve");
  const { vector, treedef } = readVector(b, "the right hand side of customLinearSolve");
  const types = vector.map((x) => x.aval);
  const one = tupleDef([treedef]);
  const trace = (what: string, f: AnyFunction): Body =>
    traceBody(`customLinearSolve: ${what}`, f, types, one);
  const wanted = { what: "the right hand side", treedef, avals: types };

  const product = trace("matvec", matvec);
  requireSameTypes("customLinearSolve: matvec must give what it takes", wanted, "its result", product);
  const solved = trace("solve", (x) => solve(matvec, x));
  const { first, rebuild } = splitResult(solved, hasAux, "customLinearSolve: solve");
  requireSameTypes("customLinearSolve: solve must give what matvec takes", wanted, "the solution", first);

  const transposed = (): { vecmat: Body; solve: Body } | undefined => {
    if (symmetric)
      return { vecmat: product, solve: { ...solved, jaxpr: withOutputs(solved.jaxpr, types.length) } };
    if (transposeSolve === undefined) return undefined;
    const vecmat: Body = { ...product, jaxpr: transposeOf(product) };
    const apply = (x: unknown): unknown =>
      unflatten(
        treedef,
        evalJaxpr(vecmat.jaxpr, [...vecmat.consts, ...flattenArrays(x, "the vector").arrays]),
      );
    const body = trace("transposeSolve", (x) => transposeSolve(apply as LinearFunction<T>, x));
    requireSameTypes(
      "customLinearSolve: transposeSolve must give what matvec takes",
      wanted,
      "the solution",
      body,
    );
    return { vecmat, solve: body };
  };
  const back = transposed();
  const partOf = ({ jaxpr, consts }: Body): Part => ({ jaxpr, consts: consts.length });
  const results = bindLinearSolve(
    {
      matvec: partOf(product),
      solve: partOf(solved),
      transposed: back && { vecmat: partOf(back.vecmat), solve: partOf(back.solve) },
    },
    {
      matvec: product.consts,
      vecmat: back?.vecmat.consts,
      solve: solved.consts,
      transposeSolve: back?.solve.consts,
    },
    vector,
  );
  return rebuild(results) as ReturnType<typeof customLinearSolve<T, Aux, H>>;
}

/** Reads a tree of floats, with strong types: numbers give way to nothing here. */
export function readVector(tree: unknown, where: string): { vector: readonly NDArray[]; treedef: TreeDef } {
  const { arrays, treedef } = flattenArrays(tree as ArrayLike, where);
  const vector = arrays.map((given, i) => {
    const x = asDifferentiable(given);
    requireFloat(x, () => leafName(where, treedef, i), "solving", "close over them");
    return convertElementType(x, strong(x.aval).dtype);
  });
  return { vector, treedef };
}

const withOutputs = (jaxpr: Jaxpr, count: number): Jaxpr =>
  jaxpr.outputs.length === count
    ? jaxpr
    : new Jaxpr(jaxpr.inputs, jaxpr.eqns, jaxpr.outputs.slice(0, count), jaxpr.varCount);

/** Aᵀ: takes the constants of A, then a vector. */
function transposeOf({ jaxpr, consts }: Body): Jaxpr {
  const linear = jaxpr.inputs.map((_, i) => i >= consts.length);
  const all = jaxpr.outputs.map(() => true);
  return transposingClaim(
    "customLinearSolve: matvec must be linear",
    jaxpr,
    linear,
    all,
    () =>
      transposeJaxpr(
        jaxpr,
        linear,
        all.map(() => false),
        linear.filter((l) => l),
      ).jaxpr,
  );
}
