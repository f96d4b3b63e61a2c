/** `tidy`: the memory of everything that a function made and did not return, given back when it ends. */
import { ConcreteArray, type NDArray } from "../core/array.js";
import { ImpureFunctionError } from "../core/errors.js";
import { collecting } from "../core/lifetime.js";
import { leaves } from "../core/tree.js";

/**
 * Runs a function and disposes of every array that a device computed meanwhile, except those in the result (a tree).
 * Arrays that were there before are not touched. Scopes nest.
 *
 * @param body a synchronous function.
 * @returns what `body` returns.
 * @throws ImpureFunctionError if `body` returns a promise: what it makes later could not be told from what others make.
 * @example
 * const norm = tidy(() => {
 *   const x = np.arange(100000).astype("float32");
 *   return np.sqrt(np.sum(x.mul(x))); // x and x·x are gone, the norm stays
 * });
 */
export function tidy<R>(body: () => R): R {
  const { result, rest } = collecting(body, (r) => (isPromise(r) ? [] : arraysIn(r)));
  for (const x of rest) x.dispose();
  if (isPromise(result))
    throw new ImpureFunctionError(
      "tidy: the function returned a promise; it must do its work before it returns",
    );
  return result;
}

const isPromise = (x: unknown): x is PromiseLike<unknown> =>
  typeof x === "object" && x !== null && typeof (x as { then?: unknown }).then === "function";

const arraysIn = (tree: unknown): NDArray[] =>
  (leaves(tree as never) as unknown[]).filter((x): x is ConcreteArray => x instanceof ConcreteArray);
