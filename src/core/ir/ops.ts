/**
 * Constructors of expressions. They fold constants and what is exact for every value; index arithmetic (i32) is
 * simplified further in affine.ts. Numbers stand for constants of the type beside them.
 */
import { InternalError } from "../errors.js";
import {
  type BinaryOp,
  type Buffer,
  type CompareOp,
  type Const,
  type Expr,
  type Lanes,
  Local,
  type ScalarType,
  type Stmt,
  scalarTypeOf,
  type UnaryOp,
} from "./types.js";

export type ExprLike = Expr | number;

/** The number as the type holds it: rounded, or converted as an element of an array is. */
export const constant = (type: ScalarType, value: number, lanes: Lanes = 1): Const => ({
  op: "const",
  type,
  lanes,
  value: wrap(type, value),
});

export const i32 = (value: number): Const => constant("i32", value);
export const truth = (value: boolean): Const => constant("bool", value ? 1 : 0);

export const isConst = (e: Expr, value?: number): e is Const =>
  e.op === "const" && (value === undefined || Object.is(e.value, value));

export const get = (local: Local): Expr => ({ op: "get", type: local.type, lanes: local.lanes, local });

export const load = (buffer: Buffer, index: ExprLike, guard?: Expr, lanes: Lanes = 1): Expr => ({
  op: "load",
  type: scalarTypeOf(buffer.dtype),
  lanes,
  buffer,
  index: typeof index === "number" ? i32(index) : index,
  guard: guard !== undefined && isConst(guard, 1) ? undefined : guard,
});

/** An operand of an operation with another one: in the type of the other if it is a number, in as many lanes. */
function beside(x: ExprLike, other: ExprLike): Expr {
  if (typeof x === "number") {
    if (typeof other === "number") throw new InternalError("an operation of two numbers has no type");
    return constant(other.type, x, other.lanes);
  }
  if (typeof other === "number") return x;
  if (x.type !== other.type) throw new InternalError(`an operation of ${x.type} and ${other.type}`);
  return x.lanes < other.lanes ? splat(x, other.lanes) : x;
}

export function splat(x: Expr, lanes: Lanes): Expr {
  if (x.lanes === lanes) return x;
  if (x.lanes !== 1) throw new InternalError(`a splat of ${x.lanes} lanes`);
  if (x.op === "const") return constant(x.type, x.value, lanes);
  return { op: "splat", type: x.type, lanes, x };
}

export const vector = (parts: readonly Expr[]): Expr => ({
  op: "vector",
  type: parts[0].type,
  lanes: parts.length as Lanes,
  parts,
});

export const extract = (x: Expr, lane: number): Expr => {
  if (x.op === "const") return constant(x.type, x.value);
  if (x.op === "splat") return x.x;
  if (x.op === "vector") return x.parts[lane];
  return { op: "extract", type: x.type, lanes: 1, x, lane };
};

const isFloat = (type: ScalarType): boolean => type === "f32" || type === "f64";

/** A number as the type holds it. */
function wrap(type: ScalarType, value: number): number {
  switch (type) {
    case "f32":
      return Math.fround(value);
    case "i32":
      return value | 0;
    case "u32":
      return value >>> 0;
    case "bool":
      return value !== 0 ? 1 : 0;
    default:
      return value;
  }
}

const foldedUnary: Partial<Record<UnaryOp, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  sqrt: Math.sqrt,
};

export function unary(fn: UnaryOp, x: Expr): Expr {
  if (x.op === "const") {
    if (fn === "not")
      return constant(x.type, x.type === "bool" ? 1 - x.value : wrap(x.type, ~x.value), x.lanes);
    const fold = foldedUnary[fn];
    if (fold !== undefined) return constant(x.type, wrap(x.type, fold(x.value)), x.lanes);
  }
  if (fn === "not" && x.op === "unary" && x.fn === "not") return x.x;
  return { op: "unary", type: x.type, lanes: x.lanes, fn, x };
}

const foldedBinary: Partial<Record<BinaryOp, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  min: Math.min,
  max: Math.max,
};

function foldIntegers(fn: BinaryOp, type: ScalarType, x: number, y: number): number | undefined {
  switch (fn) {
    case "mul":
      return wrap(type, Math.imul(x, y));
    case "div":
      return y === 0 ? undefined : wrap(type, Math.trunc(x / y));
    case "rem":
      return y === 0 ? undefined : wrap(type, x % y);
    case "and":
      return wrap(type, x & y);
    case "or":
      return wrap(type, x | y);
    case "xor":
      return wrap(type, x ^ y);
    case "shl":
      return wrap(type, x << y);
    case "shr":
      return type === "u32" ? x >>> y : x >> y;
    default:
      return undefined;
  }
}

function fold(fn: BinaryOp, type: ScalarType, x: number, y: number): number | undefined {
  const simple = foldedBinary[fn];
  if (type === "bool") return fn === "and" ? x & y : fn === "or" ? x | y : fn === "xor" ? x ^ y : undefined;
  if (simple !== undefined) return wrap(type, simple(x, y));
  if (!isFloat(type)) return foldIntegers(fn, type, x, y);
  if (fn === "mul") return wrap(type, x * y);
  if (fn === "div") return wrap(type, x / y);
  return undefined;
}

/** The operand that an operation with a constant is the same as, exactly: only for integers and bools, and x·1, x/1. */
function neutral(fn: BinaryOp, x: Expr, y: Expr): Expr | undefined {
  if (fn === "mul") {
    if (isConst(y, 1)) return x;
    if (isConst(x, 1)) return y;
    if (isFloat(x.type) || x.type === "bool") return undefined;
    return isConst(x, 0) ? x : isConst(y, 0) ? y : undefined;
  }
  if (fn === "div") return isConst(y, 1) ? x : undefined;
  if (isFloat(x.type)) return undefined;
  if (x.type === "bool") {
    if (fn === "and")
      return isConst(x, 1) ? y : isConst(y, 1) ? x : isConst(x, 0) ? x : isConst(y, 0) ? y : undefined;
    if (fn === "or")
      return isConst(x, 0) ? y : isConst(y, 0) ? x : isConst(x, 1) ? x : isConst(y, 1) ? y : undefined;
    return undefined;
  }
  if ((fn === "add" || fn === "or" || fn === "xor") && isConst(x, 0)) return y;
  const keepsFirst =
    fn === "add" || fn === "sub" || fn === "or" || fn === "xor" || fn === "shl" || fn === "shr";
  return keepsFirst && isConst(y, 0) ? x : undefined;
}

export function binary(fn: BinaryOp, a: ExprLike, b: ExprLike): Expr {
  const x = beside(a, b);
  const y = beside(b, a);
  if (x.op === "const" && y.op === "const") {
    const value = fold(fn, x.type, x.value, y.value);
    if (value !== undefined) return constant(x.type, value, x.lanes);
  }
  if (x.op === "const" || y.op === "const") {
    const same = neutral(fn, x, y);
    if (same !== undefined) return same;
  }
  return { op: "binary", type: x.type, lanes: x.lanes, fn, x, y };
}

const comparisons: Record<CompareOp, (x: number, y: number) => boolean> = {
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt: (x, y) => x < y,
  le: (x, y) => x <= y,
  gt: (x, y) => x > y,
  ge: (x, y) => x >= y,
};

export function compare(fn: CompareOp, a: ExprLike, b: ExprLike): Expr {
  const x = beside(a, b);
  const y = beside(b, a);
  if (x.op === "const" && y.op === "const")
    return constant("bool", comparisons[fn](x.value, y.value) ? 1 : 0, x.lanes);
  return { op: "compare", type: "bool", lanes: x.lanes, fn, x, y };
}

export const neg = (x: Expr): Expr => unary("neg", x);
export const abs = (x: Expr): Expr => unary("abs", x);
export const floor = (x: Expr): Expr => unary("floor", x);
export const ceil = (x: Expr): Expr => unary("ceil", x);
export const trunc = (x: Expr): Expr => unary("trunc", x);
export const nearest = (x: Expr): Expr => unary("nearest", x);
export const sqrt = (x: Expr): Expr => unary("sqrt", x);
export const not = (x: Expr): Expr => unary("not", x);
export const roundF16 = (x: Expr): Expr => unary("roundF16", x);
export const add = (x: ExprLike, y: ExprLike): Expr => binary("add", x, y);
export const sub = (x: ExprLike, y: ExprLike): Expr => binary("sub", x, y);
export const mul = (x: ExprLike, y: ExprLike): Expr => binary("mul", x, y);
export const div = (x: ExprLike, y: ExprLike): Expr => binary("div", x, y);
export const rem = (x: ExprLike, y: ExprLike): Expr => binary("rem", x, y);
export const min = (x: ExprLike, y: ExprLike): Expr => binary("min", x, y);
export const max = (x: ExprLike, y: ExprLike): Expr => binary("max", x, y);
export const and = (x: ExprLike, y: ExprLike): Expr => binary("and", x, y);
export const or = (x: ExprLike, y: ExprLike): Expr => binary("or", x, y);
export const xor = (x: ExprLike, y: ExprLike): Expr => binary("xor", x, y);
export const shl = (x: ExprLike, y: ExprLike): Expr => binary("shl", x, y);
export const shr = (x: ExprLike, y: ExprLike): Expr => binary("shr", x, y);
export const eq = (x: ExprLike, y: ExprLike): Expr => compare("eq", x, y);
export const ne = (x: ExprLike, y: ExprLike): Expr => compare("ne", x, y);
export const lt = (x: ExprLike, y: ExprLike): Expr => compare("lt", x, y);
export const le = (x: ExprLike, y: ExprLike): Expr => compare("le", x, y);
export const gt = (x: ExprLike, y: ExprLike): Expr => compare("gt", x, y);
export const ge = (x: ExprLike, y: ExprLike): Expr => compare("ge", x, y);

/** Picks `onTrue` where `cond` holds. Both may be evaluated; numbers take the type of the other side. */
export function select(cond: Expr, onTrue: ExprLike, onFalse: ExprLike): Expr {
  const x = beside(onTrue, onFalse);
  const y = beside(onFalse, onTrue);
  if (cond.op === "const" && cond.lanes === 1) return cond.value === 1 ? x : y;
  const lanes = Math.max(cond.lanes, x.lanes) as Lanes;
  return {
    op: "select",
    type: x.type,
    lanes,
    cond: splat(cond, lanes),
    onTrue: splat(x, lanes),
    onFalse: splat(y, lanes),
  };
}

/** The same where `cond` seldom holds, and what to take otherwise costs less. */
export function rarely(cond: Expr, onTrue: Expr, onFalse: Expr): Expr {
  const e = select(cond, onTrue, onFalse);
  return e.op === "select" ? { ...e, rare: true } : e;
}

export function cast(type: ScalarType, x: Expr): Expr {
  if (x.type === type) return x;
  if (x.op === "const") {
    if (type === "bool") return constant("bool", x.value !== 0 ? 1 : 0, x.lanes);
    if (isFloat(type)) return constant(type, x.value, x.lanes);
    if (!isFloat(x.type)) return constant(type, wrap(type, x.value), x.lanes);
  }
  return { op: "cast", type, lanes: x.lanes, x };
}

const bits = new DataView(new ArrayBuffer(4));

export function bitcast(type: "f32" | "i32" | "u32", x: Expr): Expr {
  if (x.type === type) return x;
  if (x.op === "const" && type !== "f32") {
    if (x.type === "f32") {
      bits.setFloat32(0, x.value);
      return constant(type, type === "i32" ? bits.getInt32(0) : bits.getUint32(0), x.lanes);
    }
    return constant(type, wrap(type, x.value), x.lanes);
  }
  return { op: "bitcast", type, lanes: x.lanes, x };
}

/** NaN is told by its bits, since shader compilers take `x != x` for false. */
export function isNaNOf(x: Expr): Expr {
  if (x.type === "f64") return ne(x, x);
  return gt(and(bitcast("u32", x), 0x7fffffff), 0x7f800000);
}

export const host = (
  name: string,
  type: "f32" | "f64",
  fn: (...args: number[]) => number,
  args: readonly Expr[],
): Expr => ({ op: "host", type, lanes: 1, name, fn, args });

// ---------------------------------------------------------------------------------------------------------------------
// Statements
// ---------------------------------------------------------------------------------------------------------------------

export const store = (buffer: Buffer, index: ExprLike, value: Expr): Stmt => ({
  kind: "store",
  buffer,
  index: typeof index === "number" ? i32(index) : index,
  value,
});

export const assign = (local: Local, value: Expr): Stmt => ({ kind: "assign", local, value });
export const letIn = (local: Local, value: Expr): Stmt => ({ kind: "let", local, value });

export const when = (cond: Expr, then: readonly Stmt[], otherwise: readonly Stmt[] = []): Stmt => ({
  kind: "if",
  cond,
  then,
  else: otherwise,
});

export const loopWhile = (cond: Expr, body: readonly Stmt[]): Stmt => ({ kind: "while", cond, body });

export const barrier: Stmt = { kind: "barrier" };

/** A counting loop; the body is made from its counter. A constant upper bound is known to index arithmetic. */
export function loop(
  name: string,
  from: ExprLike,
  to: ExprLike,
  body: (counter: Expr) => readonly Stmt[],
  step = 1,
): Stmt {
  const limit = typeof to === "number" ? i32(to) : to;
  const bound = limit.op === "const" ? limit.value : limit.op === "get" ? limit.local.bound : undefined;
  const local = new Local(name, "i32", 1, false, bound);
  return {
    kind: "for",
    local,
    from: typeof from === "number" ? i32(from) : from,
    to: limit,
    step,
    body: body(get(local)),
  };
}
