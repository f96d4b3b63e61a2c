/** Wide pictures keep their size, so that their texts can be read, and scroll where the column is narrower. */
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import type { MarkdownRenderer } from "vitepress";
import { docs } from "./pages.js";

/** The column of text has 690 pixels; what is a little wider is made smaller. */
const widest = 830;

/** Points that Graphviz wrote for the width of a picture; a pixel for each is a readable size. */
const widthOf = (path: string): number =>
  Number(/<svg [^>]*?\bwidth="([\d.]+)pt"/.exec(readFileSync(path, "utf8"))?.[1] ?? 0);

/** A markdown-it plugin. */
export function widePictures(md: MarkdownRenderer): void {
  md.core.ruler.push("wide_pictures", ({ tokens, env }) => {
    const page = (env as { relativePath?: string }).relativePath ?? "";
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const src = token.attrGet("src") ?? "";
      if (token.type !== "image" || !/^pictures\/[\w-]+\.svg$/.test(src)) continue;
      const width = widthOf(posix.join(docs, posix.dirname(page), src));
      if (width <= widest) continue;
      token.attrSet("class", "wide");
      token.attrSet("style", `width: ${width}px`);
    }
  });
}
