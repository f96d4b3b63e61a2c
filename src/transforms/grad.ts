/** `grad` and `valueAndGrad`: derivatives of scalar functions, in the shape of their parameters. */
import { scalar } from "../core/array.js";
import { unflatten } from "../core/tree.js";
import {
  asDifferentiable,
  callerOf,
  flattenArrays,
  leafName,
  nameOf,
  requireFloat,
  requireFunction,
  requireOptions,
  requireScalar,
  resolveArgnums,
  traceFunction,
} from "./functions.js";
import { linearizeTraced, pullback } from "./linearize.js";
import type { Argnums, ArrayTree, Aux, Fn, Gradients, HasAux, Result, ScalarFn } from "./types.js";

export interface GradOptions<F extends Fn, N, H> {
  /** Which arguments to differentiate by: a position or a list of positions; negative ones count from the end. Default 0. */
  readonly argnums?: N;
  /** The function returns [value, aux]; aux is handed through, not differentiated. */
  readonly hasAux?: HasAux<F, H>;
}

/**
 * The gradient of a scalar function, by reverse mode: one pass whatever the number of parameters.
 *
 * @param f a function of trees of arrays whose value is a float scalar of shape ().
 * @param options `argnums`, `hasAux`.
 * @returns a function of the same arguments that gives the gradient, with the structure, shapes, dtypes and TypeScript
 *   type of the differentiated argument (a list of them for a list of argnums); with `hasAux` it gives [gradient, aux].
 * @throws NonScalarOutputError if the value is not a scalar, NotDifferentiableError for integer arguments.
 * @example
 * grad((x) => x.mul(x))(3); // 6
 * grad((p, x) => np.sum(p.w.mul(x)))({ w: np.ones([2]) }, np.array([1, 2])); // { w: [1, 2] }
 */
export function grad<F extends ScalarFn, const N extends Argnums<F> = 0, H extends boolean = false>(
  f: F,
  options?: GradOptions<F, N, H>,
): (
  ...args: Parameters<F>
) => H extends true ? [Gradients<Parameters<F>, N>, Aux<F>] : Gradients<Parameters<F>, N> {
  requireFunction(f, "grad");
  const run = gradient(f, "grad", options, false);
  return ((...args: unknown[]) => {
    const { gradients, aux } = run(args);
    return options?.hasAux ? [gradients, aux] : gradients;
  }) as ReturnType<typeof grad<F, N, H>>;
}

/**
 * `grad` that gives the value as well, for the price of the gradient alone.
 *
 * @returns a function that gives [value, gradient], or with `hasAux` [[value, aux], gradient].
 * @example
 * valueAndGrad((x) => x.mul(x))(3); // [9, 6]
 */
export function valueAndGrad<F extends ScalarFn, const N extends Argnums<F> = 0, H extends boolean = false>(
  f: F,
  options?: GradOptions<F, N, H>,
): (
  ...args: Parameters<F>
) => H extends true
  ? [[ArrayTree<Result<F, true>>, Aux<F>], Gradients<Parameters<F>, N>]
  : [ArrayTree<ReturnType<F>>, Gradients<Parameters<F>, N>] {
  requireFunction(f, "valueAndGrad");
  const run = gradient(f, "valueAndGrad", options, true);
  return ((...args: unknown[]) => {
    const { value, gradients, aux } = run(args);
    return [options?.hasAux ? [value, aux] : value, gradients];
  }) as ReturnType<typeof valueAndGrad<F, N, H>>;
}

interface AnyOptions {
  readonly argnums?: unknown;
  readonly hasAux?: unknown;
}

function gradient(f: Fn, what: string, options: AnyOptions = {}, wantValue: boolean) {
  requireOptions(options, ["argnums", "hasAux"], what);
  const label = `${what}(${nameOf(f)})`;
  const argnums = (options.argnums ?? 0) as number | readonly number[];
  return (args: readonly unknown[]) => {
    const calledAt = callerOf();
    const positions = resolveArgnums(argnums, args.length, label);
    const where = `argument ${positions.join(", ")} of ${label}`;
    const { arrays, treedef } = flattenArrays(
      positions.map((i) => args[i]),
      where,
    );
    const values = arrays.map(asDifferentiable);
    for (let i = 0; i < values.length; i++) requireFloat(values[i], () => leafName(where, treedef, i), what);
    const traced = traceFunction(
      { name: label, valuesOnDemand: true, calledAt },
      values.map((x) => x.aval),
      (inputs) => {
        const chosen = unflatten<unknown[]>(treedef, inputs);
        const all = args.slice();
        for (let k = 0; k < positions.length; k++) all[positions[k]] = chosen[k];
        return f(...all);
      },
      values,
      { hasAux: options.hasAux === true, floatResult: true },
    );
    const outAvals = traced.closed.outAvals.slice(0, traced.resultCount);
    requireScalar(outAvals, traced.outTree, label);
    const { outputs, aux, map } = linearizeTraced(traced, values, wantValue);
    const seed = scalar(1, outAvals[0].dtype, outAvals[0].weakType);
    const gradients = unflatten<unknown[]>(treedef, pullback(map, [seed]));
    return {
      value: wantValue ? unflatten(traced.outTree, outputs) : undefined,
      gradients: typeof argnums === "number" ? gradients[0] : gradients,
      aux: traced.rebuildAux(aux),
    };
  };
}
