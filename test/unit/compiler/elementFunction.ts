/**
 * Expressions of the kernel IR as JavaScript functions, fast enough to try hundreds of thousands of arguments; also in the
 * ways in which a GPU may compute them: with multiplications and additions fused, subnormal numbers flushed to zero, and a
 * division that is not rounded correctly.
 */
import { castOf, unaryOf } from "../../../src/compiler/scalarOps.js";
import { get } from "../../../src/core/ir/ops.js";
import { type Binary, type Expr, Local, type ScalarType } from "../../../src/core/ir/types.js";

export interface Arithmetic {
  /** f32 sums of products are rounded once. */
  readonly fused?: boolean;
  /** Subnormal results of f32 arithmetic are zero. */
  readonly flushed?: boolean;
  /** Quotients are products with a rounded reciprocal. */
  readonly reciprocal?: boolean;
}

export const exact: Arithmetic = {};
export const likeGpu: Arithmetic = { fused: true, flushed: true, reciprocal: true };

const word = new DataView(new ArrayBuffer(4));

/** What printed expressions call. */
const library = {
  fround: Math.fround,
  imul: Math.imul,
  nearest: unaryOf("nearest", "f32"),
  popcnt: unaryOf("popcnt", "u32"),
  roundF16: unaryOf("roundF16", "f32"),
  toI32: castOf("f32", "i32"),
  toU32: castOf("f32", "u32"),
  flush: (x: number) => (Math.abs(x) < 2 ** -126 ? x * 0 : x),
  word,
  ints: new Int32Array(1),
};

const functions: Record<string, string> = {
  floor: "Math.floor",
  ceil: "Math.ceil",
  trunc: "Math.trunc",
  abs: "Math.abs",
  sqrt: "Math.sqrt",
  nearest: "lib.nearest",
  clz: "Math.clz32",
  popcnt: "lib.popcnt",
  roundF16: "lib.roundF16",
};

const operators: Record<string, string> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  rem: "%",
  and: "&",
  or: "|",
  xor: "^",
  eq: "===",
  ne: "!==",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

const literal = (x: number): string => (Object.is(x, -0) ? "-0" : `${x}`);

function wrapped(type: ScalarType, text: string, { flushed = false }: Arithmetic): string {
  if (type === "f32") return flushed ? `lib.flush(lib.fround(${text}))` : `lib.fround(${text})`;
  if (type === "i32") return `(${text}) | 0`;
  if (type === "u32") return `(${text}) >>> 0`;
  return text;
}

/** Makes a function of a rule: it is given the arguments, of the types listed. */
export function elementFunction(
  types: readonly ScalarType[],
  rule: (...args: Expr[]) => Expr,
  arithmetic: Arithmetic = exact,
): (...x: number[]) => number {
  const locals = types.map((type, i) => new Local(`x${i}`, type));
  const result = rule(...locals.map(get));
  const names = new Map<Expr, string>();
  const hosts: ((...x: number[]) => number)[] = [];
  const lines: string[] = [];

  const name = (e: Expr): string => {
    let found = names.get(e);
    if (found === undefined) {
      const text = print(e);
      found = `t${names.size}`;
      names.set(e, found);
      lines.push(`const ${found} = ${text};`);
    }
    return found;
  };

  const printBinary = (e: Binary): string => {
    const { type, fn } = e;
    if (type === "f32" && (fn === "add" || fn === "sub") && arithmetic.fused) {
      // The product of two f32 is exact in double precision.
      const product = (p: Expr): string =>
        p.op === "binary" && p.fn === "mul" ? `(${name(p.x)} * ${name(p.y)})` : name(p);
      const [x, y] = isProduct(e.x) ? [product(e.x), name(e.y)] : [name(e.x), product(e.y)];
      return wrapped(type, `${x} ${operators[fn]} ${y}`, arithmetic);
    }
    const [x, y] = [name(e.x), name(e.y)];
    if (type === "f32" && fn === "div" && arithmetic.reciprocal)
      return wrapped(
        type,
        `Math.abs(${y}) > 1e-37 && Math.abs(${y}) < 1e37 ? ${x} * lib.fround(1 / ${y}) : ${x} / ${y}`,
        arithmetic,
      );
    if (fn === "min" || fn === "max") return `Math.${fn}(${x}, ${y})`;
    if (fn === "shl") return wrapped(type, `${x} << ${y}`, arithmetic);
    if (fn === "shr") return wrapped(type, `${x} ${type === "u32" ? ">>>" : ">>"} ${y}`, arithmetic);
    if (fn === "mul" && type !== "f32" && type !== "f64")
      return wrapped(type, `lib.imul(${x}, ${y})`, arithmetic);
    return wrapped(type, `${x} ${operators[fn]} ${y}`, arithmetic);
  };

  const print = (e: Expr): string => {
    switch (e.op) {
      case "const":
        return literal(e.value);
      case "get":
        return e.local.name;
      case "unary": {
        const x = name(e.x);
        if (e.fn === "neg") return wrapped(e.type, `-${x}`, {});
        if (e.fn === "not") return e.type === "bool" ? `1 - ${x}` : wrapped(e.type, `~${x}`, {});
        return wrapped(e.type, `${functions[e.fn]}(${x})`, {});
      }
      case "binary":
        return printBinary(e);
      case "compare":
        return `${name(e.x)} ${operators[e.fn]} ${name(e.y)} ? 1 : 0`;
      case "select":
        return `${name(e.cond)} !== 0 ? ${name(e.onTrue)} : ${name(e.onFalse)}`;
      case "cast": {
        const x = name(e.x);
        if (e.type === "bool") return `${x} !== 0 ? 1 : 0`;
        if (e.x.type === "f32" || e.x.type === "f64") {
          if (e.type === "i32") return `lib.toI32(${x})`;
          if (e.type === "u32") return `lib.toU32(${x})`;
        }
        return wrapped(e.type, x, {});
      }
      case "bitcast": {
        const x = name(e.x);
        const [from, to] = [e.x.type, e.type].map(
          (t) => ({ f32: "Float", i32: "Int", u32: "Uint" })[t as "f32"],
        );
        return `(lib.word.set${from}32(0, ${x}), lib.word.get${to}32(0))`;
      }
      case "host": {
        hosts.push(e.fn);
        const call = `hosts[${hosts.length - 1}](${e.args.map(name).join(", ")})`;
        return wrapped(e.type, call, {});
      }
      default:
        throw new Error(`no scalar expression: ${e.op}`);
    }
  };

  const last = name(result);
  const body = `return (${locals.map((l) => l.name).join(", ")}) => { ${lines.join("\n")} return ${last}; };`;
  return new Function("lib", "hosts", body)(library, hosts) as (...x: number[]) => number;
}

const isProduct = (e: Expr): boolean => e.op === "binary" && e.fn === "mul";

/** How many different operations an expression has. */
export function countOperations(e: Expr): number {
  const seen = new Set<Expr>();
  const visit = (x: Expr): void => {
    if (seen.has(x)) return;
    seen.add(x);
    for (const value of Object.values(x))
      for (const child of Array.isArray(value) ? value : [value])
        if (typeof child === "object" && child !== null && "op" in child) visit(child as Expr);
  };
  visit(e);
  return [...seen].filter((x) => x.op !== "const" && x.op !== "get").length;
}
