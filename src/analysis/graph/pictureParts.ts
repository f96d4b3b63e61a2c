/** How values and operations become nodes, in whichever form the program is drawn. */
import { describe } from "../../core/aval.js";
import { atom, type Expr, formOf, symbolOf, writeExpr } from "./notation.js";
import type { Note, Notes } from "./notes.js";
import { formatScalar, typeText } from "./numbers.js";
import type { Line, PictureBox, PictureNode, Tone } from "./picture.js";
import { type Operand, type Operation, type Scope, Variable } from "./program.js";

/** The boxes that some scopes need, outer ones first. */
export function boxesOf(scopes: Iterable<Scope | undefined>): PictureBox[] {
  const found = new Map<string, PictureBox>();
  const visit = (scope: Scope | undefined): void => {
    if (scope === undefined || found.has(scope.id)) return;
    visit(scope.parent);
    found.set(scope.id, { id: scope.id, title: scope.title, parent: scope.parent?.id });
  };
  for (const scope of scopes) visit(scope);
  return [...found.values()];
}

const tones: Readonly<Record<Variable["role"], Tone>> = {
  input: "input",
  constant: "constant",
  inner: "inner",
  entry: "inner",
  output: "output",
};

const longestLine = 60;

/** The two ends of what no box should be as wide as. */
export const shortened = (text: string): string => {
  const letters = [...text];
  const half = longestLine / 2;
  return letters.length <= longestLine
    ? text
    : `${letters.slice(0, half).join("")} … ${letters.slice(-half).join("")}`;
};

/** The node of a value. @param text what stands in its first line: its name, if nothing else. */
export function variableNode(v: Variable, notes: Notes, text = v.name): PictureNode {
  const type = typeText(v.aval);
  const value = notes.values.get(v);
  // `a = 2` stands in one line, if the line does not say already what it is equal to.
  const isPlain = text === v.name && type === "" && value !== undefined;
  const first = shortened(text);
  const lines: Line[] = [{ text: isPlain ? `${first} = ${value}` : first, kind: "name" }];
  if (type !== "") lines.push({ text: type, kind: "type" });
  if (v.result !== undefined) lines.push({ text: `result ${v.result}`, kind: "type" });
  if (value !== undefined && !isPlain) lines.push({ text: `= ${value}`, kind: "value" });
  const derivative = notes.derivatives.get(v);
  if (derivative !== undefined) lines.push(derivativeLine(derivative));
  return {
    id: v.id,
    shape: "variable",
    lines,
    tone: tones[v.role],
    hint: `${first === text ? v.name : text}: ${describe(v.aval)}`,
    ...(v.scope === undefined ? {} : { box: v.scope.id }),
    ...(notes.highlighted.has(v) ? { highlighted: true } : {}),
  };
}

const derivativeLine = ({ text, hidden }: Note): Line => ({
  text: shortened(text),
  kind: "derivative",
  ...(hidden ? { hidden } : {}),
});

/** The node of an operation: its symbol, and how many equations it hides. */
export function operationNode(op: Operation, equations: number): PictureNode {
  const form = formOf(op.eqn);
  const symbol = symbolOf(form, op.inputs.map(numberText));
  const lines: Line[] = [{ text: shortened(callTitle(op) ?? symbol), kind: "name" }];
  if (equations > 0 && op.bodies.length === 0) lines.push({ text: `${equations} operations`, kind: "type" });
  const isChoice = op.eqn.primitive.name === "cond" && op.bodies.length > 0;
  // The choice stands between its branches, in the box around them.
  const scope = isChoice ? op.bodies[0].scope.parent : op.scope;
  return {
    id: op.id,
    shape: isChoice ? "choice" : "operation",
    lines,
    hint: op.outputs.map((v, k) => `${v.name} = ${formulaOf(op, k)}`).join("; "),
    ...(scope === undefined ? {} : { box: scope.id }),
  };
}

/** `scan × 10` for what is not opened. */
function callTitle({ eqn, bodies }: Operation): string | undefined {
  const { primitive, params } = eqn;
  if (primitive.name === "cond") return bodies.length > 0 ? "?" : "cond";
  if (primitive.name === "scan") return `scan × ${String(params.length)}`;
  if (primitive.family !== "call" || typeof params.name !== "string" || params.name === "function")
    return undefined;
  return `${primitive.name} ${params.name}`;
}

/** The text of an operand that is a number. */
export const numberText = (x: Operand): string | undefined =>
  x instanceof Variable ? undefined : x.aval.dtype === "bool" ? String(x.value !== 0) : formatScalar(x.value);

/** Output `k` of an operation as a formula of its operands' names. */
export function formulaOf(op: Operation, k: number): string {
  const operands = op.inputs.map(
    (x): Expr => atom(x instanceof Variable ? x.name : (numberText(x) as string)),
  );
  const title = callTitle(op);
  const { text } =
    title === undefined || op.eqn.primitive.name === "cond"
      ? writeExpr(formOf(op.eqn), operands)
      : { text: `${title}(${operands.map((x) => x.text).join(", ")})` };
  return op.outputs.length === 1 ? text : `${text}[${k}]`;
}
