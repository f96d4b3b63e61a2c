/** From what a visitor typed to a function and its arguments. Runs in the worker. */
import * as fluxion from "fluxion";
import { type NDArray, numpy as np, ShapeDtype, tree } from "fluxion";

// biome-ignore lint/suspicious/noExplicitAny: what a visitor writes takes and gives whatever he likes
export type UserFunction = (...args: any[]) => any;
/** A tree of arrays, or of `ShapeDtype`s in their place. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Value = any;

/** What can be imported; `fluxion/analysis` is loaded when it is. */
const modules: Record<string, object | undefined> = {
  fluxion,
  "fluxion/numpy": fluxion.numpy,
  "fluxion/lax": fluxion.lax,
  "fluxion/nn": fluxion.nn,
  "fluxion/random": fluxion.random,
  "fluxion/scipy": fluxion.scipy,
  "fluxion/analysis": undefined,
};

/** Everything that `fluxion` exports can be used without an import. */
const scope: Readonly<Record<string, unknown>> = { ...fluxion, np, modules };
const names = Object.keys(scope);

/** Names of the scripts that visitors' texts become: V8 puts them into stacks. */
const scripts = {
  source: "/source.js",
  args: "/args.js",
  tangents: "/tangents.js",
  cotangents: "/cotangents.js",
};
export type TextName = keyof typeof scripts;

/** The visitor's text begins on a line of its own. */
const linesBefore = 1;

/** Which text a frame of a stack, or a message with one, is about. */
export function placeIn(text: string): { where: TextName; line: number; column: number } | undefined {
  const found = /\/(source|args|tangents|cotangents)\.js:(\d+):(\d+)/.exec(text);
  if (found === null) return undefined;
  return { where: found[1] as TextName, line: Number(found[2]) - linesBefore, column: Number(found[3]) };
}

const emptyLines = (text: string): string => text.replace(/[^\n]/g, "");

/**
 * Code of a module as code of a function, line by line: imports of fluxion become constants, and `export` falls away.
 *
 * @throws SyntaxError for an import of anything else.
 */
export function asFunctionBody(source: string): string {
  return source
    .replace(
      /^([ \t]*)import\s+([^'";]*?)\s*from\s*["']([^"']+)["'];?/gm,
      (whole: string, indent: string, what: string, from: string) => {
        if (!Object.hasOwn(modules, from))
          throw new SyntaxError(`import from "${from}": here there are ${Object.keys(modules).join(", ")}`);
        if (/^type\b/.test(what)) return emptyLines(whole);
        const target = `modules[${JSON.stringify(from)}]`;
        const all = /^\*\s+as\s+(\w+)$/.exec(what);
        if (all !== null) return `${indent}const ${all[1]} = ${target};`;
        const list = what
          .replace(/\btype\s+\w+(\s+as\s+\w+)?\s*,?/g, "")
          .replace(/(\w+)\s+as\s+(\w+)/g, "$1: $2");
        return `${indent}const ${list} = ${target};`;
      },
    )
    .replace(/^([ \t]*)export\s+(default\s+)?(?=(function|const|let|class)\b)/gm, "$1");
}

/** Runs code in the scope of the library. */
function evaluate(before: string, code: string, after: string, name: TextName): unknown {
  const text = `(function (${names.join(", ")}) { "use strict"; ${before}\n${code}\n${after}})\n//# sourceURL=${scripts[name]}`;
  // Indirectly, so that the code sees nothing of this module.
  // biome-ignore lint/security/noGlobalEval: running the visitor's own code, in his worker, is what this page is for
  const run = globalThis.eval(text) as (...values: unknown[]) => unknown;
  return run(...names.map((key) => scope[key]));
}

/** The function `f` that a text defines. */
export async function compileFunction(source: string): Promise<UserFunction> {
  if (/from\s*["']fluxion\/analysis["']/.test(source))
    modules["fluxion/analysis"] ??= await import("fluxion/analysis");
  const body = asFunctionBody(source);
  const result = "return typeof f === 'undefined' ? undefined : f;";
  const f = evaluate("return (() => { ", body, `${result} })();`, "source");
  if (typeof f !== "function")
    throw new TypeError("the code must define a function called f: `const f = (x) => np.sin(x)`, say");
  return f as UserFunction;
}

const typePattern = /\b(float16|float32|float64|int32|uint32|uint8|bool)\[([\d,\s]*)\]/g;

/** `float32[784,256]`, as jaxprs spell types, stands for an argument of that type without values. */
const withTypes = (text: string): string =>
  text.replace(typePattern, (_, dtype: string, shape: string) => `new ShapeDtype([${shape}], "${dtype}")`);

/** The values that a list of expressions gives; numbers become floats, which have derivatives. */
export function compileValues(text: string, name: Exclude<TextName, "source">): Value[] {
  const list = evaluate("return [", withTypes(text), "];", name) as unknown[];
  return tree.map(
    (leaf: unknown) => (typeof leaf === "number" ? np.array(leaf, { dtype: "float32" }) : leaf),
    list,
  ) as Value[];
}

export const isAbstract = (values: Value): boolean =>
  (tree.leaves(values) as unknown[]).some((leaf) => leaf instanceof ShapeDtype);

const float = /^float\d/;
export const isFloatLeaf = (leaf: unknown): leaf is NDArray => float.test(String((leaf as NDArray).dtype));
