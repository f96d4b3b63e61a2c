/**
 * The kernel IR: a small imperative language between jaxprs and the two printers, WGSL and WebAssembly.
 *
 * A kernel reads and writes buffers and is run for a range of independent work items. Its body is statements over scalar
 * (or short vector) expressions. Nothing in it knows which device will run it, except how the work is launched: over a
 * range that a CPU thread walks, or over a grid of workgroups.
 */

import type { DType } from "../dtype.js";
import type { MatrixProduct } from "./matrix.js";

/**
 * Types of values. Arrays of float16 are computed with as f32 and rounded where they are stored or `roundF16` says so;
 * uint8 as u32; elements of bool arrays are `bool`.
 */
export type ScalarType = "f32" | "f64" | "i32" | "u32" | "bool";

/** How many values are computed with at once. Two lanes are f64 (and the bools beside them), four all else. */
export type Lanes = 1 | 2 | 4;

/** A variable of the kernel: a loop counter, a name for an expression, or (if `mutable`) a cell that is assigned to. */
export class Local {
  constructor(
    /** For readers of the printed kernel; printers make it unique. */
    readonly name: string,
    readonly type: ScalarType,
    readonly lanes: Lanes = 1,
    readonly mutable = false,
    /** For an i32 that is never negative: all its values are below this. Lets index arithmetic simplify. */
    readonly bound?: number,
  ) {}
}

/** A buffer as the kernel sees it: elements of a dtype, addressed by element index. */
export class Buffer {
  constructor(
    readonly name: string,
    readonly dtype: DType,
    /** Elements. */
    readonly size: number,
    /** `scratch` is memory of one workgroup, shared by its threads (grids only). */
    readonly space: "global" | "scratch" = "global",
  ) {}
}

export type UnaryOp =
  | "neg"
  | "abs"
  | "floor"
  | "ceil"
  | "trunc"
  /** To the nearest integer, halves to even. */
  | "nearest"
  | "sqrt"
  /** Of bools; of the bits of integers. */
  | "not"
  | "clz"
  | "popcnt"
  /** f32 to the nearest float16, as an f32. */
  | "roundF16";

export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  /** Of integers: truncates; the divisor must not be 0, nor the quotient overflow. */
  | "div"
  /** Of integers only, with the sign of the dividend. */
  | "rem"
  /** Of floats: NaN if either is, and -0 < 0. */
  | "min"
  | "max"
  /** Of bools, and of the bits of integers. */
  | "and"
  | "or"
  | "xor"
  /** By less than 32. `shr` fills with the sign for i32, with zeros for u32. */
  | "shl"
  | "shr";

/** On floats these are the comparisons of IEEE 754: false with NaN, but for `ne`. */
export type CompareOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

interface Typed {
  readonly type: ScalarType;
  readonly lanes: Lanes;
}

/** A bool constant is 0 or 1. In more than one lane it is the same in all. */
export interface Const extends Typed {
  readonly op: "const";
  readonly value: number;
}

export interface Get extends Typed {
  readonly op: "get";
  readonly local: Local;
}

/** An element, or `lanes` elements that lie side by side. Where `guard` is false nothing is read and the value is 0. */
export interface Load extends Typed {
  readonly op: "load";
  readonly buffer: Buffer;
  /** i32. */
  readonly index: Expr;
  readonly guard: Expr | undefined;
}

export interface Unary extends Typed {
  readonly op: "unary";
  readonly fn: UnaryOp;
  readonly x: Expr;
}

export interface Binary extends Typed {
  readonly op: "binary";
  readonly fn: BinaryOp;
  readonly x: Expr;
  readonly y: Expr;
}

export interface Compare extends Typed {
  readonly op: "compare";
  readonly fn: CompareOp;
  readonly x: Expr;
  readonly y: Expr;
}

/** Both sides may be evaluated, whichever is taken. */
export interface Select extends Typed {
  readonly op: "select";
  /** `onTrue` is seldom taken, and costs much: a loop may be run without it until an element needs it (compiler/rare.ts). */
  readonly rare?: true;
  readonly cond: Expr;
  readonly onTrue: Expr;
  readonly onFalse: Expr;
}

/**
 * Conversion of the value. From float to integer it truncates and saturates, NaN gives 0; to bool it is `x != 0`; between
 * i32 and u32 it keeps the bits.
 */
export interface Cast extends Typed {
  readonly op: "cast";
  readonly x: Expr;
}

/** The same 32 bits as another type. */
export interface Bitcast extends Typed {
  readonly op: "bitcast";
  readonly x: Expr;
}

/** One value in all lanes. */
export interface Splat extends Typed {
  readonly op: "splat";
  readonly x: Expr;
}

/** A vector of scalars. */
export interface Vector extends Typed {
  readonly op: "vector";
  readonly parts: readonly Expr[];
}

export interface Extract extends Typed {
  readonly op: "extract";
  readonly x: Expr;
  readonly lane: number;
}

/** A function of JavaScript on f64 (or f32) scalars. Only WebAssembly on the host can call it. */
export interface HostCall extends Typed {
  readonly op: "host";
  readonly name: string;
  readonly fn: (...args: number[]) => number;
  readonly args: readonly Expr[];
}

export type Expr =
  | Const
  | Get
  | Load
  | Unary
  | Binary
  | Compare
  | Select
  | Cast
  | Bitcast
  | Splat
  | Vector
  | Extract
  | HostCall;

/** Names a value; a mutable local gets its first value. It is in scope to the end of the block. */
export interface Let {
  readonly kind: "let";
  readonly local: Local;
  readonly value: Expr;
}

export interface Assign {
  readonly kind: "assign";
  readonly local: Local;
  readonly value: Expr;
}

/** Stores an element, or as many side by side as the value has lanes. */
export interface Store {
  readonly kind: "store";
  readonly buffer: Buffer;
  readonly index: Expr;
  readonly value: Expr;
}

/**
 * buffer[index] = fn(buffer[index], value) as one step that no other work item can split. Floats are allowed (a loop
 * of compare-and-exchange where the device has nothing better). Result not available.
 */
export interface Atomic {
  readonly kind: "atomic";
  readonly fn: "add" | "mul" | "min" | "max";
  readonly buffer: Buffer;
  readonly index: Expr;
  readonly value: Expr;
}

/** Counts `local` (i32) from `from` up in steps while it is below `to`. */
export interface For {
  readonly kind: "for";
  readonly local: Local;
  readonly from: Expr;
  readonly to: Expr;
  /** Positive. */
  readonly step: number;
  readonly body: readonly Stmt[];
}

export interface While {
  readonly kind: "while";
  readonly cond: Expr;
  readonly body: readonly Stmt[];
}

export interface If {
  readonly kind: "if";
  readonly cond: Expr;
  readonly then: readonly Stmt[];
  readonly else: readonly Stmt[];
}

/** Waits for all threads of the workgroup and makes their writes to scratch and global memory visible to each other. */
export interface Barrier {
  readonly kind: "barrier";
}

export type Stmt = Let | Assign | Store | Atomic | For | While | If | Barrier;

/** The body is run once with a part `begin` (inclusive) to `end` (exclusive) of `extent` items; parts are independent. */
export interface Range {
  readonly kind: "range";
  readonly extent: number;
  readonly begin: Local;
  readonly end: Local;
}

/** The body is run by each of `threads` threads in each of `groups` workgroups. */
export interface Grid {
  readonly kind: "grid";
  readonly groups: number;
  readonly threads: number;
  /** Number of the workgroup, i32. */
  readonly group: Local;
  /** Number of the thread in its workgroup, i32. */
  readonly thread: Local;
}

export interface Kernel {
  readonly name: string;
  readonly launch: Range | Grid;
  /** In the order of binding. A buffer that the body writes is bound for reading and writing. */
  readonly buffers: readonly Buffer[];
  readonly scratch: readonly Buffer[];
  readonly body: readonly Stmt[];
  /** A kernel with the same code, that does the same to its own buffers, which stand in the same places. */
  readonly copyOf?: Kernel;
  /** A product that is all it computes, for devices that can do that with operations on matrices. */
  readonly product?: MatrixProduct;
}

/** The type that elements of a dtype are computed with. */
export function scalarTypeOf(dtype: DType): ScalarType {
  switch (dtype) {
    case "float32":
    case "float16":
      return "f32";
    case "float64":
      return "f64";
    case "int32":
      return "i32";
    case "uint32":
    case "uint8":
      return "u32";
    default:
      return "bool";
  }
}
