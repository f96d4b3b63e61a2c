/**
 * fluxion for fp-ts: trees as Functor, Foldable and Traversable, cotangents as a Monoid, differentiable maps as a Category,
 * and the library's functions with errors as values.
 *
 * @packageDocumentation
 */
export { flow, pipe } from "fp-ts/lib/function.js";
export * as cotangent from "./cotangent.js";
export * as diff from "./diff.js";
export * from "./either.js";
export * as tree from "./tree.js";
