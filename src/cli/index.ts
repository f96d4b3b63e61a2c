#!/usr/bin/env node
/** The command `fluxion`. */
import { main } from "./main.js";

// Whoever reads may stop early, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  hasEnded = true;
  process.exit(0);
});

// The file may end the process, or wait for what never comes: Node ends with 13 then, and without a word.
let hasEnded = false;
process.on("exit", (code) => {
  if (hasEnded) return;
  const what =
    code === 13 || process.exitCode === 13
      ? "what the file awaits never comes"
      : "the file ended the process (process.exit)";
  process.stderr.write(`fluxion: ${what}\n`);
  process.exitCode = 1;
});

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  folder: process.cwd(),
});
hasEnded = true;
