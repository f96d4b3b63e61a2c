/**
 * The library's functions as values that may fail: `Either` where a program can be wrong, `TaskEither` where a device
 * can. Only fluxion's own errors are caught; what a user's function throws passes through.
 */
import { type Either, left, right } from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { NDArray } from "../core/array.js";
import type { TypedArray } from "../core/dtype.js";
import { FluxionError } from "../core/errors.js";
import type { ClosedJaxpr } from "../core/jaxpr.js";
import { grad, valueAndGrad } from "../transforms/grad.js";
import { type AbstractArgs, evalShape, makeJaxpr, type ShapeTree } from "../transforms/makeJaxpr.js";
import type { Fn, ScalarFn } from "../transforms/types.js";

export { checkJaxpr } from "../core/check.js";
export { parseJaxpr } from "../primitives/registry.js";

/**
 * Runs a computation; a typed error of the library becomes a `left`.
 * @example
 * const failed = attempt(() => np.add(np.ones([2]), np.ones([3])));
 * isLeft(failed) && failed.left.name; // "ShapeError"
 */
export function attempt<A>(compute: () => A): Either<FluxionError, A> {
  try {
    return right(compute());
  } catch (error) {
    if (error instanceof FluxionError) return left(error);
    throw error;
  }
}

/** A function whose errors are values. */
export const safely =
  <A extends readonly unknown[], B>(f: (...args: A) => B): ((...args: A) => Either<FluxionError, B>) =>
  (...args) =>
    attempt(() => f(...args));

/** `makeJaxpr` that gives an error as a value. */
export const makeJaxprE =
  <F extends Fn>(f: F): ((...args: AbstractArgs<F>) => Either<FluxionError, ClosedJaxpr>) =>
  (...args) =>
    attempt(() => makeJaxpr(f)(...args));

/** `evalShape` that gives an error as a value. */
export const evalShapeE = <F extends Fn>(
  f: F,
  ...args: AbstractArgs<F>
): Either<FluxionError, ShapeTree<ReturnType<F>>> => attempt(() => evalShape(f, ...args));

/** `grad` that gives an error as a value. */
export const gradE = <F extends ScalarFn>(f: F) => safely(grad(f));

/** `valueAndGrad` that gives an error as a value. */
export const valueAndGradE = <F extends ScalarFn>(f: F) => safely(valueAndGrad(f));

/** The elements of an array, once the device has them. */
export const data =
  (x: NDArray): TaskEither<FluxionError, TypedArray> =>
  async () => {
    try {
      return right(await x.data());
    } catch (error) {
      if (error instanceof FluxionError) return left(error);
      throw error;
    }
  };
