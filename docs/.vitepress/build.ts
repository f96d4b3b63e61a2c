/**
 * `npm run docs:build`: the guide by vitepress and the reference by typedoc, side by side.
 *
 *   --out FOLDER   where to; docs/.vitepress/dist unless it is said
 *   --base PATH    where on its host the site will be, as `/fluxion/`; at the root unless it is said
 *   --pictures     draws the pictures anew before
 */
import { spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const reference = join(here, "cache/api");

const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(here, "dist") },
    base: { type: "string", default: "/" },
    pictures: { type: "boolean", default: false },
  },
});
const out = resolve(values.out);
if (!/^\/(.*\/)?$/.test(values.base))
  throw new Error(`--base must begin and end with a slash, as /fluxion/: ${values.base}`);

const { resolve: find } = createRequire(import.meta.url);
const tsx = join(dirname(find("tsx/package.json")), "dist/cli.mjs");
const vitepress = join(dirname(find("vitepress/package.json")), "bin/vitepress.js");

/** Runs a script of Node. Its output is shown when it has ended, so that two at a time can be read. */
function run(name: string, script: string, args: readonly string[]): Promise<void> {
  const start = performance.now();
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      env: { ...process.env, FLUXION_BASE: values.base },
    });
    const output: Buffer[] = [];
    child.stdout.on("data", (data: Buffer) => output.push(data));
    child.stderr.on("data", (data: Buffer) => output.push(data));
    child.on("error", fail);
    child.on("close", (code) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`=== ${name}: ${seconds} s\n${Buffer.concat(output).toString().trim()}`);
      if (code === 0) done();
      else fail(new Error(`${name} ended with ${code}`));
    });
  });
}

rmSync(reference, { recursive: true, force: true });
if (values.pictures) await run("pictures", tsx, [join(root, "docs/pictures/draw.ts")]);
const parts = await Promise.allSettled([
  run("vitepress", vitepress, ["build", "docs", "--outDir", out]),
  run("typedoc", tsx, [join(here, "reference.ts"), reference]),
]);
for (const part of parts) if (part.status === "rejected") throw part.reason;
// Vitepress empties the folder; so this comes last.
cpSync(reference, join(out, "api"), { recursive: true });
console.log(`The site is in ${out}`);
