/** The pictures of the pages are what their code gives today. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { graphs } from "../../../docs/pictures/graphs.js";
import { plots } from "../../../docs/pictures/plots.js";
import { markdownBlocks, readSource, root } from "../../docs/blocks.js";
import { runBlock } from "../../docs/run.js";

const committed = (name: string): string => readFileSync(join(root, `docs/pictures/${name}.svg`), "utf8");

it.each(Object.entries({ ...graphs, ...plots }))(
  "%s.svg is up to date (npm run docs:pictures)",
  async (name, draw) => {
    expect(await draw()).toBe(committed(name));
  },
);

describe("docs/graphs.md", () => {
  const page = readSource("docs/graphs.md");
  const shown = [...page.matchAll(/\]\(pictures\/([\w-]+)\.svg\)/g)].map(([, name]) => name);

  it("shows every graph that is drawn", () => {
    expect([...shown].sort()).toEqual(Object.keys(graphs).sort());
  });

  it("gives the very pictures that it shows", async () => {
    const [block] = markdownBlocks("docs/graphs.md", page);
    const names = [...block.code.matchAll(/^const (\w+)Svg = /gm)].map(([, name]) => name);
    const given = new Map<string, string>();
    const keep = (name: string, svg: string): void => void given.set(name, svg);
    const code = `${block.code}\n${names.map((name) => `keep("${name}", ${name}Svg);`).join("\n")}`;
    await runBlock({ ...block, code }, { keep });
    const kebab = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    for (const [name, svg] of given) expect(svg, name).toBe(committed(kebab(name)));
    // The large one names lines of code, which are others here.
    expect([...given.keys()].map(kebab)).toEqual(shown.filter((name) => name !== "large"));
  });
});
