/**
 * dotGeneral: products of arrays, summed over some axes of both (contracting) and taken side by side along others
 * (batch). Matrix products, einsum and the like are all this one operation, and so are both of its transposes.
 */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { type Aval, aval, describeAll, type Shape, sizeOf } from "../core/aval.js";
import {
  type DType,
  isDType,
  isFloat,
  isInteger,
  isUnsigned,
  itemSize,
  promoteTypes,
} from "../core/dtype.js";
import { ArgumentError, AxisError, DtypeError, NotDifferentiableError, ShapeError } from "../core/errors.js";
import {
  type BatchRule,
  definePrimitive,
  type Example,
  type JvpRule,
  LinearInput,
  type Params,
  type ParamValue,
  type TransposeRule,
} from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, Zero, zeroFor } from "../core/zero.js";
import { convertElementType } from "./cast.js";
import { isAxis, showParam, type TypeResult, typeRule } from "./checks.js";
import { dotRelation } from "./dotDependence.js";
import { type AxisRoles, dotValues } from "./dotEvaluate.js";
import { lowerDot } from "./dotLower.js";
import { add } from "./elementwise.js";
import { transpose } from "./shape.js";

/** Axes of the two operands that belong together, pairwise. */
export type AxisPairs = readonly [x: readonly number[], y: readonly number[]];

/** Params of dotGeneral as users give them. */
export interface DotOptions {
  /** Axes that are multiplied and summed over. */
  readonly contracting: AxisPairs;
  /** Axes along which products are taken side by side; default: none. */
  readonly batch?: AxisPairs;
  /** Dtype of the result; default: that of the operands. */
  readonly preferredElementType?: DType;
}

interface DotParams {
  readonly contracting: AxisPairs;
  readonly batch: AxisPairs;
  readonly preferredElementType: DType;
  readonly [key: string]: ParamValue;
}

/**
 * The sum over the contracting axes of x · y, for each index of the batch axes (which the operands share) and of the
 * remaining, free axes. Axes of the result: batch axes in the order given, free axes of `x`, free axes of `y`.
 *
 * Operands have one dtype, any but bool; integers wrap around. `preferredElementType` may be another float dtype for
 * floats, and for integers a float or an integer dtype at least as wide; nothing is rounded to it but the sum. Sums of
 * floats are accumulated in double precision.
 * Throws `DtypeError`, `AxisError` (no such axis, or one named twice), `ShapeError` (paired axes of unequal lengths).
 *
 * @example
 * // The product of two matrices, and a·bᵀ for each of a batch of five:
 * dotGeneral(np.ones([2, 3]), np.ones([3, 4]), { contracting: [[1], [0]] }) // shape [2,4]
 * dotGeneral(np.ones([5, 2, 3]), np.ones([5, 4, 3]), { contracting: [[2], [2]], batch: [[0], [0]] }) // shape [5,2,4]
 */
export function dotGeneral(x: NDArray, y: NDArray, options: DotOptions): NDArray {
  const { contracting, batch = [[], []], preferredElementType = x.dtype } = options;
  return bind(dotPrimitive, [x, y], { contracting, batch, preferredElementType })[0];
}

const isPairOfLists = (pairs: unknown): pairs is AxisPairs =>
  Array.isArray(pairs) && pairs.length === 2 && pairs.every((list) => Array.isArray(list));

const names = ["x", "y"] as const;

function dotType(inputs: readonly Aval[], params: Params): TypeResult {
  const { contracting, batch, preferredElementType } = params;
  for (const [key, pairs] of Object.entries({ contracting, batch }))
    if (!isPairOfLists(pairs))
      return left(
        new ArgumentError(`dotGeneral: ${key} must be [axes of x, axes of y], got ${showParam(pairs)}`),
      );
  const { contracting: c, batch: b } = params as DotParams;
  for (const [i, operand] of inputs.entries()) {
    const used = [...b[i], ...c[i]];
    const wrong = used.findIndex((a) => !isAxis(a, operand.shape.length));
    if (wrong >= 0)
      return left(
        new AxisError(
          `dotGeneral: ${names[i]} has no axis ${showParam(used[wrong])} (operands ${describeAll(inputs)})`,
        ),
      );
    const twice = used.find((a, k) => used.indexOf(a) < k);
    if (twice !== undefined)
      return left(
        new AxisError(
          `dotGeneral: axis ${twice} of ${names[i]} is named twice, in contracting ${showParam(c[i])} and batch ${showParam(b[i])}`,
        ),
      );
  }
  const [x, y] = inputs;
  for (const [key, [xs, ys]] of Object.entries({ contracting: c, batch: b })) {
    if (xs.length !== ys.length)
      return left(new AxisError(`dotGeneral: ${key} pairs ${xs.length} axes of x with ${ys.length} of y`));
    const k = xs.findIndex((a, i) => x.shape[a] !== y.shape[ys[i]]);
    if (k >= 0)
      return left(
        new ShapeError(
          `dotGeneral: ${key} axes ${xs[k]} of x and ${ys[k]} of y differ in length, ` +
            `${x.shape[xs[k]]} and ${y.shape[ys[k]]} (operands ${describeAll(inputs)})`,
        ),
      );
  }
  if (x.dtype !== y.dtype)
    return left(new DtypeError(`dotGeneral needs operands of one dtype, got ${describeAll(inputs)}`));
  if (!isFloat(x.dtype) && !isInteger(x.dtype))
    return left(new DtypeError(`dotGeneral is not defined for ${x.dtype} (operands ${describeAll(inputs)})`));
  if (!isDType(preferredElementType) || !holds(preferredElementType, x.dtype))
    return left(
      new DtypeError(
        `dotGeneral: preferredElementType ${showParam(preferredElementType)} is no dtype for sums of ${x.dtype} (operands ${describeAll(inputs)})`,
      ),
    );
  const shape = [
    ...b[0].map((a) => x.shape[a]),
    ...free(x.shape, c[0], b[0]).map((a) => x.shape[a]),
    ...free(y.shape, c[1], b[1]).map((a) => y.shape[a]),
  ];
  return right([
    aval(shape, preferredElementType, x.weakType && y.weakType && preferredElementType === x.dtype),
  ]);
}

/** Whether sums of products of the one dtype may be asked for in another. */
function holds(preferred: DType, own: DType): boolean {
  if (preferred === own || isFloat(preferred)) return true;
  return (
    isInteger(own) &&
    isInteger(preferred) &&
    itemSize(preferred) >= itemSize(own) &&
    (isUnsigned(own) || !isUnsigned(preferred))
  );
}

/** The axes that are neither summed over nor of the batch, in order. */
const free = (shape: Shape, contracting: readonly number[], batch: readonly number[]): number[] =>
  shape.flatMap((_, a) => (contracting.includes(a) || batch.includes(a) ? [] : [a]));

const roles = (
  operand: { readonly shape: Shape },
  { contracting, batch }: DotParams,
  i: 0 | 1,
): AxisRoles => ({
  batch: batch[i],
  contracting: contracting[i],
  free: free(operand.shape, contracting[i], batch[i]),
});

const jvp: JvpRule = ([x, y], [tx, ty], params) => {
  const [out] = bind(dotPrimitive, [x, y], params);
  const fromX = isZero(tx) ? undefined : bind(dotPrimitive, [tx, y], params)[0];
  const fromY = isZero(ty) ? undefined : bind(dotPrimitive, [x, ty], params)[0];
  const tangent = fromX && fromY ? add(fromX, fromY) : (fromX ?? fromY ?? zeroFor(out.aval));
  return { outputs: [out], tangents: [tangent] };
};

const transposeRule: TransposeRule = ([ct], inputs, params) => {
  const [x, y] = inputs;
  if (x instanceof LinearInput && y instanceof LinearInput)
    throw new NotDifferentiableError(
      "dotGeneral of two linear operands is not linear, so it cannot be transposed",
    );
  return inputs.map((operand, i) => {
    if (!(operand instanceof LinearInput)) return null;
    if (isZero(ct)) return new Zero(operand.aval);
    return cotangentOf(i as 0 | 1, operand, inputs[1 - i] as NDArray, ct, params as DotParams);
  });
};

/**
 * The cotangent of operand i: that of the result times the other operand, summed over the free axes of the other.
 * What remains of the other operand then are its contracting axes, in increasing order, which stand for those of
 * operand i that they were paired with.
 */
function cotangentOf(
  i: 0 | 1,
  operand: LinearInput,
  other: NDArray,
  ct: NDArray,
  params: DotParams,
): NDArray {
  const own = roles(operand, params, i);
  const others = roles(other, params, i === 0 ? 1 : 0);
  const batchAxes = own.batch.map((_, k) => k);
  const otherFirst = own.batch.length + (i === 0 ? own.free.length : 0);
  const summed = others.free.map((_, k) => otherFirst + k);
  const wide = promoteTypes(ct.dtype, operand.aval.dtype);
  const product = dotGeneral(inDtype(ct, wide), inDtype(other, wide), {
    contracting: [summed, others.free],
    batch: [batchAxes, others.batch],
  });
  const sorted = [...others.contracting].sort((a, b) => a - b);
  const order = [
    ...own.batch,
    ...own.free,
    ...sorted.map((a) => own.contracting[others.contracting.indexOf(a)]),
  ];
  const aligned = permute(
    product,
    order.map((_, a) => order.indexOf(a)),
  );
  return inDtype(aligned, operand.aval.dtype);
}

/** Unlike convertElementType alone, this leaves a weak type weak. */
const inDtype = (x: NDArray, dtype: DType): NDArray => (x.dtype === dtype ? x : convertElementType(x, dtype));

const permute = (x: NDArray, permutation: readonly number[]): NDArray =>
  permutation.every((a, i) => a === i) ? x : transpose(x, permutation);

const batchRule: BatchRule = (_, [x, y], [batchedX, batchedY], params) => {
  const { contracting, batch, preferredElementType } = params as DotParams;
  const shifted = (axes: readonly number[], by: boolean): readonly number[] =>
    by ? axes.map((a) => a + 1) : axes;
  const both = batchedX && batchedY;
  const front = both ? [0] : [];
  const whole: DotParams = {
    contracting: [shifted(contracting[0], batchedX), shifted(contracting[1], batchedY)],
    batch: [
      [...front, ...shifted(batch[0], batchedX)],
      [...front, ...shifted(batch[1], batchedY)],
    ],
    preferredElementType,
  };
  const [out] = bind(dotPrimitive, [x, y], whole);
  // A batch axis of one operand alone is the first of its free axes.
  const at = both ? 0 : batch[0].length + (batchedX ? 0 : x.ndim - batch[0].length - contracting[0].length);
  const others = out.shape.flatMap((__, a) => (a === at ? [] : [a]));
  return { outputs: [permute(out, [at, ...others])], batched: [true] };
};

const dotPrimitive = definePrimitive({
  name: "dotGeneral",
  family: "dot",
  summary: "products of two arrays, summed over contracting axes, side by side along batch axes",
  abstractEval: typeRule("dotGeneral", 2, dotType),
  evaluate: ([x, y], params, [out]) => [
    new ConcreteArray(
      dotValues(x, roles(x, params as DotParams, 0), y, roles(y, params as DotParams, 1), out),
      out,
    ),
  ],
  jvp,
  transpose: transposeRule,
  batch: batchRule,
  dependence: ([x, y], p, _, __, limit) => {
    const own = [roles(x.aval, p as DotParams, 0), roles(y.aval, p as DotParams, 1)] as const;
    return [([0, 1] as const).map((i) => dotRelation([x, y], own, i, limit))];
  },
  lower: lowerDot((operand, params, i) => roles(operand, params as DotParams, i)),
  cost: ([x], params, [out]) => {
    const terms = sizeOf((params as DotParams).contracting[0].map((a) => x.shape[a]));
    const multiplications = sizeOf(out.shape) * terms;
    return { operations: 2 * multiplications, multiplications, transcendentals: 0 };
  },
  laws: { differentiable: true, examples },
});

function examples(): readonly Example[] {
  const example = (
    x: Shape,
    y: Shape,
    contracting: AxisPairs,
    batch: AxisPairs = [[], []],
    dtype: DType = "float64",
    preferredElementType: DType = dtype,
  ): Example => ({
    avals: [aval(x, dtype), aval(y, dtype)],
    params: { contracting, batch, preferredElementType },
  });
  const none: AxisPairs = [[], []];
  return [
    example([2, 3], [3, 4], [[1], [0]]),
    example([3, 2], [4, 3], [[0], [1]]),
    example([3], [3], [[0], [0]]),
    example([2, 3], [3], [[1], [0]]),
    example([], [], none),
    example([], [2], none),
    example([2], [3], none),
    example([2, 2, 3], [2, 3, 2], [[2], [1]], [[0], [0]]),
    // Batch axes that are neither in front nor in the same order, and axes that cross over.
    example([3, 2, 4], [4, 2, 3], none, [
      [2, 0],
      [0, 2],
    ]),
    example(
      [2, 3, 4],
      [4, 1, 2],
      [
        [0, 2],
        [2, 0],
      ],
    ),
    example(
      [2, 3, 1, 4],
      [4, 2, 3, 2],
      [
        [3, 1],
        [0, 2],
      ],
      [[0], [1]],
    ),
    example([2], [2], none, [[0], [0]]),
    example([2, 0], [0, 3], [[1], [0]]),
    example([0, 2], [2, 3], [[1], [0]]),
    example([2, 3], [3, 2], [[1], [0]], none, "int32"),
    example([2, 3], [3, 2], [[1], [0]], none, "uint8"),
    example([2, 3], [3, 2], [[1], [0]], none, "uint8", "int32"),
    example([2, 3], [3], [[1], [0]], none, "int32", "float32"),
    example([2, 3], [3, 2], [[1], [0]], none, "float16"),
    example([2, 3], [3, 2], [[1], [0]], none, "float32", "float64"),
  ];
}
