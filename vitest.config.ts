import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { launchOptions } from "./test/browser/chromium.js";
import { derivativesPage, leftOut, onePage, pageEach } from "./test/browser/files.js";
import { everywhere } from "./test/everywhere/projects.js";

const file = (path: string) => fileURLToPath(new URL(`./${path}`, import.meta.url));
const source = (path: string) => file(`src/${path}`);

/** Tests, examples and benchmarks import `fluxion` as a user does; here that means the source, not a build. */
const alias = [
  { find: /^fluxion$/, replacement: source("index.ts") },
  { find: /^fluxion\/laws$/, replacement: file("laws/index.ts") },
  { find: /^fluxion\/laws\/vitest$/, replacement: file("laws/vitest.ts") },
  { find: /^fluxion\/(.+)$/, replacement: source("$1/index.ts") },
];

/** The tests of WebGPU open their GPU through a file that needs Node; in pages another stands for it. */
const gpuOfPage = {
  find: /^\.\/swiftshader\.js$/,
  replacement: fileURLToPath(new URL("./test/browser/gpu.ts", import.meta.url)),
};

export default defineConfig({
  resolve: { alias },
  test: {
    passWithNoTests: false,
    maxWorkers: "100%",
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          include: ["test/**/*.test.ts", "laws/**/*.test.ts", "docs/**/*.test.ts"],
          exclude: [
            "**/node_modules/**",
            "test/package/**",
            "test/webgpu/**",
            "test/equivalence/webgpu.test.ts",
            "test/browser/**",
            "test/site/**",
          ],
          environment: "node",
          testTimeout: 60_000,
        },
      },
      {
        resolve: { alias: [...alias, gpuOfPage] },
        server: {
          headers: {
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Embedder-Policy": "require-corp",
          },
        },
        test: {
          name: "browser",
          include: [...onePage, ...pageEach],
          exclude: [...leftOut.keys()],
          globalSetup: "test/browser/globalSetup.ts",
          setupFiles: "test/browser/setup.ts",
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions }),
            instances: [
              { browser: "chromium", name: "browser: a page each", include: pageEach },
              {
                browser: "chromium",
                name: "browser: derivatives",
                include: derivativesPage,
                exclude: [...leftOut.keys(), ...pageEach],
                isolate: false,
              },
              {
                browser: "chromium",
                name: "browser: one page",
                include: onePage,
                exclude: [...leftOut.keys(), ...pageEach, ...derivativesPage],
                isolate: false,
              },
            ],
          },
        },
      },
      {
        resolve: { alias },
        test: {
          name: "pages",
          include: ["test/browser/pages/**/*.test.ts"],
          environment: "node",
          testTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "site",
          include: ["test/site/**/*.test.ts"],
          globalSetup: "test/site/globalSetup.ts",
          environment: "node",
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "webgpu",
          include: ["test/webgpu/**/*.test.ts", "test/equivalence/webgpu.test.ts"],
          environment: "node",
          /* The GPU driver is chosen by an environment variable, which only the main thread of a process can set. */
          pool: "forks",
          testTimeout: 120_000,
        },
      },
      ...everywhere({ alias }),
      {
        test: {
          name: "package",
          include: ["test/package/**/*.test.ts"],
          environment: "node",
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
