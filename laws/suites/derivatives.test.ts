/** The laws of derivatives, on one function of each kind. */
import { describe, expect, it } from "vitest";
import type { Law } from "../law.js";
import { generator, type Point, smoothPart } from "../point.js";
import { smoothFunction, typesOf } from "../smooth.js";
import * as category from "../statements/category.js";
import * as duality from "../statements/duality.js";
import * as jacobian from "../statements/jacobian.js";
import * as linearity from "../statements/linearity.js";
import * as second from "../statements/second.js";
import * as sparsity from "../statements/sparsity.js";
import * as values from "../statements/values.js";
import { pointOf, specimens } from "./functions.js";

const laws: readonly Law<Point>[] = [
  ...values.functionLaws,
  ...linearity.functionLaws,
  ...duality.functionLaws,
  ...jacobian.functionLaws,
  ...sparsity.functionLaws,
  ...second.functionLaws,
  ...category.functionLaws,
];

/** Where a law has nothing to say. */
const silent: Readonly<Record<string, readonly string[]>> = {
  "jvp agrees with finite differences": ["half precision"],
  "jvp of jvp agrees with finite differences": ["half precision"],
  "jacfwd is jacrev": ["no elements"],
  "columns of the Jacobian": ["no elements"],
  "rows of the Jacobian": ["no elements"],
  "the pattern covers the Jacobian": ["no elements"],
};

describe.each(laws.map((l) => [l.name, l] as const))("%s", (name, { check }) => {
  it.each(Object.entries(specimens))("holds for %s", (kind, specimen) => {
    for (const seed of [1, 2]) {
      const verdict = check(pointOf(specimen, seed));
      const wanted = silent[name]?.includes(kind) ? "abstains" : "holds";
      expect(verdict.kind, JSON.stringify(verdict)).toBe(wanted);
    }
  });
});

describe.each(category.pairLaws.map((l) => [l.name, l] as const))("%s", (_, { check }) => {
  it.each(Object.entries(specimens))("holds for something smooth after %s", (_, specimen) => {
    const part = smoothPart(pointOf(specimen, 1));
    if (part === undefined) throw new Error("every specimen has a smooth part");
    const { f, xs, v, u } = part;
    const types = typesOf(f(...xs));
    const g = smoothFunction(types, types, generator(5));
    expect(check({ f, g, xs, v, u })).toEqual({ kind: "holds" });
  });
});
