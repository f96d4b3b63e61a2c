/** The pages are read on GitHub too, where they link to files of the repository. The site has only the pages. */
import { existsSync } from "node:fs";
import { posix } from "node:path";
import type { MarkdownRenderer } from "vitepress";
import { docs } from "./pages.js";

type Token = ReturnType<MarkdownRenderer["parse"]>[number];

const elsewhere = /^([a-z]+:|\/|#)/;

/**
 * Where a link of a page leads in the site; nothing if it leads to a file that is not part of it.
 *
 * @param page path of the page below docs, as `laws.md`.
 */
export function linkInSite(link: string, page: string): string | undefined {
  if (elsewhere.test(link)) return link;
  const [path, heading] = link.split("#");
  const target = posix.join("docs", posix.dirname(page), path);
  // Both READMEs are what the home page is here.
  if (target === "README.md" || target === "docs/README.md") return "/";
  if (!target.startsWith("docs/") || !target.endsWith(".md")) return undefined;
  // Vitepress checks that the page is there.
  return posix.join("/", target.slice("docs/".length)) + (heading === undefined ? "" : `#${heading}`);
}

/** A heading as GitHub spells its anchor, so that links work in both places. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");

function rewrite(tokens: Token[], page: string): void {
  const open: boolean[] = [];
  for (const token of tokens) {
    if (token.type === "link_open") {
      const href = token.attrGet("href") ?? "";
      const target = linkInSite(decodeURI(href), page);
      open.push(target !== undefined);
      if (target !== undefined) token.attrSet("href", target);
      else {
        const path = posix.join("docs", posix.dirname(page), href);
        token.tag = "span";
        token.attrs = [
          ["title", existsSync(posix.join(docs, "..", path)) ? `${path} in the repository` : path],
        ];
        token.type = "file_open";
      }
    } else if (token.type === "link_close" && !open.pop()) {
      token.tag = "span";
      token.type = "file_close";
    }
  }
}

/** A markdown-it plugin: links to source files become plain text that says which file is meant. */
export function linksOfRepository(md: MarkdownRenderer): void {
  md.core.ruler.push("links_of_repository", ({ tokens, env }) => {
    const page = (env as { relativePath?: string }).relativePath ?? "";
    for (const token of tokens) if (token.type === "inline") rewrite(token.children ?? [], page);
  });
}
