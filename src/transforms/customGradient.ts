/** `customGradient`: a function that returns its value together with its pullback. */
import type { NDArray } from "../core/array.js";
import { tangentAval } from "../core/aval.js";
import { unflatten } from "../core/tree.js";
import { closureConvert } from "./closureConvert.js";
import { readPair, zeroLeaf } from "./customTrace.js";
import type { RuleCotangent, RuleCotangents, TracedArgs } from "./customTypes.js";
import { customVjp } from "./customVjp.js";
import { type AnyFunction, flattenArrays, nameOf, requireFunction } from "./functions.js";
import type { ArrayTree, Fn } from "./types.js";

/** A value, and what pulls cotangents of it back: to one for each argument, or to that of the only one. */
export type WithPullback<A extends readonly unknown[], R> = readonly [
  value: R,
  pullback: (
    cotangent: ArrayTree<R>,
  ) => RuleCotangents<A> | (A extends readonly [infer Only] ? RuleCotangent<Only> : never),
];

/**
 * A function with a backward pass of its own, written as one function: it returns the value and the pullback, which may use
 * whatever was computed on the way. `customVjp` keeps the two apart.
 *
 * @param f a pure function of trees of arrays that returns [value, pullback]. The pullback gets a cotangent of the value, and
 *   returns a list with a cotangent for each argument; with one argument its cotangent will do. null stands for zero.
 * @returns a function with the arguments of `f` that gives the value alone.
 * @example
 * const square = customGradient((x) => [x.mul(x), (ct) => ct.mul(x).mul(2)]);
 * grad(square)(3); // 6
 */
export function customGradient<A extends readonly unknown[], R>(
  f: (...args: A) => WithPullback<TracedArgs<A>, R>,
): (...args: A) => ArrayTree<R> {
  requireFunction(f, "customGradient");
  const run = f as AnyFunction;
  const name = nameOf(run);
  const pair = (args: readonly unknown[]) => readPair(run(...args), name, "[value, pullback]");
  const value = (...args: unknown[]) => pair(args)[0] as NDArray;
  Object.defineProperty(value, "name", { value: name });
  const forward = (...args: unknown[]) => {
    const [result, pullback] = pair(args);
    requireFunction(pullback, `the second of what ${name} returns`);
    const { arrays, treedef } = flattenArrays(result, `the value of ${name}`);
    const zeros = arrays.map((y) => zeroLeaf(tangentAval(y.aval), false));
    // The pullback runs when this trace has ended: what it closes over is what has to be kept.
    const [converted, ...kept] = closureConvert(pullback as Fn, unflatten(treedef, zeros));
    return [result as NDArray, { converted, kept, only: args.length === 1 }] as const;
  };
  type Kept = ReturnType<typeof forward>[1];
  const backward = ({ converted, kept, only }: Kept, cotangent: unknown) => {
    const returned: unknown = converted(cotangent, ...kept);
    const isList = Array.isArray(returned) && (!only || returned.length === 1);
    return (isList || !only ? returned : [returned]) as NDArray[];
  };
  return customVjp(value).defVjp(forward, backward) as unknown as ReturnType<typeof customGradient<A, R>>;
}
