/**
 * In which order laws are tried. One fault breaks several laws; the first of this order that fails says most about it: a
 * wrong type before a wrong number, a wrong derivative before what follows from it.
 */
import type { Law } from "../law.js";
import type { Point } from "../point.js";
import * as batching from "../statements/batching.js";
import * as category from "../statements/category.js";
import * as compiling from "../statements/compiling.js";
import * as duality from "../statements/duality.js";
import { functionLaws } from "../statements/index.js";
import * as jacobian from "../statements/jacobian.js";
import * as linearity from "../statements/linearity.js";
import * as passes from "../statements/passes.js";
import * as second from "../statements/second.js";
import * as sparsity from "../statements/sparsity.js";
import * as types from "../statements/types.js";
import * as values from "../statements/values.js";
import { pointLawsOfPairs } from "./pairs.js";

/** What a law is about, for choosing and for the table of the guide. */
export type Topic =
  | "types"
  | "values"
  | "duality"
  | "linearity"
  | "batching"
  | "compiling"
  | "passes"
  | "Jacobians"
  | "second order"
  | "category"
  | "chain rule";

export const topics: readonly (readonly [Topic, readonly Law<Point>[]])[] = [
  ["types", types.functionLaws],
  ["values", values.functionLaws],
  ["duality", duality.functionLaws],
  ["linearity", linearity.functionLaws],
  ["batching", batching.functionLaws],
  ["compiling", compiling.functionLaws],
  ["passes", passes.functionLaws],
  ["Jacobians", [...jacobian.functionLaws, ...sparsity.functionLaws]],
  ["second order", second.functionLaws],
  ["category", category.functionLaws],
  ["chain rule", pointLawsOfPairs],
];

const topicOfLaw = new Map(topics.flatMap(([topic, laws]) => laws.map((law) => [law, topic] as const)));

/** The laws of a function at a point, the most telling first; those of pairs as laws of the function amid others. */
export const orderedLaws: readonly Law<Point>[] = [
  ...topics.flatMap(([, laws]) => laws),
  // A law of a file that has no row above is still a law.
  ...functionLaws.filter((law) => !topicOfLaw.has(law)),
];

export const topicOf = (law: Law<Point>): Topic | undefined => topicOfLaw.get(law);

/** Whether a law is about derivatives: those of a function that has none say nothing. */
export const isAboutDerivatives = (law: Law<Point>): boolean =>
  !["types", "batching", "compiling", "passes"].includes(topicOf(law) ?? "");

/**
 * Whether a law says something of its own at every point: that a derivative is right. The others say that transforms get along
 * with each other, which hardly depends on where, takes longer, and is tried on fewer points.
 */
export const isAboutPoints = (law: Law<Point>): boolean =>
  ["types", "values", "duality"].includes(topicOf(law) ?? "values");
