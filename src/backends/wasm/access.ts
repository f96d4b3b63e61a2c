/** Loads and stores: addresses, and elements that are narrower in memory than in a local. */
import { InternalError } from "../../core/errors.js";
import { intervalOf } from "../../core/ir/affine.js";
import { isConst } from "../../core/ir/ops.js";
import type { Buffer, Expr, Lanes } from "../../core/ir/types.js";
import type { FunctionBuilder } from "./builder.js";
import type { HalfFunctions } from "./half.js";
import { lowestAddress, type MemoryImmediate } from "./module.js";

/** The logarithm of the bytes of an element. */
const logarithms = { float64: 3, float32: 2, int32: 2, uint32: 2, float16: 1, uint8: 0, bool: 0, float0: 0 };

/** What printing an access needs of the kernel's printer. */
export interface AccessContext {
  readonly f: FunctionBuilder;
  readonly half: HalfFunctions;
  /** The local that holds the address of a buffer. */
  addressOf(buffer: Buffer): number;
  print(e: Expr): void;
}

/** An index as a part that varies (if there is one) and a constant. */
function split(index: Expr): { rest: Expr | undefined; constant: number } {
  let rest = index;
  let constant = 0;
  while (rest.op === "binary") {
    if (rest.fn === "add" && isConst(rest.y)) [rest, constant] = [rest.x, constant + rest.y.value];
    else if (rest.fn === "add" && isConst(rest.x)) [rest, constant] = [rest.y, constant + rest.x.value];
    else if (rest.fn === "sub" && isConst(rest.y)) [rest, constant] = [rest.x, constant - rest.y.value];
    else break;
  }
  return isConst(rest) ? { rest: undefined, constant: constant + rest.value } : { rest, constant };
}

/** Puts the address of an element on the stack; the result belongs to the access. */
export function printAddress(ctx: AccessContext, buffer: Buffer, index: Expr): MemoryImmediate {
  const { f } = ctx;
  const align = logarithms[buffer.dtype];
  const { rest, constant } = split(index);
  const offset = constant * 2 ** align;
  f.get(ctx.addressOf(buffer));
  if (rest === undefined && offset >= 0) return { offset, align };
  // The sum of address and offset is not taken modulo 2^32, so the part in front must not have wrapped below 0.
  const apart = rest !== undefined && offset >= 0 && (offset <= lowestAddress || intervalOf(rest).low >= 0);
  ctx.print(apart ? rest : index);
  if (align > 0) {
    f.constant("i32", align);
    f.plain("i32.shl");
  }
  f.plain("i32.add");
  return { offset: apart ? offset : 0, align };
}

/** Loads an element, or several, from the address on the stack. */
export function printLoad(
  { f, half }: AccessContext,
  { dtype }: Buffer,
  lanes: Lanes,
  at: MemoryImmediate,
): void {
  switch (dtype) {
    case "float32":
      f.memory(lanes === 1 ? "f32.load" : "v128.load", at);
      return;
    case "float64":
      f.memory(lanes === 1 ? "f64.load" : "v128.load", at);
      return;
    case "int32":
    case "uint32":
      f.memory(lanes === 1 ? "i32.load" : "v128.load", at);
      return;
    case "float16":
      f.memory(lanes === 1 ? "i32.load16_u" : "v128.load64_zero", at);
      if (lanes === 4) f.plain("i32x4.extend_low_i16x8_u");
      f.call(half.fromBits(lanes));
      return;
    case "uint8":
    case "bool":
      printByteLoad(f, dtype === "bool", lanes, at);
      return;
    default:
      throw new InternalError(`a kernel reads elements of ${dtype}`);
  }
}

function printByteLoad(f: FunctionBuilder, truth: boolean, lanes: Lanes, at: MemoryImmediate): void {
  if (lanes === 1) {
    f.memory("i32.load8_u", at);
    return;
  }
  if (lanes === 4) f.memory("v128.load32_zero", at);
  else {
    f.vectorConstant("i32x4", 0);
    f.memory("v128.load16_lane", { ...at, lane: 0 });
  }
  f.plain("i16x8.extend_low_i8x16_u", "i32x4.extend_low_i16x8_u");
  if (lanes === 2) f.plain("i64x2.extend_low_i32x4_u", "i64x2.neg");
  else if (truth) f.plain("i32x4.neg");
}

/** The first `size` bytes of each lane, side by side; the rest of the bytes does not matter. */
function lowBytes(lanes: Lanes, size: number): number[] {
  const width = 16 / lanes;
  return Array.from({ length: 16 }, (_, i) => (Math.floor(i / size) % lanes) * width + (i % size));
}

/** Puts a vector whose lanes are to be stored in fewer bytes together; it is on the stack. */
function pack(f: FunctionBuilder, lanes: Lanes, size: number): void {
  const vector = f.acquire("v128", "vector");
  f.tee(vector);
  f.get(vector);
  f.release(vector);
  f.shuffle(lowBytes(lanes, size));
}

/** Stores the value on the stack at the address below it. */
export function printStore(
  { f, half }: AccessContext,
  { dtype }: Buffer,
  lanes: Lanes,
  at: MemoryImmediate,
): void {
  switch (dtype) {
    case "float32":
      f.memory(lanes === 1 ? "f32.store" : "v128.store", at);
      return;
    case "float64":
      f.memory(lanes === 1 ? "f64.store" : "v128.store", at);
      return;
    case "int32":
    case "uint32":
      f.memory(lanes === 1 ? "i32.store" : "v128.store", at);
      return;
    case "float16":
      f.call(half.toBits(lanes));
      if (lanes === 1) f.memory("i32.store16", at);
      else {
        pack(f, lanes, 2);
        f.memory("v128.store64_lane", { ...at, lane: 0 });
      }
      return;
    case "uint8":
    case "bool":
      printByteStore(f, dtype === "bool", lanes, at);
      return;
    default:
      throw new InternalError(`a kernel writes elements of ${dtype}`);
  }
}

function printByteStore(f: FunctionBuilder, truth: boolean, lanes: Lanes, at: MemoryImmediate): void {
  if (lanes === 1) {
    f.memory("i32.store8", at);
    return;
  }
  if (truth) {
    f.vectorConstant("i32x4", 1);
    f.plain("v128.and");
  }
  pack(f, lanes, 1);
  f.memory(lanes === 4 ? "v128.store32_lane" : "v128.store16_lane", { ...at, lane: 0 });
}
