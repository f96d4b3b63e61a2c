/**
 * Element types and the promotion lattice.
 *
 * The lattice is JAX's (https://docs.jax.dev/en/latest/type_promotion.html) without 64-bit integers, bfloat16 and
 * complex numbers. A *weak* type belongs to a JavaScript number: it gives way to the dtype of the other operand.
 */
import { DtypeError } from "./errors.js";

/** An element type. `float0` is the trivial tangent type of integers and booleans: it has a shape and no data. */
export type DType = "bool" | "uint8" | "int32" | "uint32" | "float16" | "float32" | "float64" | "float0";

export type FloatDType = "float16" | "float32" | "float64";

/** How elements lie in memory. `float16` is kept in float32 words, rounded to half precision at every store. */
export type TypedArray = Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array;

type Kind = "bool" | "unsigned" | "signed" | "float" | "float0";

interface Info {
  readonly kind: Kind;
  /** Bits of one element as a device stores it. */
  readonly bits: number;
  /** The name in printed jaxprs. */
  readonly short: string;
  readonly make: (length: number) => TypedArray;
}

const info: Record<DType, Info> = {
  bool: { kind: "bool", bits: 8, short: "bool", make: (n) => new Uint8Array(n) },
  uint8: { kind: "unsigned", bits: 8, short: "u8", make: (n) => new Uint8Array(n) },
  int32: { kind: "signed", bits: 32, short: "i32", make: (n) => new Int32Array(n) },
  uint32: { kind: "unsigned", bits: 32, short: "u32", make: (n) => new Uint32Array(n) },
  float16: { kind: "float", bits: 16, short: "f16", make: (n) => new Float32Array(n) },
  float32: { kind: "float", bits: 32, short: "f32", make: (n) => new Float32Array(n) },
  float64: { kind: "float", bits: 64, short: "f64", make: (n) => new Float64Array(n) },
  float0: { kind: "float0", bits: 0, short: "float0", make: () => new Uint8Array(0) },
};

export const dtypes: readonly DType[] = ["bool", "uint8", "int32", "uint32", "float16", "float32", "float64"];

const byShort = new Map(Object.entries(info).map(([name, { short }]) => [short, name as DType]));

export const isDType = (x: unknown): x is DType => typeof x === "string" && Object.hasOwn(info, x);
export const isFloat = (d: DType): d is FloatDType => info[d].kind === "float";
export const isInteger = (d: DType): boolean => info[d].kind === "signed" || info[d].kind === "unsigned";
export const isUnsigned = (d: DType): boolean => info[d].kind === "unsigned";
export const shortName = (d: DType): string => info[d].short;
export const fromShortName = (s: string): DType | undefined => byShort.get(s);
/** Bytes of one element as a device stores it (bool takes one byte, float0 none). */
export const itemSize = (d: DType): number => info[d].bits / 8;
/** Zero-filled storage for `length` elements. */
export const allocate = (d: DType, length: number): TypedArray => info[d].make(length);

/** Smallest and largest value of an integer dtype. */
export const integerRange = (d: DType): readonly [number, number] => {
  if (d === "uint8") return [0, 255];
  if (d === "uint32") return [0, 4294967295];
  if (d === "int32") return [-2147483648, 2147483647];
  if (d === "bool") return [0, 1];
  throw new DtypeError(`integerRange needs an integer dtype, got ${d}`);
};

/** The gap between 1 and the next larger number, and the largest and smallest positive normal number. */
export const floatLimits = (d: FloatDType): { eps: number; max: number; tiny: number } => {
  if (d === "float16") return { eps: 2 ** -10, max: 65504, tiny: 2 ** -14 };
  if (d === "float32") return { eps: 2 ** -23, max: 3.4028234663852886e38, tiny: 2 ** -126 };
  return { eps: Number.EPSILON, max: Number.MAX_VALUE, tiny: 2 ** -1022 };
};

const f16Scratch = new Float32Array(1);
const f16Bits = new Uint32Array(f16Scratch.buffer);

/** Rounds to the nearest half-precision number, ties to even (IEEE 754 binary16). */
export function roundToFloat16(x: number): number {
  if (x === 0 || Number.isNaN(x)) return x;
  const magnitude = Math.abs(x);
  if (magnitude >= 65520) return x > 0 ? Infinity : -Infinity;
  // The spacing of half precision at this magnitude: 2^-24 below the normal range, else 2^(exponent - 10).
  // The float32 exponent is read from the bits; values above are exact enough, since only the binade matters.
  f16Scratch[0] = magnitude;
  const exponent = Math.max((f16Bits[0] >>> 23) - 127, -14);
  const step = 2 ** (exponent - 10);
  const scaled = magnitude / step;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor) * step;
  return x > 0 ? rounded : -rounded;
}

/** Rounds storage in place to the dtype: only float16 needs it, every other dtype rounds when it is stored. */
export function settle(d: DType, data: TypedArray): TypedArray {
  if (d === "float16") for (let i = 0; i < data.length; i++) data[i] = roundToFloat16(data[i]);
  return data;
}

// ---------------------------------------------------------------------------------------------------------------------
// Promotion
// ---------------------------------------------------------------------------------------------------------------------

/** A dtype with its weakness: what promotion works on. */
export interface Typed {
  readonly dtype: DType;
  readonly weakType: boolean;
}

/**
 * The lattice. JAX's is a tree because of its 64-bit integers and its two 16-bit floats; without them it is a chain,
 * so the least upper bound of several types is the last of them in this order. `i*` and `f*` are the weak types.
 * Where JAX would climb to int64 (int32 with uint32) the answer is int32, as it is in JAX without x64.
 */
const chain = ["bool", "i*", "uint8", "uint32", "int32", "f*", "float16", "float32", "float64"] as const;
const ranks = new Map<string, number>(chain.map((node, i) => [node, i]));
const weakInteger = ranks.get("i*") as number;
const weakFloat = ranks.get("f*") as number;

function rankOf({ dtype, weakType }: Typed): number {
  if (weakType && dtype !== "bool") return isFloat(dtype) ? weakFloat : weakInteger;
  const rank = ranks.get(dtype);
  if (rank === undefined)
    throw new DtypeError("float0 takes no part in arithmetic: it is a tangent type without data");
  return rank;
}

/**
 * The type that operands of these types are brought to before an elementwise operation.
 * The result is weak only if its place in the lattice is: weak with strong of the same kind is strong.
 */
export function promote(operands: readonly Typed[]): Typed {
  if (operands.length === 0) throw new DtypeError("promotion needs at least one operand");
  let best = operands[0];
  let bestRank = rankOf(best);
  for (let i = 1; i < operands.length; i++) {
    const rank = rankOf(operands[i]);
    // Among weak operands of one kind the widest stored dtype wins (a weak float64 stays one).
    const wider = rank === bestRank && info[operands[i].dtype].bits > info[best.dtype].bits;
    if (rank > bestRank || wider) [best, bestRank] = [operands[i], rank];
  }
  return { dtype: best.dtype, weakType: bestRank === weakInteger || bestRank === weakFloat };
}

/** `promote` for two strong dtypes. */
export const promoteTypes = (a: DType, b: DType): DType =>
  promote([
    { dtype: a, weakType: false },
    { dtype: b, weakType: false },
  ]).dtype;

/** The float dtype that a value takes where only floats make sense (`sin` of an integer): float32 unless it is one. */
export const toInexact = (t: Typed): Typed =>
  isFloat(t.dtype) ? t : { dtype: "float32", weakType: t.weakType };

/** Checks a dtype that came from outside. */
export function requireDType(x: unknown, where: string): DType {
  if (isDType(x)) return x;
  throw new DtypeError(
    `${where}: ${JSON.stringify(x) ?? String(x)} is not a dtype; the dtypes are ${dtypes.join(", ")}`,
  );
}
