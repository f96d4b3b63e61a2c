/** What the pages point at is there: files, headings, npm scripts. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow, pages, readSource, root } from "./blocks.js";

/** A heading as GitHub spells its anchor. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");

const anchors = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map((match) => anchor(match[1]));

const withoutCode = (text: string): string => text.replace(/^ *```[\s\S]*?^ *```/gm, "");

const { scripts } = JSON.parse(readSource("package.json")) as { scripts: Record<string, string> };

describe.each(pages())("%s", (page) => {
  const text = readSource(page);

  it("links to files and headings that exist", () => {
    const broken = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1])
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => {
        const [path, heading] = link.split("#");
        const target = path === "" ? page : normalize(join(dirname(page), path));
        if (!existsSync(join(root, target))) return true;
        return heading !== undefined && !anchors(withoutCode(readSource(target))).includes(heading);
      });
    expect(broken).toEqual([]);
  });

  it("names files that exist", () => {
    const missing = [...withoutCode(text).matchAll(/`((?:src|test|docs|\.ci)\/[\w./-]+)`/g)]
      .map((match) => match[1])
      .filter((path) => !existsSync(join(root, path)));
    expect(missing).toEqual([]);
  });

  it("names npm scripts that exist", () => {
    const named = [...text.matchAll(/\bnpm (?:run ([\w:]+)|(start|test)\b)/g)].map(
      (match) => match[1] ?? match[2],
    );
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
  });
});

it("the index lists every page of docs", () => {
  const index = readSource("docs/README.md");
  const unlisted = filesBelow("docs", ".md").filter(
    (page) => page !== "docs/README.md" && !index.includes(`(${page.slice("docs/".length)})`),
  );
  expect(unlisted).toEqual([]);
});

it("the page on errors has every class with its code", () => {
  const page = readSource("docs/errors.md");
  const source = readSource("src/core/errors.ts");
  const classes = [...source.matchAll(/class (\w+) extends FluxionError \{[\s\S]*?super\("([\w-]+)"/g)];
  expect(classes.length).toBeGreaterThan(10);
  const missing = classes.filter(
    ([, name, code]) => !new RegExp(`\\b${name}\\b[^]{0,40}[Cc]ode \`${code}\``).test(page),
  );
  expect(missing.map(([, name]) => name)).toEqual([]);
});

it("the design draws the folders of src that there are", () => {
  const layout = readSource("docs/design.md").split("## 8.")[1].split("To come")[0];
  const drawn = [...layout.matchAll(/^ {6}((?:\w+\/ ?)+)/gm)].flatMap(
    (match) => match[1].match(/\w+/g) ?? [],
  );
  const folders = readdirSync(join(root, "src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  expect(drawn.sort()).toEqual(folders.sort());
});

it("README gives the command that CI runs", () => {
  const command = readSource(".ci/run").trim().split("\n").at(-1) as string;
  expect(readSource("README.md")).toContain(command);
});
