/**
 * Jaxprs as text. What is printed can be read back: `parseJaxpr` gives the same program.
 *
 *     { lambda a:f32[3] ; b:f32[] c:~f32[]. let
 *         d:f32[] = tanh b
 *         e:f32[3] = mul a d
 *         f:f32[] = jit[name="g" jaxpr={ lambda ; a:f32[]. let
 *             b:f32[] = sin a
 *           in (b,) }] d
 *       in (e, 2.0, f) }
 *
 * Before the semicolon stand the constants. Variables are named in the order in which they are defined, in every jaxpr
 * anew; an output that nothing uses is `_`. Params are sorted by name, those that hold jaxprs last. How literals are
 * spelled stands in spelling.ts.
 */
import { type Aval, equalAvals, showAval } from "./aval.js";
// Jaxprs print themselves with what stands here, so this file knows their types only.
import type { Atom, ClosedJaxpr, Eqn, Jaxpr, Var } from "./jaxpr.js";
import type { Params, ParamValue } from "./primitive.js";
import { describeSource } from "./source.js";
import { impliedType, kindOf, reserved, spellLiteral, spellNumber, variableNames } from "./spelling.js";

export interface PrintOptions {
  /** How many of the inputs are constants. Default 0. */
  readonly constCount?: number;
  /**
   * Write behind each equation where in user code it comes from, as far as that is known. Such a text is for reading:
   * the parser does not take it. Default false.
   */
  readonly sources?: boolean;
}

interface Style {
  readonly sources: boolean;
  /** False: jaxprs inside equations are left out, as in messages. */
  readonly bodies: boolean;
}

type Names = ReadonlyMap<number, string>;

/**
 * The text of a jaxpr. A body is written out wherever it is called; in the rare program where calls of calls multiply
 * to more than a million equations, bodies are left out (`{ lambda ... }`), and the text cannot be parsed.
 *
 * @param options `constCount`: how many inputs stand before the semicolon; `sources`: say where equations come from.
 * @example
 * printJaxpr(makeJaxpr((x) => x.sin())(0.5).jaxpr);
 * // { lambda ; a:~f32[]. let
 * //     b:~f32[] = sin a
 * //   in (b,) }
 */
export function printJaxpr(jaxpr: Jaxpr, { constCount = 0, sources = false }: PrintOptions = {}): string {
  const out: string[] = [];
  const bodies = writtenEqns(jaxpr, new Map()) <= maxEqns;
  writeJaxpr(out, jaxpr, constCount, "", { sources, bodies });
  return out.join("");
}

/** The text of a closed jaxpr: its constants are named, their values are not printed. */
export const printClosed = (closed: ClosedJaxpr, options: Omit<PrintOptions, "constCount"> = {}): string =>
  printJaxpr(closed.jaxpr, { ...options, constCount: closed.consts.length });

/** One equation as it stands in the printed jaxpr, without the jaxprs that it holds: for messages. */
export function printEqn(jaxpr: Jaxpr, eqn: Eqn): string {
  const out: string[] = [];
  writeEqn(out, eqn, nameVariables(jaxpr), "", { sources: false, bodies: false });
  return out.join("");
}

const maxEqns = 1_000_000;

/** How many equations the text has, if every body is written out wherever it stands: exponential in the nesting. */
function writtenEqns(jaxpr: Jaxpr, known: Map<Jaxpr, number>): number {
  let count = known.get(jaxpr);
  if (count !== undefined) return count;
  count = jaxpr.eqns.length;
  for (const eqn of jaxpr.eqns)
    for (const key of Object.keys(eqn.params))
      for (const body of jaxprsIn(eqn.params[key])) count += writtenEqns(body, known);
  known.set(jaxpr, count);
  return count;
}

const jaxprsIn = (value: ParamValue): readonly Jaxpr[] => {
  if (isJaxpr(value)) return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(jaxprsIn) : [];
};

const isVar = (a: Atom): a is Var => "id" in a;

/** Params are data; the only objects among them that are not plain are jaxprs. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

const isJaxpr = (value: ParamValue): value is Jaxpr =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isPlain(value) && "eqns" in value;

const holdsJaxpr = (value: ParamValue): boolean =>
  isJaxpr(value) || (Array.isArray(value) && value.some(holdsJaxpr));

/** Names all inputs, and all outputs of equations that are used. */
function nameVariables(jaxpr: Jaxpr): Names {
  const used = new Set<number>();
  const use = (a: Atom): void => {
    if (isVar(a)) used.add(a.id);
  };
  for (const eqn of jaxpr.eqns) eqn.inputs.forEach(use);
  jaxpr.outputs.forEach(use);

  const names = new Map<number, string>();
  const fresh = variableNames();
  for (const v of jaxpr.inputs) names.set(v.id, fresh.next().value);
  for (const eqn of jaxpr.eqns)
    for (const v of eqn.outputs) if (used.has(v.id)) names.set(v.id, fresh.next().value);
  return names;
}

const binder = (v: Var, names: Names): string => `${names.get(v.id) ?? "_"}:${showAval(v.aval)}`;

/** An atom beside variables of the given types. A variable without definition (no jaxpr has one) is `?7`. */
function spellAtom(a: Atom, names: Names, beside: readonly Aval[]): string {
  if (isVar(a)) return names.get(a.id) ?? `?${a.id}`;
  const text = spellLiteral(a.value, a.aval.dtype);
  return equalAvals(a.aval, impliedType(kindOf(a.aval.dtype), beside)) ? text : `${text}:${showAval(a.aval)}`;
}

function writeJaxpr(out: string[], jaxpr: Jaxpr, constCount: number, indent: string, style: Style): void {
  const names = nameVariables(jaxpr);
  const binders = jaxpr.inputs.map((v) => binder(v, names));
  const consts = binders.slice(0, constCount).map((text) => `${text} `);
  out.push("{ lambda ", consts.join(""), "; ", binders.slice(constCount).join(" "), ". let\n");
  for (const eqn of jaxpr.eqns) {
    out.push(indent, "    ");
    writeEqn(out, eqn, names, `${indent}    `, style);
    out.push("\n");
  }
  const outputs = jaxpr.outputs.map((a) => spellAtom(a, names, []));
  out.push(indent, "  in (", outputs.join(", "), outputs.length === 1 ? ",) }" : ") }");
}

function writeEqn(out: string[], eqn: Eqn, names: Names, indent: string, style: Style): void {
  out.push(eqn.outputs.length === 0 ? "()" : eqn.outputs.map((v) => binder(v, names)).join(" "));
  out.push(" = ", eqn.primitive.name);
  const fields = fieldsOf(eqn.params);
  if (fields.length > 0) {
    out.push("[");
    writeFields(out, fields, indent, style);
    out.push("]");
  }
  const variables = eqn.inputs.filter(isVar);
  // Only literals need to know what they stand beside.
  const beside = variables.length < eqn.inputs.length ? variables.map((v) => v.aval) : [];
  for (const a of eqn.inputs) out.push(" ", spellAtom(a, names, beside));
  const where = style.sources ? describeSource(eqn.source) : undefined;
  if (where !== undefined) out.push("  # ", where);
}

type Field = readonly [key: string, value: ParamValue];

/** The params that are there, in the order in which they are printed. */
function fieldsOf(params: Params): Field[] {
  const fields: Field[] = [];
  const jaxprs: Field[] = [];
  for (const key of Object.keys(params).sort())
    if (params[key] !== undefined) (holdsJaxpr(params[key]) ? jaxprs : fields).push([key, params[key]]);
  return [...fields, ...jaxprs];
}

const isBareKey = (key: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !reserved.has(key);

function writeFields(out: string[], fields: readonly Field[], indent: string, style: Style): void {
  for (const [i, [key, value]] of fields.entries()) {
    out.push(i === 0 ? "" : " ", isBareKey(key) ? key : JSON.stringify(key), "=");
    writeValue(out, value, indent, style);
  }
}

function writeValue(out: string[], value: ParamValue, indent: string, style: Style): void {
  if (typeof value === "number") out.push(spellNumber(value));
  else if (typeof value === "string") out.push(JSON.stringify(value));
  else if (Array.isArray(value)) {
    const separator = holdsJaxpr(value) ? ", " : ",";
    out.push("[");
    for (const [i, item] of (value as readonly ParamValue[]).entries()) {
      if (i > 0) out.push(separator);
      writeValue(out, item, indent, style);
    }
    out.push("]");
  } else if (isJaxpr(value)) {
    if (style.bodies) writeJaxpr(out, value, 0, indent, style);
    else out.push("{ lambda ... }");
  } else if (typeof value === "object" && value !== null && isPlain(value)) {
    out.push("{");
    writeFields(out, fieldsOf(value as Params), indent, style);
    out.push("}");
  } else if (value === undefined || value === null || typeof value === "boolean") out.push(String(value));
  // Not data, so no param; it shows all the same, in the message of the checker that says so.
  else out.push(`<${typeof value}>`);
}
