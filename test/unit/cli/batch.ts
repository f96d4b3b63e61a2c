/** Runs command lines, which come as JSON on stdin, in one process, and prints what each printed. */
import { readFileSync } from "node:fs";
import { main } from "../../../src/cli/main.js";
import type { Batch, Ran } from "./tools.js";

const { folder, lines } = JSON.parse(readFileSync(0, "utf8")) as Batch;
const all: Ran[] = [];
for (const words of lines) {
  let out = "";
  let error = "";
  const code = await main(words, {
    out: (text) => {
      out += text;
    },
    error: (text) => {
      error += text;
    },
    folder,
  });
  all.push({ words, code, out, error });
}
process.stdout.write(JSON.stringify(all));
