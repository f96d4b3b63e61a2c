/** Reads a command line, runs the command and tells what went wrong. Loads nothing but what the command needs. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { CallOptions } from "./call.js";
import { commandHelp, generalHelp } from "./help.js";
import { commands, common, configOf, type OptionHelp } from "./options.js";
import { type Terminal, UsageError } from "./terminal.js";
import { didYouMean } from "./words.js";

/** The values of all options, by name. */
export type Flags = CallOptions & {
  readonly json?: boolean;
  readonly debug?: boolean;
  readonly help?: boolean;
  readonly measure?: boolean;
  readonly svg?: string;
  readonly values?: boolean;
  readonly derivatives?: boolean;
  readonly mode?: string;
  readonly from?: string;
  readonly form?: string;
  readonly depth?: string;
  readonly group?: string;
  readonly output?: string;
  readonly transform?: string;
  readonly batch?: string;
  readonly sparse?: boolean;
};

/** A command: gives what it prints, as text and, for `--json`, as data. */
export type Command = (target: string, flags: Flags, terminal: Terminal) => Promise<Printed>;

export interface Printed {
  readonly text: string;
  readonly data: unknown;
}

const load: Readonly<Record<string, () => Promise<{ readonly run: Command }>>> = {
  compare: () => import("./compare.js"),
  graph: () => import("./graph.js"),
  memory: () => import("./memory.js"),
  jaxpr: () => import("./jaxpr.js"),
  jacobian: () => import("./jacobian.js"),
  sparsity: () => import("./sparsity.js"),
};

/**
 * Runs `fluxion` with these words.
 *
 * @returns the exit code: 0, 1 for an error of the function or the device, 2 for a command line that makes no sense.
 */
export async function main(words: readonly string[], terminal: Terminal): Promise<number> {
  const debug = words.includes("--debug");
  try {
    return await dispatch(words, terminal);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.error(`fluxion: ${error.message}\n`);
      return 2;
    }
    const { describeError } = await import("./failure.js");
    terminal.error(`fluxion: ${describeError(error, debug, terminal.folder)}\n`);
    return 1;
  }
}

async function dispatch(words: readonly string[], terminal: Terminal): Promise<number> {
  const [first, ...rest] = words;
  if (first === undefined) {
    terminal.error(generalHelp());
    return 2;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    const [name] = rest.filter((word) => !word.startsWith("-"));
    if (name !== undefined) requireCommand(name);
    terminal.out(name === undefined ? generalHelp() : commandHelp(name));
    return 0;
  }
  if (first === "--version" || first === "-v") {
    terminal.out(`${version()}\n`);
    return 0;
  }
  requireCommand(first);
  const { flags, positionals } = read(first, rest);
  if (flags.help) {
    terminal.out(commandHelp(first));
    return 0;
  }
  const [target, ...others] = positionals;
  if (target === undefined)
    throw new UsageError(`${first} of what? Name a file and an export: fluxion ${first} model.js#loss`);
  if (others.length > 0)
    throw new UsageError(
      `${first} takes one FILE#export, got ${others.map((word) => JSON.stringify(word)).join(", ")} as well`,
    );
  const { run } = await load[first]();
  const { text, data } = await run(target, flags, terminal);
  if (flags.json) {
    const { toJson } = await import("./json.js");
    terminal.out(`${toJson(data)}\n`);
  } else if (text !== "") terminal.out(`${text.replaceAll(`${terminal.folder}/`, "").trimEnd()}\n`);
  return 0;
}

function requireCommand(name: string): void {
  const names = Object.keys(commands);
  if (names.includes(name)) return;
  const what = name.startsWith("-")
    ? "the first word is a command"
    : `there is no command ${JSON.stringify(name)}`;
  throw new UsageError(`${what}${didYouMean(name, names)}: there are ${names.join(", ")} (fluxion --help)`);
}

function read(name: string, words: readonly string[]): { flags: Flags; positionals: readonly string[] } {
  const known = { ...commands[name].options, ...common };
  try {
    const { values, positionals, tokens } = parseArgs({
      args: [...words],
      options: configOf(known),
      allowPositionals: true,
      tokens: true,
    });
    const seen = new Set<string>();
    for (const token of tokens) {
      if (token.kind !== "option" || known[token.name].type === "boolean" || known[token.name].multiple)
        continue;
      if (seen.has(token.name))
        throw new UsageError(
          `--${token.name} is there twice${token.name === "shapes" ? "; the shapes of all arguments stand in one list: --shapes 3x4,4" : ""}`,
        );
      seen.add(token.name);
    }
    return { flags: values as Flags, positionals };
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code?.startsWith("ERR_PARSE_ARGS") !== true) throw error;
    throw new UsageError(mistakeIn(name, known, message));
  }
}

/** What Node's reader of command lines found wrong, in the words of this command. */
function mistakeIn(name: string, known: Readonly<Record<string, OptionHelp>>, message: string): string {
  const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
  const options = Object.keys(known);
  if (unknown !== undefined) {
    const meant = didYouMean(
      unknown,
      options.map((option) => `--${option}`),
    );
    return `${name} has no option ${unknown}${meant}: fluxion ${name} --help lists them`;
  }
  const option = /^Option '(?:-\w, )?--(\w+)/.exec(message)?.[1] ?? optionOf(known, message);
  if (option === undefined) return `${name}: ${message}`;
  const { value } = known[option];
  return value === undefined
    ? `--${option} takes no value`
    : `--${option} wants ${value} behind it (one that begins with a minus is written --${option}=-1)`;
}

/** By the letter alone, as in `-o`. */
const optionOf = (known: Readonly<Record<string, OptionHelp>>, message: string): string | undefined => {
  const letter = /^Option '-(\w)/.exec(message)?.[1];
  return Object.keys(known).find((option) => letter !== undefined && known[option].short === letter);
};

/** Of the package that this file is part of. */
const version = (): string =>
  (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string })
    .version;
