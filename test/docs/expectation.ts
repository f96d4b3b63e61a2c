/**
 * What a comment behind a piece of code says about it, and whether that is so.
 *
 *     f(x); // 0.8415                a number: right to the digits shown (integers: to seven digits)
 *     f(x); // [[1, 2], [3, 4]]      nested lists, of arrays too; records { w: [1, 2], b: 0 }; "text", true, null
 *     f(x); // float32[2,3]          dtype and shape;  shape [2,3]  the shape alone
 *     f(x); // Array(6, float32[])   how the array prints
 *     f(x); // throws ShapeError: add: ...
 *
 * A value may be followed by an explanation: `// [0, 2]: sin 0, and cos 0 times 2`. In a message, `…` stands for any text.
 */
import { inspect } from "node:util";
import { NDArray } from "../../src/core/array.js";
import { ClosedJaxpr, Jaxpr } from "../../src/core/jaxpr.js";
import { ShapeDtype } from "../../src/transforms/makeJaxpr.js";

export type Expected =
  | { readonly kind: "number"; readonly value: number; readonly tolerance: number }
  | { readonly kind: "constant"; readonly value: string | boolean | null | undefined }
  | { readonly kind: "list"; readonly items: readonly Expected[] }
  | { readonly kind: "record"; readonly fields: ReadonlyMap<string, Expected> }
  | { readonly kind: "type"; readonly dtype: string | undefined; readonly shape: string }
  | { readonly kind: "printed"; readonly text: string };

export interface Thrown {
  readonly name: string;
  /** Undefined if the comment says only which error it is. */
  readonly message: string | undefined;
}

/** Reads `throws ShapeError: message`. */
export function parseThrows(text: string): Thrown | undefined {
  const match = /^throws ([A-Z]\w*)(?:: ([\s\S]*))?$/.exec(text.trim());
  return match === null ? undefined : { name: match[1], message: match[2]?.replace(/\s+/g, " ") };
}

const tokens = {
  space: /\s+/y,
  number: /-?(?:0x[\da-f]+|\d[\d_]*(\.\d*)?(?:e[+-]?\d+)?|inf|Infinity|nan|NaN)(?!\w)/y,
  word: /(?:true|false|null|undefined)(?!\w)/y,
  string: /"(?:[^"\\]|\\.)*"|'[^'\\]*'/y,
  type: /(?:shape |((?:float|int|uint)\d+|bool)(?=\[))\[([\d, ]*)\]/y,
  key: /(?:([A-Za-z_$][\w$]*)|"([^"]*)")\s*:/y,
} as const;

class Reader {
  at = 0;
  constructor(readonly text: string) {}

  take(token: RegExp): RegExpExecArray | null {
    token.lastIndex = this.at;
    const match = token.exec(this.text);
    if (match !== null) this.at += match[0].length;
    return match;
  }

  symbol(symbol: string): boolean {
    this.take(tokens.space);
    if (!this.text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }

  fail(): never {
    throw new SyntaxError(
      `cannot read ${JSON.stringify(this.text)} as a value (see test/docs/expectation.ts); put explanations on a line of their own before the code`,
    );
  }

  value(): Expected {
    this.take(tokens.space);
    const type = this.take(tokens.type);
    if (type !== null) return { kind: "type", dtype: type[1], shape: type[2].replaceAll(" ", "") };
    const number = this.take(tokens.number);
    if (number !== null) return readNumber(number[0]);
    const word = this.take(tokens.word);
    if (word !== null) return { kind: "constant", value: words[word[0]] };
    const string = this.take(tokens.string);
    if (string !== null)
      return {
        kind: "constant",
        value: string[0].startsWith('"') ? (JSON.parse(string[0]) as string) : string[0].slice(1, -1),
      };
    if (this.symbol("[")) return { kind: "list", items: this.until("]", () => this.value()) };
    if (this.symbol("{"))
      return {
        kind: "record",
        fields: new Map(
          this.until("}", () => {
            this.take(tokens.space);
            const key = this.take(tokens.key);
            if (key === null) this.fail();
            return [key[1] ?? key[2], this.value()] as const;
          }),
        ),
      };
    return this.fail();
  }

  private until<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.symbol(end)) {
      if (items.length > 0 && !this.symbol(",")) this.fail();
      if (items.length > 0 && this.symbol(end)) break;
      items.push(item());
    }
    return items;
  }
}

const words: Record<string, boolean | null | undefined> = { true: true, false: false, null: null, undefined };

function readNumber(text: string): Expected {
  const value = Number(text.replaceAll("_", "").replace("inf", "Infinity").replace("nan", "NaN"));
  const [mantissa, exponent = "0"] = text.split("e");
  const decimals = mantissa.split(".")[1]?.length ?? 0;
  const shown = mantissa.includes(".") ? 0.5 * 10 ** (Number(exponent) - decimals) : 0;
  return { kind: "number", value, tolerance: Math.max(shown * 1.0001, 1e-7 * Math.abs(value)) };
}

/** Reads a comment as a value. Throws a `SyntaxError` if it is none. */
export function parseValue(text: string): Expected {
  if (/^\s*Array\(/.test(text)) return { kind: "printed", text: text.trim() };
  const reader = new Reader(text);
  const value = reader.value();
  if (!/^\s*([:;,(]|$)/.test(text.slice(reader.at))) reader.fail();
  return value;
}

/** Whether a comment means to be a value: it begins like one. */
export const looksLikeValue = (text: string): boolean =>
  /^\s*(-?\d|-?inf\b|-?Infinity\b|nan\b|NaN\b|["'[{]|(true|false|null|undefined)\b|shape \[|Array\(|(float|int|uint)\d+\[|bool\[)/.test(
    text,
  );

/** Arrays as lists, typed arrays as lists; the rest as it is. */
function plain(value: unknown): unknown {
  if (value instanceof NDArray) return value.tolist();
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return [...(value as Float64Array)];
  return value;
}

export function matches(actual: unknown, expected: Expected): boolean {
  if (expected.kind === "printed") return String(actual) === expected.text;
  if (expected.kind === "type") {
    if (!(actual instanceof NDArray || actual instanceof ShapeDtype)) return false;
    return (
      actual.shape.join(",") === expected.shape &&
      (expected.dtype === undefined || expected.dtype === actual.dtype)
    );
  }
  const value = plain(actual);
  switch (expected.kind) {
    case "constant":
      return Object.is(value, expected.value);
    case "number":
      if (typeof value !== "number") return false;
      if (!Number.isFinite(expected.value) || expected.value === 0) return matchesExactly(value, expected);
      return Math.abs(value - expected.value) <= expected.tolerance;
    case "list":
      return (
        Array.isArray(value) &&
        value.length === expected.items.length &&
        expected.items.every((item, i) => matches(value[i], item))
      );
    case "record": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
      const keys = Object.keys(value);
      return (
        keys.length === expected.fields.size &&
        keys.every((key) => {
          const field = expected.fields.get(key);
          return field !== undefined && matches((value as Record<string, unknown>)[key], field);
        })
      );
    }
  }
}

/** Zero is zero up to the digits shown (`0` itself up to rounding), infinities and NaN are themselves. */
const matchesExactly = (
  value: number,
  { value: wanted, tolerance }: { value: number; tolerance: number },
): boolean => (wanted === 0 ? Math.abs(value) <= Math.max(tolerance, 1e-7) : Object.is(value, wanted));

/** The text of a value that is a text by nature. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Jaxpr || value instanceof ClosedJaxpr ? String(value) : undefined;
}

/** Where an error arose, a tracer was made or a function called differs from place to place, and is left out. */
export const withoutPlaces = (text: string): string =>
  text.replace(/ ?\(at [^()\n]*:\d+:\d+\)/g, "").replace(/; [^;\n]* (made|called) at \S+:\d+:\d+/g, "");

export function matchesMessage(actual: string, wanted: string): boolean {
  const parts = wanted
    .trim()
    .split("…")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(withoutPlaces(actual).replace(/\s+/g, " ").trim());
}

export const show = (value: unknown): string => inspect(value, { depth: 6, breakLength: 100 });
