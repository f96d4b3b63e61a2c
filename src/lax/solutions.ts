/** What the functions that solve equations have in common: reading what solvers of the user's give. */
import type { NDArray } from "../core/array.js";
import { type Aval, strong } from "../core/aval.js";
import { ArgumentError } from "../core/errors.js";
import { type TreeDef, unflatten } from "../core/tree.js";
import { type Body, type TypedTree, typeMismatch } from "../transforms/bodies.js";

/** The part of what a body gives that is to be like something else. */
export interface Typed {
  readonly outTree: TreeDef;
  readonly jaxpr: { readonly outAvals: readonly Aval[] };
}

/** Throws unless a body gives a tree of these types; a weak type will do for a strong one. */
export function requireSameTypes(why: string, wanted: TypedTree, what: string, given: Typed): void {
  const plain = (tree: TypedTree): TypedTree => ({ ...tree, avals: tree.avals.map(strong) });
  const { outTree: treedef, jaxpr } = given;
  const fault = typeMismatch(why, plain(wanted), plain({ what, treedef, avals: jaxpr.outAvals }));
  if (fault !== undefined) throw fault;
}

/** What a solver gives: the solution, and with `hasAux` something else behind it. */
export function splitResult(
  body: Body,
  hasAux: boolean,
  label: string,
): { readonly first: Typed; readonly rebuild: (results: readonly NDArray[]) => unknown } {
  const { outTree, jaxpr } = body;
  if (!hasAux) return { first: body, rebuild: (results) => unflatten(outTree, results) };
  if (outTree.type !== "array" || outTree.arity !== 2)
    throw new ArgumentError(`${label} must return [solution, aux] with hasAux, got ${outTree}`);
  const [solution, aux] = outTree.children;
  const count = solution.numLeaves;
  return {
    first: { outTree: solution, jaxpr: { outAvals: jaxpr.outAvals.slice(0, count) } },
    rebuild: (results) => [
      unflatten(solution, results.slice(0, count)),
      unflatten(aux, results.slice(count)),
    ],
  };
}
