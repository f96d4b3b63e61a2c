/** Determinants of matrices, and cofactors, which are the derivative of determinants: at singular matrices, too. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { aval, describe, type Shape, sizeOf, withShape } from "../core/aval.js";
import type { Relation } from "../core/dependence.js";
import { allocate, isFloat, settle } from "../core/dtype.js";
import { DtypeError, NotDifferentiableError, ShapeError } from "../core/errors.js";
import {
  type Cost,
  definePrimitive,
  type Example,
  type JvpRule,
  type PrimitiveRecord,
  type TransposeRule,
} from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { zeroFor } from "../core/zero.js";
import { rem } from "./arithmetic.js";
import { broadcastInDim, reduceSum } from "./broadcast.js";
import { typeRule } from "./checks.js";
import { summing, walked } from "./dependence.js";
import { cofactors, determinant } from "./detEvaluate.js";
import { lowerCofactor, lowerDet } from "./detLower.js";
import { dotGeneral } from "./dot.js";
import { div, mul, sub } from "./field.js";
import { linear } from "./linear.js";
import { iota, reshape, transpose } from "./shape.js";
import { slice } from "./slicing.js";

/**
 * The determinants of square matrices along the last two axes; 1 for matrices without elements. Floats, same dtype,
 * computed in double precision by elimination with partial pivoting.
 *
 * The derivative is the matrix of cofactors (Jacobi's formula: the tangent is Σᵢⱼ cofactorᵢⱼ · ȧᵢⱼ), at singular matrices
 * as at all others. For derivatives of higher order see `cofactor`.
 * Throws `DtypeError`, or `ShapeError` for matrices that are not square.
 *
 * @example
 * det(np.array([[1, 2], [3, 4]])) // -2
 */
export const det = (x: NDArray): NDArray => bind(detPrimitive, [x], {})[0];

/**
 * The matrices of cofactors of square matrices along the last two axes: element (i, j) is (-1)^(i+j) times the
 * determinant of what is left without row i and column j. That is the transposed adjugate, and det(A) A⁻ᵀ where A is
 * invertible. Floats, same shape and dtype, computed in double precision by elimination with complete pivoting: of a
 * matrix of rank n - 1 the result has rank one, of a matrix of lower rank it is zero. A matrix of order three or more
 * with an element that is not finite has cofactors that are NaN.
 *
 * The derivative is right at all matrices up to order six: it is computed from the cofactors of the minors. That would be
 * n⁵ operations; for larger ones it is the quotient (⟨C, Ȧ⟩ C - C Ȧᵀ C) / det(A), which follows from C = det(A) A⁻ᵀ. At
 * singular matrices that says nothing: it is 0/0 = NaN, or without meaning where rounding leaves a determinant that is not
 * quite zero.
 * Throws `DtypeError`, or `ShapeError` for matrices that are not square.
 *
 * @example
 * cofactor(np.array([[1, 2], [3, 4]])) // [[4, -3], [-2, 1]]
 */
export const cofactor = (x: NDArray): NDArray => bind(cofactorPrimitive, [x], {})[0];

const orderOf = ({ shape }: { readonly shape: Shape }): number => shape[shape.length - 1];

/** How many matrices there are. */
const countOf = ({ shape }: { readonly shape: Shape }): number => sizeOf(shape.slice(0, -2));

const leading = (shape: Shape): number[] => shape.slice(0, -2).map((_, i) => i);

/** A number for each matrix, for each element of it. */
const spread = (x: NDArray, shape: Shape): NDArray => broadcastInDim(x, shape, leading(shape));

/** The sum of the products of corresponding elements, for each pair of matrices. */
const inner = (x: NDArray, y: NDArray): NDArray => reduceSum(mul(x, y), [x.ndim - 2, x.ndim - 1]);

/** The type rule of a function of square matrices whose result has the shape that `shapeOf` gives. */
const squareRule = (name: string, shapeOf: (shape: Shape) => Shape): PrimitiveRecord["abstractEval"] =>
  typeRule(name, 1, ([x]) => {
    if (!isFloat(x.dtype)) return left(new DtypeError(`${name} is not defined for ${describe(x)}`));
    if (x.shape.length < 2 || x.shape[x.shape.length - 2] !== orderOf(x))
      return left(
        new ShapeError(`${name} needs square matrices along the last two axes, got ${describe(x)}`),
      );
    return right([withShape(x, shapeOf(x.shape))]);
  });

/** Calls `each` with a copy of every matrix, in double precision. */
function eachMatrix(x: ConcreteArray, each: (matrix: Float64Array, index: number) => void): void {
  const size = orderOf(x) ** 2;
  for (let i = 0; i < countOf(x); i++)
    each(Float64Array.from(x.values.subarray(i * size, (i + 1) * size)), i);
}

/** The work of elimination: a quotient for each element below the diagonal, a product and a difference for each update. */
const elimination = (n: number): Cost => {
  const quotients = (n * (n - 1)) / 2;
  const updates = ((n - 1) * n * (2 * n - 1)) / 6;
  return { operations: quotients + 2 * updates, multiplications: quotients + updates, transcendentals: 0 };
};

const repeated = (count: number, { operations, multiplications, transcendentals }: Cost): Cost => ({
  operations: count * operations,
  multiplications: count * multiplications,
  transcendentals: count * transcendentals,
});

// Every order with a rule of its own, those that have none, stacks, and stacks of nothing.
const examples: readonly Example[] = [
  ...[0, 1, 2, 3, 4].map((n) => aval([n, n], "float64")),
  ...[
    [2, 3, 3],
    [2, 1, 2, 2],
    [3, 1, 1],
    [0, 3, 3],
    [2, 0, 0],
  ].map((shape) => aval(shape, "float64")),
  ...[aval([2, 3, 3], "float32"), aval([2, 2], "float16")],
].map((x) => ({ avals: [x], params: {} }));

const detPrimitive = definePrimitive({
  name: "det",
  family: "linalg",
  summary: "determinants of the matrices along the last two axes",
  abstractEval: squareRule("det", (shape) => shape.slice(0, -2)),
  evaluate: ([x], _, [out]) => {
    const values = allocate(out.dtype, countOf(x));
    eachMatrix(x, (matrix, i) => {
      values[i] = determinant(matrix, orderOf(x));
    });
    return [new ConcreteArray(settle(out.dtype, values), out)];
  },
  jvp: ([x], [t]) => ({ outputs: [det(x)], tangents: [inner(t as NDArray, cofactor(x))] }),
  // The rank is not fixed: the batch axis is one more in front of the matrices.
  batch: (_, [x]) => ({ outputs: [det(x)], batched: [true] }),
  lower: lowerDet,
  cost: ([x]) => {
    const n = orderOf(x);
    const { operations, multiplications } = elimination(n);
    return repeated(countOf(x), {
      operations: operations + n,
      multiplications: multiplications + n,
      transcendentals: 0,
    });
  },
  laws: { differentiable: true, examples },
});

/** Of order two, where cofactors move elements and change signs. In the space of matrices that is its own transpose. */
const swapping = linear(
  ([x]) => [cofactor(x)],
  (ct) => cofactor(ct),
);

/**
 * Along one axis of length n, for each i of it the n - 1 others, in the order in which they follow in a circle: the axis
 * becomes two of lengths n and n - 1. A sequence repeated and cut into pieces of n + 1 starts each piece one later.
 */
function othersAlong(x: NDArray, axis: number): NDArray {
  const { shape } = x;
  const n = shape[axis];
  const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)];
  const dims = shape.map((_, i) => (i < axis ? i : i + 1));
  const repeated = broadcastInDim(x, [...before, n + 1, n, ...after], dims);
  const pieces = reshape(repeated, [...before, n, n + 1, ...after]);
  return slice(
    pieces,
    pieces.shape.map((_, i) => (i === axis + 1 ? 1 : 0)),
    [...before, n, n, ...after],
  );
}

/** For each element of a matrix the matrix without its row and column, these going round in a circle: [..., n, n, n-1, n-1]. */
function minors(x: NDArray): NDArray {
  const row = x.ndim - 2;
  const apart = othersAlong(othersAlong(x, row + 1), row);
  const stack = leading(x.shape);
  return transpose(apart, [...stack, row, row + 2, row + 1, row + 3]);
}

/** (-1)^(i+j) for each element of the matrices. */
function chessboard({ shape, dtype }: NDArray): NDArray {
  const sign = (axis: number): NDArray => {
    const odd = rem(iota(dtype, shape, axis), 2);
    return sub(1, mul(odd, 2));
  };
  return mul(sign(shape.length - 2), sign(shape.length - 1));
}

/**
 * The derivative of each cofactor, which is a determinant of order n - 1, by Jacobi's formula: a polynomial, at singular
 * matrices as at all others. Rows and columns in a circle leave no signs where n is odd.
 */
function tangentByMinors(x: NDArray, t: NDArray): NDArray {
  const sum = inner(cofactor(minors(x)), minors(t));
  return orderOf(x) % 2 === 0 ? mul(chessboard(x), sum) : sum;
}

/** Up to this order there are few enough minors. */
const fewMinors = 6;

/** Of any order, from the cofactors c, as a quotient by the determinant. */
function tangentAsQuotient(x: NDArray, t: NDArray, c: NDArray): NDArray {
  // C/det(A) is of the size of the inverse; a product of two cofactors could overflow.
  const quotient = div(c, spread(det(x), x.shape));
  const [stack, row, column] = [leading(x.shape), x.ndim - 2, x.ndim - 1];
  const batch = [stack, stack] as const;
  const moved = dotGeneral(c, t, { contracting: [[column], [column]], batch });
  const product = dotGeneral(moved, quotient, { contracting: [[column], [row]], batch });
  return sub(mul(spread(inner(t, c), x.shape), quotient), product);
}

const cofactorJvp: JvpRule = (primals, tangents, params, passes) => {
  const [x] = primals;
  const n = orderOf(x);
  if (n === 2) return swapping.jvp(primals, tangents, params, passes);
  const c = cofactor(x);
  if (n < 2) return { outputs: [c], tangents: [zeroFor(c.aval)] };
  const t = tangents[0] as NDArray;
  return { outputs: [c], tangents: [n <= fewMinors ? tangentByMinors(x, t) : tangentAsQuotient(x, t, c)] };
};

const cofactorTranspose: TransposeRule = (cotangents, inputs, params, passes) => {
  if (orderOf(inputs[0]) !== 2)
    throw new NotDifferentiableError(
      "cofactor is linear for matrices of order 2 alone: it cannot be transposed",
    );
  return swapping.transpose(cotangents, inputs, params, passes);
};

/** Cofactors of order two are the opposite elements; of higher order, all elements of the matrix may come in. */
function cofactorRelation(shape: Shape): Relation {
  const size = orderOf({ shape }) ** 2;
  const count = countOf({ shape });
  if (size === 4) return Int32Array.from({ length: count * 4 }, (_, i) => i - (i % 4) + 3 - (i % 4));
  const sums = summing([count, size], [0]);
  return [sums, walked([count, size], [1, 0])];
}

const cofactorPrimitive = definePrimitive({
  name: "cofactor",
  family: "linalg",
  summary: "matrices of cofactors of the matrices along the last two axes",
  abstractEval: squareRule("cofactor", (shape) => shape),
  evaluate: ([x], _, [out]) => {
    const n = orderOf(x);
    const values = new Float64Array(x.values.length);
    eachMatrix(x, (matrix, i) => cofactors(matrix, n, values, i * n * n));
    const stored = allocate(out.dtype, values.length);
    stored.set(values);
    return [new ConcreteArray(settle(out.dtype, stored), out)];
  },
  jvp: cofactorJvp,
  transpose: cofactorTranspose,
  dependence: ([x]) => [[cofactorRelation(x.aval.shape)]],
  batch: (_, [x]) => ({ outputs: [cofactor(x)], batched: [true] }),
  lower: lowerCofactor,
  cost: ([x]) => {
    const n = orderOf(x);
    if (n <= 2) return { operations: n === 2 ? 2 * countOf(x) : 0, multiplications: 0, transcendentals: 0 };
    const { operations, multiplications } = elimination(n);
    // Two triangular inverses, V from U, the products of others, and the product of the three factors.
    const inverses = ((n - 1) * n * (n + 1)) / 3;
    const product = (n * (n + 1) * (2 * n + 1)) / 6;
    const quotients = (n * (n - 1)) / 2 + (n * (n + 1)) / 2 + 3 * n;
    return repeated(countOf(x), {
      operations: operations + 2 * (inverses + product) + quotients,
      multiplications: multiplications + inverses + product + quotients,
      transcendentals: 0,
    });
  },
  laws: { differentiable: true, examples },
});
