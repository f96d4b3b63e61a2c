/**
 * A batch of matrix products as the kernels of dotGeneral and convGeneralDilated see it: for each b, row i of the one side
 * and row j of the other meet in Σ_k x[b, i, k] · y[b, j, k]. What axes the operands really have, and in what order, is
 * hidden in index maps.
 */
import { type Shape, sizeOf, stridesOf } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { indexAdd, indexMul, unravel } from "../core/ir/affine.js";
import { cast } from "../core/ir/ops.js";
import type { Buffer, Expr, Lanes, ScalarType, Stmt } from "../core/ir/types.js";

/** How the elements of a side lie in memory, if it is an operand as it is stored. */
export interface Layout {
  /** From a row to the next, and from a term to the next: undefined where that is not the same everywhere. */
  readonly rowStep: number | undefined;
  readonly termStep: number | undefined;
}

export interface Side {
  readonly rows: number;
  /** Where it is the same for several elements of the batch: how many different ones there are, and which it is. */
  readonly shared?: { readonly count: number; of(batch: Expr): Expr };
  /** Element `term` of a row, in the type of the sums. The index must be in bounds; `batch` counts different ones. */
  at(batch: Expr, row: Expr, term: Expr): Expr;
  /** The memory that kernels may read without `at`. Its dtype is that of the sums. */
  readonly direct: Direct | undefined;
}

export interface Direct extends Layout {
  readonly buffer: Buffer;
  place(batch: Expr, row: Expr, term: Expr): Expr;
  /** If the terms lie in several runs: `termStep` is the distance of neighbours in a run. */
  readonly runs?: Runs;
}

/** `count` runs of `length` terms, and how far each is from the first. */
export interface Runs {
  readonly count: number;
  readonly length: number;
  offset(run: Expr): Expr;
}

export interface Product {
  /** What its kernels are called. */
  readonly name: string;
  readonly batch: number;
  /** How many products each sum has. */
  readonly terms: number;
  readonly x: Side;
  readonly y: Side;
  /** The type in which products are added up. */
  readonly type: ScalarType;
  /** What to do with the sum for row `i` of x and row `j` of y. */
  write(batch: Expr, i: Expr, j: Expr, sum: Expr): readonly Stmt[];
  /** What `write` gives is long: kernels should have it once. */
  readonly isLong?: boolean;
  /** Results for neighbouring rows of x lie closer to each other than those for neighbouring rows of y. */
  readonly byColumns?: boolean;
}

/** The same with the sides exchanged. */
export const turned = (p: Product): Product => ({
  ...p,
  x: p.y,
  y: p.x,
  byColumns: p.byColumns !== true,
  write: (batch, i, j, sum) => p.write(batch, j, i, sum),
});

/** The dtype of memory that holds sums. */
export const storageOf = (type: ScalarType): DType =>
  type === "f32" ? "float32" : type === "f64" ? "float64" : type === "i32" ? "int32" : "uint32";

export const lanesOf = (type: ScalarType): Lanes => (type === "f64" ? 2 : 4);

// ---------------------------------------------------------------------------------------------------------------------
// Sides that are operands
// ---------------------------------------------------------------------------------------------------------------------

/** What each axis of an operand is for. */
export interface Roles {
  readonly batch: readonly number[];
  readonly free: readonly number[];
  readonly contracting: readonly number[];
}

const lengths = (shape: Shape, axes: readonly number[]): number[] => axes.map((a) => shape[a]);

/** The distance of elements that are neighbours along several axes taken as one, if it is the same everywhere. */
function stepOf(shape: Shape, axes: readonly number[]): number | undefined {
  const strides = stridesOf(shape);
  const long = axes.filter((a) => shape[a] !== 1);
  const regular = long.every((a, i) => {
    const next = long[i + 1];
    return next === undefined || strides[a] === strides[next] * shape[next];
  });
  if (!regular) return undefined;
  return long.length === 0 ? 1 : strides[long[long.length - 1]];
}

export const layoutOf = (shape: Shape, roles: Roles): Layout => ({
  rowStep: stepOf(shape, roles.free),
  termStep: stepOf(shape, roles.contracting),
});

/** An operand as a side; kernels may read its buffer if one is given. */
export function operandSide(
  shape: Shape,
  roles: Roles,
  type: ScalarType,
  element: (index: readonly Expr[]) => Expr,
  buffer: Buffer | undefined,
): Side {
  const groups = [roles.batch, roles.free, roles.contracting];
  const split = (positions: readonly Expr[]): Expr[] => {
    const index = new Array<Expr>(shape.length);
    for (const [g, axes] of groups.entries())
      for (const [k, e] of unravel(positions[g], lengths(shape, axes)).entries()) index[axes[k]] = e;
    return index;
  };
  const layout = layoutOf(shape, roles);
  return {
    rows: sizeOf(lengths(shape, roles.free)),
    at: (...positions) => cast(type, element(split(positions))),
    direct: buffer && { buffer, ...layout, place: placeIn(shape, groups) },
  };
}

/** The place in memory, from the position along each group of axes. */
function placeIn(shape: Shape, groups: readonly (readonly number[])[]) {
  const strides = stridesOf(shape);
  return (...positions: readonly Expr[]): Expr =>
    groups
      .map((axes, g) => {
        const step = stepOf(shape, axes);
        if (step !== undefined) return indexMul(positions[g], sizeOf(lengths(shape, axes)) === 1 ? 0 : step);
        return unravel(positions[g], lengths(shape, axes))
          .map((e, k) => indexMul(e, strides[axes[k]]))
          .reduce(indexAdd);
      })
      .reduce(indexAdd);
}
