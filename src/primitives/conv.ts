/**
 * convGeneralDilated: convolutions with strides, padding, dilation of both operands and groups. As everywhere in
 * machine learning this is cross-correlation: the window is not flipped. The meaning is that of ConvWithGeneralPadding
 * in XLA (https://openxla.org/xla/operation_semantics).
 *
 * Along one spatial axis, out[o] = Σ w[k] · x[i] over all k, i with o·stride + k·rhsDilation = low + i·lhsDilation.
 * That equation is what both transposes are read off from: solved for i or for k in the place of o, it is that of
 * another convolution.
 */
import { ConcreteArray, type NDArray, scalar } from "../core/array.js";
import { type Aval, aval, type Shape, sizeOf } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { NotDifferentiableError } from "../core/errors.js";
import {
  type BatchRule,
  definePrimitive,
  type Example,
  type JvpRule,
  LinearInput,
  type TransposeRule,
} from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, type Tangent, Zero, zeroFor } from "../core/zero.js";
import { broadcastInDim } from "./broadcast.js";
import { typeRule } from "./checks.js";
import { convRelation } from "./convDependence.js";
import { convProducts, convValues } from "./convEvaluate.js";
import { lowerConv } from "./convLower.js";
import { type ConvParams, convShape, convType, dilated } from "./convShape.js";
import { add } from "./elementwise.js";
import { reshape, transpose } from "./shape.js";
import { rev } from "./slicing.js";

export type { ConvDimensionNumbers, ConvParams } from "./convShape.js";

/**
 * Slides a window `rhs` over `lhs` and sums the products of what meets, over the window and the input features. Both
 * have one dtype, any but bool; integers wrap around, floats are accumulated in double precision. Padding is absent
 * rather than zero: it is never multiplied, not even by an infinity.
 *
 * For lhs [N, C, ...image] and rhs [O, C / featureGroupCount, ...window], in the order that `dimensionNumbers` says,
 * the result is [N / batchGroupCount, O, ...places], where
 * places = floor((dilated image + padding - dilated window) / stride) + 1, or 0 if the window does not fit.
 * Throws `DtypeError`, `ShapeError` (ranks, feature counts, groups, an empty window, cutting off more than there is),
 * `AxisError` (a spec that is not a permutation) and `ArgumentError` (other params).
 *
 * @example
 * const same = {
 *   windowStrides: [1], padding: [[1, 1]], lhsDilation: [1], rhsDilation: [1],
 *   dimensionNumbers: { lhsSpec: [0, 1, 2], rhsSpec: [0, 1, 2], outSpec: [0, 1, 2] },
 *   featureGroupCount: 1, batchGroupCount: 1,
 * };
 * convGeneralDilated(np.array([[[1, 2, 3]]]), np.array([[[1, 1, 1]]]), same) // [[[3, 6, 5]]]
 */
export function convGeneralDilated(lhs: NDArray, rhs: NDArray, params: ConvParams): NDArray {
  const {
    windowStrides,
    padding,
    lhsDilation,
    rhsDilation,
    dimensionNumbers,
    featureGroupCount,
    batchGroupCount,
  } = params;
  return bind(convPrimitive, [lhs, rhs], {
    windowStrides,
    padding,
    lhsDilation,
    rhsDilation,
    dimensionNumbers,
    featureGroupCount,
    batchGroupCount,
  })[0];
}

const jvp: JvpRule = ([lhs, rhs], [tl, tr], params) => {
  const [out] = bind(convPrimitive, [lhs, rhs], params);
  const fromLhs = isZero(tl) ? undefined : bind(convPrimitive, [tl, rhs], params)[0];
  const fromRhs = isZero(tr) ? undefined : bind(convPrimitive, [lhs, tr], params)[0];
  const tangent = fromLhs && fromRhs ? add(fromLhs, fromRhs) : (fromLhs ?? fromRhs ?? zeroFor(out.aval));
  return { outputs: [out], tangents: [tangent] };
};

// ---------------------------------------------------------------------------------------------------------------------
// Moving factors of axes
// ---------------------------------------------------------------------------------------------------------------------

/** Puts axis `from` at place `to`. */
function moveAxis(x: NDArray, from: number, to: number): NDArray {
  if (from === to) return x;
  const order = x.shape.map((_, a) => a);
  order.splice(to, 0, ...order.splice(from, 1));
  return transpose(x, order);
}

/**
 * Takes a factor out of an axis and puts it in front of the array: the axis, of length groups·size·rest, keeps
 * groups·rest.
 */
function takeOut(x: NDArray, axis: number, groups: number, size: number, rest: number): NDArray {
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 1);
  const split = reshape(x, [...before, groups, size, rest, ...after]);
  return reshape(moveAxis(split, axis + 1, 0), [size, ...before, groups * rest, ...after]);
}

/** The inverse: merges the front axis into an axis (counted without the front one) whose groups it is put between. */
function putInto(x: NDArray, axis: number, groups: number): NDArray {
  const [size, ...shape] = x.shape;
  const before = shape.slice(0, axis);
  const after = shape.slice(axis + 1);
  const split = reshape(x, [size, ...before, groups, shape[axis] / groups, ...after]);
  return reshape(moveAxis(split, 0, axis + 1), [...before, size * shape[axis], ...after]);
}

/** Moves the outer factor of one axis to be the outer factor of another. */
function moveFactor(x: NDArray, factor: number, from: number, to: number): NDArray {
  return factor === 1 ? x : putInto(takeOut(x, from, 1, factor, x.shape[from] / factor), to, 1);
}

// ---------------------------------------------------------------------------------------------------------------------
// Transposition
// ---------------------------------------------------------------------------------------------------------------------

const transposeRule: TransposeRule = ([ct], [lhs, rhs], given) => {
  const params = given as ConvParams;
  if (lhs instanceof LinearInput)
    return [rhs instanceof LinearInput ? bothLinear() : lhsCotangent(ct, lhs.aval, rhs, params), null];
  return [null, rhs instanceof LinearInput ? rhsCotangent(ct, lhs, rhs.aval, params) : null];
};

const bothLinear = (): never => {
  throw new NotDifferentiableError(
    "convGeneralDilated of two linear operands is not linear, so it cannot be transposed",
  );
};

/** A product of nothing is zero; its params need not make sense turned around. */
const vanishes = (...shapes: readonly Shape[]): boolean => shapes.some((s) => sizeOf(s) === 0);

/**
 * With k counted from the other end, k' = K-1-k, the equation above reads
 * i·lhsDilation + k'·rhsDilation = (K-1)·rhsDilation - low + o·stride: the window is reversed, dilations and strides
 * change places, and input features become output features. The padding at the end is what makes the result as long as
 * lhs was, whatever the stride left over.
 */
function lhsCotangent(ct: Tangent, lhs: Aval, rhs: NDArray, params: ConvParams): Tangent {
  if (isZero(ct) || vanishes(lhs.shape, rhs.shape, ct.shape)) return new Zero(lhs);
  const { windowStrides, padding, lhsDilation, rhsDilation, featureGroupCount, batchGroupCount } = params;
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers;
  const groups = featureGroupCount * batchGroupCount;
  const [outputFeature, inputFeature, ...windowAxes] = rhsSpec;
  const turned: ConvParams = {
    windowStrides: lhsDilation,
    padding: padding.map(([low], d) => {
      const reach = (rhs.shape[windowAxes[d]] - 1) * rhsDilation[d];
      const whole = (lhs.shape[lhsSpec[d + 2]] - 1) * lhsDilation[d] + reach + 1;
      return [reach - low, whole - (reach - low) - dilated(ct.shape[outSpec[d + 2]], windowStrides[d])];
    }),
    lhsDilation: windowStrides,
    rhsDilation,
    dimensionNumbers: {
      lhsSpec: outSpec,
      rhsSpec: [inputFeature, outputFeature, ...windowAxes],
      outSpec: lhsSpec,
    },
    featureGroupCount: groups,
    batchGroupCount: 1,
  };
  const reversed =
    windowAxes.length === 0
      ? rhs
      : rev(
          rhs,
          [...windowAxes].sort((a, b) => a - b),
        );
  // Groups are the outer factor of the output features: those are now the input ones, so it goes to the other axis.
  const window = moveFactor(reversed, groups, outputFeature, inputFeature);
  const result = convGeneralDilated(ct, window, turned);
  // Batch groups have become groups of features and go back into the batch.
  return moveFactor(result, batchGroupCount, lhsSpec[1], lhsSpec[0]);
}

/**
 * The equation solved for k: k·rhsDilation + o·stride = low + i·lhsDilation. The cotangent is the window, dilated by the
 * stride; the batch is what is summed over, so it takes the place of the input features, and these that of the batch.
 * Groups of features become groups of the batch and the other way round.
 */
function rhsCotangent(ct: Tangent, lhs: NDArray, rhs: Aval, params: ConvParams): Tangent {
  if (isZero(ct) || vanishes(lhs.shape, rhs.shape, ct.shape)) return new Zero(rhs);
  const { windowStrides, padding, lhsDilation, rhsDilation, featureGroupCount, batchGroupCount } = params;
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers;
  return convGeneralDilated(lhs, ct, {
    windowStrides: rhsDilation,
    padding: padding.map(([low], d) => {
      const image = dilated(lhs.shape[lhsSpec[d + 2]], lhsDilation[d]);
      const window = dilated(ct.shape[outSpec[d + 2]], windowStrides[d]);
      return [low, (rhs.shape[rhsSpec[d + 2]] - 1) * rhsDilation[d] + window - image - low];
    }),
    lhsDilation,
    rhsDilation: windowStrides,
    dimensionNumbers: {
      lhsSpec: [lhsSpec[1], lhsSpec[0], ...lhsSpec.slice(2)],
      rhsSpec: [outSpec[1], outSpec[0], ...outSpec.slice(2)],
      outSpec: [rhsSpec[1], rhsSpec[0], ...rhsSpec.slice(2)],
    },
    featureGroupCount: batchGroupCount,
    batchGroupCount: featureGroupCount,
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Batching
// ---------------------------------------------------------------------------------------------------------------------

/** A batched lhs is a larger batch, a batched rhs has more output features, and both together are more groups. */
const batchRule: BatchRule = (size, [lhs, rhs], [batchedLhs, batchedRhs], given) => {
  const params = given as ConvParams;
  const { featureGroupCount, batchGroupCount } = params;
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers;
  const shape = convShape(
    batchedLhs ? lhs.shape.slice(1) : lhs.shape,
    batchedRhs ? rhs.shape.slice(1) : rhs.shape,
    params,
  );
  const whole = (): NDArray => {
    if (!batchedRhs) {
      const out = convGeneralDilated(putInto(lhs, lhsSpec[0], batchGroupCount), rhs, params);
      return takeOut(out, outSpec[0], 1, size, shape[outSpec[0]]);
    }
    if (!batchedLhs) {
      const groups = featureGroupCount * batchGroupCount;
      const out = convGeneralDilated(lhs, putInto(rhs, rhsSpec[0], groups), params);
      return takeOut(out, outSpec[1], groups, size, shape[outSpec[1]] / groups);
    }
    // There are no 0 groups.
    if (size === 0) return broadcastInDim(scalar(0, lhs.dtype), [0, ...shape], []);
    const more =
      batchGroupCount > 1
        ? { batchGroupCount: batchGroupCount * size }
        : { featureGroupCount: featureGroupCount * size };
    const grouped = putInto(lhs, lhsSpec[batchGroupCount > 1 ? 0 : 1], 1);
    const out = convGeneralDilated(grouped, putInto(rhs, rhsSpec[0], 1), { ...params, ...more });
    return takeOut(out, outSpec[1], 1, size, shape[outSpec[1]]);
  };
  return { outputs: [whole()], batched: [true] };
};

const convPrimitive = definePrimitive({
  name: "convGeneralDilated",
  family: "conv",
  summary:
    "sums of products of a window that slides over an array, with strides, padding, dilation and groups",
  abstractEval: typeRule("convGeneralDilated", 2, convType),
  evaluate: ([lhs, rhs], params, [out]) => [
    new ConcreteArray(convValues(lhs, rhs, params as ConvParams, out), out),
  ],
  jvp,
  transpose: transposeRule,
  batch: batchRule,
  lower: lowerConv,
  dependence: ([lhs, rhs], params, [out], _, limit) => [
    ([0, 1] as const).map((i) => convRelation([lhs, rhs], out.shape, params as ConvParams, i, limit)),
  ],
  // Only products of elements that are there count, as in XLA's own cost analysis.
  cost: ([lhs, rhs], params, [out]) => {
    const multiplications = convProducts(lhs.shape, rhs.shape, out.shape, params as ConvParams);
    return { operations: 2 * multiplications, multiplications, transcendentals: 0 };
  },
  laws: { differentiable: true, examples },
});

function examples(): readonly Example[] {
  const example = (
    lhs: Shape,
    rhs: Shape,
    given: Partial<ConvParams> = {},
    dtype: DType = "float64",
  ): Example => {
    const axes = lhs.map((_, a) => a);
    const ones = axes.slice(2).map(() => 1);
    const standard: ConvParams = {
      windowStrides: ones,
      padding: ones.map(() => [0, 0]),
      lhsDilation: ones,
      rhsDilation: ones,
      dimensionNumbers: { lhsSpec: axes, rhsSpec: axes, outSpec: axes },
      featureGroupCount: 1,
      batchGroupCount: 1,
    };
    return { avals: [aval(lhs, dtype), aval(rhs, dtype)], params: { ...standard, ...given } };
  };
  const nhwc = { lhsSpec: [0, 3, 1, 2], rhsSpec: [3, 2, 0, 1], outSpec: [0, 3, 1, 2] };
  return [
    example([2, 3], [2, 3]),
    example([1, 2, 4], [2, 2, 3]),
    example([2, 1, 4], [1, 1, 2], { windowStrides: [2], padding: [[1, 2]] }),
    example([1, 1, 5], [1, 1, 2], { windowStrides: [3], rhsDilation: [2] }),
    example([1, 2, 3], [1, 2, 3], { lhsDilation: [2], padding: [[2, 1]] }),
    example([1, 1, 4], [1, 1, 2], {
      lhsDilation: [3],
      rhsDilation: [2],
      windowStrides: [2],
      padding: [[-1, 2]],
    }),
    example([1, 1, 5], [1, 1, 2], { padding: [[-2, -1]] }),
    example([1, 4, 3], [2, 2, 2], { featureGroupCount: 2 }),
    example([1, 3, 3], [6, 1, 2], { featureGroupCount: 3, padding: [[1, 0]] }),
    example([4, 2, 3], [2, 2, 2], { batchGroupCount: 2 }),
    example([2, 1, 3], [4, 1, 2], { batchGroupCount: 2, windowStrides: [2] }),
    example([1, 3, 4, 2], [2, 2, 2, 3], {
      dimensionNumbers: nhwc,
      padding: [
        [0, 1],
        [1, 0],
      ],
      windowStrides: [1, 2],
    }),
    example([4, 4, 2, 3], [2, 2, 2, 4], {
      dimensionNumbers: { lhsSpec: [2, 1, 3, 0], rhsSpec: [3, 0, 1, 2], outSpec: [1, 3, 0, 2] },
      featureGroupCount: 2,
    }),
    example([1, 1, 2, 2, 2], [1, 1, 2, 1, 2]),
    example([1, 1, 2], [1, 1, 3]),
    example([0, 1, 3], [2, 1, 2]),
    example([1, 1, 0], [1, 1, 2], { padding: [[1, 1]] }),
    example([1, 0, 3], [2, 0, 2]),
    example([1, 2, 4], [2, 2, 2], {}, "int32"),
    example([1, 2, 4], [2, 2, 2], { padding: [[1, 1]] }, "uint8"),
    example([1, 2, 4], [5, 2, 2], {}, "float16"),
  ];
}
