/**
 * What a group of loops keeps from one sweep over a row to the next. A softmax goes over a row three times: for the maximum,
 * for the sum of exponentials, and for the quotients. The exponentials are costly, so the second sweep stores them, in
 * the memory where the third will put the quotients.
 */
import { sizeOf } from "../core/aval.js";
import type { Expr } from "../core/ir/types.js";
import type { Var } from "../core/jaxpr.js";
import { Elements } from "./elements.js";
import { cheap, type Graph } from "./graph.js";
import { type Group, indexFor, type Member } from "./group.js";
import { placeholder } from "./schedule.js";

/** A value that is computed in one sweep, and loaded in those that follow. */
export interface Kept {
  readonly value: Var;
  /** Whose memory it is kept in: its own, or that of a value of the last sweep. */
  readonly home: Var;
  /** The sweep that computes it. */
  readonly sweep: number;
}

/** Searches have loops of their own, which keep nothing. */
const searched = -1;

/** The sweep after those for the reductions, which stores. */
export const lastSweep = Number.MAX_SAFE_INTEGER;

/**
 * Chooses what to keep: values over the whole space that cost more than a load, and that several sweeps need.
 *
 * @param counters of all axes of the space.
 */
export function keptBetweenSweeps(graph: Graph, group: Group, counters: readonly Expr[]): readonly Kept[] {
  const full = group.members.filter(({ role }) => role === "full");
  const costly = full.filter(({ node }) => node.cost > cheap && node.eqn.outputs.length === 1);
  if (costly.length === 0 || !group.members.some(({ role }) => role === "reduce")) return [];
  const kept = new Map<Var, Kept>();
  const homes = new Set<Var>();
  // The last first: it has the others inside, which then need not be kept.
  for (const { node } of costly.reverse()) {
    const [value] = node.eqn.outputs;
    const sweeps = [...sweepsUsing(value, graph, group, counters, kept)].sort((x, y) => x - y);
    if (sweeps.length < 2 || sweeps[0] === searched) continue;
    const isOwn = group.stored.has(value) && !homes.has(value);
    const home = isOwn ? value : homeFor(value, full, group, kept, homes);
    if (home === undefined) continue;
    homes.add(home);
    kept.set(value, { value, home, sweep: sweeps[0] });
  }
  return [...kept.values()].reverse();
}

/** A value of the same size and type that only the last sweep computes. */
function homeFor(
  value: Var,
  full: readonly Member[],
  group: Group,
  kept: ReadonlyMap<Var, Kept>,
  homes: ReadonlySet<Var>,
): Var | undefined {
  const { shape, dtype } = value.aval;
  return full
    .flatMap(({ node }) => node.eqn.outputs)
    .find(
      (v) =>
        group.stored.has(v) &&
        !kept.has(v) &&
        !homes.has(v) &&
        v.aval.dtype === dtype &&
        sizeOf(v.aval.shape) === sizeOf(shape),
    );
}

/** The sweeps that compute or load elements of a value. */
function sweepsUsing(
  value: Var,
  graph: Graph,
  group: Group,
  counters: readonly Expr[],
  kept: ReadonlyMap<Var, Kept>,
): ReadonlySet<number> {
  const sweeps = new Set<number>();
  for (const { node, role, stage } of group.members) {
    const { eqn, rule } = node;
    const isStored = role === "full" && eqn.outputs.some((v) => group.stored.has(v) && !kept.has(v));
    const isSearch = rule?.kind === "reduce" && rule.places !== undefined;
    const sweep = isSearch ? searched : role === "reduce" ? stage : isStored ? lastSweep : undefined;
    if (sweep === undefined) continue;
    const elements: Elements = new Elements(graph, (v) => {
      if (v === value) sweeps.add(sweep);
      const made = graph.producers[v.id];
      if (made?.inlined) return undefined;
      const isComputed = made !== undefined && group.memberOf.get(made)?.role === "full";
      return isComputed && sweep <= (kept.get(v)?.sweep ?? lastSweep) ? undefined : placeholder(v);
    });
    if (rule?.kind === "reduce")
      rule.element(elements.context(eqn), indexFor(eqn.inputs[0].aval.shape, counters), eqn.params);
    else for (const v of eqn.outputs) elements.element(v, indexFor(v.aval.shape, counters));
  }
  return sweeps;
}
