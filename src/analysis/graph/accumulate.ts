/**
 * Both modes on the graph. Forward gives every value its derivative with respect to one input, from the inputs on; reverse gives
 * every value the derivative of one output with respect to it, from the output back. Each goes over every edge once.
 */
import { ConcreteArray, type NDArray, scalar } from "../../core/array.js";
import { type Aval, sizeOf } from "../../core/aval.js";
import { allocate } from "../../core/dtype.js";
import { add } from "../../primitives/elementwise.js";
import { type DependenceEdge, keyOf } from "./dependence.js";
import type { LocalDerivative } from "./local.js";
import { describeValue, formatScalar } from "./numbers.js";
import { type Operation, Variable } from "./program.js";

export type AccumulationMode = "forward" | "reverse";

/** The derivative that one value gets, and what from. */
export interface Step {
  readonly variable: Variable;
  readonly edges: readonly DependenceEdge[];
  /** `∂e/∂b`. */
  readonly name: string;
  /** `1·2 + 1·3 = 5`; `5` where there is nothing to add or multiply; a type for arrays; empty if values are not known. */
  readonly text: string;
  /** `5`: the text without how it came about. */
  readonly result: string;
}

/** Derivatives with respect to more elements than this are named and not computed. */
const maxSeeds = 16;

export interface AccumulateInput {
  readonly mode: AccumulationMode;
  /** The input, or the output, from which to go. */
  readonly seed: Variable;
  readonly edges: readonly DependenceEdge[];
  readonly local: ReadonlyMap<string, LocalDerivative>;
  readonly hasValues: boolean;
}

/** The values of an operation's operands that are variables: what local derivatives are functions of. */
export const operandValues = (op: Operation): NDArray[] =>
  op.inputs.filter((x): x is Variable => x instanceof Variable).map((v) => v.value as NDArray);

/** The steps of one mode, in order; the first is that of the seed. */
export async function accumulate(input: AccumulateInput): Promise<Step[]> {
  const { mode, seed, edges, local } = input;
  const forward = mode === "forward";
  // Reverse is forward with the arrows turned around.
  const source = (e: DependenceEdge): Variable => (forward ? e.from : e.to);
  const target = (e: DependenceEdge): Variable => (forward ? e.to : e.from);
  const seeds = sizeOf(seed.aval.shape);
  const computed = input.hasValues && seeds <= maxSeeds;
  const derivatives = new Map<Variable, readonly NDArray[] | undefined>([
    [seed, computed ? basis(seed.aval) : undefined],
  ]);
  const name = (v: Variable): string => (forward ? `∂${v.name}/∂${seed.name}` : `∂${seed.name}/∂${v.name}`);
  const steps: Step[] = [];
  const start = computed ? await resultText(derivatives.get(seed), seed.aval, seeds) : "";
  steps.push({ variable: seed, edges: [], name: name(seed), text: start, result: start });

  for (const [variable, incoming] of byTarget(edges, target, forward)) {
    if (variable === seed) continue;
    const used = incoming.filter((e) => derivatives.has(source(e)) && local.has(keyOf(e)));
    if (used.length === 0) continue;
    if (!computed) {
      derivatives.set(variable, undefined);
      const text = typeOf(variable.aval, seed.aval);
      steps.push({ variable, edges: used, name: name(variable), text, result: text });
      continue;
    }
    const terms = used.map((e) => {
      const derivative = local.get(keyOf(e)) as LocalDerivative;
      const values = operandValues(e.op);
      return (derivatives.get(source(e)) as readonly NDArray[]).map((d) =>
        forward ? derivative.push(values, d) : (derivative.pull(values, d) ?? zerosLike(variable.aval)),
      );
    });
    const sums = terms.reduce((a, b) => a.map((x, i) => add(x, b[i])));
    derivatives.set(variable, sums);
    const result = await resultText(sums, variable.aval, seeds);
    const isScalar = seeds === 1 && [variable, ...used.map(source)].every((v) => v.aval.shape.length === 0);
    const text = isScalar ? await sumText(used, local, derivatives, source, forward, result) : result;
    steps.push({ variable, edges: used, name: name(variable), text, result });
  }
  return steps;
}

/** Edges by the value they lead to, in an order in which all that a value depends on comes before it. */
function byTarget(
  edges: readonly DependenceEdge[],
  target: (e: DependenceEdge) => Variable,
  forward: boolean,
): Map<Variable, DependenceEdge[]> {
  const groups = new Map<Variable, DependenceEdge[]>();
  if (forward) {
    for (const e of edges) groups.set(target(e), [...(groups.get(target(e)) ?? []), e]);
    return groups;
  }
  // A value is finished when the first of its uses, in the order of the program, has been visited.
  const uses = new Map<Variable, DependenceEdge[]>();
  for (const e of edges) uses.set(target(e), [...(uses.get(target(e)) ?? []), e]);
  const defined = new Map<Variable, number>();
  for (const [i, e] of edges.entries()) defined.set(e.to, Math.max(i, defined.get(e.to) ?? -1));
  const order = [...uses.keys()].sort((a, b) => (defined.get(b) ?? -1) - (defined.get(a) ?? -1));
  for (const v of order) groups.set(v, uses.get(v) as DependenceEdge[]);
  return groups;
}

async function sumText(
  used: readonly DependenceEdge[],
  local: ReadonlyMap<string, LocalDerivative>,
  derivatives: ReadonlyMap<Variable, readonly NDArray[] | undefined>,
  source: (e: DependenceEdge) => Variable,
  forward: boolean,
  result: string,
): Promise<string> {
  const terms = await Promise.all(
    used.map(async (e) => {
      const factor = formatScalar(await factorOf(e, local));
      const before = await describeValue((derivatives.get(source(e)) as readonly NDArray[])[0]);
      // In the direction of the data, whichever end the mode comes from.
      return (forward ? [before, factor] : [factor, before]).map(bracketed).join("·");
    }),
  );
  return `${terms.join(" + ")} = ${result}`;
}

export const bracketed = (text: string): string => (text.startsWith("−") ? `(${text})` : text);

/** The local derivative between two scalars. */
export async function factorOf(
  e: DependenceEdge,
  local: ReadonlyMap<string, LocalDerivative>,
): Promise<number> {
  const derivative = local.get(keyOf(e));
  if (derivative === undefined) return 0;
  return (await derivative.push(operandValues(e.op), unit(derivative.from)).data())[0];
}

const unit = (a: Aval): NDArray => scalar(1, a.dtype, a.weakType);
const zerosLike = (a: Aval): NDArray => new ConcreteArray(allocate(a.dtype, sizeOf(a.shape)), a);

/** A tangent for each element. */
const basis = (a: Aval): NDArray[] =>
  Array.from({ length: sizeOf(a.shape) }, (_, i) => {
    const data = allocate(a.dtype, sizeOf(a.shape));
    data[i] = 1;
    return new ConcreteArray(data, a);
  });

const typeOf = (a: Aval, seed: Aval): string => {
  const shape = [...a.shape, ...seed.shape];
  return shape.length === 0 ? "" : `[${shape.join(",")}]`;
};

async function resultText(found: readonly NDArray[] | undefined, type: Aval, seeds: number): Promise<string> {
  if (found === undefined) return "";
  if (seeds === 1) {
    const text = await describeValue(found[0]);
    return type.shape.length === 0 || text.startsWith("[") ? text : `[${type.shape.join(",")}]: ${text}`;
  }
  const columns = await Promise.all(found.map((x) => x.data()));
  const size = sizeOf(type.shape);
  if (size * seeds > 9) return `${size} × ${seeds}`;
  const rows = Array.from({ length: size }, (_, i) =>
    columns.map((c) => formatScalar(Number(c[i].toPrecision(3)))),
  );
  return size === 1 ? `[${rows[0].join(", ")}]` : `[${rows.map((row) => `[${row.join(", ")}]`).join(", ")}]`;
}
