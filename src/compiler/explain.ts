/**
 * Why values are stored between the steps of a program, in words. The schedule is made once more, with someone listening
 * to the decisions: compiling itself remembers nothing for explanations.
 */

import { describe } from "../core/aval.js";
import type { Buffer } from "../core/ir/types.js";
import type { Var } from "../core/jaxpr.js";
import type { Boundary } from "../core/lowered.js";
import { valueMadeBy } from "../core/lowered.js";
import type { CompileOptions } from "./compile.js";
import { fusedSchedule } from "./fusion.js";
import type { Graph, Node } from "./graph.js";
import { type Group, isSuffix, outerDims, type Space, spaceOf } from "./group.js";
import type { Program } from "./program.js";
import { largestGroup, lookBack, type Refusal, readsOfKernels } from "./schedule.js";

/** What a step does with its buffers. */
export interface Accesses {
  readonly read: ReadonlySet<Buffer>;
  readonly written: ReadonlySet<Buffer>;
}

type Refusals = ReadonlyMap<Node, ReadonlyMap<Group, Refusal>>;

/** The values that go from one step to another; `accesses` says for each step what it reads and writes. */
export function boundariesOf(
  { origin, inputs }: Program,
  accesses: readonly Accesses[],
  options: CompileOptions,
  bytesOf: (buffer: Buffer) => number,
): Boundary[] {
  if (origin === undefined) return [];
  const refusals = new Map<Node, Map<Group, Refusal>>();
  const { graph, groups } = fusedSchedule(
    origin.jaxpr,
    options,
    new Set(origin.donated),
    (node, group, refusal) => {
      const own = refusals.get(node) ?? new Map<Group, Refusal>();
      refusals.set(node, own.set(group, refusal));
    },
  );
  const variables = new Map([...origin.buffers].map(([v, buffer]) => [buffer, v]));
  for (const [v, parts] of origin.parts) for (const buffer of parts) variables.set(buffer, v);
  const found: Boundary[] = [];
  const writer = new Map<Buffer, number>();
  for (const [to, { read, written }] of accesses.entries()) {
    for (const buffer of read) {
      const from = writer.get(buffer);
      if (from === undefined || inputs.includes(buffer)) continue;
      const [before, after] = [groups[origin.groups[from]], groups[origin.groups[to]]];
      const v = variables.get(buffer);
      const made = v === undefined ? before.members[0].node : graph.producers[v.id];
      if (made === undefined) continue;
      const value = valueMadeBy(made.eqn, v ?? made.eqn.outputs[0]);
      const inside = before === after || v === undefined;
      found.push({
        value: inside ? { ...value, type: `${buffer.dtype}[${buffer.size}]` } : value,
        bytes: bytesOf(buffer),
        from,
        to,
        reasons: inside
          ? [`${nameOf(made)} takes several kernels`]
          : [...new Set([whyStored(made), ...whyApart(graph, v, before, after, refusals)])],
      });
    }
    for (const buffer of written) writer.set(buffer, to);
  }
  return found;
}

const nameOf = ({ eqn }: Node): string => eqn.primitive.name;

const units = (n: number): string => `${Math.round(n)} ${Math.round(n) === 1 ? "addition" : "additions"}`;

/** Why the value is not computed anew by whoever reads it. */
function whyStored(node: Node): string {
  const name = nameOf(node);
  const { kept, rule, cost, consumers } = node;
  const consumer = kept?.consumer === undefined ? "" : nameOf(kept.consumer);
  switch (kept?.because) {
    case "output":
      return `${name} is an output of the program`;
    case "large":
      return `${name} ends an expression that is large enough`;
    case "buffers":
      return `${consumer} would read too many buffers, were ${name} computed in place`;
    case "several":
      return `${name} is used by ${consumers.length} operations and costs ${units(cost)} an element`;
    case "repeated":
      return `${consumer} would compute elements of ${name} several times, for ${units(cost)} each`;
    case "host":
      return `${consumer} has no lower rule, so it runs on the host`;
    case "operand":
      return kept.consumer?.rule?.kind === "control"
        ? `${consumer} runs programs of its own, which need their operands in memory`
        : `${consumer} needs its operand in memory`;
    default:
      if (rule?.kind === "reduce") return `${name} is a reduction, which is computed once`;
      return rule === undefined ? `${name} runs on the host` : `what ${name} gives is stored`;
  }
}

/** Why those that read the value are not in the kernel that makes it. */
function whyApart(graph: Graph, v: Var, before: Group, after: Group, refusals: Refusals): string[] {
  const [{ node: head }] = after.members;
  const readers = after.members.map((m) => m.node).filter((node) => readsOfKernels(graph, node).has(v));
  if (after.kind === "host") return [`${nameOf(head)} has no lower rule, so it runs on the host`];
  if (after.kind === "control") return [`${nameOf(head)} is a step of its own: it runs other programs`];
  if (after.kind === "kernels" && readers.includes(head))
    return [`the kernels of ${nameOf(head)} cannot be part of an earlier one`];
  const refused = readers.flatMap((reader) => {
    const refusal = refusals.get(reader)?.get(before);
    return refusal === undefined
      ? []
      : [`${nameOf(reader)} cannot join: ${inWords(refusal, reader, before)}`];
  });
  if (refused.length > 0) return [...new Set(refused)];
  if (readers.includes(head)) return [`${nameOf(head)} comes more than ${lookBack} kernels later`];
  return [`${nameOf(readers[0])} runs in a later kernel, with ${nameOf(head)}`];
}

function inWords(refusal: Refusal, node: Node, group: Group): string {
  switch (refusal.because) {
    case "extent":
      return `the kernel would have more than ${largestGroup} operations`;
    case "closed":
      return group.kind === "host"
        ? `${nameOf(group.members[0].node)} runs on the host`
        : group.kind === "control"
          ? `${nameOf(group.members[0].node)} runs programs of its own`
          : `${nameOf(group.members[0].node)} takes nothing in`;
    case "space":
      if (group.kind === "kernels" && node.rule?.kind !== "map")
        return `${nameOf(group.members[0].node)} takes in only what follows for single elements`;
      return spacesDiffer(spaceOf(node), refusal.space);
    case "elements":
      return `it reads other elements of ${describe(refusal.value.aval)} than the one at hand`;
    case "late":
      return `it also reads ${describe(refusal.value.aval)} that is made only later`;
    case "buffers":
      return `the kernel would use ${refusal.count} buffers, more than the limit`;
  }
}

function spacesDiffer(own: Space, theirs: Space): string {
  const same = own.dims.length === theirs.dims.length && own.dims.every((n, i) => n === theirs.dims[i]);
  if (!same) return `its index space is ${showSpace(own)}, that of the kernel ${showSpace(theirs)}`;
  if (own.reduced.some(Boolean) && theirs.reduced.some(Boolean))
    return `it runs over ${showSpace(own)}, the kernel over ${showSpace(theirs)}`;
  const space = own.reduced.some(Boolean) ? own : theirs;
  const rows = outerDims(space).reduce((a, b) => a * b, 1);
  return isSuffix(space.reduced)
    ? `${showSpace(space)} leaves ${rows} ${rows === 1 ? "row" : "rows"}, too few to run row by row`
    : `${showSpace(space)} would walk across the rows`;
}

/** `[64,10] reduced over axis 1` */
function showSpace({ dims, reduced }: Space): string {
  const axes = reduced.flatMap((r, i) => (r ? [i] : []));
  const over =
    axes.length === 0 ? "" : ` reduced over ${axes.length === 1 ? "axis" : "axes"} ${axes.join(", ")}`;
  return `[${dims.join(",")}]${over}`;
}
