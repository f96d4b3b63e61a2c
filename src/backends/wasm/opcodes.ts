/**
 * The instructions of WebAssembly that the printer uses: their text names, codes and immediates. One table serves the
 * binary encoder and the text. Source: the WebAssembly core specification 2.0, section 5.4 "Instructions", and the
 * threads proposal.
 */

/** What follows the code of an instruction. */
export type ImmediateKind =
  | "none"
  /** A block type. */
  | "block"
  /** The number of enclosing blocks to leave. */
  | "label"
  | "local"
  | "function"
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "v128"
  /** Sixteen numbers of bytes. */
  | "shuffle"
  /** A lane of a vector. */
  | "lane"
  /** Alignment and offset of a memory access. */
  | "memory"
  /** The same, and a lane. */
  | "memoryLane";

export interface Opcode {
  /** One byte; or a prefix byte times 0x1000, plus the number after the prefix. */
  readonly code: number;
  readonly immediate: ImmediateKind;
}

const simd = (n: number): number => 0xfd000 + n;
const saturating = (n: number): number => 0xfc000 + n;
const atomic = (n: number): number => 0xfe000 + n;

/** Instructions without an immediate: codes, and the names of those that have this code and the next ones. */
const plain = () =>
  [
    [0x00, ["unreachable"]],
    [0x05, ["else"]],
    [0x0b, ["end"]],
    [0x0f, ["return"]],
    [0x1a, ["drop"]],
    [0x1b, ["select"]],
    [
      0x45,
      [
        "i32.eqz",
        "i32.eq",
        "i32.ne",
        "i32.lt_s",
        "i32.lt_u",
        "i32.gt_s",
        "i32.gt_u",
        "i32.le_s",
        "i32.le_u",
        "i32.ge_s",
        "i32.ge_u",
      ],
    ],
    [0x5b, ["f32.eq", "f32.ne", "f32.lt", "f32.gt", "f32.le", "f32.ge"]],
    [0x61, ["f64.eq", "f64.ne", "f64.lt", "f64.gt", "f64.le", "f64.ge"]],
    [0x67, ["i32.clz", "i32.ctz", "i32.popcnt", "i32.add", "i32.sub", "i32.mul"]],
    [0x6d, ["i32.div_s", "i32.div_u", "i32.rem_s", "i32.rem_u", "i32.and", "i32.or", "i32.xor"]],
    [0x74, ["i32.shl", "i32.shr_s", "i32.shr_u", "i32.rotl", "i32.rotr"]],
    [0x8b, ["f32.abs", "f32.neg", "f32.ceil", "f32.floor", "f32.trunc", "f32.nearest", "f32.sqrt"]],
    [0x92, ["f32.add", "f32.sub", "f32.mul", "f32.div", "f32.min", "f32.max", "f32.copysign"]],
    [0x99, ["f64.abs", "f64.neg", "f64.ceil", "f64.floor", "f64.trunc", "f64.nearest", "f64.sqrt"]],
    [0xa0, ["f64.add", "f64.sub", "f64.mul", "f64.div", "f64.min", "f64.max", "f64.copysign"]],
    [0xa7, ["i32.wrap_i64"]],
    [0xac, ["i64.extend_i32_s"]],
    [0xad, ["i64.extend_i32_u"]],
    [0xb2, ["f32.convert_i32_s"]],
    [0xb3, ["f32.convert_i32_u"]],
    [0xb6, ["f32.demote_f64"]],
    [0xb7, ["f64.convert_i32_s"]],
    [0xb8, ["f64.convert_i32_u"]],
    [0xbb, ["f64.promote_f32"]],
    [0xbc, ["i32.reinterpret_f32"]],
    [0xbe, ["f32.reinterpret_i32"]],
    [saturating(0), ["i32.trunc_sat_f32_s", "i32.trunc_sat_f32_u"]],
    [saturating(2), ["i32.trunc_sat_f64_s", "i32.trunc_sat_f64_u"]],
    [simd(14), ["i8x16.swizzle", "i8x16.splat", "i16x8.splat", "i32x4.splat", "i64x2.splat"]],
    [simd(19), ["f32x4.splat", "f64x2.splat"]],
    [simd(55), ["i32x4.eq", "i32x4.ne", "i32x4.lt_s", "i32x4.lt_u", "i32x4.gt_s", "i32x4.gt_u"]],
    [simd(61), ["i32x4.le_s", "i32x4.le_u", "i32x4.ge_s", "i32x4.ge_u"]],
    [simd(65), ["f32x4.eq", "f32x4.ne", "f32x4.lt", "f32x4.gt", "f32x4.le", "f32x4.ge"]],
    [simd(71), ["f64x2.eq", "f64x2.ne", "f64x2.lt", "f64x2.gt", "f64x2.le", "f64x2.ge"]],
    [simd(77), ["v128.not", "v128.and", "v128.andnot", "v128.or", "v128.xor", "v128.bitselect"]],
    [simd(83), ["v128.any_true"]],
    [simd(98), ["i8x16.popcnt"]],
    [simd(103), ["f32x4.ceil", "f32x4.floor", "f32x4.trunc", "f32x4.nearest"]],
    [simd(0x74), ["f64x2.ceil"]],
    [simd(0x75), ["f64x2.floor"]],
    [simd(0x7a), ["f64x2.trunc"]],
    [simd(0x94), ["f64x2.nearest"]],
    [simd(125), ["i16x8.extadd_pairwise_i8x16_u"]],
    [simd(127), ["i32x4.extadd_pairwise_i16x8_u"]],
    [simd(0x89), ["i16x8.extend_low_i8x16_u"]],
    [simd(0xa0), ["i32x4.abs"]],
    [simd(0xa1), ["i32x4.neg"]],
    [simd(0xa3), ["i32x4.all_true"]],
    [simd(0xa9), ["i32x4.extend_low_i16x8_u"]],
    [simd(0xab), ["i32x4.shl", "i32x4.shr_s", "i32x4.shr_u", "i32x4.add"]],
    [simd(0xb1), ["i32x4.sub"]],
    [simd(0xb5), ["i32x4.mul", "i32x4.min_s", "i32x4.min_u", "i32x4.max_s", "i32x4.max_u"]],
    [simd(0xc1), ["i64x2.neg"]],
    [simd(0xc9), ["i64x2.extend_low_i32x4_u"]],
    [simd(0xe0), ["f32x4.abs"]],
    [simd(0xe1), ["f32x4.neg"]],
    [simd(0xe3), ["f32x4.sqrt", "f32x4.add", "f32x4.sub", "f32x4.mul", "f32x4.div"]],
    [simd(0xe8), ["f32x4.min", "f32x4.max", "f32x4.pmin", "f32x4.pmax", "f64x2.abs", "f64x2.neg"]],
    [simd(0xef), ["f64x2.sqrt", "f64x2.add", "f64x2.sub", "f64x2.mul", "f64x2.div"]],
    [simd(0xf4), ["f64x2.min", "f64x2.max", "f64x2.pmin", "f64x2.pmax"]],
    [simd(0xf8), ["i32x4.trunc_sat_f32x4_s", "i32x4.trunc_sat_f32x4_u"]],
    [simd(0xfa), ["f32x4.convert_i32x4_s", "f32x4.convert_i32x4_u"]],
  ] as const;

const control = {
  block: [0x02, "block"],
  loop: [0x03, "block"],
  if: [0x04, "block"],
  br: [0x0c, "label"],
  br_if: [0x0d, "label"],
  call: [0x10, "function"],
  "local.get": [0x20, "local"],
  "local.set": [0x21, "local"],
  "local.tee": [0x22, "local"],
  "i32.const": [0x41, "i32"],
  "i64.const": [0x42, "i64"],
  "f32.const": [0x43, "f32"],
  "f64.const": [0x44, "f64"],
  "v128.const": [simd(12), "v128"],
  "i8x16.shuffle": [simd(13), "shuffle"],
} as const satisfies Record<string, readonly [number, ImmediateKind]>;

const memory = {
  "i32.load": 0x28,
  "f32.load": 0x2a,
  "f64.load": 0x2b,
  "i32.load8_u": 0x2d,
  "i32.load16_u": 0x2f,
  "i32.store": 0x36,
  "f32.store": 0x38,
  "f64.store": 0x39,
  "i32.store8": 0x3a,
  "i32.store16": 0x3b,
  "v128.load": simd(0),
  "v128.load32_splat": simd(9),
  "v128.load64_splat": simd(10),
  "v128.store": simd(11),
  "v128.load32_zero": simd(92),
  "v128.load64_zero": simd(93),
  "memory.atomic.notify": atomic(0),
  "memory.atomic.wait32": atomic(1),
  "i32.atomic.load": atomic(0x10),
  "i32.atomic.store": atomic(0x17),
  "i32.atomic.rmw.add": atomic(0x1e),
  "i32.atomic.rmw.cmpxchg": atomic(0x48),
} as const;

const memoryLane = () =>
  [
    [simd(84), ["v128.load8_lane", "v128.load16_lane", "v128.load32_lane", "v128.load64_lane"]],
    [simd(88), ["v128.store8_lane", "v128.store16_lane", "v128.store32_lane", "v128.store64_lane"]],
  ] as const;

const lane = () =>
  [
    [simd(27), ["i32x4.extract_lane", "i32x4.replace_lane", "i64x2.extract_lane", "i64x2.replace_lane"]],
    [simd(31), ["f32x4.extract_lane", "f32x4.replace_lane", "f64x2.extract_lane", "f64x2.replace_lane"]],
  ] as const;

export type PlainOp = ReturnType<typeof plain>[number][1][number];
export type MemoryOp = keyof typeof memory;
export type MemoryLaneOp = ReturnType<typeof memoryLane>[number][1][number];
export type LaneOp = ReturnType<typeof lane>[number][1][number];
export type OpName = PlainOp | MemoryOp | MemoryLaneOp | LaneOp | keyof typeof control;

let table: Readonly<Record<OpName, Opcode>> | undefined;

/** The instructions, by text name. The table is made when there is a first program to print. */
export function opcodes(): Readonly<Record<OpName, Opcode>> {
  table ??= makeTable();
  return table;
}

function makeTable(): Readonly<Record<OpName, Opcode>> {
  const made: { [name: string]: Opcode } = {};
  const families = (
    all: readonly (readonly [first: number, names: readonly string[]])[],
    immediate: ImmediateKind,
  ): void => {
    for (const [first, names] of all)
      for (let i = 0; i < names.length; i++) made[names[i]] = { code: first + i, immediate };
  };
  families(plain(), "none");
  families(memoryLane(), "memoryLane");
  families(lane(), "lane");
  for (const [name, code] of Object.entries(memory)) made[name] = { code, immediate: "memory" };
  for (const [name, [code, immediate]] of Object.entries(control)) made[name] = { code, immediate };
  return made as Record<OpName, Opcode>;
}
