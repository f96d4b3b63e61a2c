/** What variables are called: by the user's parameters and the keys of his trees, else by letters. */
import { keystr, type Path } from "../../core/tree.js";
import { allVariables, type Link, type Operation, type Program, Variable } from "./program.js";

/**
 * The names of a function's parameters, as far as its text tells: undefined for one that is taken apart (`({ w, b }) => ...`)
 * and for those of a function without a text (`grad(f)`).
 */
export const parameterNames = (f: { toString(): string }): (string | undefined)[] =>
  (parametersOf(f) ?? []).map(
    (part) => /^\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?:=|$)/u.exec(part)?.[1],
  );

/** How many arguments a function has a use for, as far as its text tells. */
export function mostArguments(f: { toString(): string }): number {
  const parts = parametersOf(f);
  const isOpen = parts === undefined || parts.some((part) => part.trim().startsWith("..."));
  return isOpen || /\barguments\b/.test(String(f)) ? Number.POSITIVE_INFINITY : parts.length;
}

/** The texts of the parameters; undefined for a function without a text. */
function parametersOf(f: { toString(): string }): string[] | undefined {
  // Build tools write letters beyond ASCII as escapes. Comments and texts may hold commas and brackets.
  const text = f
    .toString()
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/g, (piece) =>
      piece.startsWith("/") ? " " : '""',
    )
    .replace(/\\u\{?([0-9a-fA-F]{4,6})\}?/g, (_, code: string) =>
      String.fromCodePoint(Number.parseInt(code, 16)),
    );
  const single = /^(?:async\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(text);
  if (single !== null) return [single[1]];
  const open = text.indexOf("(");
  if (open < 0 || text.includes("[native code]")) return undefined;
  const parts: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let i = open; i < text.length; i++) {
    if ("([{".includes(text[i])) depth++;
    else if (")]}".includes(text[i])) depth--;
    const ended = depth === 0;
    if (!ended && !(depth === 1 && text[i] === ",")) continue;
    // Behind the last comma there may be nothing.
    if (!ended || text.slice(start, i).trim() !== "") parts.push(text.slice(start, i));
    start = i + 1;
    if (ended) break;
  }
  return parts;
}

/** Names of the leaves of the arguments: `x`, `W1`; `params.W1` where two leaves would otherwise share a name. */
export function leafNames(paths: readonly Path[], parameters: readonly (string | undefined)[]): string[] {
  const long = paths.map(([position, ...path]) => {
    const argument = parameters[position as number] ?? `arg${position}`;
    return `${argument}${keystr(path)}`;
  });
  const short = paths.map(([position, ...path], i) => {
    if (path.length === 0) return long[i];
    const inside = keystr(path).replace(/^\./, "");
    // An index says nothing without the name of the list.
    return /^\[/.test(inside) ? `${parameters[position as number] ?? `arg${position}`}${inside}` : inside;
  });
  return short.map((name, i) => (short.indexOf(name) === short.lastIndexOf(name) ? name : long[i]));
}

/** Gives every variable a name: those that have none get letters that no other has. */
export function nameVariables(program: Program, inputs: readonly string[]): void {
  for (const [i, v] of program.inputs.entries()) setName(v, inputs[i] ?? "");
  const letters = freeNames(new Set(allVariables(program).flatMap((v) => (v.named ? [v.name] : []))));
  const ensure = (v: Variable): void => {
    if (v.name === "") v.name = letters.next().value;
  };
  const visit = (operations: readonly Operation[], loops: number): void => {
    for (const op of operations) {
      const links = op.bodies.flatMap((body) => body.links);
      nameEntries(links, indices[Math.min(loops, indices.length - 1)]);
      const isLoop = links.some(({ kind }) => kind === "next" || kind === "slice");
      for (const body of op.bodies) {
        for (const v of body.inputs) ensure(v);
        visit(body.operations, isLoop ? loops + 1 : loops);
      }
      for (const v of op.outputs) ensure(v);
    }
  };
  for (const v of [...program.inputs, ...program.constants]) ensure(v);
  visit(program.operations, 0);
}

/** Of the steps of a loop, of those of a loop in it, and so on. */
const indices = ["t", "s", "r", "q"];

/** What comes into a body has the name that it has outside; what changes from step to step has an index. */
function nameEntries(links: readonly Link[], index: string): void {
  const carries = new Set(links.filter(({ kind }) => kind === "next").map(({ to }) => to));
  for (const { from, to, kind } of links) {
    if (!(from instanceof Variable)) continue;
    if (kind === "slice") setName(to, `${from.name}[${index}]`);
    else if (kind === "enter") setName(to, carries.has(to) ? `${from.name}[${index}]` : from.name);
  }
  for (const { from, to, kind } of links)
    if (kind === "next" && from instanceof Variable && from.role === "inner" && to.named)
      setName(from, to.name.replace(/\[\w\]$/, `[${index}+1]`));
}

function setName(v: Variable, name: string): void {
  if (v.named || name === "") return;
  v.name = name;
  v.named = true;
}

/** a to z, then a1 to z1, and so on, without those that are taken. */
function* freeNames(taken: ReadonlySet<string>): Generator<string, never> {
  for (let round = 0; ; round++)
    for (let i = 0; i < 26; i++) {
      const name = String.fromCharCode(97 + i) + (round === 0 ? "" : round);
      if (!taken.has(name)) yield name;
    }
}
