/** `customRoot`: roots of functions, differentiated by the implicit function theorem. */
import type { NDArray } from "../core/array.js";
import { tangentAval } from "../core/aval.js";
import { maskKey } from "../core/build.js";
import { evalJaxpr } from "../core/eval.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { checkSameStructure, flatten, type TreeDef, tupleDef, unflatten } from "../core/tree.js";
import { isZero, type Tangent, Zero } from "../core/zero.js";
import { bindCustomJvp, type JvpOfFunction } from "../primitives/customJvp.js";
import { neg } from "../primitives/field.js";
import { instantiate } from "../primitives/filled.js";
import { traceBody, withSameConsts } from "../transforms/bodies.js";
import { readRuleTangents, traceRule } from "../transforms/customTrace.js";
import { type AnyFunction, nameOf, requireFunction, requireOptions } from "../transforms/functions.js";
import { jvpJaxpr } from "../transforms/jvp.js";
import { linearize } from "../transforms/linearize.js";
import type { ArrayTree, TangentTree } from "../transforms/types.js";
import { type LinearFunction, readVector } from "./customLinearSolve.js";
import { requireSameTypes, splitResult } from "./solutions.js";

/**
 * A root of a function, found by a procedure of the user's of which nothing is differentiated. Derivatives, with respect to
 * what `f` closes over, are those of the root: from f(x, θ) = 0 follows ∂f/∂x ẋ = -∂f/∂θ θ̇. The initial guess has no influence.
 *
 * @param f the function, from a tree of float arrays to one of the same structure and types.
 * @param initialGuess where `solve` is to begin.
 * @param solve gets `f` and the initial guess; returns the root.
 * @param tangentSolve gets the linear function g = ∂f/∂x at the root and a right hand side y; returns x with g(x) = y. It may
 *   close over no traced arrays, and must be linear in y: `(g, y) => y.div(g(1))` for a scalar, `customLinearSolve`, or a solve
 *   with the matrix `jacfwd(g)(y)`.
 * @param options `hasAux`: `solve` returns [root, aux], with aux a tree of arrays that is not differentiated.
 * @returns the root, or with `hasAux` [root, aux].
 * @throws TreeMismatchError, ShapeError or DtypeError if `f` or a solver gives something else than trees like the initial
 *   guess.
 * @example
 * // √a, by ten steps of Newton's iteration.
 * const newton = (a) => (_, x) => {
 *   for (let i = 0; i < 10; i++) x = x.add(a.div(x)).div(2);
 *   return x;
 * };
 * const sqrt = (a) => lax.customRoot((x) => x.mul(x).sub(a), 1, newton(a), (g, y) => y.div(g(1)));
 * sqrt(np.array(9)); // 3
 * grad(sqrt)(9); // 0.1666667
 */
export function customRoot<T, Aux = never, H extends boolean = false>(
  f: (x: ArrayTree<T>) => ArrayTree<T>,
  initialGuess: T,
  solve: (
    f: (x: ArrayTree<T>) => ArrayTree<T>,
    initialGuess: ArrayTree<T>,
  ) => H extends true ? readonly [ArrayTree<T>, Aux] : ArrayTree<T>,
  tangentSolve: (g: (x: TangentTree<ArrayTree<T>>) => ArrayTree<T>, y: ArrayTree<T>) => ArrayTree<T>,
  options: { readonly hasAux?: H } = {},
): H extends true ? [ArrayTree<T>, ArrayTree<Aux>] : ArrayTree<T> {
  requireFunction(f, "customRoot");
  requireFunction(solve, "customRoot");
  requireFunction(tangentSolve, "customRoot");
  requireOptions(options, ["hasAux"], "customRoot");
  const { vector, treedef } = readVector(initialGuess, "the initial guess of customRoot");
  const types = vector.map((x) => x.aval);
  const wanted = { what: "the initial guess", treedef, avals: types };
  const one = tupleDef([treedef]);
  const body = traceBody("customRoot: f", f, types, one);
  requireSameTypes("customRoot: f must give what it takes", wanted, "its result", body);
  const solved = traceBody("customRoot: solve", (x) => solve(f, x), types, one);
  const { first, rebuild } = splitResult(solved, options.hasAux === true, "customRoot: solve");
  requireSameTypes("customRoot: solve must give what f takes", wanted, "the root", first);
  const { jaxprs, consts } = withSameConsts([body, solved]);
  const rule = implicit(nameOf(f), jaxprs[0], jaxprs[1], consts.length, treedef, tangentSolve as AnyFunction);
  const results = bindCustomJvp(jaxprs[1], nameOf(f), rule, [...consts, ...vector]);
  return rebuild(results) as ReturnType<typeof customRoot<T, Aux, H>>;
}

/**
 * The tangent rule of a root. It solves again by the equation that it belongs to, so that derivatives of every order are those
 * of the root.
 *
 * @param f takes constants, then x.
 * @param solve takes constants, then the initial guess; gives x, then what else there is.
 */
function implicit(
  name: string,
  f: Jaxpr,
  solve: Jaxpr,
  captured: number,
  treedef: TreeDef,
  tangentSolve: AnyFunction,
): JvpOfFunction {
  const label = `tangentSolve of customRoot(${name})`;
  const types = f.inAvals.slice(captured);
  const known = new Map<string, ReturnType<JvpOfFunction["push"]>>();
  const trace = (active: readonly boolean[]): ReturnType<JvpOfFunction["push"]> => {
    const moving = active.map((a, i) => a && i < captured);
    const pushed = jvpJaxpr(f, moving);
    let activeOut: boolean[] = [];
    const avals = [...solve.inAvals, ...solve.inAvals.filter((_, i) => active[i]).map(tangentAval)];
    const jaxpr = traceRule(label, avals, (inputs) => {
      const operands = inputs.slice(0, solve.inputs.length);
      const consts = operands.slice(0, captured);
      const tangents = inputs.slice(operands.length, operands.length + moving.filter(Boolean).length);
      const outputs = bindCustomJvp(solve, name, rule, operands);
      const root = outputs.slice(0, types.length);
      const results = evalJaxpr(pushed.jaxpr, [...consts, ...root, ...tangents]);
      let next = types.length;
      const changes = types.map(
        (type, i): Tangent => (pushed.activeOut[i] ? results[next++] : new Zero(type)),
      );
      const moved = changes.every(isZero) ? changes : implied(consts, root, changes);
      activeOut = outputs.map((_, k) => k < moved.length && !isZero(moved[k]));
      return [...outputs, ...moved.filter((t): t is NDArray => !isZero(t))];
    });
    return { jaxpr, activeOut };
  };
  const implied = (consts: readonly NDArray[], root: readonly NDArray[], changes: readonly Tangent[]) => {
    const [, push] = linearize((...x: NDArray[]) => evalJaxpr(f, [...consts, ...x]), ...root);
    const g = (x: unknown): unknown => {
      const given = flatten(x as object);
      checkSameStructure(treedef, given.treedef, `the argument of g in ${label} must be like the root`);
      return unflatten(treedef, push(...(given.leaves as NDArray[])) as readonly NDArray[]);
    };
    const y = changes.map((t) => neg(instantiate(t)));
    const words = { what: `the solution that ${label} gives`, ofWhat: "the root", nullIsZero: false };
    return readRuleTangents(
      tangentSolve(g as LinearFunction<unknown>, unflatten(treedef, y)),
      treedef,
      types,
      words,
    );
  };
  const rule: JvpOfFunction = {
    name: label,
    push: (active) => {
      const found = known.get(maskKey(active)) ?? trace(active);
      known.set(maskKey(active), found);
      return found;
    },
  };
  return rule;
}
