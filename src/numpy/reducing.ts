/** What reductions have in common: which axes, which elements, and the shape of the result. */
import type { NDArray } from "../core/array.js";
import { describe, type Shape, sameShape, sizeOf } from "../core/aval.js";
import { ShapeError } from "../core/errors.js";
import type { AxisOr, ReduceOptions } from "../core/methods.js";
import type { ArgExtremumOp } from "../primitives/argmax.js";
import { reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { filled } from "../primitives/filled.js";
import { reshape } from "../primitives/shape.js";
import { axisOptions, oneAxis, severalAxes } from "./axes.js";
import { type ArrayLike, asArray, asCondition, commonShape, stretch } from "./operands.js";

export interface MaskOption {
  /** Which elements take part: broadcasts to the shape of the array. */
  readonly where?: ArrayLike;
}

export interface InitialOption {
  /** A value that takes part beside the elements. */
  readonly initial?: ArrayLike;
}

/** The axes to reduce, in the increasing order that primitives want. */
export const axesOf = (name: string, x: NDArray, { axis }: ReduceOptions): number[] =>
  severalAxes(name, axis, x.shape).sort((a, b) => a - b);

/** The shape with the reduced axes kept with length 1. */
export const keptShape = (shape: Shape, axes: readonly number[]): number[] =>
  shape.map((n, i) => (axes.includes(i) ? 1 : n));

/** The axes that are not reduced. */
export const otherAxes = (shape: Shape, axes: readonly number[]): number[] =>
  shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));

/** The result of reducing an array of some shape, with its axes kept if that is asked for. */
export const keepAxes = (
  result: NDArray,
  shape: Shape,
  axes: readonly number[],
  { keepdims }: ReduceOptions,
): NDArray => (keepdims ? reshape(result, keptShape(shape, axes)) : result);

/** The option `where` as a boolean array of the given shape; a scalar stays one. */
export function maskOf(name: string, where: ArrayLike, shape: Shape): NDArray {
  const mask = asCondition(asArray(where, name));
  if (mask.ndim === 0) return mask;
  const common = commonShape([mask.shape, shape]);
  if (common === undefined || !sameShape(common, shape))
    throw new ShapeError(
      `${name}: where is ${describe(mask.aval)}, which does not broadcast to [${shape.join(",")}]`,
    );
  return stretch(mask, shape);
}

/** How many elements take part in each result: a number if there is no mask. */
export function countAlong(
  mask: NDArray | undefined,
  shape: Shape,
  axes: readonly number[],
): NDArray | number {
  if (mask === undefined) return sizeOf(axes.map((a) => shape[a]));
  const all = mask.ndim === 0 ? filled(shape, mask) : mask;
  return reduceSum(convertElementType(all, "int32"), axes);
}

export interface PlaceOptions {
  readonly axis?: number | null;
  /** Keep the axis with length 1; without an axis, all of them. */
  readonly keepdims?: boolean;
}

/** The place of an extremum along an axis, or in the flattened array. */
export function placeOf(
  name: string,
  x: ArrayLike,
  given: AxisOr<PlaceOptions> | undefined,
  find: ArgExtremumOp,
): NDArray {
  const { axis = null, keepdims } = axisOptions<PlaceOptions>(name, given, ["axis", "keepdims"]);
  const a = asArray(x, name);
  if (axis === null) {
    const place = find(reshape(a, [a.size]), 0);
    return keepdims
      ? reshape(
          place,
          a.shape.map(() => 1),
        )
      : place;
  }
  const along = oneAxis(name, axis, a.shape);
  return keepAxes(find(a, along), a.shape, [along], { keepdims });
}
