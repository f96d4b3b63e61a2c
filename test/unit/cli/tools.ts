/** Running the command from its source, as a process of its own. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = fileURLToPath(new URL("../../..", import.meta.url));
export const fixtures = fileURLToPath(new URL("./fixtures", import.meta.url));

export interface Batch {
  readonly folder: string;
  readonly lines: readonly (readonly string[])[];
}

/** What a command line did. */
export interface Ran {
  readonly words: readonly string[];
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** On its own default device, whatever the tests run on. */
const { FLUXION_DEVICE: _, ...env } = process.env;

const tsx = ["--import", pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href];

/** `fluxion` with these words, in a folder. */
export function run(words: readonly string[], folder = fixtures): Ran {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...tsx, `${root}src/cli/index.ts`, ...words],
    { cwd: folder, env, encoding: "utf8" },
  );
  return { words, code: status, out: stdout, error: stderr };
}

/** Many command lines in one process: to start one takes longer than most of them. */
export function runAll(lines: readonly (readonly string[])[], folder = fixtures): Ran[] {
  const batch: Batch = { folder, lines };
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...tsx, fileURLToPath(new URL("./batch.ts", import.meta.url))],
    { cwd: folder, env, encoding: "utf8", input: JSON.stringify(batch), maxBuffer: 2 ** 26 },
  );
  if (status !== 0) throw new Error(`the process ended with ${status}\n${stderr}`);
  return JSON.parse(stdout) as Ran[];
}
