/** docs/errors.md tells of every error there is. */
import * as fluxion from "fluxion";
import { FluxionError } from "fluxion";
import { expect, it } from "vitest";
import { readSource } from "./blocks.js";

const page = readSource("docs/errors.md");
type ErrorClass = new (...args: unknown[]) => FluxionError;
const classes = Object.entries(fluxion).filter(
  ([, value]) => typeof value === "function" && value.prototype instanceof FluxionError,
) as [string, ErrorClass][];

it.each(classes)("%s has a section, with its code, and a row in the table", (name, Class) => {
  const { code } = new Class("", {}, {});
  expect(page).toContain(`\n## ${name}\n\nCode \`${code}\`. `);
  expect(page).toMatch(new RegExp(`^\\| \`${code}\` +\\| \\[${name}\\]\\(#${name.toLowerCase()}\\) `, "m"));
});

it("has no section of an error that is not there", () => {
  const sections = [...page.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
  expect([...sections].sort()).toEqual(classes.map(([name]) => name).sort());
});
