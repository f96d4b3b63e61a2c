/** Which elements a product of arrays depends on: rows of one operand for each element, less where the other one is known to be zero. */
import { type Shape, sizeOf, stridesOf } from "../core/aval.js";
import type { DependenceOperand, Relation } from "../core/dependence.js";
import { SparsityPattern } from "../core/pattern.js";
import { summing, walked } from "./dependence.js";
import { type AxisRoles, offsets } from "./dotEvaluate.js";

const lengths = (shape: Shape, axes: readonly number[]): number[] => axes.map((a) => shape[a]);

/**
 * The relation of the result, [batch, free of x, free of y], to the first or second operand: each element depends on those that
 * are summed over for it.
 */
export function dotRelation(
  operands: readonly [DependenceOperand, DependenceOperand],
  roles: readonly [AxisRoles, AxisRoles],
  which: 0 | 1,
  limit: number,
): Relation {
  const [own, other] = [operands[which], operands[1 - which]];
  if (!own.active) return "none";
  const sparse = other.active ? undefined : exactly(operands, roles, which, limit);
  if (sparse !== undefined) return sparse;
  const { shape } = own.aval;
  const { batch, free } = roles[which];
  const sums = summing(shape, [...batch, ...free]);
  // Along the free axes of the other operand, sums are the same.
  const strides = stridesOf(lengths(shape, [...batch, ...free]));
  const foreign = roles[1 - which].free.map(() => 0);
  const ofFree = strides.slice(batch.length);
  const steps = [
    ...strides.slice(0, batch.length),
    ...(which === 0 ? [...ofFree, ...foreign] : [...foreign, ...ofFree]),
  ];
  const out = [
    ...lengths(shape, batch),
    ...lengths(operands[0].aval.shape, roles[0].free),
    ...lengths(operands[1].aval.shape, roles[1].free),
  ];
  return [sums, walked(out, steps)];
}

/** Entry by entry, if the other operand is known, has zeros, and the list does not become too long. */
function exactly(
  operands: readonly [DependenceOperand, DependenceOperand],
  roles: readonly [AxisRoles, AxisRoles],
  which: 0 | 1,
  limit: number,
): SparsityPattern | undefined {
  const factors = operands[1 - which].value()?.values;
  if (factors === undefined) return undefined;
  let nonzeros = 0;
  for (let i = 0; i < factors.length; i++) if (factors[i] !== 0) nonzeros++;
  const ownShape = operands[which].aval.shape;
  const otherShape = operands[1 - which].aval.shape;
  const [own, other] = [roles[which], roles[1 - which]];
  if (nonzeros === factors.length || nonzeros * sizeOf(lengths(ownShape, own.free)) > limit) return undefined;
  const places = (shape: Shape, axes: readonly number[]): Int32Array => {
    const strides = stridesOf(shape);
    return offsets(
      lengths(shape, axes),
      axes.map((a) => strides[a]),
    );
  };
  const batch = [places(ownShape, own.batch), places(otherShape, other.batch)];
  const summed = [places(ownShape, own.contracting), places(otherShape, other.contracting)];
  const ownFree = places(ownShape, own.free);
  const otherFree = places(otherShape, other.free);
  const rowOf: number[] = [];
  const columnOf: number[] = [];
  for (let b = 0; b < batch[0].length; b++)
    for (let j = 0; j < otherFree.length; j++)
      for (let k = 0; k < summed[0].length; k++) {
        if (factors[batch[1][b] + otherFree[j] + summed[1][k]] === 0) continue;
        for (let i = 0; i < ownFree.length; i++) {
          const place = which === 0 ? i * otherFree.length + j : j * ownFree.length + i;
          rowOf.push(b * ownFree.length * otherFree.length + place);
          columnOf.push(batch[0][b] + ownFree[i] + summed[0][k]);
        }
      }
  const rows = batch[0].length * ownFree.length * otherFree.length;
  return SparsityPattern.ofEntries(rows, sizeOf(ownShape), rowOf, columnOf);
}
