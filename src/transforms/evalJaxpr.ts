/** `evalJaxpr` for users: a jaxpr as a function of arrays. */
import type { NDArray } from "../core/array.js";
import { describe, sameType } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { evalJaxpr as run } from "../core/eval.js";
import { ClosedJaxpr, Jaxpr } from "../core/jaxpr.js";
import type { ArrayLike } from "../core/methods.js";
import { toArray } from "./functions.js";

/**
 * Applies a jaxpr to arrays. It can itself be traced, so `grad((x) => evalJaxpr(jaxpr, x)[0])` works.
 *
 * @param jaxpr a closed jaxpr (as from `makeJaxpr`), or an open one whose constants are its first arguments.
 * @param args one array or number for each input.
 * @returns a list of outputs.
 * @throws ArgumentError for a wrong number of arguments, ShapeError if one has another type than the jaxpr declares.
 * @example
 * evalJaxpr(makeJaxpr((x) => x.mul(x))(3.5), 2.5)[0]; // 6.25
 */
export function evalJaxpr(jaxpr: Jaxpr | ClosedJaxpr, ...args: readonly ArrayLike[]): NDArray[] {
  if (!(jaxpr instanceof Jaxpr || jaxpr instanceof ClosedJaxpr))
    throw new ArgumentError("evalJaxpr takes a jaxpr, as makeJaxpr or parseJaxpr give it");
  const types = jaxpr.inAvals;
  if (args.length !== types.length)
    throw new ArgumentError(`evalJaxpr: the jaxpr takes ${types.length} arguments, got ${args.length}`);
  const arrays = args.map((x, i) => toArray(x, () => `argument ${i} of evalJaxpr`));
  for (const [i, x] of arrays.entries())
    if (!sameType(x.aval, types[i]))
      throw new ShapeError(
        `evalJaxpr: argument ${i} is ${describe(x.aval)}, but the jaxpr takes ${describe(types[i])}`,
      );
  return jaxpr instanceof ClosedJaxpr ? run(jaxpr.jaxpr, [...jaxpr.consts, ...arrays]) : run(jaxpr, arrays);
}
