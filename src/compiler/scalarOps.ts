/**
 * What the operations of the kernel IR mean, on JavaScript numbers: a float32 is a number that `Math.fround` keeps, an
 * integer is in the range of its type, a bool is 0 or 1.
 */
import { roundToFloat16 } from "../core/dtype.js";
import { InternalError } from "../core/errors.js";
import type { BinaryOp, CompareOp, ScalarType, UnaryOp } from "../core/ir/types.js";

type Unary = (x: number) => number;
type Binary = (x: number, y: number) => number;

const identity: Unary = (x) => x;

/** The number as the type holds it. */
export function wrapOf(type: ScalarType): Unary {
  switch (type) {
    case "f32":
      return Math.fround;
    case "i32":
      return (x) => x | 0;
    case "u32":
      return (x) => x >>> 0;
    default:
      return identity;
  }
}

const isFloat = (type: ScalarType): boolean => type === "f32" || type === "f64";

/** To the nearest integer, halves to even; keeps the sign of zero. */
function nearest(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (!Number.isFinite(x) || rest === 0) return x;
  const rounded = rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
  return rounded === 0 && x < 0 ? -0 : rounded;
}

function popcount(x: number): number {
  let count = 0;
  for (let rest = x >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}

const unaries: Record<UnaryOp, Unary> = {
  neg: (x) => -x,
  abs: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  nearest,
  sqrt: Math.sqrt,
  not: (x) => ~x,
  clz: Math.clz32,
  popcnt: popcount,
  roundF16: roundToFloat16,
};

export function unaryOf(fn: UnaryOp, type: ScalarType): Unary {
  if (fn === "not" && type === "bool") return (x) => 1 - x;
  const f = unaries[fn];
  const wrap = wrapOf(type);
  return (x) => wrap(f(x));
}

function divisor(y: number): number {
  if (y === 0) throw new InternalError("a kernel divides an integer by zero");
  return y;
}

function quotient(x: number, y: number, type: ScalarType): number {
  const q = Math.trunc(x / divisor(y));
  if (type === "i32" && q > 0x7fffffff) throw new InternalError("the quotient of two integers overflows");
  return q;
}

function places(y: number): number {
  if (y < 0 || y > 31) throw new InternalError(`a kernel shifts by ${y} bits`);
  return y;
}

const binaries: Record<BinaryOp, (type: ScalarType) => Binary> = {
  add: () => (x, y) => x + y,
  sub: () => (x, y) => x - y,
  mul: (type) => (isFloat(type) ? (x, y) => x * y : Math.imul),
  div: (type) => (isFloat(type) ? (x, y) => x / y : (x, y) => quotient(x, y, type)),
  rem: () => (x, y) => x % divisor(y),
  min: () => Math.min,
  max: () => Math.max,
  and: () => (x, y) => x & y,
  or: () => (x, y) => x | y,
  xor: () => (x, y) => x ^ y,
  shl: () => (x, y) => x << places(y),
  shr: (type) => (type === "u32" ? (x, y) => x >>> places(y) : (x, y) => x >> places(y)),
};

export function binaryOf(fn: BinaryOp, type: ScalarType): Binary {
  const f = binaries[fn](type);
  if (type === "f64" || type === "bool") return f;
  const wrap = wrapOf(type);
  return (x, y) => wrap(f(x, y));
}

export const compareOf: Record<CompareOp, Binary> = {
  eq: (x, y) => (x === y ? 1 : 0),
  ne: (x, y) => (x !== y ? 1 : 0),
  lt: (x, y) => (x < y ? 1 : 0),
  le: (x, y) => (x <= y ? 1 : 0),
  gt: (x, y) => (x > y ? 1 : 0),
  ge: (x, y) => (x >= y ? 1 : 0),
};

function saturate(low: number, high: number): Unary {
  return (x) => (Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, low), high)) + 0);
}

export function castOf(from: ScalarType, to: ScalarType): Unary {
  if (to === "bool") return (x) => (x !== 0 ? 1 : 0);
  if (isFloat(from) && to === "i32") return saturate(-0x80000000, 0x7fffffff);
  if (isFloat(from) && to === "u32") return saturate(0, 0xffffffff);
  return wrapOf(to);
}

const word = new DataView(new ArrayBuffer(4));

const toBits: Partial<Record<ScalarType, (x: number) => void>> = {
  f32: (x) => word.setFloat32(0, x),
  i32: (x) => word.setInt32(0, x),
  u32: (x) => word.setUint32(0, x),
};

const fromBits: Partial<Record<ScalarType, () => number>> = {
  f32: () => word.getFloat32(0),
  i32: () => word.getInt32(0),
  u32: () => word.getUint32(0),
};

export function bitcastOf(from: ScalarType, to: ScalarType): Unary {
  const write = toBits[from];
  const read = fromBits[to];
  if (write === undefined || read === undefined)
    throw new InternalError(`the bits of ${from} cannot be taken for ${to}`);
  return (x) => {
    write(x);
    return read();
  };
}
