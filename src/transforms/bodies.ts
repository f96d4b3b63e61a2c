/**
 * Functions that become bodies of equations: branches, steps of loops, functions with rules of their own. What they close
 * over becomes operands of the equation, in front of the arguments; scalars that are known stand in the body itself.
 */
import type { NDArray } from "../core/array.js";
import { type Aval, describe, equalAvals } from "../core/aval.js";
import { DtypeError, type FluxionError, ShapeError, TreeMismatchError } from "../core/errors.js";
import { internJaxpr } from "../core/intern.js";
import { Jaxpr, Var } from "../core/jaxpr.js";
import { keystr, type TreeDef, unflatten } from "../core/tree.js";
import { type AnyFunction, traceFunction } from "./functions.js";

export interface Body {
  /** Takes what it closes over, then the arguments. */
  readonly jaxpr: Jaxpr;
  /** What it closes over. */
  readonly consts: readonly NDArray[];
  readonly outTree: TreeDef;
}

/**
 * Traces a function of trees on arguments of the given types.
 *
 * @param label what is being traced, for messages: `the body of scan`.
 * @param treedef of the list of arguments.
 */
export function traceBody(label: string, f: AnyFunction, avals: readonly Aval[], treedef: TreeDef): Body {
  const { closed, outTree } = traceFunction(
    { name: label },
    avals,
    (inputs) => f(...unflatten<unknown[]>(treedef, inputs)),
    undefined,
  );
  return { jaxpr: internJaxpr(closed.jaxpr), consts: closed.consts, outTree };
}

/** Bodies that take the same operands: each one's constants, an array that several close over once, in front of the arguments. */
export function withSameConsts(bodies: readonly Body[]): { jaxprs: Jaxpr[]; consts: NDArray[] } {
  const consts = [...new Set(bodies.flatMap((body) => body.consts))];
  const jaxprs = bodies.map(({ jaxpr, consts: own }) => {
    let { varCount } = jaxpr;
    const inputs = consts.map((x) => {
      const at = own.indexOf(x);
      return at >= 0 ? jaxpr.inputs[at] : new Var(varCount++, x.aval);
    });
    inputs.push(...jaxpr.inputs.slice(own.length));
    return internJaxpr(new Jaxpr(inputs, jaxpr.eqns, jaxpr.outputs, varCount));
  });
  return { jaxprs, consts };
}

/** Trees of types that are to be the same, each with its name in messages. */
export interface TypedTree {
  readonly what: string;
  readonly treedef: TreeDef;
  readonly avals: readonly Aval[];
}

/**
 * An error that says where two trees of types differ, leaf by leaf; undefined if they do not.
 *
 * @param why what asks for it: `scan: the carry must keep its structure and types`.
 */
export function typeMismatch(why: string, expected: TypedTree, given: TypedTree): FluxionError | undefined {
  if (expected.treedef.key !== given.treedef.key)
    return new TreeMismatchError(
      `${why}: ${expected.what} is ${expected.treedef}, but ${given.what} is ${given.treedef}`,
    );
  const paths = expected.treedef.paths();
  const wrong = expected.avals.flatMap((type, i) => (equalAvals(type, given.avals[i]) ? [] : [i]));
  if (wrong.length === 0) return undefined;
  const lines = wrong.map((i) => {
    const path = keystr(paths[i]);
    return `${path === "" ? "" : `at ${path} `}${expected.what} has ${describe(expected.avals[i])}, ${given.what} has ${describe(given.avals[i])}`;
  });
  const sameShapes = wrong.every((i) => String(expected.avals[i].shape) === String(given.avals[i].shape));
  return new (sameShapes ? DtypeError : ShapeError)(`${why}: ${lines.join("; ")}`);
}
