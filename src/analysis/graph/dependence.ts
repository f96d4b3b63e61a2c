/**
 * Which value depends directly on which, and by what factor: the graph in which derivatives are sums over paths. An operand
 * that comes twice, as in x·x, is two edges.
 */
import { type LocalDerivative, localDerivative } from "./local.js";
import { type Operation, type Program, Variable } from "./program.js";

export interface DependenceEdge {
  readonly from: Variable;
  readonly to: Variable;
  readonly op: Operation;
  /** Positions of the operand and of the output. */
  readonly operand: number;
  readonly output: number;
}

/** What an edge is called in tables. */
export const edgeKey = (op: Operation, operand: number, output: number): string =>
  `${op.id}/${operand}/${output}`;

export const keyOf = ({ op, operand, output }: DependenceEdge): string => edgeKey(op, operand, output);

/** All edges on paths from some inputs to the outputs, in the order of the program. */
export function dependenceEdges(
  { operations, outputs }: Program,
  inputs: readonly Variable[],
): DependenceEdge[] {
  const reached = new Set<Variable>(inputs);
  const found: DependenceEdge[] = [];
  for (const op of operations)
    for (const [operand, from] of op.inputs.entries()) {
      if (!(from instanceof Variable) || !reached.has(from)) continue;
      for (const [output, to] of op.outputs.entries()) {
        reached.add(to);
        found.push({ from, to, op, operand, output });
      }
    }
  const needed = new Set<unknown>(outputs);
  const kept: DependenceEdge[] = [];
  for (const edge of found.reverse())
    if (needed.has(edge.to)) {
      needed.add(edge.from);
      kept.push(edge);
    }
  return kept.reverse();
}

/**
 * The number of paths from inputs to outputs. They are counted and not walked: the paths to a value are those to what it
 * depends on, added up. An output that is an input is a path of no edges.
 */
export function countPaths(
  edges: readonly { readonly from: Variable; readonly to: Variable }[],
  inputs: readonly Variable[],
  outputs: readonly unknown[],
): bigint {
  const count = new Map<unknown, bigint>(inputs.map((v) => [v, 1n]));
  for (const { from, to } of edges) count.set(to, (count.get(to) ?? 0n) + (count.get(from) ?? 0n));
  return outputs.reduce((sum: bigint, v) => sum + (count.get(v) ?? 0n), 0n);
}

/** The local derivative of each edge, by its key; zeros are left out. */
export function localDerivatives(edges: readonly DependenceEdge[]): ReadonlyMap<string, LocalDerivative> {
  const found = new Map<string, LocalDerivative>();
  for (const edge of edges) {
    const derivative = localDerivative(edge.op, edge.operand, edge.output);
    if (derivative !== undefined) found.set(keyOf(edge), derivative);
  }
  return found;
}

/** An edge of the reduced graph: a product of factors. */
export interface ReducedEdge {
  readonly from: Variable;
  readonly to: Variable;
  readonly along: readonly DependenceEdge[];
}

/** An edge made of one, or of two one after the other: lists of factors are not copied each time that they grow. */
interface Joined {
  readonly from: Variable;
  readonly to: Variable;
  readonly parts: DependenceEdge | readonly [Joined, Joined];
}

function factorsOf(edge: Joined): DependenceEdge[] {
  const found: DependenceEdge[] = [];
  const todo = [edge];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if ("op" in next.parts) found.push(next.parts);
    else todo.push(next.parts[1], next.parts[0]);
  }
  return found;
}

/**
 * The graph without the values through which only one edge comes in or goes out: what remains are those where paths cross,
 * and the edges between them carry the products of what was on the way. The number of paths stays the same, and each
 * elimination leaves one edge less. (Vertex elimination: Griewank & Walther, Evaluating Derivatives, ch. 9.)
 */
export function reduceGraph(
  edges: readonly DependenceEdge[],
  inputs: readonly Variable[],
  outputs: readonly unknown[],
): ReducedEdge[] {
  const fixed = new Set<unknown>([...inputs, ...outputs]);
  const into = new Map<Variable, Set<Joined>>();
  const outOf = new Map<Variable, Set<Joined>>();
  const at = (map: Map<Variable, Set<Joined>>, v: Variable): Set<Joined> => {
    let set = map.get(v);
    if (set === undefined) {
      set = new Set();
      map.set(v, set);
    }
    return set;
  };
  const insert = (e: Joined): void => {
    at(into, e.to).add(e);
    at(outOf, e.from).add(e);
  };
  const remove = (e: Joined): void => {
    at(into, e.to).delete(e);
    at(outOf, e.from).delete(e);
  };
  for (const e of edges) insert({ from: e.from, to: e.to, parts: e });
  // The cheapest first: in the order of the program, a long sum would be carried along whole.
  let later = new Set(edges.map((e) => e.to).filter((v) => !fixed.has(v)));
  for (let dearest = 4; later.size > 0; dearest *= 4) {
    const todo = later;
    later = new Set();
    for (const v of todo) {
      todo.delete(v);
      const [before, after] = [at(into, v), at(outOf, v)];
      const made = before.size * after.size;
      if (made === 0 || (before.size > 1 && after.size > 1)) continue;
      if (made > dearest) {
        later.add(v);
        continue;
      }
      const [coming, going] = [[...before], [...after]];
      for (const e of [...coming, ...going]) remove(e);
      for (const a of coming) for (const b of going) insert({ from: a.from, to: b.to, parts: [a, b] });
      // Where several edges came together there may now be one.
      for (const w of [...coming.map((e) => e.from), ...going.map((e) => e.to)])
        if (!fixed.has(w) && !later.has(w)) todo.add(w);
    }
  }
  // In the order of their first factors, so that the edges of a sum stand in the order of its terms.
  const order = new Map(edges.map((e, i) => [e, i]));
  return [...outOf.values()]
    .flatMap((set) => [...set])
    .map((e) => ({ from: e.from, to: e.to, along: factorsOf(e) }))
    .sort((a, b) => (order.get(a.along[0]) as number) - (order.get(b.along[0]) as number));
}
