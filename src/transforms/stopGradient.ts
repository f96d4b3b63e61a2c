/** `stopGradient` for trees: what differentiation of any order takes for a constant. */
import { NDArray, weakScalar } from "../core/array.js";
import { map } from "../core/tree.js";
import { stopGradient as stop } from "../primitives/cast.js";
import type { ArrayTree } from "./types.js";

/**
 * The values of a tree of arrays, taken for constants by differentiation: their tangent is zero, forwards and
 * backwards, at every order.
 *
 * @param tree a tree of float arrays, numbers and anything else; what has no derivative is handed through.
 * @returns a tree of the same structure, shapes and dtypes.
 * @example
 * grad((x) => x.mul(stopGradient(x)))(1.5); // 1.5
 */
export const stopGradient = <T>(tree: T): ArrayTree<T> =>
  map((leaf: unknown) => {
    if (leaf instanceof NDArray) return stop(leaf);
    return typeof leaf === "number" || typeof leaf === "boolean" ? weakScalar(leaf) : leaf;
  }, tree as unknown) as ArrayTree<T>;
