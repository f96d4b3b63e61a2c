/**
 * How variables and scalars are spelled in printed jaxprs: what the printer writes and the parser reads.
 *
 * A literal shows its kind: `true` and `false` are booleans, `1` is an integer, `1.0`, `1e-7`, `nan` and `-inf` are
 * floats. Its full type is that of the equation's first variable of the same kind or, if there is none, `bool`, `i32`
 * or `f32`. Where that is not so, the type is written out: `1.0:f64[]`, `1.0:~f32[]`.
 */
import { type Aval, aval } from "./aval.js";
import { allocate, type DType, isFloat, settle } from "./dtype.js";

/** What the spelling of a literal shows of its dtype. */
export type LiteralKind = "bool" | "int" | "float";

export const kindOf = (dtype: DType): LiteralKind =>
  dtype === "bool" ? "bool" : isFloat(dtype) ? "float" : "int";

const defaults: Record<LiteralKind, Aval> = {
  bool: aval([], "bool"),
  int: aval([], "int32"),
  float: aval([], "float32"),
};

/** The type of a literal of that kind without a written type, among variables of the given types. */
export function impliedType(kind: LiteralKind, variables: readonly Aval[]): Aval {
  for (const { dtype, weakType } of variables)
    if (dtype !== "float0" && kindOf(dtype) === kind) return aval([], dtype, weakType);
  return defaults[kind];
}

/** The value that memory of that dtype holds after a number is stored in it. */
export const stored = (value: number, dtype: DType): number =>
  settle(dtype, allocate(dtype, 1).fill(value))[0];

/** Whether a dtype has exactly this value. Booleans are 0 and 1. */
export const isRepresentable = (value: number, dtype: DType): boolean =>
  dtype === "bool" ? Object.is(value, 0) || value === 1 : Object.is(stored(value, dtype), value);

/** Numbers that have names instead of digits. */
export const namedNumbers: ReadonlyMap<string, number> = new Map([
  ["nan", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
]);

const nameOfNumber = new Map([...namedNumbers].map(([name, value]) => [value, name]));

/** Significant digits that tell any two numbers of a dtype apart. */
const digits: Partial<Record<DType, number>> = { float16: 5, float32: 9 };

/** The shortest decimal number that is stored as `value`. */
function shortest(value: number, dtype: DType): number {
  const most = digits[dtype] ?? 0;
  for (let precision = 1; precision <= most; precision++) {
    const candidate = Number(value.toPrecision(precision));
    if (Object.is(stored(candidate, dtype), value)) return candidate;
  }
  return value;
}

/** Spells the value of a literal. */
export function spellLiteral(value: number, dtype: DType): string {
  const kind = kindOf(dtype);
  if (kind === "bool" && isRepresentable(value, dtype)) return value === 1 ? "true" : "false";
  if (kind !== "float") return String(value);
  const name = nameOfNumber.get(value);
  if (name !== undefined) return name;
  if (Object.is(value, -0)) return "-0.0";
  const text = String(shortest(value, dtype));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Spells a number among params, where numbers have no dtype. */
export const spellNumber = (x: number): string =>
  nameOfNumber.get(x) ?? (Object.is(x, -0) ? "-0.0" : String(x));

/** Words that are not names of variables. */
export const reserved: ReadonlySet<string> = new Set([
  "lambda",
  "let",
  "in",
  "true",
  "false",
  "nan",
  "inf",
  "null",
  "undefined",
]);

/** a, b, ..., z, aa, ab, ...: the names of variables, reserved words left out. */
export function* variableNames(): Generator<string, never> {
  for (let index = 0; ; index++) {
    let name = "";
    for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1)
      name = String.fromCharCode(97 + (rest % 26)) + name;
    if (!reserved.has(name)) yield name;
  }
}
