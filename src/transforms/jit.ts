/**
 * `jit`: traces a function once for each type of its arguments and turns every call into one equation that holds the
 * jaxpr. Transforms of the call rewrite that jaxpr; devices compile it.
 */
import { NDArray } from "../core/array.js";
import { showAval } from "../core/aval.js";
import { ArgumentError } from "../core/errors.js";
import { unflatten } from "../core/tree.js";
import { bindCall } from "../primitives/call.js";
import {
  leafName,
  nameOf,
  requireFunction,
  requireOptions,
  type TracedFunction,
  toArray,
  traceFunction,
} from "./functions.js";
import { abstractCall } from "./makeJaxpr.js";
import type { Argnums, ArrayTree, Fn } from "./types.js";

export interface JitOptions<F extends Fn = Fn> {
  /**
   * Arguments that are compile-time constants: the function is traced anew for each value. They may be strings, numbers,
   * booleans, null, or objects and functions (compared by identity).
   */
  readonly staticArgnums?: Argnums<F>;
}

/** A jitted function has the signature of the original, with arrays for numbers in its result. */
export type Jitted<F extends Fn> = (...args: Parameters<F>) => ArrayTree<ReturnType<F>>;

const objectIds = new WeakMap<object, number>();
const symbolIds = new Map<symbol, number>();
let nextId = 0;

/** A number for this very object or symbol. */
function identity<K>(
  ids: { get(key: K): number | undefined; set(key: K, id: number): unknown },
  key: K,
): string {
  let id = ids.get(key);
  if (id === undefined) {
    id = nextId++;
    ids.set(key, id);
  }
  return `#${id}`;
}

/** A key for a static argument: primitives by value, objects, functions and symbols by identity. */
function staticKey(value: unknown): string {
  if (value instanceof NDArray)
    throw new ArgumentError(
      "jit: a static argument cannot be an array; arrays are traced, so leave it out of staticArgnums",
    );
  if ((typeof value === "object" && value !== null) || typeof value === "function")
    return identity<object>(objectIds, value);
  if (typeof value === "symbol") return identity(symbolIds, value);
  // Quoted, so that no text can look like the end of one argument and the beginning of the next.
  if (typeof value === "string") return JSON.stringify(value);
  return `${typeof value}:${Object.is(value, -0) ? "-0" : String(value)}`;
}

/** A trace that closed over tracers of an outer function is good only while that function is being traced. */
const stillValid = (traced: TracedFunction): boolean => [...traced.outer].every((t) => t.owner.live);

/**
 * Makes a function run as one compiled program.
 *
 * @param f a pure function of trees of arrays. It is called once for each combination of argument structure, shapes,
 *   dtypes and weak types, and of static arguments; afterwards the recorded program runs.
 * @param options `staticArgnums`.
 * @throws ConcretizationError (when called) if `f` asks for the value of an array it is given.
 * @example
 * const step = jit((w, g) => w.sub(g.mul(0.1)));
 * step(np.array([1, 2]), np.array([1, 1])); // [0.9, 1.9]
 */
export function jit<F extends Fn>(f: F, options: JitOptions<F> = {}): Jitted<F> {
  requireFunction(f, "jit");
  requireOptions(options, ["staticArgnums"], "jit");
  const label = `jit(${nameOf(f)})`;
  const cache = new Map<string, TracedFunction>();

  const jitted = (...args: unknown[]) => {
    const { avals, call, leaves, treedef, fixed } = abstractCall(f, args, label, options);
    let key = treedef.key;
    for (const type of avals) key += `;${showAval(type)}`;
    for (const i of fixed) key += `|${i}=${staticKey(args[i])}`;
    let traced = cache.get(key);
    if (traced === undefined || !stillValid(traced)) {
      traced = traceFunction({ name: label }, avals, call, undefined);
      cache.set(key, traced);
    }
    const { closed, outTree } = traced;
    const inputs = leaves.map((leaf, i) =>
      toArray(leaf, () => leafName(`the arguments of ${label}`, treedef, i)),
    );
    return unflatten(outTree, bindCall(closed.jaxpr, nameOf(f), [...closed.consts, ...inputs]));
  };
  Object.defineProperty(jitted, "name", { value: nameOf(f) });
  return jitted as Jitted<F>;
}
