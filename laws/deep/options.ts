/** What the command line of a deep run says. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type ProgramLaw, programLaws } from "./trial.js";

export interface DeepOptions {
  readonly programs: number;
  readonly seed: number;
  readonly jobs: number;
  /** Go on with a run of the same seed, number and laws that was interrupted. */
  readonly resume: boolean;
  /** Try this program alone. */
  readonly replay: number | undefined;
  readonly laws: readonly ProgramLaw[];
  /** Laws about how transforms get along are tried on one in so many programs. */
  readonly every: number;
  /** Where the state of the run is kept. */
  readonly state: string | undefined;
}

export const usage = `npm run laws:deep -- [options]

  --programs N    how many random programs (default 100000)
  --seed N        what they follow from (default: a new one, which the report names)
  --laws a,b      names of laws (default: all)
  --every N       laws about how transforms get along, which take most of the time, are tried on one program in N
                  (default 4; other ones for each law); those about derivatives being right, on all
  --jobs N        worker processes (default: as many as there are cores)
  --resume        go on with the last run of these options
  --replay I      try program I of the seed alone, and print it
  --state FILE    where the state of the run is kept (default: node_modules/.cache/fluxion)
`;

/** A whole number of at least `least` from the command line. */
function whole(name: string, text: string, least: number): number {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < least || text.trim() === "")
    throw new RangeError(`--${name} takes a whole number of at least ${least}, got ${JSON.stringify(text)}`);
  return n;
}

/** Names between commas; a name may have a comma itself. Case does not count. */
function chosenLaws(names: string | undefined): readonly ProgramLaw[] {
  if (names === undefined) return programLaws;
  const parts = names.split(",");
  const chosen: ProgramLaw[] = [];
  for (let start = 0; start < parts.length; ) {
    let end = parts.length;
    let found: ProgramLaw | undefined;
    for (; end > start && found === undefined; end--) {
      const name = parts.slice(start, end).join(",").trim().toLowerCase();
      found = programLaws.find((law) => law.name.toLowerCase() === name);
    }
    if (found === undefined)
      throw new RangeError(
        `there is no law "${parts[start].trim()}"; the laws are:\n  ${programLaws.map((l) => l.name).join("\n  ")}`,
      );
    chosen.push(found);
    start = end + 1;
  }
  return chosen;
}

/** Reads the arguments. Throws a RangeError or TypeError that says what is wrong with them. */
export function readOptions(args: readonly string[]): DeepOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      programs: { type: "string", default: "100000" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
      jobs: { type: "string", default: String(availableParallelism()) },
      resume: { type: "boolean", default: false },
      replay: { type: "string" },
      laws: { type: "string" },
      every: { type: "string", default: "4" },
      state: { type: "string" },
    },
  });
  return {
    programs: whole("programs", values.programs, 1),
    seed: whole("seed", values.seed, 0),
    jobs: whole("jobs", values.jobs, 1),
    resume: values.resume,
    replay: values.replay === undefined ? undefined : whole("replay", values.replay, 0),
    laws: chosenLaws(values.laws),
    every: whole("every", values.every, 1),
    state: values.state,
  };
}
