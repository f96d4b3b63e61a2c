/** Values that are written into an array: they take its dtype and the shape of the places. */
import type { NDArray } from "../core/array.js";
import { describe, type Shape } from "../core/aval.js";
import { promote } from "../core/dtype.js";
import { DtypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, convertTo } from "./operands.js";

/** Values in the dtype of the array, which must be able to hold them. */
export function fitting(name: string, x: NDArray, values: ArrayLike): NDArray {
  const given = asArray(values, name);
  const joint = promote([x.aval, given.aval]);
  if (joint.dtype !== x.dtype)
    throw new DtypeError(
      `${name}: values of dtype ${given.dtype} do not fit into ${describe(x.aval)}; convert one of them with astype`,
    );
  return convertTo(values, x.aval);
}

/** Values broadcast to the shape of what they are written to, never the other way round. */
export function checkFits(name: string, values: NDArray, target: Shape): void {
  const extra = target.length - values.ndim;
  if (extra < 0 || !values.shape.every((n, i) => n === 1 || n === target[extra + i]))
    throw new ShapeError(
      `${name}: values of shape [${values.shape.join(",")}] do not broadcast to the indexed shape [${target.join(",")}]`,
    );
}
