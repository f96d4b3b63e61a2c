/** A group of loops as a range kernel: one CPU thread walks a part of the outermost axis, everything else in loops. */
import { ravel } from "../core/ir/affine.js";
import { get, i32, store } from "../core/ir/ops.js";
import { type Expr, type Kernel, Local, type Stmt } from "../core/ir/types.js";
import type { Var } from "../core/jaxpr.js";
import { type Buffers, elementsIn, nameOf, withBuffers } from "./emit.js";
import type { Graph } from "./graph.js";
import { type Group, indexFor, type Member } from "./group.js";
import { type Cells, declareCells, finishCells, reduceLoops, reductionOf } from "./loops.js";

export function emitRange(graph: Graph, buffers: Buffers, group: Group): Kernel {
  const { dims, reduced } = group.space;
  const results = new Map<Var, Expr>();
  const begin = new Local("begin", "i32");
  const end = new Local("end", "i32");
  const outer = dims.filter((_, i) => !reduced[i]).map((n, i) => new Local(`i${i}`, "i32", 1, false, n));
  const inner = dims.filter((_, i) => reduced[i]);
  const outerCounters = outer.map(get);
  // Sums along the last axis are vectorized with several accumulators of several lanes, which share the terms.
  const block = reduced.at(-1) ? 128 : 32;
  const elementsAt = () => elementsIn(graph, buffers, group, (v) => results.get(v));

  /** Counters of all axes in order, given those of the reduced ones. */
  const whole = (counters: readonly Expr[]): Expr[] => {
    let [o, r] = [0, 0];
    return reduced.map((isReduced) => (isReduced ? counters[r++] : outerCounters[o++]));
  };

  const body: Stmt[] = [];
  const stages = Math.max(-1, ...group.members.map((m) => (m.role === "reduce" ? m.stage : -1))) + 1;
  for (let stage = 0; stage < stages; stage++) {
    const reductions = group.members.filter((m) => m.role === "reduce" && m.stage === stage).map(reductionOf);
    if (reductions.length === 0) continue;
    const elements = elementsAt();
    const cells: Cells[] = reductions.map((reduction) => {
      const declared = declareCells(reduction, elements);
      body.push(...declared.stmts);
      return declared.cells;
    });
    body.push(...reduceLoops(reductions, cells, inner, block, elementsAt, whole));
    for (const [k, reduction] of reductions.entries())
      body.push(...finishCells(reduction, cells[k], elements, results));
  }
  body.push(
    ...stores(
      group.members.filter((m) => m.role !== "full"),
      outerCounters,
    ),
  );

  const full = group.members.filter((m) => m.role === "full");
  if (full.some((m) => m.node.eqn.outputs.some((v) => group.stored.has(v)))) {
    const counters = inner.map((n) => new Local("c", "i32", 1, false, n));
    body.push(...nested(counters, stores(full, whole(counters.map(get)))));
  }

  function stores(members: readonly Member[], counters: readonly Expr[]): Stmt[] {
    const elements = elementsAt();
    return members.flatMap(({ node: { eqn } }) =>
      eqn.outputs.flatMap((v) => {
        if (!group.stored.has(v)) return [];
        const index = indexFor(v.aval.shape, counters);
        return [store(buffers.of(v), ravel(index, v.aval.shape), elements.element(v, index))];
      }),
    );
  }

  const [first = new Local("i", "i32", 1, false, 1), ...others] = outer;
  const loop: Stmt = {
    kind: "for",
    local: first,
    from: get(begin),
    to: get(end),
    step: 1,
    body: nested(others, body),
  };
  return withBuffers({
    name: nameOf(group),
    launch: { kind: "range", extent: first.bound ?? 1, begin, end },
    scratch: [],
    body: [loop],
  });
}

/** Loops over all values of the counters, the last one innermost. */
export const nested = (counters: readonly Local[], body: readonly Stmt[]): readonly Stmt[] =>
  counters.reduceRight<readonly Stmt[]>(
    (inside, local) => [
      { kind: "for", local, from: i32(0), to: i32(local.bound ?? 0), step: 1, body: inside },
    ],
    body,
  );
