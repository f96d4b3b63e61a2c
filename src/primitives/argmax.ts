/** Where the largest or smallest element stands. Indices carry no derivative. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { aval, describe, sizeOf } from "../core/aval.js";
import { allocate, type DType, integerRange, isDType, isInteger, type TypedArray } from "../core/dtype.js";
import { AxisError, DtypeError, ShapeError } from "../core/errors.js";
import type { ReduceRule } from "../core/ir/lower.js";
import { definePrimitive } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { zeroFor } from "../core/zero.js";
import { isAxis, showParam, typeRule } from "./checks.js";
import { eachLine } from "./direction.js";
import { lowerArgmax, lowerArgmin } from "./reductionLower.js";

/** The place of an extremum along an axis, bound to its primitive. */
export type ArgExtremumOp = (x: NDArray, axis: number, indexDtype?: DType) => NDArray;

/** Whether an element takes the place of the best one so far. */
type Better = (x: number, best: number) => boolean;

/** The first of the best; the first NaN is best of all. */
function placeOfBest(
  values: TypedArray,
  start: number,
  step: number,
  length: number,
  better: Better,
): number {
  let place = 0;
  let best = values[start];
  for (let k = 1, at = start + step; k < length && !Number.isNaN(best); k++, at += step) {
    const x = values[at];
    if (better(x, best) || Number.isNaN(x)) {
      best = x;
      place = k;
    }
  }
  return place;
}

function argExtremum(name: string, what: string, better: Better, lower: ReduceRule): ArgExtremumOp {
  const op: ArgExtremumOp = (x, axis, indexDtype = "int32") => bind(primitive, [x], { axis, indexDtype })[0];
  const primitive = definePrimitive({
    name,
    family: "reduction",
    summary: `the index of the first ${what} element along an axis, which is dropped`,
    abstractEval: typeRule(name, 1, ([x], { axis, indexDtype }) => {
      if (x.dtype === "float0") return left(new DtypeError(`${name} is not defined for ${describe(x)}`));
      if (!isDType(indexDtype) || !isInteger(indexDtype))
        return left(
          new DtypeError(`${name}: ${showParam(indexDtype)} is not an integer dtype for the index`),
        );
      if (!isAxis(axis, x.shape.length))
        return left(new AxisError(`${name}: ${showParam(axis)} is not an axis of ${describe(x)}`));
      const length = x.shape[axis];
      if (length === 0)
        return left(new ShapeError(`${name} of no elements does not exist (axis ${axis} of ${describe(x)})`));
      if (length - 1 > integerRange(indexDtype)[1])
        return left(
          new DtypeError(
            `${name}: ${indexDtype} cannot count the ${length} elements of axis ${axis} of ${describe(x)}`,
          ),
        );
      return right([
        aval(
          x.shape.filter((_, i) => i !== axis),
          indexDtype,
        ),
      ]);
    }),
    evaluate: ([x], params, [out]) => {
      const values = allocate(out.dtype, sizeOf(out.shape));
      let next = 0;
      eachLine(x.shape, { axis: params.axis as number, reverse: false }, (start, step, length) => {
        values[next++] = placeOfBest(x.values, start, step, length, better);
      });
      return [new ConcreteArray(values, out)];
    },
    jvp: (primals, _, params) => {
      const outputs = bind(primitive, primals, params);
      return { outputs, tangents: outputs.map((o) => zeroFor(o.aval)) };
    },
    batch: (_, [x], __, { axis, indexDtype }) => ({
      outputs: [op(x, (axis as number) + 1, indexDtype as DType)],
      batched: [true],
    }),
    lower,
    cost: ([x]) => ({ operations: sizeOf(x.shape), multiplications: 0, transcendentals: 0 }),
    laws: {
      differentiable: false,
      examples: () => [
        { avals: [aval([3], "float64")], params: { axis: 0, indexDtype: "int32" }, distinct: true },
        { avals: [aval([2, 3], "float64")], params: { axis: 0, indexDtype: "int32" }, distinct: true },
        { avals: [aval([2, 3, 2], "float32")], params: { axis: 1, indexDtype: "uint8" }, distinct: true },
        { avals: [aval([2, 3], "int32")], params: { axis: 1, indexDtype: "uint32" } },
        { avals: [aval([4], "bool")], params: { axis: 0, indexDtype: "int32" } },
        { avals: [aval([0, 2], "float64")], params: { axis: 1, indexDtype: "int32" } },
      ],
    },
  });
  return op;
}

/**
 * The index of the largest element along `axis`, which is dropped: the first of those that tie, the first NaN if there
 * is one. Any dtype; the result has dtype `indexDtype` (int32 by default). Throws `AxisError`, `DtypeError`, or
 * `ShapeError` if there is no element.
 *
 *     argmax(np.array([1, 3, 3]), 0) // 1
 */
export const argmax = argExtremum("argmax", "largest", (x, best) => x > best, lowerArgmax);

/**
 * The index of the smallest element along `axis`, which is dropped: the first of those that tie, the first NaN if there
 * is one. Any dtype; the result has dtype `indexDtype` (int32 by default). Throws `AxisError`, `DtypeError`, or
 * `ShapeError` if there is no element.
 *
 *     argmin(np.array([2, 1, 1]), 0) // 1
 */
export const argmin = argExtremum("argmin", "smallest", (x, best) => x < best, lowerArgmin);
