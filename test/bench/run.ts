/**
 * `npm run bench [-- name ...]`: runs the `*.bench.ts` files of this folder in order, those whose name holds one of the words given.
 * They run as a user's program would: on the built package, in plain Node, each file in a process of its own so that none
 * inherits what the one before it did to the optimiser.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { cpus, platform, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { header, line, rule } from "./harness.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, ".build");
const words = process.argv.slice(2);
const files = readdirSync(here)
  .filter(
    (file) => file.endsWith(".bench.ts") && (words.length === 0 || words.some((word) => file.includes(word))),
  )
  .sort();

if (files.length === 0) throw new Error(`no benchmark is named ${words.join(" or ")}`);
if (!existsSync(join(here, "../../dist/index.js")))
  throw new Error("dist is missing: run `npm run build` first");

const cpu = cpus();
console.log(
  `Node ${process.versions.node} (V8 ${process.versions.v8}), ${platform()} ${process.arch}, ` +
    `${cpu.length} × ${cpu[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
);
console.log(`${line(header)}\n${rule}`);

rmSync(out, { recursive: true, force: true });
mkdirSync(out);
let status = 0;
for (const file of files) {
  const outfile = join(out, file.replace(/\.ts$/, ".mjs"));
  await build({
    stdin: {
      contents:
        `import cases from "./${file}";\nimport { line, row, runCase } from "./harness.js";\n` +
        "for (const c of cases) console.log(line(row(c, await runCase(c))));\n",
      resolveDir: here,
      loader: "ts",
    },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // Not the tsconfig's paths, which lead to the source: `fluxion` is to be the package in dist.
    tsconfigRaw: {},
    packages: "external",
    outfile,
    logLevel: "error",
  });
  const child = spawnSync(process.execPath, ["--expose-gc", outfile], { stdio: "inherit" });
  if (child.status !== 0) status = 1;
}
rmSync(out, { recursive: true, force: true });
process.exitCode = status;
