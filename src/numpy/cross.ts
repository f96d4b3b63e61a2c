/** The cross product. */
import type { NDArray } from "../core/array.js";
import { describeAll } from "../core/aval.js";
import { ShapeError } from "../core/errors.js";
import { mul, neg, sub } from "../primitives/field.js";
import { oneAxis, plainOptions } from "./axes.js";
import { stack } from "./joining.js";
import { moveaxis } from "./manipulation.js";
import { type ArrayLike, broadcastOperands, promoteOperands } from "./operands.js";
import { elementAt } from "./rearrange.js";

export interface CrossOptions {
  /** The axes of `x`, `y` and the result that hold the components. Default: -1. */
  readonly axisa?: number;
  readonly axisb?: number;
  readonly axisc?: number;
  /** One axis for all three. */
  readonly axis?: number;
}

/**
 * The cross product of vectors with three components along an axis; other axes broadcast. Of vectors with two
 * components the third one is 0; of two such vectors the result is the third component alone.
 * @throws ShapeError for other numbers of components, AxisError
 * @example
 * np.cross(np.array([1, 0, 0]), np.array([0, 1, 0])); // [0, 0, 1]
 */
export function cross(x: ArrayLike, y: ArrayLike, options: CrossOptions = {}): NDArray {
  const { axis, ...rest } = plainOptions("cross", options, ["axisa", "axisb", "axisc", "axis"]);
  const {
    axisa = -1,
    axisb = -1,
    axisc = -1,
  } = axis === undefined ? rest : { axisa: axis, axisb: axis, axisc: axis };
  const given = promoteOperands("cross", [x, y]);
  const [a, b] = given.map((v, i) => moveaxis(v, oneAxis("cross", [axisa, axisb][i], v.shape), -1));
  const lengths = [a, b].map((v) => v.shape.at(-1) as number);
  if (lengths.some((n) => n !== 2 && n !== 3))
    throw new ShapeError(
      `cross needs vectors with 2 or 3 components, got ${describeAll(given.map((v) => v.aval))}`,
    );
  const component = (v: NDArray, i: number): NDArray | undefined =>
    i < (v.shape.at(-1) as number) ? elementAt(v, v.ndim - 1, i) : undefined;
  /** The i-th component of one times the j-th of the other; undefined where one of them is 0. */
  const product = (i: number, j: number): NDArray | undefined => {
    const [p, q] = [component(a, i), component(b, j)];
    if (p === undefined || q === undefined) return undefined;
    const [left, right] = broadcastOperands("cross", [p, q]);
    return mul(left, right);
  };
  const difference = (i: number, j: number): NDArray => {
    const [p, q] = [product(i, j), product(j, i)];
    if (p !== undefined && q !== undefined) return sub(p, q);
    return p ?? neg(q as NDArray);
  };
  const third = difference(0, 1);
  if (lengths.every((n) => n === 2)) return third;
  return stack([difference(1, 2), difference(2, 0), third], oneAxis("cross", axisc, [...third.shape, 3]));
}
