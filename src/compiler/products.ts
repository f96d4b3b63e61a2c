/**
 * A pass over flat jaxprs: the transpose of a product is the product of its operands the other way around. The derivative
 * of x·w by w comes as such a transpose; as a plain product it needs no kernel of its own to be turned.
 */
import { type Eqn, Jaxpr, Var } from "../core/jaxpr.js";

type AxisPairs = readonly [readonly number[], readonly number[]];

/** The jaxpr with transposed products computed in place, where nobody else reads the product as it was. */
export function turnProducts(jaxpr: Jaxpr): Jaxpr {
  const uses = new Uint32Array(jaxpr.varCount);
  for (const eqn of jaxpr.eqns) for (const a of eqn.inputs) if (a instanceof Var) uses[a.id]++;
  for (const a of jaxpr.outputs) if (a instanceof Var) uses[a.id]++;
  const producers = new Map<Var, Eqn>();
  const turned = new Set<Eqn>();
  const eqns = jaxpr.eqns.map((eqn): Eqn => {
    const [operand] = eqn.inputs;
    const product = operand instanceof Var ? producers.get(operand) : undefined;
    const swapped =
      eqn.primitive.name === "transpose" && product !== undefined && uses[product.outputs[0].id] === 1
        ? swap(product, eqn.params.permutation as readonly number[])
        : undefined;
    const kept = swapped === undefined ? eqn : { ...swapped, outputs: eqn.outputs };
    if (swapped !== undefined && product !== undefined) turned.add(product);
    if (kept.primitive.name === "dotGeneral") producers.set(kept.outputs[0], kept);
    return kept;
  });
  if (turned.size === 0) return jaxpr;
  const left = eqns.filter((eqn) => !turned.has(eqn));
  return new Jaxpr(jaxpr.inputs, left, jaxpr.outputs, jaxpr.varCount);
}

/** The product with its operands exchanged, if the permutation exchanges their axes in the result and nothing more. */
function swap(product: Eqn, permutation: readonly number[]): Eqn | undefined {
  const [x, y] = product.inputs;
  const contracting = product.params.contracting as AxisPairs;
  const batch = product.params.batch as AxisPairs;
  const shared = batch[0].length;
  const own = x.aval.shape.length - shared - contracting[0].length;
  const others = y.aval.shape.length - shared - contracting[1].length;
  const wanted = [
    ...batch[0].map((_, i) => i),
    ...Array.from({ length: others }, (_, i) => shared + own + i),
    ...Array.from({ length: own }, (_, i) => shared + i),
  ];
  if (wanted.some((axis, i) => axis !== permutation[i])) return undefined;
  const reversed = ([a, b]: AxisPairs): AxisPairs => [b, a];
  const params = { ...product.params, contracting: reversed(contracting), batch: reversed(batch) };
  return { ...product, inputs: [y, x], params };
}
