/**
 * `checkpoint`: a function whose intermediate values reverse mode does not keep, or not all. What it needs of them, it
 * computes again when the cotangent arrives.
 */
import { NDArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import { internJaxpr } from "../core/intern.js";
import { bind, currentTrace } from "../core/trace.js";
import { map, unflatten } from "../core/tree.js";
import { type CheckpointParams, checkpointParams, checkpointPrimitive } from "../primitives/checkpoint.js";
import { bindName } from "../primitives/checkpointName.js";
import type { CheckpointPolicy } from "../primitives/checkpointPolicies.js";
import { leafName, nameOf, requireFunction, requireOptions, toArray, traceFunction } from "./functions.js";
import { abstractCall } from "./makeJaxpr.js";
import type { Argnums, ArrayTree, Fn } from "./types.js";

/** What to store; at most one of the two. */
export interface StorageOptions {
  /**
   * Which values are stored: one of `checkpointPolicies`, or any predicate. Default: none. It is asked once for each program, so it
   * must not depend on anything that changes; a function that is made anew for each call is another policy each time.
   */
  readonly policy?: CheckpointPolicy | undefined;
  /**
   * Room for stored values, in bytes: the library chooses which, so that as few operations as possible are paid again. Arguments
   * of the function are there anyway and do not count. Under `vmap` it is the room for all examples together; each further
   * order of differentiation has as much again.
   */
  readonly budgetBytes?: number | undefined;
}

export interface CheckpointOptions<F extends Fn = Fn> extends StorageOptions {
  /**
   * Whether compiled programs must not find out that they compute things twice. Default true; false where something else
   * sees to it, such as a loop around the function.
   */
  readonly preventCse?: boolean | undefined;
  /** Arguments that are not traced: they may be anything. */
  readonly staticArgnums?: Argnums<F> | undefined;
}

/** Reads what is to be stored. */
export function readStorage(
  { policy, budgetBytes }: StorageOptions,
  what: string,
): Pick<CheckpointParams, "policy" | "budget"> {
  if (policy !== undefined && typeof policy !== "function")
    throw new ArgumentError(
      `${what}: a policy is a function, such as those of checkpointPolicies, got ${policy === null ? "null" : typeof policy}`,
    );
  if (budgetBytes !== undefined && !(typeof budgetBytes === "number" && budgetBytes >= 0))
    throw new ArgumentError(
      `${what}: budgetBytes must be a number of bytes, 0 or more, got ${String(budgetBytes)}`,
    );
  if (policy !== undefined && budgetBytes !== undefined)
    throw new ArgumentError(`${what}: give either a policy or budgetBytes; both say what is stored`);
  const budget = budgetBytes === undefined ? undefined : Math.min(budgetBytes, Number.MAX_SAFE_INTEGER);
  return { policy, budget };
}

/**
 * A function that computes the same as `f`, and whose reverse mode stores less: nothing but the arguments (and arrays that `f`
 * closes over), unless `policy` or `budgetBytes` say otherwise. The rest is computed again on the way back, by the same operations
 * on the same values, so that gradients are those of `jit(f)` to the last bit. Values, forward mode and `vmap` cost what they
 * cost without it. Effects such as `debug.print` happen once.
 *
 * `f` is traced at every call. It may ask for values where it is not under `jit` or `vmap`.
 *
 * @param f a pure function of trees of arrays.
 * @param options `policy`, `budgetBytes`, `preventCse`, `staticArgnums`.
 * @throws ArgumentError for options that make no sense, such as a negative budget; when a gradient is taken also if what
 *   operations with effects give, which is always stored, exceeds the budget.
 * @see Griewank and Walther, Evaluating Derivatives, ch. 12.
 * @example
 * const block = (w, x) => np.tanh(np.tanh(x.matmul(w)).matmul(w));
 * const loss = (f) => (w) => f(w, np.ones([1, 2])).sum();
 * const w = np.array([[1, 0], [0, 0.5]]);
 * savedResiduals(loss(block), w).residuals.length; // 5
 * savedResiduals(loss(checkpoint(block)), w).residuals.length; // 2
 * grad(loss(checkpoint(block)))(w); // [[0.6945, 1.0953], [0.5185, 0.8113]]
 */
export function checkpoint<F extends Fn>(
  f: F,
  options: CheckpointOptions<F> = {},
): (...args: Parameters<F>) => ArrayTree<ReturnType<F>> {
  requireFunction(f, "checkpoint");
  requireOptions(options, ["policy", "budgetBytes", "preventCse", "staticArgnums"], "checkpoint");
  const name = nameOf(f);
  const label = `checkpoint(${name})`;
  const { preventCse = true, staticArgnums = [] } = options;
  if (typeof preventCse !== "boolean")
    throw new ArgumentError(`${label}: preventCse must be true or false, got ${String(preventCse)}`);
  const params = checkpointParams({ ...readStorage(options, label), preventCse });
  const checkpointed = (...args: Parameters<F>): unknown => {
    const { avals, call, leaves, treedef } = abstractCall(f, args, label, {
      staticArgnums,
    } as CheckpointOptions);
    const inputs = leaves.map((leaf, i) =>
      toArray(leaf, () => leafName(`the arguments of ${label}`, treedef, i)),
    );
    const { closed, outTree } = traceFunction(
      // Lines of operations are wanted where the function around is recorded with them.
      { name: label, valuesOnDemand: true, sources: currentTrace()?.sources ?? "call" },
      avals,
      call,
      inputs,
    );
    const jaxpr = internJaxpr(closed.jaxpr);
    return unflatten(
      outTree,
      bind(checkpointPrimitive, [...closed.consts, ...inputs], { jaxpr, name, ...params }),
    );
  };
  Object.defineProperty(checkpointed, "name", { value: name });
  return checkpointed as (...args: Parameters<F>) => ArrayTree<ReturnType<F>>;
}

/**
 * The same tree of arrays under a name, which policies of `checkpoint` can ask for and `savedResiduals` shows. It changes
 * nothing else.
 *
 * @param tree a tree of arrays and numbers; every array gets the name.
 * @throws ArgumentError if the name is not a string, or a leaf is no array or number.
 * @example
 * const f = (x) => checkpointName(x.sin(), "hidden").sin().sum();
 * const policy = checkpointPolicies.saveOnlyTheseNames("hidden");
 * String(savedResiduals(checkpoint(f, { policy }), np.ones([3])));
 * // bytes  type        what
 * //    12  float32[3]  output of sin "hidden" (at model.ts:1:40)
 * //    12  float32[3]  argument 0
 * //    24              in 2 arrays
 */
export function checkpointName<T>(tree: T, name: string): ArrayTree<T> {
  if (typeof name !== "string")
    throw new ArgumentError(`checkpointName takes a name as its second argument, got ${typeof name}`);
  return map(
    (leaf: unknown) =>
      bindName(leaf instanceof NDArray ? leaf : toArray(leaf, () => "the argument of checkpointName"), name),
    tree as unknown,
  ) as ArrayTree<T>;
}
