/**
 * A group of loops as a grid kernel. Without reductions, or with short ones and many rows, a thread does all for one
 * element of the outer axes. Otherwise a workgroup shares one row: each thread combines every so-and-so-many-th element,
 * and the threads combine their parts in a tree.
 */

import { ravel, unravel } from "../core/ir/affine.js";
import { add, get, i32, lt, mul, store, when } from "../core/ir/ops.js";
import { type Buffer, type Expr, type Kernel, Local, type Stmt } from "../core/ir/types.js";
import type { Var } from "../core/jaxpr.js";
import { type Buffers, elementsIn, nameOf, type Places, withBuffers } from "./emit.js";
import type { Graph } from "./graph.js";
import type { Folds, GridOptions } from "./gridFold.js";
import { gridSplit } from "./gridSplit.js";
import { combineThreads } from "./gridTree.js";
import { bodyInVectors } from "./gridVectors.js";
import { type Group, indexFor, type Member } from "./group.js";
import { type Cells, declareCells, finishCells, type Reduction, reduceLoops, reductionOf } from "./loops.js";

/** Terms of a sum that one accumulator takes. */
const sumBlock = 16;

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

export function emitGrid(
  graph: Graph,
  buffers: Buffers,
  group: Group,
  options: GridOptions,
  folds: Folds,
): readonly Kernel[] {
  return emitted(graph, buffers, group, options, folds).map((kernel) => folds.before(kernel));
}

function emitted(
  graph: Graph,
  buffers: Buffers,
  group: Group,
  options: GridOptions,
  folds: Folds,
): readonly Kernel[] {
  const places = folds.placesIn(buffers);
  const { dims, reduced } = group.space;
  const outerDims = dims.filter((_, i) => !reduced[i]);
  const innerDims = dims.filter((_, i) => reduced[i]);
  const rows = product(outerDims);
  const columns = product(innerDims);
  // A row is worth a workgroup if it keeps the threads busy, or if there are too few rows to keep the device busy. Where the
  // last axis is not reduced, threads that each have a row of their own read side by side.
  const shared = rows < 1024 ? columns >= 64 : columns >= 256 && reduced.at(-1) === true;
  const threads = Math.min(options.workgroupThreads, 256);
  const results = new Map<Var, Expr>();
  const groupId = new Local("group", "i32", 1, false, shared ? rows : Math.ceil(rows / threads));
  const thread = new Local("thread", "i32", 1, false, threads);
  const row = new Local("row", "i32", 1, false, rows);
  const outerCounters = unravel(get(row), outerDims);
  const scratch: Buffer[] = [];
  const elementsAt = () => elementsIn(graph, places, group, (v) => results.get(v));

  const whole = (counters: readonly Expr[]): Expr[] => {
    let [o, r] = [0, 0];
    return reduced.map((isReduced) => (isReduced ? counters[r++] : outerCounters[o++]));
  };

  const stores = (
    members: readonly Member[],
    counters: readonly Expr[],
    elements = elementsAt(),
    to: Places = buffers,
  ): Stmt[] => {
    return members.flatMap(({ node: { eqn } }) =>
      eqn.outputs.flatMap((v) => {
        if (!group.stored.has(v)) return [];
        const index = indexFor(v.aval.shape, counters);
        return [store(to.of(v), ravel(index, v.aval.shape), elements.element(v, index))];
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
        ...combineThreads(reductions, cells, { thread, threads, scratch, elementsAt }),
      );
    } else stmts.push(...reduceLoops(reductions, cells, innerDims, sumBlock, elementsAt, whole));
    for (const [k, reduction] of reductions.entries())
      stmts.push(...finishCells(reduction, cells[k], elements, results));
    return stmts;
  };

  const outerMembers = group.members.filter((m) => m.role !== "full");
  const split = gridSplit(graph, places, group, options, (values, counters, to) =>
    stores(
      outerMembers,
      counters,
      elementsIn(graph, places, group, (v) => values.get(v)),
      to,
    ),
  );
  const fits = (kernel: Kernel): boolean => folds.before(kernel).buffers.length <= options.buffers;
  if (split !== undefined && fits(split.first)) {
    const parts = split.parts.memory.flat();
    const values = folds.take(split.parts);
    const kernels = values === undefined ? [split.first, split.second()] : [split.first];
    if (kernels.every(fits)) {
      for (const b of parts) buffers.temporary(b);
      for (const v of values ?? []) buffers.parts.set(v, parts);
      return kernels;
    }
  }
  if (group.members.every(({ role }) => role === "full")) {
    const map = emitMap(group, dims, options, (counters) => stores(group.members, counters));
    if (map !== undefined) return [map];
  }

  const body: Stmt[] = [];
  const stages = Math.max(-1, ...group.members.map((m) => (m.role === "reduce" ? m.stage : -1))) + 1;
  for (let stage = 0; stage < stages; stage++) {
    const members = group.members.filter((m) => m.role === "reduce" && m.stage === stage);
    if (members.length > 0) body.push(...reduceStage(members.map(reductionOf)));
  }
  const outer = stores(outerMembers, outerCounters);
  if (outer.length > 0) body.push(...(shared ? [when(lt(get(thread), 1), outer)] : outer));
  const full = group.members.filter((m) => m.role === "full");
  if (full.some((m) => m.node.eqn.outputs.some((v) => group.stored.has(v))))
    body.push(
      ...(innerDims.length === 0
        ? stores(full, whole([]))
        : [overColumns((column) => stores(full, whole(unravel(column, innerDims))))]),
    );

  return [
    withBuffers({
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
    }),
  ];
}

/** A kernel of maps in vectors, where that suits it. */
function emitMap(
  group: Group,
  dims: readonly number[],
  { tiling, workgroupThreads }: GridOptions,
  stores: (counters: readonly Expr[]) => readonly Stmt[],
): Kernel | undefined {
  if (tiling.lanes === 1) return undefined;
  const quads = product(dims) / tiling.lanes;
  const threads = Math.min(tiling.threads, workgroupThreads);
  const groups = Math.ceil(quads / threads);
  const [groupId, thread] = [
    new Local("group", "i32", 1, false, groups),
    new Local("thread", "i32", 1, false, threads),
  ];
  const quad = new Local("quad", "i32", 1, false, quads);
  const body = Number.isInteger(quads) && quads > 0 ? bodyInVectors(dims, get(quad), stores) : undefined;
  if (body === undefined) return undefined;
  return withBuffers({
    name: nameOf(group),
    launch: { kind: "grid", groups, threads, group: groupId, thread },
    scratch: [],
    body: [
      { kind: "let", local: quad, value: add(mul(get(groupId), threads), get(thread)) },
      when(lt(get(quad), quads), body),
    ],
  });
}
