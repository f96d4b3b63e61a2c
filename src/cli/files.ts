/** Files that commands write. */
import { existsSync, writeFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { type Terminal, UsageError } from "./terminal.js";

/** Refuses a file that could not be written, before any work is done for it. */
export function requireWritable(file: string, endings: readonly string[], { folder }: Terminal): void {
  if (!endings.includes(extname(file)))
    throw new UsageError(`${file}: wanted a name that ends in ${endings.join(" or ")}`);
  const place = dirname(resolve(folder, file));
  if (!existsSync(place)) throw new UsageError(`there is no folder ${place} to write ${file} into`);
}

export function writeOutput(file: string, text: string, { folder }: Terminal): void {
  writeFileSync(resolve(folder, file), text.endsWith("\n") ? text : `${text}\n`);
}
