/** The derivative as what it is: a sum over paths of products along each, written out where there are few. */
import { bracketed, factorOf } from "./accumulate.js";
import { countPaths, type DependenceEdge, keyOf } from "./dependence.js";
import type { LocalDerivative } from "./local.js";
import { formatScalar } from "./numbers.js";
import { type Operand, Variable } from "./program.js";

/** The derivative of one output with respect to one input, path by path. */
export interface PathSum {
  readonly input: string;
  readonly output: string;
  /** For each path its factors from the input to the output. */
  readonly products: readonly (readonly number[])[];
  readonly derivative: number;
  /** `∂e/∂b = 1·2 + 1·3 = 5`. */
  readonly text: string;
}

/** Longer sums are not written out. */
const mostPaths = 64;

/** The sums for all pairs of scalars between which there are paths, but not too many. */
export async function pathSums(
  edges: readonly DependenceEdge[],
  local: ReadonlyMap<string, LocalDerivative>,
  inputs: readonly Variable[],
  outputs: readonly Operand[],
): Promise<PathSum[]> {
  if (edges.some(({ from, to }) => from.aval.shape.length + to.aval.shape.length > 0)) return [];
  const factors = new Map<string, number>();
  for (const e of edges) factors.set(keyOf(e), await factorOf(e, local));
  const sums: PathSum[] = [];
  for (const input of inputs)
    for (const output of new Set(outputs)) {
      if (!(output instanceof Variable) || output === input) continue;
      const count = countPaths(edges, [input], [output]);
      if (count === 0n || count > mostPaths) continue;
      const products = pathsBetween(input, output, edges).map((path) =>
        path.map((e) => factors.get(keyOf(e)) as number),
      );
      const derivative = products.reduce((sum, p) => sum + p.reduce((a, b) => a * b, 1), 0);
      const written = products.map((p) => p.map((x) => bracketed(formatScalar(x))).join("·"));
      const name = `∂${output.name}/∂${input.name}`;
      const isSum = products.length > 1 || products[0].length > 1;
      const text = `${name} = ${isSum ? `${written.join(" + ")} = ` : ""}${formatScalar(derivative)}`;
      sums.push({ input: input.name, output: output.name, products, derivative, text });
    }
  return sums;
}

function pathsBetween(
  input: Variable,
  output: Variable,
  edges: readonly DependenceEdge[],
): DependenceEdge[][] {
  // Only what leads to this output: elsewhere there may be more paths than anyone can walk.
  const leading = new Set<Variable>([output]);
  const from = new Map<Variable, DependenceEdge[]>();
  for (const e of [...edges].reverse()) {
    if (!leading.has(e.to)) continue;
    leading.add(e.from);
    from.set(e.from, [e, ...(from.get(e.from) ?? [])]);
  }
  const found: DependenceEdge[][] = [];
  const walk = (v: Variable, path: readonly DependenceEdge[]): void => {
    if (v === output) found.push([...path]);
    else for (const e of from.get(v) ?? []) walk(e.to, [...path, e]);
  };
  walk(input, []);
  return found;
}
