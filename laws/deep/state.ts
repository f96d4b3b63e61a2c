/** The state of a deep run in a file, so that it can be interrupted. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DeepOptions } from "./options.js";
import { emptyTally, type Tally } from "./tally.js";

export interface State {
  readonly seed: number;
  readonly programs: number;
  readonly laws: readonly string[];
  readonly every: number;
  /** Starts of the chunks that are done. */
  readonly done: number[];
  /** Of finished work, however often it was interrupted. */
  seconds: number;
  readonly tally: Tally;
}

const cache = fileURLToPath(new URL("../../node_modules/.cache/fluxion/", import.meta.url));

/** The file for runs with these options: its name follows from them, the seed included. */
export function stateFile({ state, seed, programs, laws, every }: DeepOptions): string {
  if (state !== undefined) return state;
  const key = createHash("sha256")
    .update([every, ...laws.map((l) => l.name)].join("\n"))
    .digest("hex")
    .slice(0, 8);
  return join(cache, `laws-deep-${seed}-${programs}-${key}.json`);
}

/** The state that a run begins with: empty, or what is in the file. */
export function openState(options: DeepOptions): State {
  const { seed, programs, laws, every, resume } = options;
  const fresh: State = {
    seed,
    programs,
    laws: laws.map((l) => l.name),
    every,
    done: [],
    seconds: 0,
    tally: emptyTally(),
  };
  if (!resume) return fresh;
  let text: string;
  try {
    text = readFileSync(stateFile(options), "utf8");
  } catch {
    return fresh;
  }
  const found = JSON.parse(text) as State;
  const same =
    found.seed === seed &&
    found.programs === programs &&
    found.every === every &&
    found.laws.join() === fresh.laws.join();
  if (!same) throw new RangeError(`${stateFile(options)} is of a run with other options`);
  return found;
}

/** Writes the state: the whole file or nothing, whenever the process ends. */
export function saveState(options: DeepOptions, state: State): void {
  const file = stateFile(options);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, JSON.stringify(state));
  renameSync(`${file}.part`, file);
}
