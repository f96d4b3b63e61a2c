/// <reference types="vite/types/importMeta.d.ts" />
/** Runs a block of documentation and compares what it does with what it says. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { format } from "node:util";
import vm from "node:vm";
import { type Block, root } from "./blocks.js";
import {
  matches,
  matchesMessage,
  parseThrows,
  parseValue,
  show,
  textOf,
  withoutPlaces,
} from "./expectation.js";
import { type Claim, instrument } from "./instrument.js";

const nodeRequire = createRequire(import.meta.url);

/** All modules of the library, by path; loaded when a block asks for one. */
const sources = import.meta.glob<Record<string, unknown>>([
  "../../src/**/*.ts",
  "../../laws/**/*.ts",
  "!../../laws/suites/**",
]);

export const loadSource = (file: string): Promise<Record<string, unknown>> => sources[`../../${file}`]();

export interface Outcome {
  /** Lines like `README.md:12: f(x) is 3, the comment says 4`. */
  readonly mistakes: readonly string[];
  /** How many comments were compared with something. */
  readonly compared: number;
}

/**
 * @param names what the block may use without importing it.
 */
export async function runBlock(
  block: Block,
  names: Readonly<Record<string, unknown>> = {},
): Promise<Outcome> {
  const { javascript, claims } = instrument(block.code);
  const mistakes: string[] = [];
  let compared = 0;
  let reached = -1;
  let written: string[] = [];
  const console = { log: (...args: unknown[]) => void written.push(format(...args)) };

  const say = (claim: Claim, what: string): void => {
    const code = claim.code.split("\n")[0];
    mistakes.push(`${block.file}:${block.line + claim.line}: ${code}\n    ${what}`);
  };
  const judge = (claim: Claim, verdict: string | undefined): void => {
    compared++;
    if (verdict !== undefined) say(claim, verdict);
  };

  const doc = {
    at: (i: number): void => {
      reached = i;
    },
    printed: (i: number): void => {
      const claim = claims[i];
      if (claim.comment.length === 0) say(claim, "prints something, but no comment says what");
      else judge(claim, comparePrinted(written.join("\n"), claim.comment));
      written = [];
    },
    value: async (i: number, compute: () => unknown): Promise<unknown> => {
      reached = i;
      const claim = claims[i];
      const thrown = parseThrows(claim.comment.join(" "));
      let value: unknown;
      try {
        value = await compute();
      } catch (error) {
        if (thrown === undefined) throw error;
        judge(claim, compareThrown(error, thrown));
        return undefined;
      }
      judge(
        claim,
        thrown === undefined ? compareValue(value, claim.comment) : `throws nothing; it gives ${show(value)}`,
      );
      return value;
    },
  };

  const modules = await loadImports(block.code);
  const require = (name: string): unknown => modules.get(name) ?? nodeRequire(name);
  const usable = Object.entries(names).filter(([name]) => canName(name));
  const scope: Record<string, unknown> = {
    ...Object.fromEntries(usable),
    ...{ __doc: doc, console, require, exports: {} },
  };
  const run = vm.runInThisContext(`(async (${Object.keys(scope).join(", ")}) => {{${javascript}\n}})`, {
    filename: join(root, block.file),
  }) as (...args: unknown[]) => Promise<void>;
  // What the library prints is part of what the block does.
  const { log } = globalThis.console;
  globalThis.console.log = console.log;
  try {
    await run(...Object.values(scope));
  } catch (error) {
    const at = claims[reached] ?? { line: 0, code: block.code, kind: "silent", comment: [] };
    say(at, `throws ${error instanceof Error ? `${error.name}: ${error.message}` : show(error)}`);
  } finally {
    globalThis.console.log = log;
  }
  if (written.length > 0) say(claims[reached], `something printed that no comment speaks of: ${written[0]}`);
  return { mistakes, compared };
}

/** Whether a variable can have the name: an export may be called `delete`. */
function canName(name: string): boolean {
  try {
    return new vm.Script(`(${name}) => 0`) !== undefined;
  } catch {
    return false;
  }
}

/** `fluxion` and its entries, from the source. */
async function loadImports(code: string): Promise<Map<string, unknown>> {
  const modules = new Map<string, unknown>();
  for (const [, name, entry] of code.matchAll(/(?:from|import) "(fluxion(?:\/([\w/]+))?)"/g))
    modules.set(name, await loadSource(fileOfEntry(entry)));
  return modules;
}

/** The source of an entry of the package. */
function fileOfEntry(entry: string | undefined): string {
  if (entry === undefined) return "src/index.ts";
  if (entry === "laws") return "laws/index.ts";
  return entry.startsWith("laws/") ? `${entry}.ts` : `src/${entry}/index.ts`;
}

const trimmed = (text: string): string =>
  withoutPlaces(text)
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");

function comparePrinted(written: string, comment: readonly string[]): string | undefined {
  const wanted = trimmed(comment.join("\n"));
  return trimmed(written) === wanted ? undefined : `prints\n${written}\nthe comment says\n${wanted}`;
}

function compareThrown(
  error: unknown,
  thrown: { name: string; message: string | undefined },
): string | undefined {
  const { name, message } = error instanceof Error ? error : { name: typeof error, message: String(error) };
  if (name !== thrown.name) return `throws ${name} (${message}), the comment says ${thrown.name}`;
  return thrown.message === undefined || matchesMessage(message, thrown.message)
    ? undefined
    : `throws ${name}: ${message}\n    the comment says\n${thrown.message}`;
}

function compareValue(value: unknown, comment: readonly string[]): string | undefined {
  const text = comment.join("\n");
  const own = textOf(value);
  if (own !== undefined && !/^["']/.test(text)) return comparePrinted(own, comment);
  try {
    return matches(value, parseValue(text)) ? undefined : `is ${show(value)}, the comment says ${text}`;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}
