/**
 * What a page has to load: bytes after esbuild has minified the bundle and gzip has packed it as small as it can. The peer is
 * measured in the same way, where `npm run bench -- peers` has installed it.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Case } from "./harness.js";

/** A folder of the package, so that `fluxion` is the package itself. */
const here = fileURLToPath(new URL(".", import.meta.url));
const root = here.slice(0, here.lastIndexOf(join("test", "bench")));
const peer = join(root, "test/bench/peers/node_modules/@jax-js/jax/dist/index.js");

/** All that is in the library; or, of a program, what is loaded before it asks for more, such as a GPU. */
type Parts = "all" | "first";

async function packed(program: string, parts: Parts): Promise<number> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: here },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    external: ["webgpu"],
    // Not the tsconfig's paths, which lead to the source.
    tsconfigRaw: {},
    splitting: parts === "first",
    outdir: "out",
    absWorkingDir: root,
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const needed = new Set<string>(Object.keys(metafile.outputs).filter((path) => path === "out/stdin.js"));
  for (const path of needed)
    for (const { kind, path: next, external } of metafile.outputs[path]!.imports)
      if (kind === "import-statement" && !external) needed.add(next);
  let bytes = 0;
  for (const { path, contents } of outputFiles)
    if (needed.has(path.slice(root.length).replaceAll("\\", "/")))
      bytes += gzipSync(contents, { level: 9 }).length;
  return bytes / 1000;
}

const sine = "grad((x) => np.sin(x).mul(x))(1)";
const programs = [
  { of: "fluxion", name: "all of fluxion", parts: "all", text: 'export * from "fluxion";', goal: 80 },
  {
    of: "fluxion",
    name: "grad and np.sin, with the device wasm",
    parts: "first",
    text: `import { grad } from "fluxion"; import * as np from "fluxion/numpy"; console.log(${sine});`,
    goal: 50,
  },
  { of: "jax-js", name: "all of jax-js", parts: "all", text: `export * from ${JSON.stringify(peer)};` },
  {
    of: "jax-js",
    name: "its grad and np.sin",
    parts: "first",
    text: `import { grad, numpy as np } from ${JSON.stringify(peer)}; console.log(${sine});`,
  },
] as const;

const cases: readonly Case[] = programs
  .filter(({ of }) => of === "fluxion" || existsSync(peer))
  .map((program) => ({
    name: program.name,
    unit: "kB, gzip",
    measure: () => packed(program.text, program.parts),
    // Bytes do not vary.
    rounds: 1,
    warmup: 0,
    ...("goal" in program ? { goal: { atMost: program.goal } } : {}),
  }));

export default cases;
