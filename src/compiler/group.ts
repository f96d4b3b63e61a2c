/**
 * Groups: equations that become one kernel.
 *
 * A group of loops walks an index space, given by the lengths of its axes (those of length 1 left out), of which some may
 * be reduced. Its members are reductions over the reduced axes, maps over the whole space, and maps over what remains
 * without the reduced axes. For softmax over rows the space is [rows, columns] with the columns reduced; the maximum, the
 * sum of exponentials and the quotient are its members: one pass over the rows does all three.
 */
import type { Shape } from "../core/aval.js";
import type { ReduceRule } from "../core/ir/lower.js";
import { i32 } from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";
import type { Var } from "../core/jaxpr.js";
import type { Node } from "./graph.js";

export interface Space {
  readonly dims: readonly number[];
  readonly reduced: readonly boolean[];
}

/** A member over the whole space, over its outer axes only, or one that reduces. */
export type Role = "full" | "outer" | "reduce";

export interface Member {
  readonly node: Node;
  role: Role;
  /** Reductions run one stage after those that they depend on. */
  stage: number;
}

export class Group {
  readonly members: Member[] = [];
  readonly memberOf = new Map<Node, Member>();
  /** Outputs of members that other groups, or the user, read. */
  readonly stored = new Set<Var>();
  /** Stored values of other groups, and inputs of the program, that members read. */
  readonly reads = new Set<Var>();
  /** Sum over the members: bounds the size of a kernel. */
  extent = 0;

  constructor(
    /** Groups run in the order of their numbers. */
    readonly number: number,
    readonly kind: "loops" | "kernels" | "host" | "control",
    public space: Space,
  ) {}

  add(member: Member, extent: number): void {
    this.members.push(member);
    this.memberOf.set(member.node, member);
    this.extent += extent;
  }
}

export const squeezed = (shape: Shape): number[] => shape.filter((n) => n !== 1);

const sameDims = (x: readonly number[], y: readonly number[]): boolean =>
  x.length === y.length && x.every((n, i) => n === y[i]);

export const outerDims = ({ dims, reduced }: Space): number[] => dims.filter((_, i) => !reduced[i]);

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** The space that a node alone would need. */
export function spaceOf({ eqn, rule }: Node): Space {
  if (rule?.kind !== "reduce") {
    // What runs on the host may have no output.
    const dims = squeezed(eqn.outputs[0]?.aval.shape ?? []);
    return { dims, reduced: dims.map(() => false) };
  }
  const { shape } = eqn.inputs[0].aval;
  const axes = (rule as ReduceRule).axes(eqn.params);
  return {
    dims: squeezed(shape),
    reduced: shape.flatMap((n, i) => (n === 1 ? [] : [axes.includes(i)])),
  };
}

export const isSuffix = (reduced: readonly boolean[]): boolean =>
  reduced.every((r, i) => i === 0 || r || !reduced[i - 1]);

/**
 * Maps over the whole space run in the loops of the reductions only if they walk memory in order there, and if enough
 * independent rows are left to share out.
 */
const rowsAllowed = ({ dims, reduced }: Space): boolean =>
  isSuffix(reduced) && (product(dims.filter((_, i) => !reduced[i])) >= 16 || product(dims) <= 16384);

/** How a node fits into the space of a group, and the space that the group then has; undefined if it does not. */
export function placement(group: Group, node: Node): { role: Role; space: Space } | undefined {
  const { space } = group;
  const own = spaceOf(node);
  const reducing = space.reduced.some(Boolean);
  if (node.rule?.kind === "reduce") {
    if (!sameDims(own.dims, space.dims)) return undefined;
    if (own.reduced.every((r, i) => r === space.reduced[i])) return { role: "reduce", space };
    // A group of maps takes a reduction of its space in: the maps then run row by row. (It may have reductions already, if
    // they reduce axes of length 1 alone.)
    const widened = { dims: space.dims, reduced: own.reduced };
    const isOfMaps = group.members.every(({ role }) => role === "full");
    return !isOfMaps || !rowsAllowed(widened) ? undefined : { role: "reduce", space: widened };
  }
  if (sameDims(own.dims, space.dims))
    return reducing && !rowsAllowed(space) ? undefined : { role: "full", space };
  return reducing && sameDims(own.dims, outerDims(space)) ? { role: "outer", space } : undefined;
}

/** An index for a shape, given one for each axis that is not of length 1. */
export function indexFor(shape: Shape, counters: readonly Expr[]): Expr[] {
  let next = 0;
  return shape.map((n) => (n === 1 ? i32(0) : counters[next++]));
}
