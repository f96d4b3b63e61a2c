/** The threads of a workgroup combine what each has of a reduction, in a tree. */
import type { DType } from "../core/dtype.js";
import { add, barrier, get, i32, load, lt, store, sub, when } from "../core/ir/ops.js";
import { Buffer, type Expr, type Local, type ScalarType, type Stmt } from "../core/ir/types.js";
import type { Elements } from "./elements.js";
import { type Cells, combineInto, type Reduction } from "./loops.js";

/** The dtype of memory that holds accumulators. */
export const dtypeOf: Record<ScalarType, DType> = {
  f32: "float32",
  f64: "float64",
  i32: "int32",
  u32: "uint32",
  bool: "bool",
};

export interface TreeOptions {
  readonly thread: Local;
  /** Threads that combine what they have: a power of two. */
  readonly threads: number;
  /** Where a workgroup has several sets of so many neighbours, each for itself: its number among those of its set. */
  readonly lane?: Expr;
  /** Threads of the workgroup. Default: one set. */
  readonly all?: number;
  /** Gets the memory of the workgroup that it needs. */
  readonly scratch: Buffer[];
  readonly elementsAt: () => Elements;
}

/** Combines the accumulators of the threads of a set; afterwards each of them has the total. */
export function combineThreads(
  reductions: readonly Reduction[],
  cells: readonly Cells[],
  { thread, threads, lane = get(thread), all = threads, scratch, elementsAt }: TreeOptions,
): Stmt[] {
  if (threads === 1) return [];
  const parts = cells.map((own) =>
    own.map((cell) => {
      const part = new Buffer(`part${scratch.length}`, dtypeOf[cell.type], all, "scratch");
      scratch.push(part);
      return part;
    }),
  );
  const each = (make: (cell: Local, part: Buffer) => Stmt): Stmt[] =>
    cells.flatMap((own, k) => own.map((cell, c) => make(cell, parts[k][c])));
  const stmts: Stmt[] = [...each((cell, part) => store(part, get(thread), get(cell))), barrier];
  for (let half = threads / 2; half >= 1; half /= 2) {
    const elements = elementsAt();
    const merge = reductions.flatMap((reduction, k) =>
      combineInto(
        reduction,
        cells[k],
        parts[k].map((part) => load(part, add(get(thread), half))),
        elements,
      ),
    );
    stmts.push(
      when(lt(lane, half), [...merge, ...each((cell, part) => store(part, get(thread), get(cell)))]),
      barrier,
    );
  }
  const first = all === threads ? i32(0) : sub(get(thread), lane);
  return [
    ...stmts,
    ...each((cell, part) => ({ kind: "assign", local: cell, value: load(part, first) })),
    // The next stage may write to scratch only after all have read.
    barrier,
  ];
}
