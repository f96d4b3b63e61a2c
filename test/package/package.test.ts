/**
 * What a user gets: the packed tarball, installed in a folder of its own, and used from there through plain Node, the bundlers and
 * the type checker. Needs a fresh `npm run build`; `npm run test:package` does both.
 */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import * as vite from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const bin = (name: string): string => join(root, "node_modules/.bin", name);

let folder: string;
let tarball: string;

/** Runs a program in the consumer's folder and returns what it printed; a failure shows all of it. */
function run(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  }
}

/** Type-checks a file of the consumer's, as strictly as it goes. */
function typeCheck(file: string, moduleResolution: string, module: string, more: object = {}): void {
  const project = join(folder, `tsc-${moduleResolution}-${file.replace(".ts", "")}`);
  mkdirSync(project);
  cpSync(join(folder, file), join(project, file));
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "es2022",
        lib: ["es2022", "esnext.disposable", "dom"],
        types: [],
        module,
        moduleResolution,
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
        ...more,
      },
      files: [file],
    }),
  );
  run(bin("tsc"), ["-p", project]);
}

const resolutions = [
  ["nodenext", "nodenext"],
  ["bundler", "esnext"],
] as const;

beforeAll(() => {
  if (!existsSync(join(root, "dist/index.js"))) throw new Error("dist is missing: run `npm run build` first");
  folder = mkdtempSync(join(tmpdir(), "fluxion-package-"));
  cpSync(join(root, "test/package/fixtures"), folder, { recursive: true });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "consumer", private: true, type: "module" }),
  );
  const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  tarball = join(folder, JSON.parse(packed)[0].filename);
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", tarball]);
});

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

describe("the tarball", () => {
  test("holds the build, the papers and nothing else", () => {
    const installed = join(folder, "node_modules/fluxion");
    expect(readdirSync(installed).sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "dist",
      "package.json",
    ]);
    const files = readdirSync(join(installed, "dist"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => /\.test|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  });

  test("brings fp-ts and no other package", () => {
    expect(
      readdirSync(join(folder, "node_modules"))
        .filter((name) => !name.startsWith("."))
        .sort(),
    ).toEqual(["fluxion", "fp-ts"]);
  });

  test("passes publint", async () => {
    const bytes = readFileSync(tarball);
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(bytes).buffer },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg ?? manifest))).toEqual([]);
  });

  test("passes attw as an ESM-only package", () => {
    // A problem under one of the two resolutions that an ESM-only package answers for is a non-zero exit, and `run` throws.
    const table = run(bin("attw"), [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"]);
    for (const path of Object.keys(manifest.exports).filter((key) => key !== "./package.json"))
      expect(table).toMatch(new RegExp(`"${path.replace(".", "fluxion")}" +│ OK \\(ESM\\) +│ OK `));
  });
});

describe("installed", () => {
  test("plain Node ESM differentiates", () => {
    expect(run("node", ["grad.mjs"])).toBe("6");
  });

  test("require() of the ES module works too", () => {
    expect(run("node", ["--no-warnings", "require.cjs"])).toBe("6");
  });

  test("fluxion/fp pipes", () => {
    expect(run("node", ["fp.mjs"])).toBe("6\n32");
  });

  test("every subpath exports names, those of the root's namespaces the very same", () => {
    const subpaths = Object.keys(manifest.exports)
      .filter((path) => path !== "." && path !== "./package.json" && !path.startsWith("./laws"))
      .map((path) => path.slice(2));
    expect(subpaths).toEqual(expect.arrayContaining(["numpy", "lax", "nn", "random", "fp"]));
    const inRoot = ["numpy", "lax", "nn", "random", "scipy"];
    expect(run("node", ["subpaths.mjs", ...subpaths]).split("\n")).toEqual(
      subpaths.map((path) => `${path} exports ${inRoot.includes(path) ? "same" : "own"}`),
    );
  });

  test.each([
    ["as it is", false],
    ["minified", true],
  ])("esbuild's bundle runs, %s", async (_, minify) => {
    const outfile = join(folder, `esbuild-${minify}`, "out.mjs");
    await esbuild.build({
      entryPoints: [join(folder, "grad.mjs")],
      bundle: true,
      format: "esm",
      platform: "browser",
      treeShaking: true,
      minify,
      outfile,
      logLevel: "silent",
    });
    expect(readFileSync(outfile, "utf8")).not.toMatch(/from\s*["']fluxion/);
    expect(run("node", [outfile])).toBe("6");
  });

  test("a bundle has what it uses: not the code for GPUs at the start, nor primitives that nothing names", async () => {
    const bundle = async (entry: string): Promise<string> => {
      const { outputFiles, metafile } = await esbuild.build({
        absWorkingDir: folder,
        entryPoints: [join(folder, entry)],
        bundle: true,
        format: "esm",
        platform: "browser",
        splitting: true,
        minify: true,
        metafile: true,
        outdir: join(folder, "esbuild-parts"),
        write: false,
        logLevel: "silent",
      });
      // What is loaded at the start: the entry, and what its files import other than by import().
      const loaded = new Set(
        Object.keys(metafile.outputs).filter((path) => metafile.outputs[path].entryPoint === entry),
      );
      for (const path of loaded)
        for (const { kind, path: imported } of metafile.outputs[path].imports)
          if (kind === "import-statement") loaded.add(imported);
      expect(loaded.size).toBeGreaterThan(0);
      return outputFiles
        .filter(({ path }) => [...loaded].some((name) => join(folder, name) === path))
        .map(({ text }) => text)
        .join("\n");
    };
    const [some, all] = await Promise.all([bundle("grad.mjs"), bundle("registry.mjs")]);
    // Not `toContain`, whose message would be the bundle.
    const has = (text: string): boolean[] => [some, all].map((code) => code.includes(text));
    expect(has("@compute")).toEqual([false, false]);
    expect(has('name:"convGeneralDilated"')).toEqual([false, true]);
    expect(has('("xlog1py",')).toEqual([false, true]);
    expect(has('name:"linearSolve"')).toEqual([false, true]);
    expect(some.length).toBeLessThan(0.75 * all.length);
  });

  test("whoever looks primitives up finds all of them, in a bundle as well", async () => {
    const outfile = join(folder, "esbuild-registry", "out.mjs");
    const entryPoints = [join(folder, "registry.mjs")];
    await esbuild.build({
      entryPoints,
      bundle: true,
      format: "esm",
      platform: "browser",
      minify: true,
      outfile,
    });
    const plain = run("node", ["registry.mjs"]);
    expect(plain).toMatch(/^\d{3} Right$/);
    expect(run("node", [outfile])).toBe(plain);
  });

  test("esbuild's CommonJS bundle runs, where import.meta is empty", async () => {
    const outfile = join(folder, "esbuild-cjs", "out.cjs");
    await esbuild.build({
      entryPoints: [join(folder, "grad.mjs")],
      bundle: true,
      format: "cjs",
      platform: "browser",
      outfile,
      logLevel: "silent",
    });
    expect(run("node", [outfile])).toBe("6");
  });

  test.each([
    ["as it is", false],
    ["minified", true],
  ])("Vite's build runs, %s", async (_, minify) => {
    const outDir = join(folder, `vite-${minify}`);
    await vite.build({
      root: folder,
      configFile: false,
      logLevel: "error",
      build: {
        outDir,
        minify,
        modulePreload: false,
        rollupOptions: { input: join(folder, "grad.mjs"), output: { entryFileNames: "out.mjs" } },
      },
    });
    expect(readFileSync(join(outDir, "out.mjs"), "utf8")).not.toMatch(/from\s*["']fluxion/);
    expect(run("node", [join(outDir, "out.mjs")])).toBe("6");
  });

  test.each(resolutions)(
    "a strict TypeScript consumer checks under moduleResolution %s",
    (moduleResolution, module) => typeCheck("consumer.ts", moduleResolution, module),
  );
});

describe("the command", () => {
  const npx = (...words: string[]): string => run("npx", ["--no", "fluxion", ...words]);

  test("compares the modes of a function", () => {
    const start = performance.now();
    const printed = npx("compare", "command.mjs#loss", "--argnums", "0");
    const milliseconds = performance.now() - start;
    expect(printed).toMatch(/^passes +multiplications/);
    expect(printed).toMatch(/6 inputs, 1 output: reverse mode/);
    console.log(`npx fluxion compare: ${Math.round(milliseconds)} ms`);
    // Not a measurement (that is `npm run bench -- command`): something would be very wrong.
    expect(milliseconds).toBeLessThan(60_000);
  });

  test("prints graphs, programs and memory", () => {
    expect(npx("graph", "command.mjs#loss")).toMatch(/^digraph "loss" \{[\s\S]*\}$/);
    expect(npx("jaxpr", "command.mjs#loss", "--transform", "grad")).toMatch(
      /^\{ lambda ; a:f32\[2,3\] b:f32\[4,2\]\./,
    );
    expect(npx("memory", "command.mjs#loss")).toMatch(/output of sub \(at command\.mjs:7:\d+\)/);
    expect(npx("sparsity", "command.mjs#loss")).toMatch(/^SparsityPattern\(1 × 6/);
    expect(npx("jacobian", "command.mjs#loss")).toMatch(/^1 output by 6 inputs/);
  });

  test("says what is wrong, and no stack", () => {
    expect(() => npx("jaxpr", "command.mjs#los")).toThrow(
      /fluxion: command\.mjs has no export los \(did you mean "loss"\?\)/,
    );
    expect(() => npx("jaxpr", "command.mjs#loss", "--shapes", "2x3,4x3")).toThrow(
      /fluxion: ShapeError: matmul: .* \(at command\.mjs:7:\d+\)\n$/,
    );
  });

  test("of another copy gives the file that copy", () => {
    const other = join(root, "dist/cli/index.js");
    expect(run("node", [other, "jaxpr", "command.mjs#loss"])).toBe(npx("jaxpr", "command.mjs#loss"));
  });
});

/** With the peers that the laws need, taken from this project. */
describe("installed beside fast-check and vitest", () => {
  beforeAll(() => {
    for (const peer of ["fast-check", "vitest"])
      symlinkSync(join(root, "node_modules", peer), join(folder, "node_modules", peer), "dir");
  });

  test("the laws see the primitives that fluxion defines", () => {
    expect(run("node", ["laws.mjs"]).split("\n")).toEqual([
      "true",
      "jvp agrees with finite differences",
      "true",
      "cos holds",
      "wrong jvp agrees with finite differences",
      "true",
    ]);
  });

  test("the matchers work in vitest", () => {
    expect(
      run(bin("vitest"), [
        "run",
        "--root",
        folder,
        "--dir",
        folder,
        "laws.fixture.mjs",
        "--config",
        join(folder, "vitest.config.mjs"),
      ]),
    ).toMatch(/1 passed/);
  });

  test.each(resolutions)(
    "the laws' types check strictly under moduleResolution %s",
    (moduleResolution, module) => typeCheck("lawsAlone.ts", moduleResolution, module),
  );

  // The declarations of vitest itself are not up to skipLibCheck: false.
  test.each(resolutions)(
    "with the matchers they check under moduleResolution %s",
    (moduleResolution, module) =>
      typeCheck("consumerLaws.ts", moduleResolution, module, {
        lib: ["es2023", "esnext.disposable", "dom"],
        skipLibCheck: true,
      }),
  );

  test("nothing but the laws brings fast-check", () => {
    const dist = join(folder, "node_modules/fluxion/dist");
    const naming = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter(
      (file) =>
        file.endsWith(".js") &&
        /from\s*["'](fast-check|vitest)["']/.test(readFileSync(join(dist, file), "utf8")),
    );
    expect(naming.sort()).toEqual([join("laws", "laws.js"), join("laws", "vitest.js")]);
  });
});
