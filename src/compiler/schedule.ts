/**
 * The schedule: which equations become one kernel. Groups are made and filled in the order of the program. A node that
 * must be stored joins the earliest kind of company it finds: a group that makes what it reads, or one over the same
 * space. Since a node never joins a group that runs before something it reads, the order of groups stays right without
 * looking for cycles.
 */
import { InternalError } from "../core/errors.js";
import { keyOf } from "../core/ir/affine.js";
import { noting } from "../core/ir/notes.js";
import { get } from "../core/ir/ops.js";
import { type Expr, Local, scalarTypeOf } from "../core/ir/types.js";
import { Literal, Var } from "../core/jaxpr.js";
import { Elements } from "./elements.js";
import { type Graph, type Node, ownBuffers } from "./graph.js";
import { Group, indexFor, type Member, placement, type Role, type Space, spaceOf } from "./group.js";

export interface Schedule {
  readonly graph: Graph;
  readonly groups: readonly Group[];
}

export interface ScheduleLimits {
  /** Buffers that a kernel can use. */
  readonly buffers: number;
}

/** Why a node did not become a member of a group. `explain.ts` has the words. */
export type Refusal =
  /** The kernel would become too large. */
  | { readonly because: "extent" }
  /** The group runs on the host, is a branch or a loop, or a template that takes nothing more in. */
  | { readonly because: "closed" }
  /** The index spaces do not fit. */
  | { readonly because: "space"; readonly space: Space }
  /** It reads elements of `value`, which the group makes, other than the one at hand. */
  | { readonly because: "elements"; readonly value: Var }
  /** It reads `value`, which is made only after the group has run. */
  | { readonly because: "late"; readonly value: Var }
  /** It would use more buffers than a kernel may. */
  | { readonly because: "buffers"; readonly count: number };

/** Is told of every failed attempt, for explanations. */
export type OnRefusal = (node: Node, group: Group, refusal: Refusal) => void;

/** Inlined equations that may come together in one kernel. */
export const largestGroup = 400;
/** So many groups back a node looks for company. */
export const lookBack = 12;

export function schedule(graph: Graph, limits: ScheduleLimits, refused?: OnRefusal): Schedule {
  const groups: Group[] = [];
  const groupOf = new Map<Node, Group>();
  const producer = (v: Var): Node | undefined => graph.producers[v.id];

  /** Records that a group reads a variable that another one stores. */
  const note = (group: Group, reads: Iterable<Var>): void => {
    for (const v of reads) {
      group.reads.add(v);
      const node = producer(v);
      if (node !== undefined) groupOf.get(node)?.stored.add(v);
    }
  };

  const open = (node: Node, kind: Group["kind"], space: Space): Group => {
    const group = new Group(groups.length, kind, space);
    groups.push(group);
    groupOf.set(node, group);
    return group;
  };

  for (const node of graph.nodes) {
    if (node.inlined) continue;
    const { rule } = node;
    if (rule === undefined || rule.kind === "kernels" || rule.kind === "control") {
      const group = open(node, rule?.kind ?? "host", spaceOf(node));
      group.add({ node, role: "full", stage: 0 }, node.extent);
      note(group, readsOfKernels(graph, node));
      // What only followers of a template read need not be stored.
      for (const v of isOpen(group) ? node.eqn.outputs.slice(1) : node.eqn.outputs) group.stored.add(v);
      continue;
    }
    const joined = join(node);
    const group = joined?.group ?? open(node, "loops", spaceOf(node));
    const trial =
      joined?.trial ?? tryJoin(graph, group, node, rule.kind === "reduce" ? "reduce" : "full", group.space);
    if (trial.clash !== undefined)
      throw new InternalError(`${node.eqn.primitive.name} does not fit into its own kernel`);
    groupOf.set(node, group);
    group.add(trial.member, node.extent);
    note(group, trial.reads);
    if (node.isOutput) for (const v of node.eqn.outputs) group.stored.add(v);
  }
  for (const group of groups)
    for (const { node } of group.members)
      if (node.isOutput) for (const v of node.eqn.outputs) group.stored.add(v);
  return { graph, groups };

  function join(node: Node): { group: Group; trial: Trial } | undefined {
    for (let i = groups.length - 1; i >= 0 && i >= groups.length - lookBack; i--) {
      const group = groups[i];
      if (group.extent + node.extent > largestGroup) {
        refused?.(node, group, { because: "extent" });
        continue;
      }
      const place = placeIn(group, node);
      if (place === undefined) {
        refused?.(
          node,
          group,
          isOpen(group) ? { because: "space", space: group.space } : { because: "closed" },
        );
        continue;
      }
      const trial = tryJoin(graph, group, node, place.role, place.space);
      if (trial.clash !== undefined) {
        refused?.(node, group, { because: "elements", value: trial.clash });
        continue;
      }
      // Whatever it reads from elsewhere must be there when the group runs.
      let late: Var | undefined;
      for (const v of trial.reads) {
        const made = producer(v);
        const from = made === undefined ? undefined : groupOf.get(made);
        if (from !== undefined && from.number >= group.number) late = v;
      }
      // What it waits for may be made by the group itself.
      for (const v of node.after) {
        const made = producer(v);
        const from = made === undefined ? undefined : groupOf.get(made);
        if (from !== undefined && from.number > group.number) late = v;
      }
      if (late !== undefined) {
        refused?.(node, group, { because: "late", value: late });
        continue;
      }
      const count = buffersWith(group, node, trial.reads);
      if (count > limits.buffers) {
        refused?.(node, group, { because: "buffers", count });
        continue;
      }
      group.space = place.space;
      return { group, trial };
    }
    return undefined;
  }
}

/** Buffers that the kernel of a group may need once a node has joined: also those that later groups may come to read. */
function buffersWith(group: Group, node: Node, reads: Iterable<Var>): number {
  const members = [...group.members.map((m) => m.node), node];
  const inside = new Set(members);
  const stored = members.filter((m) => m.isOutput || m.consumers.some((c) => !inside.has(c)));
  return (
    new Set([...group.reads, ...reads]).size +
    stored.reduce((sum, m) => sum + m.eqn.outputs.length, 0) +
    (group.kind === "kernels" ? ownBuffers : 0)
  );
}

/** Whether nodes that fit can become members. */
function isOpen(group: Group): boolean {
  if (group.kind !== "kernels") return group.kind === "loops";
  const { rule } = group.members[0].node;
  return rule?.kind === "kernels" && rule.fusesConsumers === true;
}

/** Where a node would stand in a group, looking at shapes alone. */
function placeIn(group: Group, node: Node): { role: Role; space: Space } | undefined {
  if (group.kind === "loops") return placement(group, node);
  if (!isOpen(group) || node.rule?.kind !== "map") return undefined;
  const place = placement(group, node);
  return place?.role === "full" ? place : undefined;
}

interface Trial {
  readonly member: Member;
  readonly reads: ReadonlySet<Var>;
  /** A value of the group of which the element that is asked for is not at hand. */
  readonly clash: Var | undefined;
}

/** Walks through the elements that a node asks for. */
const tryJoin = (graph: Graph, group: Group, node: Node, role: Role, space: Space): Trial =>
  noting(() => walkElements(graph, group, node, role, space));

function walkElements(graph: Graph, group: Group, node: Node, role: Role, space: Space): Trial {
  const counters = countersOf(space);
  const outer = counters.filter((_, i) => !space.reduced[i]);
  const reads = new Set<Var>();
  let stage = 0;
  let clash: Var | undefined;
  const elements: Elements = new Elements(graph, (v, index) => {
    const made = graph.producers[v.id];
    if (made?.inlined) return undefined;
    const member = made === undefined ? undefined : group.memberOf.get(made);
    if (member === undefined) {
      reads.add(v);
      return placeholder(v);
    }
    // An element that members make is at hand only at the very index that the loops are at.
    const whole = member.role === "full" && (role !== "outer" || !space.reduced.some(Boolean));
    const own = indexFor(v.aval.shape, member.role === "full" ? counters : outer);
    // A template hands on the elements of its first output only.
    const handedOn = member.node.rule?.kind !== "kernels" || member.node.eqn.outputs[0] === v;
    if ((member.role === "full" && !whole) || !handedOn || !sameIndex(own, index)) clash = v;
    stage = Math.max(stage, member.role === "reduce" ? member.stage + 1 : member.stage);
    return placeholder(v);
  });
  const { eqn, rule } = node;
  if (rule?.kind === "map")
    elements.elementsOf(eqn, indexFor(eqn.outputs[0].aval.shape, role === "outer" ? outer : counters));
  else if (rule?.kind === "reduce")
    rule.element(elements.context(eqn), indexFor(eqn.inputs[0].aval.shape, counters), eqn.params);
  return { member: { node, role, stage }, reads, clash };
}

export const countersOf = (space: Space): Expr[] =>
  space.dims.map((n, i) => get(new Local(`${space.reduced[i] ? "r" : "i"}${i}`, "i32", 1, false, n)));

const sameIndex = (x: readonly Expr[], y: readonly Expr[]): boolean =>
  x.length === y.length && x.every((e, i) => keyOf(e) === keyOf(y[i]));

/** What stands for a stored element while only the places of elements matter. */
export const placeholder = (v: Var): Expr => get(new Local(`v${v.id}`, scalarTypeOf(v.aval.dtype)));

/** The stored values that an equation with kernels of its own reads: operands, or what inlined operands read. */
export function readsOfKernels(graph: Graph, node: Node): Set<Var> {
  const reads = new Set<Var>();
  const todo = node.eqn.inputs.filter((a): a is Var => !(a instanceof Literal));
  const seen = new Set<Var>(todo);
  for (let v = todo.pop(); v !== undefined; v = todo.pop()) {
    const made = graph.producers[v.id];
    if (!made?.inlined) {
      reads.add(v);
      continue;
    }
    for (const a of made.eqn.inputs)
      if (a instanceof Var && !seen.has(a)) {
        seen.add(a);
        todo.push(a);
      }
  }
  return reads;
}
