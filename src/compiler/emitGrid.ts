/**
 * A group of loops as a grid kernel. Without reductions, or with short ones and many rows, a thread does all for one
 * element of the outer axes. Otherwise a workgroup shares one row: each thread combines every so-and-so-many-th element,
 * and the threads combine their parts in a tree.
 */

import type { DType } from "../core/dtype.js";
import { ravel, unravel } from "../core/ir/affine.js";
import { add, barrier, get, i32, load, lt, mul, store, when } from "../core/ir/ops.js";
import { Buffer, type Expr, type Kernel, Local, type ScalarType, type Stmt } from "../core/ir/types.js";
import type { Var } from "../core/jaxpr.js";
import { type Buffers, elementsIn, nameOf, withBuffers } from "./emit.js";
import type { Graph } from "./graph.js";
import { type Group, indexFor, type Member } from "./group.js";
import {
  type Cells,
  combineInto,
  declareCells,
  finishCells,
  type Reduction,
  reduceLoops,
  reductionOf,
} from "./loops.js";

/** Terms of a sum that one accumulator takes. */
const sumBlock = 16;

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

const dtypeOf: Record<ScalarType, DType> = {
  f32: "float32",
  f64: "float64",
  i32: "int32",
  u32: "uint32",
  bool: "bool",
};

export function emitGrid(graph: Graph, buffers: Buffers, group: Group, maxThreads: number): Kernel {
  const { dims, reduced } = group.space;
  const outerDims = dims.filter((_, i) => !reduced[i]);
  const innerDims = dims.filter((_, i) => reduced[i]);
  const rows = product(outerDims);
  const columns = product(innerDims);
  // A row is worth a workgroup if it keeps the threads busy, or if there are too few rows to keep the device busy. Where the
  // last axis is not reduced, threads that each have a row of their own read side by side.
  const shared = rows < 1024 ? columns >= 64 : columns >= 256 && reduced.at(-1) === true;
  const threads = Math.min(maxThreads, 256);
  const results = new Map<Var, Expr>();
  const groupId = new Local("group", "i32", 1, false, shared ? rows : Math.ceil(rows / threads));
  const thread = new Local("thread", "i32", 1, false, threads);
  const row = new Local("row", "i32", 1, false, rows);
  const outerCounters = unravel(get(row), outerDims);
  const scratch: Buffer[] = [];
  const elementsAt = () => elementsIn(graph, buffers, group, (v) => results.get(v));

  const whole = (counters: readonly Expr[]): Expr[] => {
    let [o, r] = [0, 0];
    return reduced.map((isReduced) => (isReduced ? counters[r++] : outerCounters[o++]));
  };

  const stores = (members: readonly Member[], counters: readonly Expr[]): Stmt[] => {
    const elements = elementsAt();
    return members.flatMap(({ node: { eqn } }) =>
      eqn.outputs.flatMap((v) => {
        if (!group.stored.has(v)) return [];
        const index = indexFor(v.aval.shape, counters);
        return [store(buffers.of(v), ravel(index, v.aval.shape), elements.element(v, index))];
      }),
    );
  };

  /** Every so-and-so-many-th column, beginning with this thread's (all columns, where a thread has the row to itself). */
  const overColumns = (body: (column: Expr) => readonly Stmt[]): Stmt => {
    const column = new Local("column", "i32", 1, false, columns);
    return {
      kind: "for",
      local: column,
      from: shared ? get(thread) : i32(0),
      to: i32(columns),
      step: shared ? threads : 1,
      body: body(get(column)),
    };
  };

  const reduceStage = (reductions: readonly Reduction[]): Stmt[] => {
    const elements = elementsAt();
    const stmts: Stmt[] = [];
    const cells: Cells[] = reductions.map((reduction) => {
      const declared = declareCells(reduction, elements);
      stmts.push(...declared.stmts);
      return declared.cells;
    });
    if (shared) {
      // The thread's share, as an axis of its own: column = share · threads + thread.
      const shares = Math.ceil(columns / threads);
      stmts.push(
        ...reduceLoops(
          reductions,
          cells,
          [shares],
          sumBlock,
          elementsAt,
          ([share]) => whole(unravel(add(mul(share, threads), get(thread)), innerDims)),
          columns % threads === 0
            ? undefined
            : ([share]) => lt(add(mul(share, threads), get(thread)), columns),
        ),
        ...tree(reductions, cells),
      );
    } else stmts.push(...reduceLoops(reductions, cells, innerDims, sumBlock, elementsAt, whole));
    for (const [k, reduction] of reductions.entries())
      stmts.push(...finishCells(reduction, cells[k], elements, results));
    return stmts;
  };

  /** Combines the accumulators of all threads; afterwards every thread has the total. */
  const tree = (reductions: readonly Reduction[], cells: readonly Cells[]): Stmt[] => {
    const parts = cells.map((own) =>
      own.map((cell) => {
        const part = new Buffer(`part${scratch.length}`, dtypeOf[cell.type], threads, "scratch");
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
        when(lt(get(thread), half), [...merge, ...each((cell, part) => store(part, get(thread), get(cell)))]),
        barrier,
      );
    }
    return [
      ...stmts,
      ...each((cell, part) => ({ kind: "assign", local: cell, value: load(part, 0) })),
      // The next stage may write to scratch only after all have read.
      barrier,
    ];
  };

  const body: Stmt[] = [];
  const stages = Math.max(-1, ...group.members.map((m) => (m.role === "reduce" ? m.stage : -1))) + 1;
  for (let stage = 0; stage < stages; stage++) {
    const members = group.members.filter((m) => m.role === "reduce" && m.stage === stage);
    if (members.length > 0) body.push(...reduceStage(members.map(reductionOf)));
  }
  const outer = stores(
    group.members.filter((m) => m.role !== "full"),
    outerCounters,
  );
  if (outer.length > 0) body.push(...(shared ? [when(lt(get(thread), 1), outer)] : outer));
  const full = group.members.filter((m) => m.role === "full");
  if (full.some((m) => m.node.eqn.outputs.some((v) => group.stored.has(v))))
    body.push(
      ...(innerDims.length === 0
        ? stores(full, whole([]))
        : [overColumns((column) => stores(full, whole(unravel(column, innerDims))))]),
    );

  return withBuffers({
    name: nameOf(group),
    launch: {
      kind: "grid",
      groups: shared ? rows : Math.ceil(rows / threads),
      threads,
      group: groupId,
      thread,
    },
    scratch,
    body: shared
      ? [{ kind: "let", local: row, value: get(groupId) }, ...body]
      : [
          { kind: "let", local: row, value: add(mul(get(groupId), threads), get(thread)) },
          when(lt(get(row), rows), body),
        ],
  });
}
