/** FILE#export: the function that a command looks at. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Fn } from "../transforms/types.js";
import { useOwnCopy } from "./ownCopy.js";
import { UsageError } from "./terminal.js";
import { didYouMean } from "./words.js";

/** A function of a module. */
export interface Target {
  readonly f: Fn;
  /** What to call it: the export, or for the default export the function's own name. */
  readonly name: string;
  /** The arguments that the module offers for it: `lossArgs` for `loss`, else `exampleArgs`. */
  readonly exampleArgs: readonly unknown[] | undefined;
  /** Where these are. */
  readonly exampleSource: string;
  /** What the module would have to export to offer some of the function's own. */
  readonly exampleName: string;
}

/**
 * Imports the function that `FILE` or `FILE#export` names.
 *
 * @param folder where relative paths begin.
 * @throws UsageError if there is no such file, export or function; what the module throws when it starts.
 */
export async function loadTarget(text: string, folder: string): Promise<Target> {
  const { file, wanted } = readTarget(text);
  const path = resolve(folder, file);
  requireFile(path, file);
  const module = await importFile(path);
  return functionOf(module, wanted, file);
}

function readTarget(text: string): { readonly file: string; readonly wanted: string | undefined } {
  const at = text.lastIndexOf("#");
  if (text !== "" && at < 0) return { file: text, wanted: undefined };
  const [file, wanted] = [text.slice(0, at), text.slice(at + 1)];
  if (file === "" || wanted === "")
    throw new UsageError(`${text === "" ? '""' : text} is not FILE#export, as in model.js#loss`);
  return { file, wanted };
}

function requireFile(path: string, file: string): void {
  if (!existsSync(path)) throw new UsageError(`there is no file ${file} (looked for ${path})`);
  if (statSync(path).isDirectory()) throw new UsageError(`${file} is a folder; name a file of it`);
  if (!/\.[cm]?[jt]sx?$/.test(path))
    throw new UsageError(`${file} is neither JavaScript nor TypeScript: wanted a .js, .mjs or .ts file`);
}

async function importFile(path: string): Promise<Record<string, unknown>> {
  const throughTsx =
    /\.[cm]?tsx?$/.test(path) && !nodeReadsTypeScript() && (isUnderTsx() || (await startTsx(path)));
  useOwnCopy(path, throughTsx);
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    // Node keeps the place of such an error to itself, until it prints it.
    if (error instanceof SyntaxError) error.message += ` (in ${placeOfMistake(path)})`;
    throw error;
  }
}

/** The file, with the line where it cannot be parsed if it is this file that cannot. */
function placeOfMistake(path: string): string {
  const { stderr } = spawnSync(process.execPath, ["--check", path], { encoding: "utf8" });
  const line = /^.*:(\d+)\r?\n/.exec(stderr)?.[1];
  return line === undefined ? path : `${path}:${line}`;
}

/** Node strips types by itself since 22.18. */
const nodeReadsTypeScript = (): boolean =>
  Boolean((process.features as { typescript?: false | "strip" | "transform" }).typescript);

/** Whether the command itself was started through tsx. */
const isUnderTsx = (): boolean => import.meta.url.endsWith(".ts");

/** Lets Node read TypeScript through tsx, the file's own or one beside the command or in the working directory. */
async function startTsx(path: string): Promise<true> {
  for (const place of [path, fileURLToPath(import.meta.url), resolve("package.json")]) {
    const api = tsxSeenFrom(place);
    if (api === undefined) continue;
    const { register } = (await import(pathToFileURL(api).href)) as { register: () => unknown };
    register();
    return true;
  }
  throw new UsageError(
    `Node ${process.versions.node} does not read TypeScript: npm install tsx beside ${basename(path)} ` +
      `(in ${dirname(path)} or above), use Node 22.18 or later, or compile the file to JavaScript`,
  );
}

/** The module that starts tsx. What `require` finds by its name is another one, for CommonJS. */
function tsxSeenFrom(place: string): string | undefined {
  let manifest: string;
  try {
    manifest = createRequire(place).resolve("tsx/package.json");
  } catch {
    return undefined;
  }
  type Entry = { readonly import?: { readonly default?: string } };
  const { exports } = JSON.parse(readFileSync(manifest, "utf8")) as { exports?: Record<string, Entry> };
  const file = exports?.["./esm/api"]?.import?.default;
  return file === undefined ? undefined : resolve(dirname(manifest), file);
}

const kindOf = (x: unknown): string =>
  x === null || x === undefined
    ? String(x)
    : typeof x === "function"
      ? "a class"
      : `${typeof x === "object" ? "an" : "a"} ${typeof x}`;

/** Node sees the exports of a CommonJS module by its text, and not all of them; the object itself is its default export. */
function exportsOf(module: Record<string, unknown>): Record<string, unknown> {
  const all = module["module.exports"] ?? module.default;
  const isObject = typeof all === "object" && all !== null && Object.getPrototypeOf(all) === Object.prototype;
  return isObject ? { ...module, default: undefined, ...all } : module;
}

const isClass = (f: unknown): boolean => typeof f === "function" && /^class\b/.test(String(f));

function functionOf(imported: Record<string, unknown>, wanted: string | undefined, file: string): Target {
  const module = exportsOf(imported);
  const names = Object.keys(module).filter(
    (name) => typeof module[name] === "function" && !isClass(module[name]),
  );
  const there = names.length === 0 ? "it exports no function" : `its functions are ${names.join(", ")}`;
  const name = wanted ?? "default";
  if (!Object.hasOwn(module, name) || (name === "default" && module.default === undefined)) {
    const which =
      wanted === undefined ? "no default export" : `no export ${wanted}${didYouMean(name, names)}`;
    const how = names.length === 0 ? "" : `; name one: ${file}#${names[0]}`;
    throw new UsageError(`${file} has ${which}: ${there}${wanted === undefined ? how : ""}`);
  }
  const f = module[name];
  if (typeof f !== "function" || isClass(f))
    throw new UsageError(`${name} of ${file} is not a function but ${kindOf(f)}; ${there}`);
  const called = wanted ?? (f.name || "default");
  const exampleName = `${called}Args`;
  const exported = module[exampleName] === undefined ? "exampleArgs" : exampleName;
  const exampleArgs = module[exported];
  const exampleSource = `${exported} of ${file}`;
  if (exampleArgs !== undefined && !Array.isArray(exampleArgs))
    throw new UsageError(`${exampleSource} is not a list of arguments`);
  return { f: f as Fn, name: called, exampleArgs, exampleSource, exampleName };
}
