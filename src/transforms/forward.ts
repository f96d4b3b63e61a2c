/** `jvp`: forward mode. */
import { isFloat } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import { recall } from "../core/recurring.js";
import { unflatten } from "../core/tree.js";
import { type Tangent, zeroFor } from "../core/zero.js";
import { instantiate } from "../primitives/filled.js";
import { requireOptions } from "./functions.js";
import { jvpJaxpr } from "./jvp.js";
import { readTangents, traceAt } from "./linearize.js";
import type { ArrayTree, Aux, Fn, HasAux, Result, Tangents } from "./types.js";

/**
 * The value of `f` at a point and its derivative in a direction: f(x) and J·v, in one forward pass.
 *
 * @param f a function of trees of arrays.
 * @param primals the arguments, as a list.
 * @param tangents a tangent for each argument, with its structure, shapes and dtypes; integer and boolean arrays have
 *   tangents of dtype float0, for which 0 may stand.
 * @param options `hasAux`: the function returns [result, aux].
 * @returns [value, tangent], or with `hasAux` [value, tangent, aux].
 * @throws TreeMismatchError, ShapeError or DtypeError if tangents do not fit the primals.
 * @example
 * jvp(np.sin, [0], [2]); // [0, 2]: sin 0, and cos 0 times 2
 */
export function jvp<F extends Fn, H extends boolean = false>(
  f: F,
  primals: Readonly<Parameters<F>>,
  tangents: Tangents<F>,
  options: { readonly hasAux?: HasAux<F, H> } = {},
): H extends true
  ? [ArrayTree<Result<F, true>>, ArrayTree<Result<F, true>>, Aux<F>]
  : [ArrayTree<ReturnType<F>>, ArrayTree<ReturnType<F>>] {
  requireOptions(options, ["hasAux"], "jvp");
  if (!Array.isArray(primals) || !Array.isArray(tangents))
    throw new ArgumentError("jvp takes lists of primals and tangents: jvp(f, [x, y], [vx, vy])");
  const { label, values, treedef, traced } = traceAt(
    f,
    primals,
    "jvp",
    options.hasAux as boolean | undefined,
  );
  const given = readTangents(
    tangents,
    treedef,
    values.map((x) => x.aval),
    `the tangents of ${label}`,
    "its primals",
  );
  const { consts } = traced.closed;
  const jaxpr = recall(traced.closed.jaxpr);
  const active = values.map((x) => isFloat(x.dtype));
  const pushed = jvpJaxpr(jaxpr, [...consts.map(() => false), ...active]);
  const results = evalJaxpr(pushed.jaxpr, [...consts, ...values, ...given.filter((_, i) => active[i])]);
  const outputs = results.slice(0, jaxpr.outputs.length);
  let next = outputs.length;
  const outTangents = outputs.map(
    (y, i): Tangent => (pushed.activeOut[i] ? results[next++] : zeroFor(y.aval)),
  );
  const { resultCount, outTree } = traced;
  const value = unflatten(outTree, outputs.slice(0, resultCount));
  const tangent = unflatten(outTree, outTangents.slice(0, resultCount).map(instantiate));
  const all = options.hasAux
    ? [value, tangent, traced.rebuildAux(outputs.slice(resultCount))]
    : [value, tangent];
  return all as unknown as ReturnType<typeof jvp<F, H>>;
}
