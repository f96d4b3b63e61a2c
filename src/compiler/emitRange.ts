/** A group of loops as a range kernel: one CPU thread walks a part of the outermost axis, everything else in loops. */
import { ravel } from "../core/ir/affine.js";
import { get, i32, letIn, load, store } from "../core/ir/ops.js";
import { type Expr, type Kernel, Local, type Stmt } from "../core/ir/types.js";
import type { Var } from "../core/jaxpr.js";
import type { Elements } from "./elements.js";
import { type Buffers, elementsIn, nameOf, withBuffers } from "./emit.js";
import type { Graph } from "./graph.js";
import { type Group, indexFor, type Member } from "./group.js";
import { keptBetweenSweeps, lastSweep } from "./kept.js";
import { type Cells, declareCells, finishCells, type Reduction, reduceLoops, reductionOf } from "./loops.js";
import { countersOf } from "./schedule.js";
import { searchLoops } from "./search.js";

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
  const kept = keptBetweenSweeps(graph, group, countersOf(group.space));
  const keptAt = new Map(kept.map((k) => [k.value, k]));

  /** Counters of all axes in order, given those of the reduced ones. */
  const whole = (counters: readonly Expr[]): Expr[] => {
    let [o, r] = [0, 0];
    return reduced.map((isReduced) => (isReduced ? counters[r++] : outerCounters[o++]));
  };

  // An axis of one element is no axis of the loops: there is nothing to search.
  const isSearch = ({ rule }: Reduction): boolean => rule.places !== undefined && inner.length === 1;
  const body: Stmt[] = [];
  const stages = Math.max(-1, ...group.members.map((m) => (m.role === "reduce" ? m.stage : -1))) + 1;
  for (let stage = 0; stage < stages; stage++) {
    const all = group.members.filter((m) => m.role === "reduce" && m.stage === stage).map(reductionOf);
    const elements = elementsAt();
    for (const reduction of all.filter(isSearch)) {
      const inOrder = reduced.at(-1) === true;
      const found = searchLoops(reduction, inner[0], elementsAt, (counter) => whole([counter]), inOrder);
      body.push(...found.stmts, ...finishCells(reduction, found.cells, elements, results));
    }
    const reductions = all.filter((reduction) => !isSearch(reduction));
    if (reductions.length === 0) continue;
    const cells: Cells[] = reductions.map((reduction) => {
      const declared = declareCells(reduction, elements);
      body.push(...declared.stmts);
      return declared.cells;
    });
    body.push(
      ...reduceLoops(reductions, cells, inner, block, elementsAt, whole, undefined, (counters) =>
        sweep(stage, counters),
      ),
    );
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
    const all = whole(counters.map(get));
    const { stmts, elements } = sweep(lastSweep, all);
    const last = stores(full, all, elements);
    if (last.length > 0) body.push(...nested(counters, [...stmts, ...last]));
  }

  /** Elements in a sweep: what earlier ones kept is loaded, what it is the first to need is stored. */
  function sweep(number: number, counters: readonly Expr[]): { stmts: readonly Stmt[]; elements: Elements } {
    const stmts: Stmt[] = [];
    const locals = new Map<Var, Expr>();
    const elements = elementsIn(graph, buffers, group, (v) => results.get(v) ?? locals.get(v));
    for (const { value: v, home, sweep: first } of kept) {
      if (number < first) continue;
      const index = indexFor(v.aval.shape, counters);
      const place = ravel(index, v.aval.shape);
      const value = number === first ? elements.element(v, index) : load(buffers.of(home), place);
      const local = new Local(`kept${v.id}`, value.type);
      stmts.push(letIn(local, value));
      if (number === first) stmts.push(store(buffers.of(home), place, get(local)));
      locals.set(v, get(local));
    }
    return { stmts, elements };
  }

  function stores(
    members: readonly Member[],
    counters: readonly Expr[],
    elements: Elements = elementsAt(),
  ): Stmt[] {
    return members.flatMap(({ node: { eqn } }) =>
      eqn.outputs.flatMap((v) => {
        // What is kept in its own memory is there already.
        if (!group.stored.has(v) || keptAt.get(v)?.home === v) return [];
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
