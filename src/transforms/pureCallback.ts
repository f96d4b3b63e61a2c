/** `pureCallback`: results of a JavaScript function in a traced program. */
import { NDArray } from "../core/array.js";
import { ArgumentError, ImpureFunctionError } from "../core/errors.js";
import { checkSameStructure, flatten, unflatten } from "../core/tree.js";
import { bindHostFunction, type HostFunction, type VmapMethod, vmapMethods } from "../primitives/callback.js";
import {
  type AnyFunction,
  flattenArrays,
  leafName,
  nameOf,
  requireFunction,
  requireOptions,
} from "./functions.js";
import { ShapeDtype } from "./makeJaxpr.js";

export interface PureCallbackOptions {
  /**
   * What `vmap` makes of the function. `"sequential"`: it is called for each example. `"expandDims"`: it is called once,
   * arguments that are not batched get an axis of length 1 in front. `"broadcastAll"`: it is called once, these are
   * repeated for every example. In the last two, results have the batch axis in front. Default: `vmap` is refused.
   */
  readonly vmapMethod?: VmapMethod;
}

/** The results of a callback: arrays where types were declared. */
export type CallbackResults<R> = R extends NDArray | ShapeDtype
  ? NDArray
  : R extends null | undefined
    ? R
    : { [K in keyof R]: CallbackResults<R[K]> };

/** Functions with the structure of their arguments and results: programs that are the same have the same keys. */
const known = new WeakMap<AnyFunction, Map<string, HostFunction>>();

/**
 * Calls a JavaScript function with the values of arrays when the program runs, and takes what it returns for arrays of
 * the declared types. The function has to be pure: it may be called more or less often than it stands in the program.
 * It runs on the host: a program with such a call compiles for the CPU, and for the GPU not at all.
 *
 * It has no derivative; `customJvp` and `customVjp` give it one.
 *
 * @param f gets the arguments with all arrays concrete. It returns a tree of the structure of `resultShapes`: arrays,
 *   typed arrays (of the dtype's kind, row-major), numbers or booleans for scalars.
 * @param resultShapes a tree of `ShapeDtype`s, or of arrays of these types.
 * @param args trees of arrays and numbers; then, possibly, options with `vmapMethod`.
 * @throws ShapeError or DtypeError (when it runs) for results of other types than were declared; TreeMismatchError for another
 *   structure; NotDifferentiableError under differentiation; ArgumentError under `vmap` without a `vmapMethod`.
 * @example
 * const cube = (x) =>
 *   pureCallback((v) => v.dataSync().map((e) => e ** 3), x, x, { vmapMethod: "expandDims" });
 * jit(cube)(np.array([1, 2])); // [1, 8]
 */
export function pureCallback<R>(
  f: AnyFunction,
  resultShapes: R,
  ...args: readonly unknown[]
): CallbackResults<R> {
  requireFunction(f, "pureCallback");
  const name = `pureCallback(${nameOf(f)})`;
  const [operands, options] = splitOptions(args);
  const vmapMethod = options.vmapMethod ?? null;
  if (vmapMethod !== null && !vmapMethods.includes(vmapMethod))
    throw new ArgumentError(
      `${name}: vmapMethod must be one of ${vmapMethods.join(", ")}, got ${JSON.stringify(vmapMethod)}`,
    );
  const { arrays, treedef } = flattenArrays(operands, `the arguments of ${name}`);
  const declared = flatten(resultShapes as object);
  const types = (declared.leaves as unknown[]).map((leaf, i) => {
    if (!(leaf instanceof ShapeDtype || leaf instanceof NDArray) || leaf.dtype === "float0")
      throw new ArgumentError(
        `${leafName(`the result shapes of ${name}`, declared.treedef, i)} must be a ShapeDtype or an array`,
      );
    return { shape: leaf.shape, dtype: leaf.dtype };
  });
  let byStructure = known.get(f);
  if (byStructure === undefined) {
    byStructure = new Map();
    known.set(f, byStructure);
  }
  const key = `${treedef.key} ${declared.treedef.key}`;
  let found = byStructure.get(key);
  if (found === undefined) {
    found = {
      name,
      operands: arrays.length,
      results: types.map((_, i) => leafName("the result", declared.treedef, i)),
      run: (given) => {
        const returned = f(...unflatten<unknown[]>(treedef, given));
        if (returned instanceof Promise) {
          // What becomes of it is nobody's business any more: only this error is to be seen.
          returned.catch(() => {});
          throw new ImpureFunctionError(
            `${name}: the function returned a promise; programs do not wait for one`,
          );
        }
        const { leaves, treedef: own } = flatten(returned as object);
        checkSameStructure(
          declared.treedef,
          own,
          `${name}: the result must have the structure of the result shapes`,
        );
        return leaves;
      },
    };
    byStructure.set(key, found);
  }
  return unflatten(
    declared.treedef,
    bindHostFunction(found, arrays, types, vmapMethod),
  ) as CallbackResults<R>;
}

/** Arguments and options. An object of options is not an argument: the name of a method is no array. */
function splitOptions(args: readonly unknown[]): [readonly unknown[], PureCallbackOptions] {
  const last = args.at(-1);
  if (typeof last !== "object" || last === null || !Object.hasOwn(last, "vmapMethod")) return [args, {}];
  if ((last as { vmapMethod: unknown }).vmapMethod instanceof Object) return [args, {}];
  requireOptions(last, ["vmapMethod"], "pureCallback");
  return [args.slice(0, -1), last as PureCallbackOptions];
}
