/** Files that commands write. */
import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { type Terminal, UsageError } from "./terminal.js";

/** Refuses a file that could not be written, before any work is done for it. */
export function requireWritable(file: string, endings: readonly string[], { folder }: Terminal): void {
  if (!endings.includes(extname(file)))
    throw new UsageError(`${file === "" ? '""' : file}: wanted a name that ends in ${endings.join(" or ")}`);
  if (statSync(resolve(folder, file), { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`${file} is a folder; wanted the name of a file to write`);
  const place = dirname(resolve(folder, file));
  if (!existsSync(place)) throw new UsageError(`there is no folder ${place} to write ${file} into`);
}

export function writeOutput(file: string, text: string, { folder }: Terminal): void {
  writeFileSync(resolve(folder, file), text.endsWith("\n") ? text : `${text}\n`);
}
