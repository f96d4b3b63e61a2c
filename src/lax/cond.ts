/** Branches: `cond` for two, `switchCase` for any number. */
import { isReadable, NDArray, scalar } from "../core/array.js";
import { type Aval, aval, describe, sameShape, showAval } from "../core/aval.js";
import { buildJaxpr, memoize } from "../core/build.js";
import { isInteger, promote } from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import type { Jaxpr } from "../core/jaxpr.js";
import type { ArrayLike } from "../core/methods.js";
import { unflatten } from "../core/tree.js";
import { convertElementType } from "../primitives/cast.js";
import { bindCond } from "../primitives/control/cond.js";
import { clamp } from "../primitives/select.js";
import { type Body, traceBody, typeMismatch, withSameConsts } from "../transforms/bodies.js";
import { type AnyFunction, flattenArrays, requireFunction } from "../transforms/functions.js";
import type { ArrayTree } from "../transforms/types.js";

/** What a branch is called with: the operands, numbers among them as arrays. */
type Branch<A extends readonly unknown[], R> = (...operands: ArrayTree<A>) => R;

/**
 * Applies one of two functions; the other does not run. Both are traced, and both may close over arrays.
 *
 * Under `vmap` with a predicate that differs from row to row both run, and each sees only rows that take it: what one of
 * them would make of the others (NaN, an infinite derivative) is nowhere to be seen. With `debug.print` or other effects inside,
 * the rows run one after the other.
 *
 * @param pred a boolean, or a bool array of shape ().
 * @param onTrue takes the operands and gives a tree of arrays.
 * @param onFalse gives a tree of the same structure, shapes and dtypes. A number, or another weak-typed result, takes the
 *   dtype of the other branch.
 * @param operands trees of arrays and numbers.
 * @throws DtypeError or ShapeError if `pred` is no bool scalar; TreeMismatchError, ShapeError or DtypeError if the branches
 *   differ in what they give.
 * @example
 * const f = (x) => lax.cond(x.greater(0), (y) => y.sin(), (y) => y.mul(3), x);
 * f(np.array(-2)); // -6
 * grad(f)(np.array(-2)); // 3
 */
export function cond<A extends readonly unknown[], T, U = T>(
  pred: boolean | NDArray,
  onTrue: Branch<A, T>,
  onFalse: Branch<A, U>,
  ...operands: A
): ArrayTree<T | U> {
  const name = "lax.cond";
  const chosen = predicate(pred);
  requireFunction(onTrue, `${name} (for the true branch)`);
  requireFunction(onFalse, `${name} (for the false branch)`);
  const branches = [
    { what: "the false branch", f: onFalse as AnyFunction },
    { what: "the true branch", f: onTrue as AnyFunction },
  ];
  return choose(name, chosen, branches, operands) as ArrayTree<T | U>;
}

/**
 * Applies `branches[index]`; the others do not run. An index outside of the list means the nearest branch.
 *
 * @param index a whole number, or an integer array of shape ().
 * @param branches functions of the operands, at least one; all give trees of the same structure, shapes and dtypes.
 * @param operands trees of arrays and numbers.
 * @throws as `cond` does; ArgumentError without branches.
 * @example
 * const f = (i, x) => lax.switchCase(i, [(y) => y, (y) => y.mul(y), (y) => y.exp()], x);
 * f(1, np.array(3)); // 9
 * f(-5, np.array(3)); // 3
 */
export function switchCase<A extends readonly unknown[], T>(
  index: ArrayLike,
  branches: readonly Branch<A, T>[],
  ...operands: A
): ArrayTree<T> {
  const name = "lax.switchCase";
  if (!Array.isArray(branches) || branches.length === 0)
    throw new ArgumentError(`${name} takes a list of at least one branch`);
  const named = branches.map((f: unknown, i) => {
    requireFunction(f, `${name} (for branch ${i})`);
    return { what: `branch ${i}`, f: f as AnyFunction };
  });
  return choose(name, branchIndex(index, branches.length), named, operands) as ArrayTree<T>;
}

/** The predicate of `cond` as an index: 1 if it holds. */
function predicate(pred: unknown): NDArray {
  const needs = "lax.cond needs a boolean predicate of shape ()";
  if (typeof pred === "boolean") return scalar(pred, "int32");
  if (!(pred instanceof NDArray))
    throw new DtypeError(
      `${needs}, got ${typeof pred === "number" ? `the number ${pred}; compare it (x !== 0)` : `a value of type ${typeof pred}`}`,
    );
  if (pred.shape.length > 0)
    throw new ShapeError(
      `${needs}, got ${describe(pred.aval)}; for a choice element by element use np.where, for a choice in each row vmap`,
    );
  if (pred.dtype !== "bool")
    throw new DtypeError(`${needs}, got ${describe(pred.aval)}; compare it (x.notEqual(0))`);
  return isReadable(pred) ? scalar(pred.values[0], "int32") : convertElementType(pred, "int32");
}

/** The index of `switchCase` as an int32 that is not changed by the conversion, beyond the limits of the list. */
function branchIndex(index: unknown, count: number): NDArray {
  const needs = "lax.switchCase needs an integer of shape () that says which branch";
  if (typeof index !== "number" && !(index instanceof NDArray))
    throw new DtypeError(
      `${needs}, got a value of type ${typeof index}${typeof index === "boolean" ? "; use lax.cond" : ""}`,
    );
  if (typeof index === "number") {
    if (!Number.isInteger(index)) throw new DtypeError(`${needs}, got the number ${index}`);
    return scalar(Math.min(Math.max(index, 0), count - 1), "int32");
  }
  if (index.shape.length > 0) throw new ShapeError(`${needs}, got ${describe(index.aval)}`);
  if (!isInteger(index.dtype))
    throw new DtypeError(
      `${needs}, got ${describe(index.aval)}${index.dtype === "bool" ? "; use lax.cond" : ""}`,
    );
  if (isReadable(index)) return branchIndex(index.values[0], count);
  // A large unsigned number would become a negative one.
  const inside = index.dtype === "uint32" ? clamp(0, index, count - 1) : index;
  return convertElementType(inside, "int32");
}

interface Named {
  readonly what: string;
  readonly f: AnyFunction;
}

function choose(
  name: string,
  index: NDArray,
  branches: readonly Named[],
  operands: readonly unknown[],
): unknown {
  const { arrays, treedef } = flattenArrays(operands, `the operands of ${name}`);
  const avals = arrays.map((x) => x.aval);
  const bodies = branches.map(({ what, f }) => traceBody(`${what} of ${name}`, f, avals, treedef));
  const types = commonTypes(name, branches, bodies);
  const { jaxprs, consts } = withSameConsts(bodies);
  const agreeing = jaxprs.map((jaxpr) => withOutputTypes(jaxpr, types));
  return unflatten(bodies[0].outTree, bindCond(agreeing, index, [...consts, ...arrays]));
}

/** What all branches can give. Throws if they give trees of different structure or types. */
function commonTypes(name: string, branches: readonly Named[], bodies: readonly Body[]): readonly Aval[] {
  const given = bodies.map(({ jaxpr }) => jaxpr.outAvals);
  const sameTree = bodies.every(({ outTree }) => outTree.key === bodies[0].outTree.key);
  const common = sameTree ? given[0].map((_, k) => commonType(given.map((types) => types[k]))) : [];
  // The last one is the true branch of cond, which the user wrote first.
  const order = name === "lax.cond" ? [1, 0] : bodies.map((_, i) => i);
  const treeOf = (i: number) => ({
    what: branches[i].what,
    treedef: bodies[i].outTree,
    avals: given[i].map((type, k) => common[k] ?? type),
  });
  for (const i of order.slice(1)) {
    const why = `${name}: all branches must give the same structure and types`;
    const error = typeMismatch(why, treeOf(order[0]), treeOf(i));
    if (error !== undefined) throw error;
  }
  return common as readonly Aval[];
}

/** The type that results of these types can all have: a weak one takes the dtype of the others, as an operand would. */
function commonType(types: readonly Aval[]): Aval | undefined {
  const [{ shape, dtype }] = types;
  if (!types.every((type) => sameShape(type.shape, shape))) return undefined;
  const weakType = types.every((type) => type.weakType);
  if (types.every((type) => type.dtype === dtype)) return aval(shape, dtype, weakType);
  if (types.some((type) => type.dtype === "float0")) return undefined;
  const promoted = promote(types);
  return types.every((type) => type.weakType || type.dtype === promoted.dtype)
    ? aval(shape, promoted.dtype, promoted.weakType)
    : undefined;
}

/** The jaxpr with its outputs converted to other types. */
const withOutputTypes: (jaxpr: Jaxpr, types: readonly Aval[]) => Jaxpr = memoize(
  (types: readonly Aval[]) => types.map(showAval).join(" "),
  (jaxpr: Jaxpr, types: readonly Aval[]): Jaxpr =>
    jaxpr.outAvals.every((type, k) => showAval(type) === showAval(types[k]))
      ? jaxpr
      : buildJaxpr("cond", jaxpr.inAvals, (inputs) =>
          evalJaxpr(jaxpr, inputs).map((y, k) =>
            y.dtype === "float0" ? y : convertElementType(y, types[k].dtype, types[k].weakType),
          ),
        ),
);
