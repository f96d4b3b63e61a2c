import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const rules = createRequire(import.meta.url)(join(root, ".dependency-cruiser.cjs"));

/** Writes the files under a fresh folder, runs the project's own rules there, and returns who broke which. */
async function violations(
  files: Record<string, string>,
  folders: readonly string[] = ["src"],
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "fluxion-imports-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const result = await cruise([...folders], {
      ...rules.options,
      tsConfig: undefined,
      ruleSet: { forbidden: rules.forbidden },
      validate: true,
      baseDir: folder,
    });
    const output = result.output as ICruiseResult;
    return output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`).sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const value = `export const x = 1;\n`;

describe("the import rules", () => {
  test("let a file import its own folder and those below", async () => {
    expect(
      await violations({
        "src/core/a.ts": value,
        "src/core/b.ts": `import { x } from "./a.js";\nexport const y = x;\n`,
        "src/primitives/p.ts": `import { y } from "../core/b.js";\nexport const p = y;\n`,
        "src/transforms/t.ts": `import { p } from "../primitives/p.js";\nexport const t = p;\n`,
        "src/numpy/n.ts": `import { t } from "../transforms/t.js";\nexport const n = t;\n`,
        "src/index.ts": `export * from "./numpy/n.js";\n`,
      }),
    ).toEqual([]);
  });

  test.each([
    ["core", "primitives"],
    ["core", "transforms"],
    ["primitives", "transforms"],
    ["transforms", "numpy"],
    ["lax", "numpy"],
    ["numpy", "nn"],
    ["random", "nn"],
    ["compiler", "transforms"],
    ["compiler", "primitives"],
    ["backends", "transforms"],
    ["compiler", "backends"],
    ["nn", "fp"],
  ])("forbid src/%s to import src/%s", async (from, to) => {
    expect(
      await violations({
        [`src/${to}/x.ts`]: value,
        [`src/${from}/bad.ts`]: `import { x } from "../${to}/x.js";\nexport const y = x;\n`,
      }),
    ).toEqual([`${from}-imports-downwards: src/${from}/bad.ts -> src/${to}/x.ts`]);
  });

  test("see through import type and re-exports", async () => {
    expect(
      await violations({
        "src/numpy/x.ts": `export type X = number;\nexport const x = 1;\n`,
        "src/core/types.ts": `import type { X } from "../numpy/x.js";\nexport type Y = X;\n`,
        "src/core/again.ts": `export { x } from "../numpy/x.js";\n`,
      }),
    ).toEqual([
      "core-imports-downwards: src/core/again.ts -> src/numpy/x.ts",
      "core-imports-downwards: src/core/types.ts -> src/numpy/x.ts",
    ]);
  });

  test("find a cycle of values, and let types name each other", async () => {
    const found = await violations({
      "src/core/a.ts": `import { b } from "./b.js";\nexport const a = (): number => b();\n`,
      "src/core/b.ts": `import { c } from "./c.js";\nexport const b = (): number => c();\n`,
      "src/core/c.ts": `import { a } from "./a.js";\nexport const c = (): number => a();\n`,
      "src/core/s.ts": `import type { T } from "./t.js";\nexport interface S { readonly t?: T }\n`,
      "src/core/t.ts": `import type { S } from "./s.js";\nexport interface T { readonly s?: S }\n`,
    });
    expect(found.length).toBeGreaterThan(0);
    for (const line of found)
      expect(line).toMatch(/^no-cycle: src\/core\/[abc]\.ts -> src\/core\/[abc]\.ts$/);
  });

  test("forbid an unknown folder, the index from inside, tests, Node's modules and imports that lead nowhere", async () => {
    expect(
      await violations({
        "src/attic/x.ts": value,
        "src/index.ts": value,
        "test/helper.ts": value,
        "src/numpy/a.ts": `import { x } from "../attic/x.js";\nexport const a = x;\n`,
        "src/numpy/b.ts": `import { x } from "../index.js";\nexport const b = x;\n`,
        "src/numpy/c.ts": `import { x } from "../../test/helper.js";\nexport const c = x;\n`,
        "src/numpy/d.ts": `import { readFileSync } from "node:fs";\nexport const d = readFileSync;\n`,
        "src/numpy/e.ts": `import { x } from "./missing.js";\nexport const e = x;\n`,
      }),
    ).toEqual([
      "known-folder: src/numpy/a.ts -> src/attic/x.ts",
      "nothing-imports-the-index: src/numpy/b.ts -> src/index.ts",
      "numpy-imports-downwards: src/numpy/a.ts -> src/attic/x.ts",
      "numpy-imports-downwards: src/numpy/b.ts -> src/index.ts",
      "only-declared-packages: src/numpy/d.ts -> fs",
      "resolvable: src/numpy/e.ts -> ./missing.js",
      "src-stands-alone: src/numpy/c.ts -> test/helper.ts",
    ]);
  });
});

describe("the import rules of the laws", () => {
  const from = ["src", "laws"];

  test("let a statement import what lies beside laws/index.ts, and a check import statements", async () => {
    expect(
      await violations(
        {
          "src/index.ts": value,
          "laws/law.ts": value,
          "laws/statements/a.ts": `import { x } from "../law.js";\nexport const y = x;\n`,
          "laws/check/b.ts": `import { y } from "../statements/a.js";\nexport const z = y;\n`,
          "laws/index.ts": `export * from "./check/b.js";\n`,
          "laws/suites/c.ts": `import { z } from "../index.js";\nimport { readFileSync } from "node:fs";\nexport const w = [z, readFileSync];\n`,
        },
        from,
      ),
    ).toEqual([]);
  });

  test("forbid the way up, the tests, Node's modules and vitest outside of the matchers", async () => {
    expect(
      await violations(
        {
          "src/index.ts": value,
          "test/helper.ts": value,
          "laws/check/b.ts": value,
          "laws/mutation/m.ts": value,
          "laws/statements/a.ts": `import { x } from "../check/b.js";\nexport const y = x;\n`,
          "laws/law.ts": `import { y } from "./statements/a.js";\nexport const z = y;\n`,
          "laws/check/c.ts": `import { x } from "../mutation/m.js";\nexport const y = x;\n`,
          "laws/check/d.ts": `import { x } from "../../test/helper.js";\nexport const y = x;\n`,
          "laws/check/e.ts": `import { readFileSync } from "node:fs";\nexport const y = readFileSync;\n`,
        },
        from,
      ),
    ).toEqual([
      "laws-base-imports-downwards: laws/law.ts -> laws/statements/a.ts",
      "laws-check-imports-downwards: laws/check/c.ts -> laws/mutation/m.ts",
      "laws-only-declared-packages: laws/check/e.ts -> fs",
      "laws-stand-alone: laws/check/c.ts -> laws/mutation/m.ts",
      "laws-stand-alone: laws/check/d.ts -> test/helper.ts",
      "laws-statements-imports-downwards: laws/statements/a.ts -> laws/check/b.ts",
    ]);
  });
});

/** The statements of a module that are neither re-exports nor the imports they need. */
function statementsOfItsOwn(text: string): string[] {
  const file = ts.createSourceFile("index.ts", text, ts.ScriptTarget.ES2022, true);
  return file.statements
    .filter((statement) => !ts.isExportDeclaration(statement) && !ts.isImportDeclaration(statement))
    .map((statement) => statement.getText(file));
}

describe("src/index.ts", () => {
  test("only re-exports", () => {
    expect(statementsOfItsOwn(readFileSync(join(root, "src/index.ts"), "utf8"))).toEqual([]);
  });

  test("would be caught with code of its own", () => {
    expect(
      statementsOfItsOwn(
        `import * as np from "./numpy/index.js";\nexport { np };\nexport const two = 2;\nrun();`,
      ),
    ).toEqual(["export const two = 2;", "run();"]);
  });
});
