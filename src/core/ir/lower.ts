/**
 * What a primitive says about how it is compiled: the `lower` rule of its record. There are four kinds.
 *
 * - `map`: each element of the output is an expression of elements of the operands. Elementwise operations, movements
 *   (reshape, transpose, slice, pad, ...), gathers and random bits are maps. Maps fuse: an operand is asked for as
 *   `operand(i, index)`, which is a load, or the operand's own expression where it is computed in the same kernel.
 * - `reduce`: each element of the output combines elements along some axes of the operands.
 * - `kernels`: all else that computes. The rule writes kernels itself; it, too, reads operands through `element` and so fuses
 *   producers.
 * - `control`: branches and loops, whose bodies are programs of their own.
 */
import type { Aval } from "../aval.js";
import type { DType } from "../dtype.js";
import type { Jaxpr } from "../jaxpr.js";
import type { Params } from "../primitive.js";
import type { TileLimits, Tiling } from "./tiling.js";
import type { Buffer, Expr, Kernel, Stmt } from "./types.js";

/** For which machine code is made. Rules look at it only where the best program differs, or where one cannot do it. */
export type Target = "wasm" | "webgpu";

export interface MapContext {
  readonly target: Target;
  readonly inputs: readonly Aval[];
  readonly outputs: readonly Aval[];
  /**
   * The element of operand `i` at an index (one i32 for each axis), in the type that its dtype is computed with. It must be
   * in bounds, or lie under a `guard`.
   */
  operand(i: number, index: readonly Expr[]): Expr;
  /**
   * Elements that `body` asks for are read only where `cond` holds (elsewhere they are 0), so that their index may be out
   * of bounds there. The result itself is not changed: select it with the same condition.
   */
  guarded<T>(cond: Expr, body: () => T): T;
}

export interface MapRule<P = Params> {
  readonly kind: "map";
  /** For each output its element at `index`. All outputs have the same shape. */
  readonly element: (ctx: MapContext, index: readonly Expr[], params: P) => readonly Expr[];
  /**
   * Work for one element beside reading the operands, in units of an addition (10: a transcendental function). What is
   * cheap may be computed again rather than stored. Default: 1.
   */
  readonly weight?: (params: P) => number;
  /**
   * Kernels to use instead where operand 0 is in memory and not needed afterwards: what changes only a part of it need not
   * touch the rest.
   */
  readonly update?: KernelsRule<P>;
}

export interface ReduceContext extends MapContext {}

/** Outputs are what remains of the shape of operand 0 when `axes` are dropped. */
export interface ReduceRule<P = Params> {
  readonly kind: "reduce";
  readonly axes: (params: P) => readonly number[];
  /** What is combined: for each cell of the accumulator its value for the element at `index` (an index into operand 0). */
  readonly element: (ctx: ReduceContext, index: readonly Expr[], params: P) => readonly Expr[];
  /** What accumulators start from: neutral for `combine`. */
  readonly initial: (ctx: ReduceContext, params: P) => readonly Expr[];
  /** Associative and commutative. */
  readonly combine: (
    total: readonly Expr[],
    element: readonly Expr[],
    params: P,
    ctx: ReduceContext,
  ) => readonly Expr[];
  /** The outputs from the accumulator; default: the accumulator. */
  readonly finish?: (total: readonly Expr[], ctx: ReduceContext, params: P) => readonly Expr[];
  /** A float sum: to be added up in blocks, so that rounding errors stay small. */
  readonly sum?: boolean;
  /**
   * Two cells, an element and its place: the accumulator has the first largest (or smallest) element along the only axis; a NaN
   * is before all others. It can be found without `combine`.
   */
  readonly places?: "largest" | "smallest";
}

export interface KernelContext {
  readonly target: Target;
  readonly inputs: readonly Aval[];
  readonly outputs: readonly Aval[];
  /** Operand `i` as a buffer: stored, row-major. */
  input(i: number): Buffer;
  /** The element of operand `i` at an index: of its buffer, or computed in place (once for each call). */
  element(i: number, index: readonly Expr[]): Expr;
  /** The buffer of output `i`. It holds anything at first; every element must be written. */
  output(i: number): Buffer;
  /**
   * The buffer of output `i`, which first holds the elements of operand `from`, of the same dtype and size. They are copied, unless
   * the operand is not needed afterwards. The next kernel must write to the output.
   */
  startFrom(i: number, from: number): Buffer;
  /**
   * What to do with element `index` of output `i`, computed in full: stores it, and with it what later operations make of
   * this very element.
   */
  write(i: number, index: readonly Expr[], value: Expr): readonly Stmt[];
  /** A buffer that is needed only until the last kernel of this rule. */
  temporary(name: string, dtype: DType, size: number): Buffer;
  /**
   * Adds a kernel whose items are independent: `body` is run for each item from 0 to `extent`. On the GPU an item is a thread.
   */
  parallel(name: string, extent: number, body: (item: Expr) => readonly Stmt[]): void;
  /** Adds a kernel that was written for one target. */
  kernel(kernel: Omit<Kernel, "buffers">): void;
  /** What the device can do, and how work is best cut for it (grids only). */
  readonly limits: TileLimits & { readonly tiling: Tiling };
}

export interface KernelsRule<P = Params> {
  readonly kind: "kernels";
  readonly build: (ctx: KernelContext, params: P) => void;
  /**
   * For each operand whether `element` is used for it, about how often each element is read; operands that are left out are
   * stored. Producers are computed in place only where that costs little.
   */
  readonly reads?: (
    ctx: { readonly inputs: readonly Aval[]; readonly outputs: readonly Aval[]; readonly target: Target },
    params: P,
  ) => readonly (number | "buffer")[];
  /** Output 0 is stored through `write`: what follows elementwise may be fused. */
  readonly fusesConsumers?: boolean;
}

/**
 * What runs other programs: some of them, or one of them many times.
 *
 * - `cond`: operand 0 is an int32, the number of the branch; it is clamped. Every branch takes the other operands.
 * - `while`: operands are `condConsts` for `cond`, `bodyConsts` for `body`, then the carry. `cond` takes its constants and the
 *   carry, and gives a bool; `body` takes its own, and gives the next carry.
 * - `scan`: operands are `consts`, then `carries`, then arrays with an axis of `length` in front. `body` takes constants, the
 *   carry and one entry of each array (from the last to the first if `reverse`), and gives the next carry and an entry for
 *   each of the stacked outputs, which follow the final carry.
 */
export type ControlFlow =
  | { readonly flow: "cond"; readonly branches: readonly Jaxpr[] }
  | {
      readonly flow: "while";
      readonly cond: Jaxpr;
      readonly body: Jaxpr;
      readonly condConsts: number;
      readonly bodyConsts: number;
    }
  | {
      readonly flow: "scan";
      readonly body: Jaxpr;
      readonly length: number;
      readonly reverse: boolean;
      readonly consts: number;
      readonly carries: number;
    };

export interface ControlRule<P = Params> {
  readonly kind: "control";
  readonly parts: (params: P) => ControlFlow;
}

export type LowerRule<P = Params> = MapRule<P> | ReduceRule<P> | KernelsRule<P> | ControlRule<P>;
