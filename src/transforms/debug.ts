/**
 * Looking at values while a program runs. Users import this module as the namespace `debug`.
 *
 * Both functions make an equation with an effect, which every transform keeps: it happens once each time the program
 * runs, and once for each example under `vmap`.
 */
import type { ConcreteArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import { unflatten } from "../core/tree.js";
import { bindCallback, bindPrint, type Callback } from "../primitives/debug.js";
import { fillFormat } from "./debugFormat.js";
import { type AnyFunction, flattenArrays, requireFunction } from "./functions.js";
import type { ArrayTree } from "./types.js";

/**
 * Prints a line with `console.log`, under transforms too: under `jit` at every run, under `vmap` for each example in
 * order, under `grad` and its relatives once, when the function itself is computed (and never in a pullback).
 *
 * @param format text with placeholders as in Python's `str.format`: `{}` for the next argument, `{0}` for one by its
 *   position, `{name}` for a named one; `{{` and `}}` stand for braces. There are no format specs.
 * @param args for each placeholder a tree of arrays and of anything else; if the format names arguments, the last is
 *   a record of these. Arrays are printed by their elements.
 * @throws ArgumentError if the format is malformed, refers to an argument that is not there, or leaves one out.
 * @example
 * const f = jit((x) => {
 *   debug.print("x = {}, params = {p}", x, { p: { w: x.mul(2), n: 3 } });
 *   return x;
 * });
 * console.log("f gives", f(np.array([1, 2])).tolist());
 * // x = [1, 2], params = { n: 3, w: [2, 4] }
 * // f gives [ 1, 2 ]
 */
export function print(format: string, ...args: readonly unknown[]): void {
  if (typeof format !== "string")
    throw new ArgumentError(
      `debug.print takes a format string first, got ${format === null ? "null" : typeof format}`,
    );
  const { pieces, operands } = fillFormat(format, args);
  bindPrint(pieces, operands);
}

/** Callbacks of a function, by the structure of their arguments: programs that are the same have the same keys. */
const known = new WeakMap<AnyFunction, Map<string, Callback>>();

/**
 * Calls a function with the values of arrays, when and as often as `debug.print` would print them. What it returns is
 * not looked at; what it throws comes out of the program that runs.
 *
 * @param fn gets the arguments with all arrays concrete, so that it may ask for their elements.
 * @param args trees of arrays and numbers.
 * @throws ArgumentError if `fn` is not a function or something in `args` is no array.
 * @example
 * const seen = [];
 * const f = vmap((x) => {
 *   debug.callback((y) => seen.push(y.item()), x.mul(10));
 *   return x;
 * });
 * f(np.array([1, 2, 3]));
 * seen; // [10, 20, 30]
 */
export function callback<A extends readonly unknown[]>(
  fn: (...args: ArrayTree<A>) => unknown,
  ...args: A
): void {
  requireFunction(fn, "debug.callback");
  const { arrays, treedef } = flattenArrays(args, "the arguments of debug.callback");
  const f = fn as AnyFunction;
  let byStructure = known.get(f);
  if (byStructure === undefined) {
    byStructure = new Map();
    known.set(f, byStructure);
  }
  let found = byStructure.get(treedef.key);
  if (found === undefined) {
    const run = (operands: readonly ConcreteArray[]): unknown =>
      f(...unflatten<unknown[]>(treedef, operands));
    found = { operands: arrays.length, run };
    byStructure.set(treedef.key, found);
  }
  bindCallback(found, arrays);
}
