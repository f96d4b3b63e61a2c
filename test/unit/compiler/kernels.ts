/** Small kernels for the tests of the compiler's passes. */
import { isLeft } from "fp-ts/lib/Either.js";
import { checkKernel } from "../../../src/compiler/check.js";
import { type RunOptions, runKernel } from "../../../src/compiler/interpret.js";
import { allocate, type DType, type TypedArray } from "../../../src/core/dtype.js";
import * as ir from "../../../src/core/ir/ops.js";
import { Buffer, type Expr, type Kernel, Local, type Stmt } from "../../../src/core/ir/types.js";

/** A buffer of as many elements as the values, and its memory. */
export interface Cell {
  readonly buffer: Buffer;
  readonly array: TypedArray;
}

export function cell(name: string, dtype: DType, values: readonly number[] | number): Cell {
  const size = typeof values === "number" ? values : values.length;
  const array = allocate(dtype, size);
  if (typeof values !== "number") array.set(values);
  return { buffer: new Buffer(name, dtype, size), array };
}

/** A range kernel whose body is made from the ends of the range. */
export function rangeKernel(
  extent: number,
  buffers: readonly Buffer[],
  body: (begin: Expr, end: Expr) => readonly Stmt[],
): Kernel {
  const begin = new Local("begin", "i32", 1, false, extent + 1);
  const end = new Local("end", "i32", 1, false, extent + 1);
  return {
    name: "test",
    launch: { kind: "range", extent, begin, end },
    buffers,
    scratch: [],
    body: body(ir.get(begin), ir.get(end)),
  };
}

/** A range kernel that runs `body` for each item. */
export const itemKernel = (
  extent: number,
  buffers: readonly Buffer[],
  body: (item: Expr) => readonly Stmt[],
): Kernel => rangeKernel(extent, buffers, (begin, end) => [itemLoop(extent, begin, end, body)]);

/** A loop over the items of a range; the counter is known to be below the extent. */
export function itemLoop(
  extent: number,
  begin: Expr,
  end: Expr,
  body: (item: Expr) => readonly Stmt[],
): Stmt {
  const local = new Local("item", "i32", 1, false, extent);
  return { kind: "for", local, from: begin, to: end, step: 1, body: body(ir.get(local)) };
}

/** A grid kernel. */
export function gridKernel(
  groups: number,
  threads: number,
  buffers: readonly Buffer[],
  scratch: readonly Buffer[],
  body: (group: Expr, thread: Expr) => readonly Stmt[],
): Kernel {
  const group = new Local("group", "i32", 1, false, groups);
  const thread = new Local("thread", "i32", 1, false, threads);
  return {
    name: "test",
    launch: { kind: "grid", groups, threads, group, thread },
    buffers,
    scratch,
    body: body(ir.get(group), ir.get(thread)),
  };
}

/** Throws what the checker finds. */
export function checked(kernel: Kernel): Kernel {
  const result = checkKernel(kernel);
  if (isLeft(result)) throw result.left;
  return kernel;
}

/** Runs a kernel on copies of the cells; gives all cells as they are then, by name. */
export function run(
  kernel: Kernel,
  cells: readonly Cell[],
  options?: RunOptions,
): Record<string, TypedArray> {
  const memory = new Map(cells.map((c) => [c.buffer, c.array.slice()] as const));
  runKernel(kernel, memory, options);
  return Object.fromEntries(cells.map((c) => [c.buffer.name, memory.get(c.buffer) as TypedArray]));
}
