/** The pieces of code that documentation shows: fenced `ts` blocks of Markdown, and `@example`s of doc comments. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Block {
  /** Relative to the root of the repository. */
  readonly file: string;
  /** The line of the file on which `code` begins, from 1. */
  readonly line: number;
  readonly code: string;
}

/** Files below a folder whose name ends in `end`, relative to the root, in alphabetical order. */
export function filesBelow(folder: string, end: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(end))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"))
    .sort();
}

export const readSource = (file: string): string => readFileSync(join(root, file), "utf8");

/** The pages that users read. */
export const pages = (): string[] => ["README.md", "CONTRIBUTING.md", ...filesBelow("docs", ".md")];

/**
 * The `ts` blocks of a page. A block fenced as `ts continued` goes on where the block before it ended: the two come
 * back as one, with empty lines for what stands between them, so that line numbers hold.
 */
export function markdownBlocks(file: string, text: string): Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  for (let i = 0; i < lines.length; i++) {
    const fence = /^( *)(`{3,})(\S*)(.*)$/.exec(lines[i]);
    if (fence === null) continue;
    const [, indent, ticks, language, mark] = fence;
    const start = i + 1;
    const end = lines.findIndex((line, k) => k >= start && line.trim() === ticks);
    if (end < 0) throw new Error(`${file}:${i + 1}: this block is not closed`);
    i = end;
    if (language !== "ts") continue;
    const code = lines
      .slice(start, end)
      .map((line) => line.replace(new RegExp(`^ {0,${indent.length}}`), ""));
    if (mark.trim() === "") {
      blocks.push({ file, line: start + 1, code: code.join("\n") });
      continue;
    }
    const before = blocks.pop();
    if (mark.trim() !== "continued" || before === undefined)
      throw new Error(`${file}:${start}: a block is fenced as "ts" or, after another one, as "ts continued"`);
    const gap = start + 1 - (before.line + before.code.split("\n").length);
    blocks.push({ ...before, code: [before.code, ...new Array<string>(gap).fill(""), ...code].join("\n") });
  }
  return blocks;
}

/** The `@example`s of all doc comments of a file. */
export function docExamples(file: string, text: string): Block[] {
  const blocks: Block[] = [];
  for (const comment of text.matchAll(/\/\*\*(?!\/)[\s\S]*?\*\//g)) {
    const first = text.slice(0, comment.index).split("\n").length;
    const lines = comment[0]
      .slice(3, -2)
      .split("\n")
      .map((line, i) => (i === 0 ? line.trim() : line.replace(/^\s*\* ?/, "")));
    for (let i = 0; i < lines.length; i++) {
      const tag = /^\s*@example\b(.*)$/.exec(lines[i]);
      if (tag === null) continue;
      let end = lines.findIndex((line, k) => k > i && /^@[a-z]/i.test(line));
      if (end < 0) end = lines.length;
      const code = [tag[1], ...lines.slice(i + 1, end)].map((line) => (line.startsWith("```") ? "" : line));
      blocks.push({ file, line: first + i, code: code.join("\n").trimEnd() });
      i = end - 1;
    }
  }
  return blocks;
}
