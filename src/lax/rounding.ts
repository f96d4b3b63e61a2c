/** Rounding to whole numbers and to neighbours. Floats only, and without derivatives: they are constant between jumps. */
import type { NDArray } from "../core/array.js";
import * as p from "../primitives/rounding.js";
import { optionsOf } from "./arguments.js";
import { type ArrayLike, operand, operands } from "./operands.js";

/**
 * The largest whole number not above x.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.floor(np.array([-1.5, 1.5])); // [-2, 1]
 */
export const floor = (x: ArrayLike): NDArray => p.floor(operand("floor", x, true));

/**
 * The smallest whole number not below x.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.ceil(np.array([-1.5, 1.5])); // [-1, 2]
 */
export const ceil = (x: ArrayLike): NDArray => p.ceil(operand("ceil", x, true));

export interface RoundOptions {
  /** What happens half-way between two whole numbers. Default: "awayFromZero". */
  readonly roundingMethod?: p.RoundingMethod;
}

/**
 * The nearest whole number.
 * @throws DtypeError for integers and booleans; ArgumentError for another method.
 * @example
 * lax.round(np.array([0.5, 2.5])); // [1, 3]
 * lax.round(np.array([0.5, 2.5]), { roundingMethod: "toNearestEven" }); // [0, 2]
 */
export function round(x: ArrayLike, options?: RoundOptions): NDArray {
  const { roundingMethod } = optionsOf("round", options, ["roundingMethod"]);
  return p.round(operand("round", x, true), roundingMethod);
}

/**
 * Where x is neither infinite nor NaN.
 * @returns bool, in the shape of x.
 * @throws DtypeError for integers and booleans.
 * @example
 * lax.isFinite(np.array([1.5, Infinity, NaN])); // [true, false, false]
 */
const finite = (x: ArrayLike): NDArray => p.isFinite(operand("isFinite", x, true));

// Inside this file the name belongs to JavaScript.
export { finite as isFinite };

/**
 * The next number after x in the direction of y that the dtype can represent.
 * @throws DtypeError for integers, booleans and mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.nextafter(np.array([1], { dtype: "float64" }), 2).sub(1); // [2.220446e-16]
 */
export function nextafter(x: ArrayLike, y: ArrayLike): NDArray {
  const [a, b] = operands("nextafter", [x, y], true);
  return p.nextafter(a, b);
}
