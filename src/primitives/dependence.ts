/** What the `dependence` rules of families are made of: see core/dependence.ts. */
import { ConcreteArray } from "../core/array.js";
import { aval, type Shape, sizeOf, stridesOf } from "../core/aval.js";
import type { DependenceOperand, Relation, RelationStep } from "../core/dependence.js";
import type { TypedArray } from "../core/dtype.js";
import { SparsityPattern } from "../core/pattern.js";
import type { DependenceRule, Params, PrimitiveRecord } from "../core/primitive.js";
import { offsets } from "./dotEvaluate.js";

/** Each element of the outputs depends on the elements in the same place, and on operands that are scalars. */
export const elementByElement: DependenceRule = (operands, _, outputs) =>
  outputs.map(() => operands.map((): Relation => "same"));

/** Output k is operand k. */
export const eachItsOwnOperand: DependenceRule = (operands, _, outputs) =>
  outputs.map((__, k) => operands.map((___, i): Relation => (i === k ? "same" : "none")));

/**
 * The relation "same" where a condition on the element of a known array holds, and none elsewhere. The array has the shape of
 * the result or is a scalar.
 *
 * @param operand the operand that the relation is to; a scalar is the same for all elements.
 */
export function sameWhere(
  condition: TypedArray | undefined,
  holds: (x: number) => boolean,
  operand: DependenceOperand,
  size: number,
): Relation {
  if (condition === undefined) return "same";
  if (condition.length === 1 && size !== 1) return holds(condition[0]) ? "same" : "none";
  if (condition.every(holds)) return "same";
  const isScalar = sizeOf(operand.aval.shape) !== size;
  return Int32Array.from({ length: size }, (_, i) => (holds(condition[i]) ? (isScalar ? 0 : i) : -1));
}

/** A product of two operands: where one is known to be zero, the result does not depend on the other. */
export const byFactors: DependenceRule = (operands, _, [out]) => [
  operands.map((x, i) => {
    const other = operands[1 - i];
    if (!x.active || other.active) return "same";
    return sameWhere(other.value()?.values, (factor) => factor !== 0, x, sizeOf(out.shape));
  }),
];

/** The numbers 0, 1, 2, ... as elements, or -1 for all of them: operands for an `evaluate` rule that shall tell where elements go. */
function numbered(shape: Shape, counting: boolean): ConcreteArray {
  const values = new Int32Array(sizeOf(shape));
  if (counting) for (let i = 0; i < values.length; i++) values[i] = i;
  else values.fill(-1);
  return new ConcreteArray(values, aval(shape, "int32"));
}

/** Moves elements of all operands, whatever they are: where to is learned by moving their numbers. */
export const moving =
  (evaluate: PrimitiveRecord["evaluate"]): DependenceRule =>
  (operands, params: Params, outputs) => {
    const relations = operands.map((x, i): Relation => {
      if (!x.active) return "none";
      const numbers = operands.map((other, k) => numbered(other.aval.shape, k === i));
      const [moved] = evaluate(numbers, params, [aval(outputs[0].shape, "int32")]);
      return moved.values as Int32Array;
    });
    return [relations];
  };

/** Elements of an array of the given shape that are reached with these steps along its axes, in row-major order. */
export const walked = (shape: Shape, steps: readonly number[]): Int32Array => offsets(shape, steps);

/**
 * Sums along axes, as a pattern: its rows are the elements of what is left, with the `kept` axes in the order given; its columns
 * those of the operand.
 */
export function summing(shape: Shape, kept: readonly number[]): SparsityPattern {
  const strides = stridesOf(shape);
  const summed = shape.flatMap((_, a) => (kept.includes(a) ? [] : [a]));
  const lengthsOf = (axes: readonly number[]) => axes.map((a) => shape[a]);
  const stepsOf = (axes: readonly number[]) => axes.map((a) => strides[a]);
  const starts = offsets(lengthsOf(kept), stepsOf(kept));
  const within = offsets(lengthsOf(summed), stepsOf(summed));
  const begins = new Int32Array(starts.length + 1);
  const indices = new Int32Array(starts.length * within.length);
  let at = 0;
  for (let i = 0; i < starts.length; i++) {
    for (let k = 0; k < within.length; k++) indices[at++] = starts[i] + within[k];
    begins[i + 1] = at;
  }
  return SparsityPattern.ofRows(starts.length, sizeOf(shape), begins, indices);
}

/** Each result depends on all elements that are reduced to it. */
export const reducing: DependenceRule = ([x], { axes }) => {
  const { shape } = x.aval;
  const kept = shape.flatMap((_, a) => ((axes as readonly number[]).includes(a) ? [] : [a]));
  return [[kept.length === 0 ? "all" : summing(shape, kept)]];
};

/** Everything along an axis depends on everything there: a sum, put back along the axis. */
export function alongAxis(shape: Shape, axis: number): readonly RelationStep[] {
  const kept = shape.flatMap((_, a) => (a === axis ? [] : [a]));
  const strides = stridesOf(kept.map((a) => shape[a]));
  const steps = shape.map((_, a) => (a === axis ? 0 : strides[kept.indexOf(a)]));
  return [summing(shape, kept), walked(shape, steps)];
}

/** Running along an axis: element k depends on those up to k, or from k on with `reverse`. */
export const running: DependenceRule = (operands, { axis, reverse }, [{ shape }], _, limit) => {
  const relation = runningTo(shape, axis as number, reverse === true, limit);
  return [operands.map(() => relation)];
};

function runningTo(shape: Shape, axis: number, reverse: boolean, limit: number): Relation {
  const size = sizeOf(shape);
  const length = shape[axis];
  // Half of a square is listed only if it is not too large; else it is the whole.
  if ((size * (length + 1)) / 2 > limit) return alongAxis(shape, axis);
  const step = stridesOf(shape)[axis];
  const begins = new Int32Array(size + 1);
  const indices = new Int32Array((size * (length + 1)) / 2);
  let at = 0;
  for (let i = 0; i < size; i++) {
    const place = Math.floor(i / step) % length;
    const first = reverse ? place : 0;
    const last = reverse ? length - 1 : place;
    for (let k = first; k <= last; k++) indices[at++] = i + (k - place) * step;
    begins[i + 1] = at;
  }
  return SparsityPattern.ofRows(size, size, begins, indices);
}
