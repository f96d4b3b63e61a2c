/** Comparisons, element by element. Operands have one dtype (any), and one shape or none (scalars); the result is bool. */
import type { NDArray } from "../core/array.js";
import * as p from "../primitives/comparison.js";
import { type ArrayLike, operands } from "./operands.js";

const pair = (name: string, x: ArrayLike, y: ArrayLike): [NDArray, NDArray] =>
  operands(name, [x, y]) as [NDArray, NDArray];

/**
 * Where x = y. NaN equals nothing.
 * @throws DtypeError for mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.eq(np.array([1, 2]), 2); // [false, true]
 */
export const eq = (x: ArrayLike, y: ArrayLike): NDArray => p.eq(...pair("eq", x, y));

/**
 * Where x ≠ y. NaN differs from everything.
 * @throws DtypeError for mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.ne(np.array([1, 2]), 2); // [true, false]
 */
export const ne = (x: ArrayLike, y: ArrayLike): NDArray => p.ne(...pair("ne", x, y));

/**
 * Where x < y.
 * @throws DtypeError for mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.lt(np.array([1, 2]), 2); // [true, false]
 */
export const lt = (x: ArrayLike, y: ArrayLike): NDArray => p.lt(...pair("lt", x, y));

/**
 * Where x ≤ y.
 * @throws DtypeError for mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.le(np.array([1, 2, 3]), 2); // [true, true, false]
 */
export const le = (x: ArrayLike, y: ArrayLike): NDArray => p.le(...pair("le", x, y));

/**
 * Where x > y.
 * @throws DtypeError for mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.gt(np.array([1, 2, 3]), 2); // [false, false, true]
 */
export const gt = (x: ArrayLike, y: ArrayLike): NDArray => p.gt(...pair("gt", x, y));

/**
 * Where x ≥ y.
 * @throws DtypeError for mixed dtypes; ShapeError for shapes that differ.
 * @example
 * lax.ge(np.array([1, 2]), 2); // [false, true]
 */
export const ge = (x: ArrayLike, y: ArrayLike): NDArray => p.ge(...pair("ge", x, y));
