/**
 * The registry of primitives as users look into it. A program that names a few primitives needs no others, and its bundler
 * drops them; one that can ask for any by name needs all of them, so the functions here name them all.
 */
import type { Either } from "fp-ts/lib/Either.js";
import type { JaxprParseError } from "../core/errors.js";
import { type ParsedJaxpr, parseJaxpr as parse } from "../core/parse.js";
import { findPrimitive as find, type Primitive, primitives as registered } from "../core/primitive.js";
import * as all from "./index.js";

/** Bundlers keep what is read, and cannot know that here the reading is all that is wanted. */
const keepAll = (): unknown => Object.keys(all);

export function findPrimitive(name: string): Primitive | undefined {
  keepAll();
  return find(name);
}

/** All registered primitives, in the order of their definition. */
export function primitives(): readonly Primitive[] {
  keepAll();
  return registered();
}

/**
 * Reads the text of a jaxpr, as `printJaxpr` writes it. Primitives must have been defined.
 *
 * Numbers are rounded to the dtype of the literal; names of variables are forgotten. The types of all outputs must be
 * those that the type rules give.
 *
 * @returns the jaxpr, or an error that says what is wrong and where: `offset` from 0, `line` and `column` from 1.
 * @example
 * const parsed = parseJaxpr("{ lambda ; x:f32[3]. let y:f32[3] = mul x 2.0 in (y,) }");
 * isRight(parsed) && evalJaxpr(parsed.right.jaxpr, np.array([1, 2, 3.5])); // [[2, 4, 7]]
 */
export function parseJaxpr(text: string): Either<JaxprParseError, ParsedJaxpr> {
  keepAll();
  return parse(text);
}
