/**
 * How the types of the kernel IR are held, and the instructions of its operations where one (or a few in a row) will do.
 * What needs more is in arithmetic.ts.
 *
 * A bool is an i32 that is 0 or 1; in lanes it is a mask of all zeros or all ones, as wide as what it stands beside.
 */
import { InternalError } from "../../core/errors.js";
import type { BinaryOp, CompareOp, Lanes, ScalarType, UnaryOp } from "../../core/ir/types.js";
import type { ValueType } from "./module.js";
import type { PlainOp } from "./opcodes.js";

export interface Typed {
  readonly type: ScalarType;
  readonly lanes: Lanes;
}

/** A type with its lanes. Bools in two lanes are 64 bits wide each. */
export type Shape =
  | "f32"
  | "f64"
  | "i32"
  | "u32"
  | "bool"
  | "f32x4"
  | "i32x4"
  | "u32x4"
  | "boolx4"
  | "f64x2"
  | "boolx2";

export function shapeOf({ type, lanes }: Typed): Shape {
  if (lanes === 1) return type;
  if (lanes === 2 && type !== "f64" && type !== "bool") throw new InternalError(`two lanes of ${type}`);
  if (lanes === 4 && type === "f64") throw new InternalError("four lanes of f64");
  return `${type}x${lanes}` as Shape;
}

export function valueTypeOf({ type, lanes }: Typed): ValueType {
  if (lanes !== 1) return "v128";
  return type === "f32" || type === "f64" ? type : "i32";
}

type Table<Op extends string> = Partial<Record<Shape, Partial<Record<Op, readonly PlainOp[]>>>>;

const integers = {
  add: ["i32.add"],
  sub: ["i32.sub"],
  mul: ["i32.mul"],
  and: ["i32.and"],
  or: ["i32.or"],
  xor: ["i32.xor"],
  shl: ["i32.shl"],
} as const satisfies Partial<Record<BinaryOp, readonly PlainOp[]>>;

const vectorIntegers = {
  add: ["i32x4.add"],
  sub: ["i32x4.sub"],
  mul: ["i32x4.mul"],
  and: ["v128.and"],
  or: ["v128.or"],
  xor: ["v128.xor"],
} as const satisfies Partial<Record<BinaryOp, readonly PlainOp[]>>;

const truths = { and: ["i32.and"], or: ["i32.or"], xor: ["i32.xor"] } as const;
const masks = { and: ["v128.and"], or: ["v128.or"], xor: ["v128.xor"] } as const;

const floats = <T extends "f32" | "f64" | "f32x4" | "f64x2">(t: T) =>
  ({
    add: [`${t}.add`],
    sub: [`${t}.sub`],
    mul: [`${t}.mul`],
    div: [`${t}.div`],
    min: [`${t}.min`],
    max: [`${t}.max`],
  }) as const;

export const binaries: Table<BinaryOp> = {
  f32: floats("f32"),
  f64: floats("f64"),
  f32x4: floats("f32x4"),
  f64x2: floats("f64x2"),
  i32: { ...integers, div: ["i32.div_s"], rem: ["i32.rem_s"], shr: ["i32.shr_s"] },
  u32: { ...integers, div: ["i32.div_u"], rem: ["i32.rem_u"], shr: ["i32.shr_u"] },
  i32x4: { ...vectorIntegers, min: ["i32x4.min_s"], max: ["i32x4.max_s"] },
  u32x4: { ...vectorIntegers, min: ["i32x4.min_u"], max: ["i32x4.max_u"] },
  bool: truths,
  boolx4: masks,
  boolx2: masks,
};

const floatUnaries = <T extends "f32" | "f64" | "f32x4" | "f64x2">(t: T) =>
  ({
    neg: [`${t}.neg`],
    abs: [`${t}.abs`],
    floor: [`${t}.floor`],
    ceil: [`${t}.ceil`],
    trunc: [`${t}.trunc`],
    nearest: [`${t}.nearest`],
    sqrt: [`${t}.sqrt`],
  }) as const;

const bitCounts = { clz: ["i32.clz"], popcnt: ["i32.popcnt"] } as const;

const vectorBitCounts = {
  popcnt: ["i8x16.popcnt", "i16x8.extadd_pairwise_i8x16_u", "i32x4.extadd_pairwise_i16x8_u"],
} as const;

export const unaries: Table<UnaryOp> = {
  f32: floatUnaries("f32"),
  f64: floatUnaries("f64"),
  f32x4: floatUnaries("f32x4"),
  f64x2: floatUnaries("f64x2"),
  i32: bitCounts,
  u32: bitCounts,
  i32x4: { ...vectorBitCounts, neg: ["i32x4.neg"], abs: ["i32x4.abs"], not: ["v128.not"] },
  u32x4: { ...vectorBitCounts, neg: ["i32x4.neg"], not: ["v128.not"] },
  bool: { not: ["i32.eqz"] },
  boolx4: { not: ["v128.not"] },
  boolx2: { not: ["v128.not"] },
};

const ordered = <T extends "f32" | "f64" | "f32x4" | "f64x2">(t: T) =>
  ({
    eq: [`${t}.eq`],
    ne: [`${t}.ne`],
    lt: [`${t}.lt`],
    le: [`${t}.le`],
    gt: [`${t}.gt`],
    ge: [`${t}.ge`],
  }) as const;

const compared = <T extends "i32" | "i32x4", S extends "s" | "u">(t: T, sign: S) =>
  ({
    eq: [`${t}.eq`],
    ne: [`${t}.ne`],
    lt: [`${t}.lt_${sign}`],
    le: [`${t}.le_${sign}`],
    gt: [`${t}.gt_${sign}`],
    ge: [`${t}.ge_${sign}`],
  }) as const;

const sameMask = { eq: ["v128.xor", "v128.not"], ne: ["v128.xor"] } as const;

/** Comparisons, by the shape of the operands. */
export const comparisons: Table<CompareOp> = {
  f32: ordered("f32"),
  f64: ordered("f64"),
  f32x4: ordered("f32x4"),
  f64x2: ordered("f64x2"),
  i32: compared("i32", "s"),
  u32: compared("i32", "u"),
  bool: { eq: ["i32.eq"], ne: ["i32.ne"] },
  i32x4: compared("i32x4", "s"),
  u32x4: compared("i32x4", "u"),
  boolx4: sameMask,
  boolx2: sameMask,
};

/** Conversions that need no constant, by the shapes from and to. */
export const casts: Partial<Record<Shape, Partial<Record<Shape, readonly PlainOp[]>>>> = {
  f32: { f64: ["f64.promote_f32"], i32: ["i32.trunc_sat_f32_s"], u32: ["i32.trunc_sat_f32_u"] },
  f64: { f32: ["f32.demote_f64"], i32: ["i32.trunc_sat_f64_s"], u32: ["i32.trunc_sat_f64_u"] },
  i32: { u32: [], f32: ["f32.convert_i32_s"], f64: ["f64.convert_i32_s"] },
  u32: { i32: [], f32: ["f32.convert_i32_u"], f64: ["f64.convert_i32_u"] },
  bool: { i32: [], u32: [], f32: ["f32.convert_i32_s"], f64: ["f64.convert_i32_s"] },
  f32x4: { i32x4: ["i32x4.trunc_sat_f32x4_s"], u32x4: ["i32x4.trunc_sat_f32x4_u"] },
  i32x4: { u32x4: [], f32x4: ["f32x4.convert_i32x4_s"] },
  u32x4: { i32x4: [], f32x4: ["f32x4.convert_i32x4_u"] },
  // A mask is -1 where it holds.
  boolx4: { i32x4: ["i32x4.neg"], u32x4: ["i32x4.neg"] },
};
