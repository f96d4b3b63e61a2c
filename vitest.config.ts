import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** Tests, examples and benchmarks import `fluxion` as a user does; here that means the source, not a build. */
const alias = [
  { find: /^fluxion$/, replacement: source("index.ts") },
  { find: /^fluxion\/(.+)$/, replacement: source("$1/index.ts") },
];

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
          exclude: ["test/package/**"],
          environment: "node",
          testTimeout: 60_000,
        },
      },
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
