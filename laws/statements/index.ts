/** All laws, by what they are about. */
import type { LinearCase, Pair, PrimitiveCase } from "../cases.js";
import type { ValueLaw } from "../given.js";
import type { Law } from "../law.js";
import type { Point } from "../point.js";
import * as batching from "./batching.js";
import * as category from "./category.js";
import * as compiling from "./compiling.js";
import * as cotangents from "./cotangents.js";
import * as duality from "./duality.js";
import * as jacobian from "./jacobian.js";
import * as linearity from "./linearity.js";
import * as passes from "./passes.js";
import * as records from "./records.js";
import * as second from "./second.js";
import * as sparsity from "./sparsity.js";
import * as trees from "./trees.js";
import * as types from "./types.js";
import * as values from "./values.js";

/** Laws of a function at a point. */
export const functionLaws: readonly Law<Point>[] = [
  ...types.functionLaws,
  ...values.functionLaws,
  ...linearity.functionLaws,
  ...duality.functionLaws,
  ...jacobian.functionLaws,
  ...sparsity.functionLaws,
  ...second.functionLaws,
  ...batching.functionLaws,
  ...compiling.functionLaws,
  ...passes.functionLaws,
  ...category.functionLaws,
];

/** Laws of two functions that compose. */
export const pairLaws: readonly Law<Pair>[] = category.pairLaws;

/** Laws of linear functions. */
export const linearLaws: readonly Law<LinearCase>[] = duality.linearLaws;

/** Laws that a primitive's record keeps, beside those of the function that applies it. */
export const primitiveLaws: readonly Law<PrimitiveCase>[] = records.primitiveLaws;

/** Laws of values that are no functions, with what they are tried on. */
export const valueLaws: readonly ValueLaw[] = [...trees.valueLaws, ...cotangents.valueLaws];
