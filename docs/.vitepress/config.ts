/** The site: `npm run docs` to write, `npm run docs:build` to build. `FLUXION_BASE=/fluxion/` for a site below the root of its host. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { fluxionFromSource, withoutWorkerInNode } from "./fluxionFromSource.js";
import { anchorOf, linksOfRepository } from "./links.js";
import { sidebar } from "./pages.js";
import { smaller } from "./smaller.js";
import { widePictures } from "./widePictures.js";

const base = process.env.FLUXION_BASE ?? "/";
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base,
  title: "fluxion",
  description:
    "Composable function transformations for TypeScript: grad, jvp, vjp, vmap and jit over arrays.",
  lang: "en",
  cleanUrls: false,
  // README.md is what GitHub shows of the folder; here the home page and the sidebar are that.
  srcExclude: ["README.md", "examples/**", "pictures/**"],
  // typedoc writes these, after vitepress.
  ignoreDeadLinks: [/^\/api\//],
  // A page loads what it shows, not what might be visited next.
  router: { prefetchLinks: false },
  head: [["link", { rel: "icon", href: `${base}icon.svg`, type: "image/svg+xml" }]],
  markdown: {
    math: true,
    languageAlias: { wat: "wasm" },
    theme: { light: "github-light", dark: "github-dark" },
    anchor: { slugify: anchorOf },
    toc: { slugify: anchorOf },
    headers: { slugify: anchorOf },
    config: (md) => {
      linksOfRepository(md);
      widePictures(md);
    },
  },
  themeConfig: {
    nav: [
      { text: "Guide", link: "/start" },
      { text: "Playground", link: "/playground" },
      { text: "API", link: "/api/index.html", target: "_self", rel: "" },
    ],
    sidebar,
    outline: { level: [2, 3] },
    externalLinkIcon: true,
    search: {
      provider: "local",
      options: {
        // A generated table of 1500 rows: whoever looks for a primitive wants its page, not its faults.
        _render: (source, env, md) =>
          env.relativePath === "mutations.md" || env.frontmatter?.search === false
            ? ""
            : md.render(source, env),
        miniSearch: { searchOptions: { fuzzy: 0.2, prefix: true } },
      },
    },
  },
  vite: {
    publicDir: file("../public"),
    resolve: {
      alias: [
        { find: /^fluxion$/, replacement: file("../../src/index.ts") },
        { find: /^fluxion\/(.+)$/, replacement: file("../../src/$1/index.ts") },
        // As in the build of the package: of fp-ts's ES modules only what is used remains.
        { find: /^fp-ts\/lib\/(\w+)\.js$/, replacement: file("../../node_modules/fp-ts/es6/$1.js") },
      ],
    },
    plugins: [fluxionFromSource(), withoutWorkerInNode(), smaller()],
    worker: { format: "es", plugins: () => [fluxionFromSource(), smaller()] },
    // The library and the editor are loaded when a page asks for them; their sizes are tested.
    build: { chunkSizeWarningLimit: 1500, target: "es2022" },
    esbuild: { target: "es2022" },
  },
});
