/** The format strings of `debug.print`: those of Python's `str.format`, without conversions and format specs. */
import { NDArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import { numberKey } from "../core/params.js";
import { flatten } from "../core/tree.js";
import { nodeType } from "../core/treeRegistry.js";
import type { Pieces } from "../primitives/debug.js";

/** What a format refers to: a text as it is, or an argument by position or by name. */
type Part = { readonly text: string } | { readonly position: number } | { readonly name: string };

const fail = (format: string, what: string): never => {
  throw new ArgumentError(`debug.print: the format ${JSON.stringify(format)} ${what}`);
};

function parse(format: string): Part[] {
  const parts: Part[] = [];
  let automatic = 0;
  let numbered = false;
  const token = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g;
  for (const [text, field] of format.matchAll(token)) {
    if (text === "{" || text === "}") fail(format, `has a single "${text}"; "${text}${text}" stands for one`);
    if (field === undefined) parts.push({ text: text === "{{" || text === "}}" ? text[0] : text });
    else if (field === "") parts.push({ position: automatic++ });
    else if (/^\d+$/.test(field)) {
      numbered = true;
      parts.push({ position: Number(field) });
    } else if (/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(field)) parts.push({ name: field });
    else fail(format, `has the placeholder "${text}", which is none of "{}", "{0}" and "{name}"`);
  }
  if (automatic > 0 && numbered) fail(format, 'mixes "{}" with numbered placeholders');
  return parts;
}

/** A line to print, and the arrays in it. */
export interface Line {
  readonly pieces: Pieces;
  readonly operands: readonly NDArray[];
}

/**
 * Puts arguments into a format. Numbers and texts among them become part of the text; arrays stay open.
 *
 * @param args if the format names arguments, the last of them is the record that has these.
 * @throws ArgumentError if the format is malformed, refers to what is not there, or leaves an argument out.
 */
export function fillFormat(format: string, args: readonly unknown[]): Line {
  const parts = parse(format);
  const names = parts.flatMap((p) => ("name" in p ? [p.name] : []));
  const positional = names.length > 0 ? args.slice(0, -1) : args;
  const named = names.length > 0 ? recordOf(format, names[0], args.at(-1)) : {};

  const missing = names.find((name) => !Object.hasOwn(named, name));
  if (missing !== undefined)
    fail(format, `names ${missing}, but the named arguments are ${Object.keys(named).join(", ") || "none"}`);
  const positions = new Set(parts.flatMap((p) => ("position" in p ? [p.position] : [])));
  const last = Math.max(-1, ...positions);
  if (last >= positional.length)
    fail(format, `refers to argument ${last}, counted from 0, but ${positional.length} were given`);
  const left = positional.findIndex((_, i) => !positions.has(i));
  if (left >= 0) fail(format, `has no place for argument ${left}, counted from 0`);
  const leftName = Object.keys(named).find((name) => !names.includes(name));
  if (leftName !== undefined) fail(format, `has no place for the named argument ${leftName}`);

  const line = new LineBuilder();
  for (const p of parts) {
    if ("text" in p) line.text(p.text);
    else line.value("position" in p ? positional[p.position] : named[p.name]);
  }
  return line;
}

function recordOf(format: string, name: string, given: unknown): Readonly<Record<string, unknown>> {
  if (nodeType(given) !== "object")
    fail(format, `names ${name}, so the last argument must be a record of named ones`);
  return given as Readonly<Record<string, unknown>>;
}

class LineBuilder implements Line {
  readonly pieces: (string | number)[] = [];
  readonly operands: NDArray[] = [];

  text(text: string): void {
    const { pieces } = this;
    const before = pieces.at(-1);
    if (typeof before === "string") pieces[pieces.length - 1] = before + text;
    else if (text !== "") pieces.push(text);
  }

  /** An argument: a text stands for itself, and only inside a tree in quotes. */
  value(x: unknown): void {
    if (typeof x === "string") this.text(x);
    else {
      // Refuses a tree that contains itself, which would never end below.
      flatten(x as object);
      this.node(x);
    }
  }

  private node(x: unknown): void {
    if (x instanceof NDArray) this.array(x);
    else {
      const type = nodeType(x);
      if (type === "leaf" || type === "null" || type === "undefined") this.text(spell(x));
      else this.container(x as object, type === "array", type === "object" ? "" : `${x?.constructor.name} `);
    }
  }

  private array(x: NDArray): void {
    const known = this.operands.indexOf(x);
    this.pieces.push(known < 0 ? this.operands.push(x) - 1 : known);
  }

  private container(x: object, isList: boolean, name: string): void {
    const { leaves, treedef } = flatten(x, (node) => node !== x);
    const keys = treedef.paths().map((path) => path.at(-1));
    if (leaves.length === 0) {
      this.text(isList ? "[]" : `${name}{}`);
      return;
    }
    this.text(isList ? "[" : `${name}{ `);
    for (const [i, child] of (leaves as unknown[]).entries()) {
      if (i > 0) this.text(", ");
      if (!isList) this.text(`${keys[i]}: `);
      this.node(child);
    }
    this.text(isList ? "]" : " }");
  }
}

function spell(x: unknown): string {
  if (typeof x === "number") return numberKey(x);
  if (typeof x === "string") return JSON.stringify(x);
  return typeof x === "function" ? `function ${x.name}` : String(x);
}
