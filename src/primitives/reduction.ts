/**
 * Reductions: prod, max, min, and, or, xor along some axes, which are dropped. What they share is written once, below;
 * a record says how two elements combine and how the result depends on each. (The sum stands in broadcast.ts, since it
 * is the transpose of broadcasting.)
 */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { type Aval, aval, describe, type Shape, sizeOf, stridesOf, withShape } from "../core/aval.js";
import { allocate, type DType, isFloat, isInteger, settle } from "../core/dtype.js";
import { AxisError, DtypeError, ShapeError } from "../core/errors.js";
import type { ReduceRule } from "../core/ir/lower.js";
import { definePrimitive, type Example } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, zeroFor } from "../core/zero.js";
import { div, mul } from "./arithmetic.js";
import { broadcastInDim, reduceSum } from "./broadcast.js";
import { convertElementType } from "./cast.js";
import { isAxes, showParam, typeRule } from "./checks.js";
import { eq } from "./comparison.js";
import { cumprod } from "./cumulative.js";
import { reducing } from "./dependence.js";
import { previous } from "./direction.js";
import {
  lowerReduceAnd,
  lowerReduceMax,
  lowerReduceMin,
  lowerReduceOr,
  lowerReduceProd,
  lowerReduceXor,
} from "./reductionLower.js";
import { reshape, transpose } from "./shape.js";
import { eachRow } from "./strided.js";

/** A reduction along axes (increasing, not negative), bound to its primitive. */
export type ReductionOp = (x: NDArray, axes: readonly number[]) => NDArray;

interface ReductionSpec {
  readonly summary: string;
  readonly accepts: (dtype: DType) => boolean;
  /** What combining starts from. */
  readonly startFor: (dtype: DType) => number;
  /** The start is no result: there must be an element. */
  readonly needsElement?: boolean;
  readonly combineFor: (dtype: DType) => (total: number, x: number) => number;
  /** The derivative of the result in each element of x; left out where there is none. */
  readonly derivative?: (x: NDArray, out: NDArray, axes: readonly number[]) => NDArray;
  readonly lower: ReduceRule;
  readonly multiplies?: boolean;
  /** Has derivatives only away from ties. */
  readonly distinct?: boolean;
}

const keptAxes = (shape: Shape, axes: readonly number[]): number[] =>
  shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));

const isNumber = (dtype: DType): boolean => isFloat(dtype) || isInteger(dtype);
const isOrdered = (dtype: DType): boolean => isNumber(dtype) || dtype === "bool";
const isBits = (dtype: DType): boolean => isInteger(dtype) || dtype === "bool";

function reduction(name: string, spec: ReductionSpec): ReductionOp {
  const { derivative } = spec;
  const op: ReductionOp = (x, axes) => bind(primitive, [x], { axes })[0];
  const primitive = definePrimitive({
    name,
    family: "reduction",
    summary: spec.summary,
    abstractEval: typeRule(name, 1, ([x], { axes }) => {
      if (!spec.accepts(x.dtype)) return left(new DtypeError(`${name} is not defined for ${describe(x)}`));
      if (!isAxes(axes, x.shape.length))
        return left(new AxisError(`${name}: ${showParam(axes)} are not increasing axes of ${describe(x)}`));
      if (spec.needsElement && axes.some((a) => x.shape[a] === 0))
        return left(
          new ShapeError(`${name} of no elements does not exist (axes ${showParam(axes)} of ${describe(x)})`),
        );
      return right([
        withShape(
          x,
          keptAxes(x.shape, axes).map((i) => x.shape[i]),
        ),
      ]);
    }),
    evaluate: ([x], params, [out]) => {
      const axes = params.axes as readonly number[];
      const totals = new Float64Array(sizeOf(out.shape)).fill(spec.startFor(x.dtype));
      const target = new Array<number>(x.shape.length).fill(0);
      const strides = stridesOf(out.shape);
      for (const [k, i] of keptAxes(x.shape, axes).entries()) target[i] = strides[k];
      combineInto(totals, x, target, spec.combineFor(x.dtype));
      const values = allocate(out.dtype, totals.length);
      values.set(totals);
      return [new ConcreteArray(settle(out.dtype, values), out)];
    },
    jvp: ([x], [t], params) => {
      const axes = params.axes as readonly number[];
      const out = op(x, axes);
      const tangent =
        isZero(t) || derivative === undefined
          ? zeroFor(out.aval)
          : reduceSum(mul(t, derivative(x, out, axes)), axes);
      return { outputs: [out], tangents: [tangent] };
    },
    batch: (_, [x], __, { axes }) => ({
      outputs: [
        op(
          x,
          (axes as readonly number[]).map((a) => a + 1),
        ),
      ],
      batched: [true],
    }),
    lower: spec.lower,
    cost: ([x]) => {
      const n = sizeOf(x.shape);
      return { operations: n, multiplications: spec.multiplies ? n : 0, transcendentals: 0 };
    },
    dependence: reducing,
    laws: { differentiable: derivative !== undefined, examples: () => examplesOf(spec) },
    simplify: (_, { axes }) => ((axes as readonly number[]).length === 0 ? 0 : undefined),
  });
  return op;
}

/** Walks over x in the order of memory; `target` are the strides of the totals along the axes of x, 0 where reduced. */
function combineInto(
  totals: Float64Array,
  x: ConcreteArray,
  target: readonly number[],
  combine: (total: number, x: number) => number,
): void {
  const { values } = x;
  const length = x.shape.at(-1) ?? 1;
  const step = target.at(-1) ?? 0;
  eachRow(x.shape, { start: 0, strides: stridesOf(x.shape) }, { start: 0, strides: target }, (from, to) => {
    if (step === 0) {
      let total = totals[to];
      for (let i = 0; i < length; i++) total = combine(total, values[from + i]);
      totals[to] = total;
    } else {
      for (let i = 0, at = to; i < length; i++, at += step)
        totals[at] = combine(totals[at], values[from + i]);
    }
  });
}

function examplesOf({ accepts, needsElement, distinct }: ReductionSpec): Example[] {
  const dtype: DType = accepts("float64") ? "float64" : "int32";
  const cases: readonly (readonly [Shape, readonly number[]])[] = [
    [[3], [0]],
    [[2, 3], [0]],
    [[2, 3], [1]],
    [
      [2, 3, 2],
      [0, 2],
    ],
    [
      [2, 2],
      [0, 1],
    ],
    [[], []],
    [[2, 0], [0]],
    ...(needsElement
      ? []
      : ([
          [[0, 2], [0]],
          [
            [2, 0, 2],
            [1, 2],
          ],
        ] as const)),
  ];
  const plain = (type: Aval, axes: readonly number[]): Example => ({
    avals: [type],
    params: { axes },
    distinct,
  });
  return [
    ...cases.map(([shape, axes]) => plain(aval(shape, dtype), axes)),
    ...(["float32", "int32", "uint8", "bool"] as const)
      .filter((d) => d !== dtype && accepts(d))
      .map((d): Example => ({ avals: [aval([2, 3], d)], params: { axes: [1] } })),
  ];
}

/** The axes as one, at the end; and the way back for an array of that shape. */
function joinAxes(
  x: NDArray,
  axes: readonly number[],
): { joined: NDArray; restore: (y: NDArray) => NDArray } {
  const kept = keptAxes(x.shape, axes);
  const order = [...kept, ...axes];
  const moved = transpose(x, order);
  const length = sizeOf(axes.map((a) => x.shape[a]));
  return {
    joined: reshape(moved, [...kept.map((i) => x.shape[i]), length]),
    restore: (y) =>
      transpose(
        reshape(y, moved.shape),
        order.map((_, i) => order.indexOf(i)),
      ),
  };
}

/** For each element the product of all others: of those before it and those after it. No division, so zeros may come. */
function productOfOthers(x: NDArray, axes: readonly number[]): NDArray {
  const { joined, restore } = joinAxes(x, axes);
  const axis = joined.ndim - 1;
  const [before, after] = [false, true].map((reverse) => {
    const direction = { axis, reverse };
    return cumprod(previous(joined, direction, 1), direction);
  });
  return restore(mul(before, after));
}

/** 1 for the element that is the extremum; the elements that tie for it share equally. */
function shareOfExtremum(x: NDArray, out: NDArray, axes: readonly number[]): NDArray {
  const spread = (y: NDArray) => broadcastInDim(y, x.shape, keptAxes(x.shape, axes));
  const attains = convertElementType(eq(x, spread(out)), x.dtype);
  return div(attains, spread(reduceSum(attains, axes)));
}

/**
 * The product along `axes` (increasing, not negative), which are dropped; 1 for no elements. Floats and integers (which
 * wrap around), same dtype. The derivative is exact where elements are zero. Throws `DtypeError` or `AxisError`.
 *
 *     reduceProd(np.array([[1, 2], [3, 4]]), [1]) // [2, 12]
 */
export const reduceProd = reduction("reduceProd", {
  summary: "the product along some axes, which are dropped",
  lower: lowerReduceProd,
  accepts: isNumber,
  startFor: () => 1,
  combineFor: (dtype) => (isFloat(dtype) ? (total, x) => total * x : (total, x) => Math.imul(total, x)),
  derivative: (x, _, axes) => productOfOthers(x, axes),
  multiplies: true,
});

/**
 * The largest element along `axes` (increasing, not negative), which are dropped. Numbers and booleans, same dtype; NaN
 * wins. Elements that tie share the derivative equally. Throws `DtypeError`, `AxisError`, or `ShapeError` if there is no
 * element.
 *
 *     reduceMax(np.array([[1, 2], [4, 3]]), [1]) // [2, 4]
 */
export const reduceMax = reduction("reduceMax", {
  summary: "the largest element along some axes, which are dropped",
  lower: lowerReduceMax,
  accepts: isOrdered,
  startFor: () => Number.NEGATIVE_INFINITY,
  needsElement: true,
  combineFor: () => (total, x) => Math.max(total, x),
  derivative: shareOfExtremum,
  distinct: true,
});

/**
 * The smallest element along `axes` (increasing, not negative), which are dropped. Numbers and booleans, same dtype; NaN
 * wins. Elements that tie share the derivative equally. Throws `DtypeError`, `AxisError`, or `ShapeError` if there is no
 * element.
 *
 *     reduceMin(np.array([[1, 2], [4, 3]]), [1]) // [1, 3]
 */
export const reduceMin = reduction("reduceMin", {
  summary: "the smallest element along some axes, which are dropped",
  lower: lowerReduceMin,
  accepts: isOrdered,
  startFor: () => Number.POSITIVE_INFINITY,
  needsElement: true,
  combineFor: () => (total, x) => Math.min(total, x),
  derivative: shareOfExtremum,
  distinct: true,
});

/**
 * The bitwise (for booleans logical) and along `axes`, which are dropped; all ones, or true, for no elements.
 * Integers and booleans, same dtype. Throws `DtypeError` or `AxisError`.
 *
 *     reduceAnd(np.array([true, false]), [0]) // false
 */
export const reduceAnd = reduction("reduceAnd", {
  summary: "the bitwise and along some axes, which are dropped",
  lower: lowerReduceAnd,
  accepts: isBits,
  startFor: (dtype) => (dtype === "bool" ? 1 : -1),
  combineFor: () => (total, x) => total & x,
});

/**
 * The bitwise (for booleans logical) or along `axes`, which are dropped; 0, or false, for no elements.
 * Integers and booleans, same dtype. Throws `DtypeError` or `AxisError`.
 *
 *     reduceOr(np.array([true, false]), [0]) // true
 */
export const reduceOr = reduction("reduceOr", {
  summary: "the bitwise or along some axes, which are dropped",
  lower: lowerReduceOr,
  accepts: isBits,
  startFor: () => 0,
  combineFor: () => (total, x) => total | x,
});

/**
 * The bitwise (for booleans logical) exclusive or along `axes`, which are dropped; 0, or false, for no elements.
 * Integers and booleans, same dtype. Throws `DtypeError` or `AxisError`.
 *
 *     reduceXor(np.array([true, true]), [0]) // false
 */
export const reduceXor = reduction("reduceXor", {
  summary: "the bitwise exclusive or along some axes, which are dropped",
  lower: lowerReduceXor,
  accepts: isBits,
  startFor: () => 0,
  combineFor: () => (total, x) => total ^ x,
});
