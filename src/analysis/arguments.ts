/** The arguments of `compareModes(f, ...args, options)` and its like, whose options come last, after any number of others. */
import { requireOptions } from "../transforms/functions.js";
import type { AbstractArgs } from "../transforms/makeJaxpr.js";
import type { Fn } from "../transforms/types.js";

/** Arguments of `f`, arrays or `ShapeDtype`s, and options behind them. */
export type ArgsAndOptions<F extends Fn, O> = [...args: AbstractArgs<F>, options?: O];

/**
 * Takes the options off the end of a list of arguments. The last one is options if the function declares fewer
 * parameters than there are arguments, and it is a plain object.
 *
 * @param names the options there are.
 * @throws ArgumentError for an option of another name.
 */
export function splitOptions<O extends object>(
  f: Fn,
  args: readonly unknown[],
  names: readonly (keyof O & string)[],
  what: string,
): { readonly args: readonly unknown[]; readonly options: O } {
  const last = args.at(-1);
  if (args.length <= f.length || !isPlainObject(last)) return { args, options: {} as O };
  const keys = Object.keys(last);
  // A function of any number of arguments declares none: there, what has no option's name is an argument.
  if (f.length === 0 && !(keys.length > 0 && keys.every((key) => names.includes(key as never))))
    return { args, options: {} as O };
  requireOptions(last, names, what);
  return { args: args.slice(0, -1), options: last as O };
}

const isPlainObject = (x: unknown): x is object =>
  typeof x === "object" && x !== null && Object.getPrototypeOf(x) === Object.prototype;
