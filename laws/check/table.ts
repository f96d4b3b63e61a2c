/** The laws as a table of Markdown, for the guide. */
import type { Law } from "../law.js";
import { linearLaws, pairLaws, primitiveLaws, valueLaws } from "../statements/index.js";
import { topics } from "./order.js";

/** A bar would end the cell. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replace(/\s+/g, " ");

type Stated = Pick<Law<never>, "name" | "statement" | "source">;

const section = (title: string, laws: readonly Stated[]): string =>
  [
    `### ${title}`,
    "",
    "| law | statement | source |",
    "| --- | --- | --- |",
    ...laws.map((law) => `| ${cell(law.name)} | ${cell(law.statement)} | ${cell(law.source)} |`),
  ].join("\n");

/** All laws, what they are about in the order in which a failure is reported, each with its statement and source. */
export function lawTable(): string {
  const ofFunctions = topics
    .filter(([topic]) => topic !== "chain rule")
    .map(([topic, laws]) => section(`Of functions: ${topic}`, laws));
  return [
    ...ofFunctions,
    section("Of two functions", pairLaws),
    section("Of linear functions", linearLaws),
    section("Of the records of primitives", primitiveLaws),
    section(
      "Of trees and cotangents",
      valueLaws.map(({ law }) => law),
    ),
  ].join("\n\n");
}
