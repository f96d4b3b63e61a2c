/** The command as one types it: from the start of a process to its end. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Case } from "./harness.js";

/** Where this file lies once it is bundled: test/bench/.build/ and a folder for the process. */
const root = fileURLToPath(new URL("../../../..", import.meta.url));
const example = ["compare", "docs/examples/loss.ts#loss", "--argnums", "0"];

/** Milliseconds; what it prints has to hold `wanted`. */
function milliseconds(program: string, words: readonly string[], wanted: RegExp): number {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(program, words, { cwd: root, encoding: "utf8" });
  const elapsed = performance.now() - start;
  if (status !== 0 || !wanted.test(stdout))
    throw new Error(`${program} ${words.join(" ")}\n${stdout}\n${stderr}`);
  return elapsed;
}

const table = /inputs, 1 output: reverse mode/;
const cases: readonly Case[] = [
  {
    name: "npx fluxion compare, the README's example",
    unit: "ms",
    measure: () => milliseconds("npx", ["--no", "fluxion", ...example], table),
    warmup: 1,
    rounds: 5,
    goal: { atMost: 2000 },
  },
  {
    name: "the same, without npx",
    unit: "ms",
    measure: () => milliseconds(process.execPath, ["dist/cli/index.js", ...example], table),
    warmup: 1,
    rounds: 5,
  },
  {
    name: "fluxion --help",
    unit: "ms",
    measure: () => milliseconds(process.execPath, ["dist/cli/index.js", "--help"], /^Usage: fluxion/),
    warmup: 1,
    rounds: 5,
  },
];

export default cases;
