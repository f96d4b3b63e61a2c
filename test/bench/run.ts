/**
 * `npm run bench [-- part ...] [options]`: the tables against the peers, that of threads, and the `*.bench.ts` files of this
 * folder in order; with words, those parts whose names hold one. Each is measured as a user's program would run it: on the
 * built package, in plain Node, in a process of its own so that none inherits what another did to the optimiser.
 *
 *     --rounds N         samples of each work (12)
 *     --works A,B        of the tables, only works whose names hold one of these
 *     --markdown         prints the tables for docs/performance.md
 *     --alone            without the peers
 *     --fluxion FILE     another build than dist/index.js, for the tables
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { cpus, platform, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildCases, here, temporaryFolder } from "./build.js";
import { header, line, rule } from "./harness.js";
import { comparePeers, compareThreads, type Options, startResults } from "./peers/command.js";

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "12" },
    works: { type: "string", default: "" },
    markdown: { type: "boolean", default: false },
    alone: { type: "boolean", default: false },
    fluxion: { type: "string", default: join(here, "../../dist/index.js") },
  },
});
const options: Options = {
  rounds: Math.max(1, Number.parseInt(values.rounds, 10) || 12),
  words: values.works.split(",").filter((word) => word !== ""),
  markdown: values.markdown,
  alone: values.alone,
  fluxion: resolve(values.fluxion),
};

const isWanted = (name: string): boolean => words.length === 0 || words.some((word) => name.includes(word));
const tables = [
  { name: "peers", run: comparePeers },
  { name: "threads", run: compareThreads },
].filter(({ name }) => isWanted(name));
const files = readdirSync(here)
  .filter((file) => file.endsWith(".bench.ts") && isWanted(file))
  .sort();

if (tables.length + files.length === 0) throw new Error(`no benchmark is named ${words.join(" or ")}`);
if (files.length > 0 && !existsSync(join(here, "../../dist/index.js")))
  throw new Error("dist is missing: run `npm run build` first");

const cpu = cpus();
const machine =
  `Node ${process.versions.node} (V8 ${process.versions.v8}), ${platform()} ${process.arch}, ` +
  `${cpu.length} × ${cpu[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
console.log(machine);

let status = 0;
if (tables.length > 0) startResults({ machine, rounds: options.rounds, at: new Date().toISOString() });
for (const { run } of tables) if (await run(options)) status = 1;

if (files.length > 0) {
  console.log(`\n${line(header)}\n${rule}`);
  const folder = temporaryFolder(here);
  for (const file of files) {
    const child = spawnSync(process.execPath, ["--expose-gc", await buildCases(file, folder)], {
      stdio: "inherit",
    });
    if (child.status !== 0) status = 1;
  }
}
process.exitCode = status;
