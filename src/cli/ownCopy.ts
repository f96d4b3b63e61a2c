/**
 * What the file imports as `fluxion` has to be the very copy that the command runs: another would have arrays and primitives
 * of its own, which this one does not know.
 */
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

const isSource = import.meta.url.endsWith(".ts");

/** The file of an entry of this copy, or undefined for what is no entry. */
function entryUrl(specifier: string): string | undefined {
  const match = /^fluxion(?:\/([a-z]+)(\/vitest)?)?$/.exec(specifier);
  if (match === null) return undefined;
  const [, entry, vitest] = match;
  const file = entry === undefined ? "index" : vitest === undefined ? `${entry}/index` : `${entry}${vitest}`;
  // In a checkout the laws lie beside the source; in the package all entries lie in one folder.
  const below = isSource && entry === "laws" ? "../.." : "..";
  return new URL(`${below}/${file}.${isSource ? "ts" : "js"}`, import.meta.url).href;
}

/** Whether a file gets this copy by itself, as it does where the command is the one of the file's own project. */
function seesOwnCopy(file: string): boolean {
  try {
    return nodeModule.createRequire(file).resolve("fluxion") === fileURLToPath(entryUrl("fluxion") as string);
  } catch {
    return false;
  }
}

type Resolved = { url: string; format: "module"; shortCircuit: true };
type Resolve = (
  specifier: string,
  context: unknown,
  next: (specifier: string, context: unknown) => unknown,
) => unknown;

/** Node 22.15 and later; older ones take hooks that run in a thread of their own. */
const { registerHooks } = nodeModule as { registerHooks?: (hooks: { resolve: Resolve }) => unknown };

const entries = [
  "",
  "/numpy",
  "/lax",
  "/nn",
  "/random",
  "/scipy",
  "/fp",
  "/analysis",
  "/laws",
  "/laws/vitest",
];

/**
 * Makes `fluxion` mean this copy in everything that is imported from now on.
 *
 * @param always also where the file would find it: what reads TypeScript may have ways of its own to find packages.
 */
export function useOwnCopy(file: string, always: boolean): void {
  if (!always && seesOwnCopy(file)) return;
  const own = Object.fromEntries(entries.map((entry) => [`fluxion${entry}`, entryUrl(`fluxion${entry}`)]));
  const found = (specifier: string): Resolved | undefined =>
    own[specifier] === undefined ? undefined : { url: own[specifier], format: "module", shortCircuit: true };
  if (registerHooks !== undefined) {
    registerHooks({ resolve: (specifier, context, next) => found(specifier) ?? next(specifier, context) });
    return;
  }
  const hooks = `const own = ${JSON.stringify(own)};
export const resolve = (specifier, context, next) => Object.hasOwn(own, specifier)
  ? { url: own[specifier], format: "module", shortCircuit: true }
  : next(specifier, context);`;
  nodeModule.register(`data:text/javascript,${encodeURIComponent(hooks)}`);
}
