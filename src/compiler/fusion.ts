/**
 * The schedule, made again where the first one shows that a value need not be stored. What several equations use and is
 * costly is stored, as long as it is not known where they run. If all of them run in the same loops, and ask for the same
 * element of it, each element is computed there, once: sin x and x·cos x, say, that are both added up.
 */
import { keyOf } from "../core/ir/affine.js";
import type { Eqn, Jaxpr, Var } from "../core/jaxpr.js";
import { Elements } from "./elements.js";
import { type Graph, type GraphOptions, makeGraph, type Node } from "./graph.js";
import { type Group, indexFor } from "./group.js";
import {
  countersOf,
  type OnRefusal,
  placeholder,
  type Schedule,
  type ScheduleLimits,
  schedule,
} from "./schedule.js";

/** Each round can show something that the one before has hidden. */
const rounds = 4;

/** @param refused is told of every failed attempt of the last round. */
export function fusedSchedule(
  jaxpr: Jaxpr,
  options: GraphOptions & ScheduleLimits,
  donated: ReadonlySet<Var>,
  refused?: OnRefusal,
): Schedule {
  const together = new Set<Eqn>();
  for (let round = 0; ; round++) {
    const attempts: Parameters<OnRefusal>[] = [];
    const graph = makeGraph(jaxpr, options, donated, together);
    const made = schedule(graph, options, refused && ((...attempt) => attempts.push(attempt)));
    const before = together.size;
    if (round < rounds) for (const eqn of usedTogether(made)) together.add(eqn);
    if (together.size > before) continue;
    for (const attempt of attempts) refused?.(...attempt);
    return made;
  }
}

/** Equations that are stored because several use them, all of them in one sweep of one kernel. */
function usedTogether({ graph, groups }: Schedule): readonly Eqn[] {
  const candidates = graph.nodes.filter(({ kept }) => kept?.because === "several");
  return candidates.filter((node) => isUsedOnce(graph, groups, node)).map(({ eqn }) => eqn);
}

function isUsedOnce(graph: Graph, groups: readonly Group[], node: Node): boolean {
  const { outputs } = node.eqn;
  const readers = groups.filter(({ reads }) => outputs.some((v) => reads.has(v)));
  const [group] = readers;
  if (readers.length !== 1 || outputs.length !== 1 || group.kind !== "loops") return false;
  // All is computed in the first sweep, for every element of the space.
  if (group.members.some(({ role, stage }) => role === "outer" || stage > 0)) return false;
  // Members of its own group would compute it again.
  const own = groups.find(({ memberOf }) => memberOf.has(node));
  const [value] = outputs;
  return (
    (own === undefined || usesOf(graph, others(own, node), own, value).size === 0) &&
    usesOf(graph, others(group, node), group, value).size === 1
  );
}

const others = ({ members }: Group, node: Node): Node[] =>
  members.map((m) => m.node).filter((other) => other !== node);

/** The elements of a stored value that equations ask for, by their index and the condition under which they are read. */
function usesOf(graph: Graph, nodes: readonly Node[], { space }: Group, value: Var): ReadonlySet<string> {
  const uses = new Set<string>();
  const elements: Elements = new Elements(graph, (v, index, guard) => {
    if (v === value) uses.add(`${index.map(keyOf)} ${guard === undefined ? "" : keyOf(guard)}`);
    return graph.producers[v.id]?.inlined ? undefined : placeholder(v);
  });
  const counters = countersOf(space);
  for (const { eqn, rule } of nodes)
    if (rule?.kind === "reduce")
      rule.element(elements.context(eqn), indexFor(eqn.inputs[0].aval.shape, counters), eqn.params);
    else if (rule?.kind === "map") elements.elementsOf(eqn, indexFor(eqn.outputs[0].aval.shape, counters));
  return uses;
}
