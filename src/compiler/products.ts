/**
 * A pass over flat jaxprs: products take operands in any order of their axes, so they need no transposes.
 *
 * - The transpose of a product is the product of its operands the other way around. The derivative of x·w by w comes as such a
 *   transpose.
 * - A product with a transposed operand is one with the operand as it was, and other axes. So xᵀ·y is read where x lies.
 */
import { type Eqn, Jaxpr, Var } from "../core/jaxpr.js";

type Axes = readonly number[];
type AxisPairs = readonly [Axes, Axes];

/** The jaxpr without transposes of products that nobody else reads, and of operands of products. */
export function turnProducts(jaxpr: Jaxpr): Jaxpr {
  const uses = new Uint32Array(jaxpr.varCount);
  for (const eqn of jaxpr.eqns) for (const a of eqn.inputs) if (a instanceof Var) uses[a.id]++;
  for (const a of jaxpr.outputs) if (a instanceof Var) uses[a.id]++;
  /** Products and transposes, by what they give. */
  const producers = new Map<Var, Eqn>();
  const dropped = new Set<Eqn>();
  let changed = false;
  const eqns = jaxpr.eqns.map((eqn): Eqn => {
    const kind = eqn.primitive.name;
    let kept = eqn;
    if (kind === "transpose") {
      const product = producerOf(eqn, 0, producers, "dotGeneral");
      const swapped =
        product !== undefined && uses[product.outputs[0].id] === 1
          ? swap(product, eqn.params.permutation as Axes)
          : undefined;
      if (swapped !== undefined && product !== undefined) {
        kept = { ...swapped, outputs: eqn.outputs };
        dropped.add(product);
      }
    } else if (kind === "dotGeneral")
      for (const i of [0, 1] as const)
        for (;;) {
          const transpose = producerOf(kept, i, producers, "transpose");
          const untransposed = transpose && withOperandOf(kept, i, transpose);
          if (untransposed === undefined || transpose === undefined) break;
          kept = untransposed;
          if (--uses[transpose.outputs[0].id] === 0) dropped.add(transpose);
          else {
            const [operand] = transpose.inputs;
            if (operand instanceof Var) uses[operand.id]++;
          }
        }
    changed ||= kept !== eqn;
    if (kind === "transpose" || kind === "dotGeneral") producers.set(kept.outputs[0], kept);
    return kept;
  });
  if (!changed) return jaxpr;
  const left = eqns.filter((eqn) => !dropped.has(eqn));
  return new Jaxpr(jaxpr.inputs, left, jaxpr.outputs, jaxpr.varCount);
}

function producerOf(eqn: Eqn, i: number, producers: ReadonlyMap<Var, Eqn>, kind: string): Eqn | undefined {
  const operand = eqn.inputs[i];
  const producer = operand instanceof Var ? producers.get(operand) : undefined;
  return producer?.primitive.name === kind ? producer : undefined;
}

/** The product with what is transposed for operand `i`, if the axes that are left over keep their order. */
function withOperandOf(product: Eqn, i: 0 | 1, { inputs: [operand], params }: Eqn): Eqn | undefined {
  const permutation = params.permutation as Axes;
  const contracting = product.params.contracting as AxisPairs;
  const batch = product.params.batch as AxisPairs;
  const free = permutation.filter((_, a) => !contracting[i].includes(a) && !batch[i].includes(a));
  if (free.some((axis, n) => n > 0 && axis < free[n - 1])) return undefined;
  const moved = (pairs: AxisPairs): AxisPairs => {
    const own = pairs[i].map((a) => permutation[a]);
    return i === 0 ? [own, pairs[1]] : [pairs[0], own];
  };
  const inputs = product.inputs.map((a, n) => (n === i ? operand : a));
  const axes = { contracting: moved(contracting), batch: moved(batch) };
  return { ...product, inputs, params: { ...product.params, ...axes } };
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
