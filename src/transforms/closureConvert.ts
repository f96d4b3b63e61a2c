/** `closureConvert`: what a function closes over as arguments of it. */
import { NDArray } from "../core/array.js";
import { describe, sameType } from "../core/aval.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import { Tracer } from "../core/trace.js";
import { checkSameStructure, unflatten } from "../core/tree.js";
import {
  asDifferentiable,
  flattenArrays,
  leafName,
  nameOf,
  requireFunction,
  traceFunction,
} from "./functions.js";
import type { ArrayTree, Fn } from "./types.js";

/** A function that takes what another one closes over behind its arguments. */
export type Converted<F extends Fn> = (
  ...args: [...args: Parameters<F>, ...consts: NDArray[]]
) => ArrayTree<ReturnType<F>>;

/**
 * Turns the traced arrays that a function closes over into arguments. Functions with derivatives of their own need that: what
 * is no argument of theirs has no derivative. Other arrays, which nobody differentiates, stay where they are.
 *
 * @param f a pure function of trees of arrays.
 * @param args arguments, of which only structure, shapes and dtypes are looked at.
 * @returns a list of the converted function and of the arrays, in that order: `converted(...args, ...consts)` is `f(...args)`.
 *   The converted function takes arguments of these types only.
 * @throws (when called) ArgumentError for another number of arguments, TreeMismatchError, ShapeError or DtypeError for arguments of other types.
 * @example
 * const f = (w) => {
 *   const [scale, ...consts] = closureConvert((x) => x.mul(w), 1.5);
 *   return scale(1.5, ...consts).add(consts.length);
 * };
 * grad(f)(2); // 1.5
 */
export function closureConvert<F extends Fn>(
  f: F,
  ...args: Parameters<F>
): [converted: Converted<F>, ...consts: NDArray[]] {
  requireFunction(f, "closureConvert");
  const label = `closureConvert(${nameOf(f)})`;
  const where = `the arguments of ${label}`;
  const { arrays, treedef } = flattenArrays(args, where);
  const types = arrays.map((x) => asDifferentiable(x).aval);
  const { closed, outTree } = traceFunction(
    { name: label },
    types,
    (inputs) => f(...unflatten<unknown[]>(treedef, inputs)),
    undefined,
  );
  const { jaxpr, consts } = closed;
  const hoisted = consts.filter((x) => x instanceof Tracer);
  const converted = (...given: unknown[]): unknown => {
    if (given.length !== args.length + hoisted.length)
      throw new ArgumentError(
        `${label} takes ${counted(args.length, "argument")} and ${counted(hoisted.length, "constant")}, got ${given.length} in all`,
      );
    const own = flattenArrays(given.slice(0, args.length), where);
    checkSameStructure(treedef, own.treedef, `${where} must have the structure that it was converted for`);
    const outer = given.slice(args.length);
    const operands = own.arrays.map(asDifferentiable);
    const all = [...outer, ...operands];
    const wanted = [...hoisted.map((x) => x.aval), ...types];
    for (const [i, type] of wanted.entries()) {
      const x = all[i];
      if (x instanceof NDArray && sameType(x.aval, type)) continue;
      const got = x instanceof NDArray ? describe(x.aval) : `a ${typeof x}`;
      const name =
        i < outer.length ? `constant ${i} of ${label}` : leafName(where, treedef, i - hoisted.length);
      const message = `${name} must be ${describe(type)}, as when it was converted, got ${got}`;
      throw x instanceof NDArray && String(x.shape) !== String(type.shape)
        ? new ShapeError(message)
        : new DtypeError(message);
    }
    let next = 0;
    const values = consts.map((x) => (x instanceof Tracer ? (outer[next++] as NDArray) : x));
    return unflatten(outTree, evalJaxpr(jaxpr, [...values, ...operands]));
  };
  Object.defineProperty(converted, "name", { value: nameOf(f) });
  return [converted as unknown as Converted<F>, ...hoisted];
}

const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
