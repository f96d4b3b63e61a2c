/** What variables are called: by the user's parameters and the keys of his trees, else by letters. */
import { keystr, type Path } from "../../core/tree.js";
import { allVariables, type Link, type Operation, type Program, Variable } from "./program.js";

/**
 * The names of a function's parameters, as far as its text tells: undefined for one that is taken apart (`({ w, b }) => ...`)
 * and for those of a function without a text (`grad(f)`).
 */
export function parameterNames(f: { toString(): string }): (string | undefined)[] {
  // Build tools write letters beyond ASCII as escapes.
  const text = f
    .toString()
    .replace(/\\u\{?([0-9a-fA-F]{4,6})\}?/g, (_, code: string) =>
      String.fromCodePoint(Number.parseInt(code, 16)),
    );
  const single = /^(?:async\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(text);
  if (single !== null) return [single[1]];
  const open = text.indexOf("(");
  if (open < 0 || text.includes("[native code]")) return [];
  const parts: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let i = open; i < text.length; i++) {
    if ("([{".includes(text[i])) depth++;
    else if (")]}".includes(text[i])) depth--;
    const ended = depth === 0;
    if (!ended && !(depth === 1 && text[i] === ",")) continue;
    parts.push(text.slice(start, i));
    start = i + 1;
    if (ended) break;
  }
  return parts.map((part) => /^\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?:=|$)/u.exec(part)?.[1]);
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
  const visit = (operations: readonly Operation[]): void => {
    for (const op of operations) {
      nameEntries(op.bodies.flatMap((body) => body.links));
      for (const body of op.bodies) {
        for (const v of body.inputs) ensure(v);
        visit(body.operations);
      }
      for (const v of op.outputs) ensure(v);
    }
  };
  for (const v of [...program.inputs, ...program.constants]) ensure(v);
  visit(program.operations);
}

/** What comes into a body has the name that it has outside; what changes from step to step has an index. */
function nameEntries(links: readonly Link[]): void {
  const carries = new Set(links.filter(({ kind }) => kind === "next").map(({ to }) => to));
  for (const { from, to, kind } of links) {
    if (!(from instanceof Variable)) continue;
    if (kind === "slice") setName(to, `${from.name}[t]`);
    else if (kind === "enter") setName(to, carries.has(to) ? `${from.name}[t]` : from.name);
  }
  for (const { from, to, kind } of links)
    if (kind === "next" && from instanceof Variable && from.role === "inner" && to.named)
      setName(from, to.name.replace(/\[t\]$/, "[t+1]"));
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
