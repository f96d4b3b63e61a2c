/** Arrays of one value, and symbolic zeros as arrays, for rules that need an array. */
import { type NDArray, scalar } from "../core/array.js";
import type { Aval, Shape } from "../core/aval.js";
import { isZero, type Tangent } from "../core/zero.js";
import { broadcastInDim } from "./broadcast.js";

/** An array of the given shape, each element of which is the scalar `value`. */
export const filled = (shape: Shape, value: NDArray): NDArray => broadcastInDim(value, shape, []);

/** An array of zeros of the given type. */
export const zeros = (type: Aval): NDArray => filled(type.shape, scalar(0, type.dtype, type.weakType));

/** A tangent as an array, where an operation needs one beside others that are not zero. */
export const instantiate = (t: Tangent): NDArray => (isZero(t) ? zeros(t.aval) : t);

/** The same array for each of `size` examples, with the batch axis in front. */
export const repeat = (x: NDArray, size: number): NDArray =>
  broadcastInDim(
    x,
    [size, ...x.shape],
    x.shape.map((_, i) => i + 1),
  );
