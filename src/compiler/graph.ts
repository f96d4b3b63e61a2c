/**
 * A flat jaxpr as a graph: who makes each value, who uses it, what it costs to compute an element of it anew, and which
 * values are therefore not stored but computed where they are used.
 */
import { sizeOf } from "../core/aval.js";
import { isEffectful } from "../core/effects.js";
import type { LowerRule, Target } from "../core/ir/lower.js";
import { type Eqn, type Jaxpr, Var } from "../core/jaxpr.js";
import type { OrderedEqn } from "./barriers.js";

export interface Node {
  readonly eqn: Eqn;
  readonly rule: LowerRule | undefined;
  /** Equations that use an output, each once. */
  readonly consumers: Node[];
  /** Some output is an output of the program. */
  isOutput: boolean;
  /** Its elements are computed in the kernels that use them. Only maps can be. */
  inlined: boolean;
  /** Why it is not inlined. */
  kept: Kept | undefined;
  /** Work of computing one element from stored values, in units of an addition. */
  cost: number;
  /** Equations that are inlined into this one, itself included: bounds the size of expressions. */
  extent: number;
  /** The stored values that an element is computed from. */
  reads: ReadonlySet<Var>;
  /** Stored values that must be there before an element is computed, though it is not computed from them. */
  after: ReadonlySet<Var>;
}

/**
 * Why a value is stored:
 *
 * - `notMap`: it is made by a reduction, a template, a loop, or on the host; `output`: of the program; `unused`;
 * - `large`: the expression would become too large; `buffers`: with it the consumer would read too many;
 * - `several` equations would compute something costly; `repeated`: the consumer would, several times;
 * - the consumer runs on the `host`, or is a template, a branch or a loop that wants its `operand` in memory.
 */
export interface Kept {
  readonly because:
    | "notMap"
    | "output"
    | "unused"
    | "large"
    | "buffers"
    | "several"
    | "repeated"
    | "host"
    | "operand";
  /** That it comes from, if it comes from one. */
  readonly consumer?: Node;
}

export interface Graph {
  readonly jaxpr: Jaxpr;
  readonly target: Target;
  readonly nodes: readonly Node[];
  /** By id of the variable; undefined for inputs. */
  readonly producers: readonly (Node | undefined)[];
}

/** What costs no more than this is computed again rather than stored. */
export const cheap = 3;
/** Buffers that a kernel of a template may need beside those of its operands and results. */
export const ownBuffers = 2;
/** So many equations may melt into one expression. */
const largestExtent = 150;

export interface GraphOptions {
  readonly target: Target;
  /**
   * So many buffers a kernel can use: no element is computed from so many stored values that its kernel could not read them all
   * and store the result.
   */
  readonly buffers: number;
}

/**
 * @param donated inputs whose memory the program may use.
 * @param together equations whose elements are all used in the same place, so that they are computed there.
 */
export function makeGraph(
  jaxpr: Jaxpr,
  { target, buffers }: GraphOptions,
  donated: ReadonlySet<Var>,
  together: ReadonlySet<Eqn> = new Set(),
): Graph {
  const producers = new Array<Node | undefined>(jaxpr.varCount);
  const ends = endsOf(jaxpr);
  const nodes = jaxpr.eqns.map((eqn, time): Node => {
    const node: Node = {
      eqn,
      rule: ruleFor(eqn, (v) => {
        const made = producers[v.id];
        return ends[v.id] === time && (made === undefined ? donated.has(v) : made.rule?.kind !== "map");
      }),
      consumers: [],
      isOutput: false,
      inlined: false,
      kept: undefined,
      cost: 0,
      extent: 1,
      reads: new Set(),
      after: new Set(),
    };
    for (const v of eqn.outputs) producers[v.id] = node;
    for (const made of new Set(eqn.inputs.map((a) => (a instanceof Var ? producers[a.id] : undefined))))
      made?.consumers.push(node);
    return node;
  });
  for (const a of jaxpr.outputs) {
    const node = a instanceof Var ? producers[a.id] : undefined;
    if (node !== undefined) node.isOutput = true;
  }
  const graph: Graph = { jaxpr, target, nodes, producers };
  for (const node of nodes)
    decide(
      graph,
      node,
      buffers - node.eqn.outputs.length - (node.rule?.kind === "kernels" ? ownBuffers : 0),
      together.has(node.eqn),
    );
  return graph;
}

/** For each variable the last equation that needs it; for outputs none. */
function endsOf(jaxpr: Jaxpr): (number | undefined)[] {
  const ends = new Array<number | undefined>(jaxpr.varCount);
  for (const [time, { inputs }] of jaxpr.eqns.entries())
    for (const a of inputs) if (a instanceof Var) ends[a.id] = time;
  for (const a of jaxpr.outputs) if (a instanceof Var) ends[a.id] = undefined;
  return ends;
}

/** @param isFree whether the memory of a variable can be used by the equation that is looked at. */
function ruleFor({ primitive, params, inputs }: Eqn, isFree: (v: Var) => boolean): LowerRule | undefined {
  const { lower } = primitive;
  // What has effects is more than its outputs. Bodies have their own steps for them.
  if (isEffectful(primitive, params)) return lower?.kind === "control" ? lower : undefined;
  if (lower?.kind !== "map" || lower.update === undefined) return lower;
  return inputs[0] instanceof Var && isFree(inputs[0]) ? lower.update : lower;
}

function decide(graph: Graph, node: Node, mostReads: number, isUsedOnce: boolean): void {
  const { eqn, rule } = node;
  const operands = new Set(eqn.inputs.filter((a): a is Var => a instanceof Var));
  const inlinedOf = (v: Var): Node | undefined => {
    const made = graph.producers[v.id];
    return made?.inlined ? made : undefined;
  };
  const readsOf = (): Set<Var> => {
    const reads = new Set<Var>();
    for (const v of operands) for (const r of inlinedOf(v)?.reads ?? [v]) reads.add(r);
    return reads;
  };
  node.reads = readsOf();
  // What reads most is stored first, until the rest fits into one kernel.
  while (node.reads.size > mostReads) {
    let widest: Node | undefined;
    for (const v of operands) {
      const made = inlinedOf(v);
      if (made !== undefined && made.reads.size > (widest?.reads.size ?? 1)) widest = made;
    }
    if (widest === undefined) break;
    widest.inlined = false;
    widest.kept = { because: "buffers", consumer: node };
    node.reads = readsOf();
  }
  const after = new Set<Var>();
  const wait = (vars: Iterable<Var>): void => {
    for (const v of vars) after.add(v);
  };
  for (const v of (eqn as OrderedEqn).after ?? []) {
    const made = inlinedOf(v);
    wait(made?.reads ?? [v]);
    wait(made?.after ?? []);
  }
  for (const v of operands) wait(inlinedOf(v)?.after ?? []);
  node.after = after;
  if (rule?.kind === "map") node.cost = rule.weight?.(eqn.params) ?? 1;
  for (const v of operands) {
    const made = inlinedOf(v);
    node.cost += made?.cost ?? 0.5;
    node.extent += made?.extent ?? 0;
  }
  node.kept = whyKept(graph, node, isUsedOnce);
  node.inlined = node.kept === undefined;
}

function whyKept(graph: Graph, node: Node, isUsedOnce: boolean): Kept | undefined {
  if (node.rule?.kind !== "map") return { because: "notMap" };
  if (node.isOutput) return { because: "output" };
  if (node.extent >= largestExtent) return { because: "large" };
  if (node.consumers.length === 0) return { because: "unused" };
  if (node.consumers.length > 1 && node.cost > cheap && !isUsedOnce) return { because: "several" };
  for (const consumer of node.consumers) {
    const because = whyNotInto(graph, node, consumer);
    if (because !== undefined) return { because, consumer };
  }
  return undefined;
}

/** Why a consumer may not compute elements of `node` itself: most often because it would compute costly ones many times. */
function whyNotInto(graph: Graph, node: Node, consumer: Node): Kept["because"] | undefined {
  const { eqn, rule } = consumer;
  if (rule === undefined) return "host";
  if (rule.kind === "control") return "operand";
  if (rule.kind === "kernels") {
    const inputs = eqn.inputs.map((a) => a.aval);
    const outputs = eqn.outputs.map((v) => v.aval);
    const reads = rule.reads?.({ inputs, outputs, target: graph.target }, eqn.params);
    for (const [i, a] of eqn.inputs.entries()) {
      if (!(a instanceof Var) || graph.producers[a.id] !== node) continue;
      const times = reads?.[i] ?? "buffer";
      if (times === "buffer") return "operand";
      if (times > 1 && (node.cost > cheap || times > 4)) return "repeated";
    }
    return undefined;
  }
  if (node.cost <= cheap) return undefined;
  // A map that is larger than its operand asks for elements repeatedly.
  const own = sizeOf(node.eqn.outputs[0].aval.shape);
  const asked = Math.max(
    sizeOf(eqn.outputs[0].aval.shape),
    rule.kind === "reduce" ? sizeOf(eqn.inputs[0].aval.shape) : 0,
  );
  return asked <= own ? undefined : "repeated";
}
