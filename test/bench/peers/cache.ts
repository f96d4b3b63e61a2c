/** References that have been computed before, in a folder that git ignores: the larger products take seconds. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Work } from "./works.js";

/** The folder for what these sources define; what others defined is thrown away. */
export function cacheFolder(within: string, sources: readonly string[]): string {
  const hash = createHash("sha256");
  for (const source of sources) hash.update(readFileSync(source));
  const name = hash.digest("hex").slice(0, 16);
  mkdirSync(join(within, name), { recursive: true });
  for (const other of readdirSync(within))
    if (other !== name) rmSync(join(within, other), { recursive: true });
  return join(within, name);
}

/** What a work is to give: read, or else computed and written. */
export function expectedOf(work: Work, folder: string): readonly Float64Array[] {
  const file = (i: number): string => join(folder, `${work.id.replaceAll("/", "_")}.${i}.f64`);
  if (existsSync(file(0))) {
    const found: Float64Array[] = [];
    for (let i = 0; existsSync(file(i)); i++) {
      const bytes = readFileSync(file(i));
      found.push(new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
    }
    return found;
  }
  const expected = work.reference(work.inputs());
  // The first output appears last, and at once: who finds it finds all.
  for (let i = expected.length - 1; i >= 0; i--) {
    writeFileSync(`${file(i)}.${process.pid}`, expected[i]);
    renameSync(`${file(i)}.${process.pid}`, file(i));
  }
  return expected;
}
