/** Operations in mathematical notation: `a + b`, `sin x`, `Σ x`, `W @ h`. */
import type { Aval } from "../../core/aval.js";
import type { Eqn } from "../../core/jaxpr.js";
import type { Params } from "../../core/primitive.js";

/** A piece of notation, and how tightly it holds together: 0 a sum, 1 a product, 2 a function applied, 3 a name. */
export interface Expr {
  readonly text: string;
  readonly level: number;
}

export const atom = (text: string): Expr => ({ text, level: 3 });

/** How an operation is written. */
export type Form =
  | { kind: "infix"; symbol: string; level: number; left?: string; right?: string; ordered: boolean }
  | { kind: "prefix"; symbol: string }
  | { kind: "around"; before: string; after: string; level: number }
  | { kind: "call"; name: string };

const infixes: Readonly<Record<string, readonly [symbol: string, level: number, ordered: boolean]>> = {
  add: ["+", 0, false],
  sub: ["−", 0, true],
  mul: ["×", 1, false],
  div: ["÷", 1, true],
  rem: ["mod", 1, true],
  eq: ["=", -1, false],
  ne: ["≠", -1, false],
  lt: ["<", -1, true],
  le: ["≤", -1, true],
  gt: [">", -1, true],
  ge: ["≥", -1, true],
  bitwiseAnd: ["and", 0, false],
  bitwiseOr: ["or", 0, false],
  bitwiseXor: ["xor", 0, false],
};

const prefixes: Readonly<Record<string, string>> = {
  neg: "−",
  bitwiseNot: "¬",
  reduceSum: "Σ",
  reduceProd: "Π",
  reduceMax: "max",
  reduceMin: "min",
  reduceAnd: "all",
  reduceOr: "any",
  logistic: "σ",
  sqrt: "√",
  lgamma: "ln Γ",
  digamma: "ψ",
  broadcastInDim: "broadcast",
  optimizationBarrier: "barrier",
};

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const superscript = (n: number): string =>
  String(n).replace(/[-\d]/g, (c) => (c === "-" ? "⁻" : superscripts[Number(c)]));

/** Functions of one array that are written before it; all others are calls. */
const functionFamilies = new Set(["elementwise", "reduction", "cumulative", "shape"]);

/** How an equation is written, from its primitive, params and types. */
export function formOf({ primitive, params, inputs }: Pick<Eqn, "primitive" | "params" | "inputs">): Form {
  const { name } = primitive;
  const infix = infixes[name];
  if (infix !== undefined) {
    const [symbol, level, ordered] = infix;
    return { kind: "infix", symbol, level, ordered };
  }
  switch (name) {
    case "square":
      return { kind: "around", before: "", after: "²", level: 3 };
    case "integerPow":
      return { kind: "around", before: "", after: superscript(params.y as number), level: 3 };
    case "abs":
      return { kind: "around", before: "|", after: "|", level: -2 };
    case "exp":
      return { kind: "prefix", symbol: "exp" };
    case "transpose":
      if (inputs[0].aval.shape.length === 2) return { kind: "around", before: "", after: "ᵀ", level: 3 };
      break;
    case "convertElementType":
      return { kind: "call", name: String(params.dtype) };
    case "dotGeneral":
      return productForm(params, inputs[0].aval, inputs[1].aval);
    case "selectN":
    case "select":
      return { kind: "call", name: "where" };
    default:
  }
  if (prefixes[name] !== undefined) return { kind: "prefix", symbol: prefixes[name] };
  if (typeof params.name === "string" && primitive.family === "call" && params.name !== "")
    return { kind: "call", name: params.name };
  if (inputs.length === 1 && functionFamilies.has(primitive.family)) return { kind: "prefix", symbol: name };
  return { kind: "call", name };
}

/** A product of matrices and vectors; sums over other axes have no common notation. */
function productForm(params: Params, lhs: Aval, rhs: Aval): Form {
  const contracted = params.contracting as readonly (readonly number[])[];
  const batch = params.batch as readonly (readonly number[])[];
  const product = { kind: "infix", symbol: "@", level: 1, ordered: true } as const;
  if (batch[0].length > 0 || lhs.shape.length > 2 || rhs.shape.length > 2 || contracted[0].length > 1)
    return { kind: "call", name: "dot" };
  if (contracted[0].length === 0) return { ...product, symbol: "outer" };
  const transposedLeft = lhs.shape.length === 2 && contracted[0][0] === 0;
  const transposedRight = rhs.shape.length === 2 && contracted[1][0] === 1;
  return { ...product, left: transposedLeft ? "ᵀ" : "", right: transposedRight ? "ᵀ" : "" };
}

const within = (x: Expr, level: number): string => (x.level >= level ? x.text : `(${x.text})`);

/** Two signs do not follow each other: `x·(−3)`. */
const signed = (text: string, level: number): string =>
  level >= 0 && text.startsWith("−") ? `(${text})` : text;

/** An operation applied to operands. */
export function writeExpr(form: Form, inputs: readonly Expr[]): Expr {
  switch (form.kind) {
    case "infix": {
      const [a, b] = inputs;
      const { symbol, level, left = "", right = "", ordered } = form;
      const [x, y] = [
        left === "" ? within(a, level) : within(a, 3) + left,
        right === "" ? within(b, ordered ? level + 1 : level) : within(b, 3) + right,
      ];
      // Names of one letter beside each other would read as one name, so products have a dot.
      const sign = symbol === "×" ? "·" : symbol === "÷" ? "/" : symbol;
      const tight = sign === "·" || sign === "/";
      const second = signed(y, level);
      return { text: tight ? `${x}${sign}${second}` : `${x} ${sign} ${second}`, level };
    }
    case "prefix": {
      const [x] = inputs;
      const sign = form.symbol === "−" || form.symbol === "√" || form.symbol === "¬";
      const operand = within(x, sign ? 2 : 3);
      const bracketed = operand.startsWith("(");
      return {
        text: sign || bracketed ? `${form.symbol}${operand}` : `${form.symbol} ${operand}`,
        level: form.symbol === "−" ? 0.5 : 2,
      };
    }
    case "around":
      return { text: `${form.before}${within(inputs[0], form.level)}${form.after}`, level: 2.5 };
    case "call":
      return { text: `${form.name}(${inputs.map((x) => x.text).join(", ")})`, level: 3 };
  }
}

/**
 * What stands in the circle of an operation: its symbol, with the numbers that it takes in their places (`+ 1`, `2 ÷`).
 *
 * @param operands the text of each number; undefined for a variable.
 */
export function symbolOf(form: Form, operands: readonly (string | undefined)[]): string {
  const numbers = operands.some((x) => x !== undefined);
  switch (form.kind) {
    case "infix": {
      if (numbers)
        return `${operands[0] ?? ""} ${form.symbol} ${signed(operands[1] ?? "", form.level)}`.trim();
      const { left = "", right = "" } = form;
      return left === "" && right === "" ? form.symbol : `·${left} ${form.symbol} ·${right}`;
    }
    case "prefix":
      return operands[0] === undefined ? form.symbol : `${form.symbol} ${operands[0]}`;
    case "around":
      return form.before === "" && form.after === "ᵀ"
        ? "ᵀ"
        : `${form.before || "("}·${form.before === "" ? ")" : ""}${form.after}`;
    case "call":
      return numbers ? `${form.name}(${operands.map((x) => x ?? "·").join(", ")})` : form.name;
  }
}
