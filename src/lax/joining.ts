/** Several arrays as one, and one as several. */
import type { NDArray } from "../core/array.js";
import { describe, describeAll, sameShape } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { showParam } from "../primitives/checks.js";
import { concatenate as join } from "../primitives/concatenate.js";
import { reshape } from "../primitives/shape.js";
import { slice } from "../primitives/slicing.js";
import { axisOf, optionsOf, shapeOf } from "./arguments.js";
import { type ArrayLike, arrayOperand, operands } from "./operands.js";

const listed = (name: string, xs: unknown): readonly ArrayLike[] => {
  if (Array.isArray(xs) && xs.length > 0) return xs;
  throw new ArgumentError(`lax.${name} takes a list of arrays, got ${showParam(xs)}`);
};

/**
 * The arrays one after the other along an axis. They have one dtype, and shapes that differ only along that axis.
 * @throws ArgumentError without arrays; ShapeError, DtypeError or AxisError if they do not fit.
 * @example
 * lax.concatenate([np.array([1, 2]), np.array([3])], 0); // [1, 2, 3]
 */
export function concatenate(xs: readonly NDArray[], axis: number): NDArray {
  const arrays = listed("concatenate", xs).map((x) => arrayOperand("concatenate", x));
  const along = axisOf("concatenate", axis, arrays[0].ndim);
  return arrays.length === 1 ? arrays[0] : join(arrays, along);
}

/**
 * The arrays side by side along a new axis, which stands at `axis` in the result. They have one shape and dtype.
 * @throws ArgumentError without arrays; ShapeError, DtypeError or AxisError if they do not fit.
 * @example
 * lax.stack([np.array([1, 2]), np.array([3, 4])], 1); // [[1, 3], [2, 4]]
 */
export function stack(xs: readonly ArrayLike[], axis = 0): NDArray {
  const arrays = operands("stack", listed("stack", xs));
  const [{ shape, ndim }] = arrays;
  if (arrays.some((x) => !sameShape(x.shape, shape)))
    throw new ShapeError(
      `lax.stack needs arrays of one shape, got ${describeAll(arrays.map((x) => x.aval))}`,
    );
  const along = axisOf("stack", axis, ndim + 1);
  const layers = arrays.map((x) => reshape(x, [...shape.slice(0, along), 1, ...shape.slice(along)]));
  return layers.length === 1 ? layers[0] : join(layers, along);
}

export interface SplitOptions {
  /** Default: 0. */
  readonly axis?: number;
}

/**
 * Parts of the given lengths, one after the other along an axis.
 * @throws ShapeError if the lengths do not add up to that of the axis; AxisError if there is no such axis.
 * @example
 * lax.split(np.array([1, 2, 3]), [1, 2])[1]; // [2, 3]
 */
export function split(x: NDArray, sizes: readonly number[], options?: SplitOptions): NDArray[] {
  const a = arrayOperand("split", x);
  const along = axisOf("split", optionsOf("split", options, ["axis"]).axis ?? 0, a.ndim);
  const lengths = shapeOf("split", sizes);
  if (lengths.reduce((n, m) => n + m, 0) !== a.shape[along])
    throw new ShapeError(
      `lax.split: lengths ${showParam(sizes)} do not add up to axis ${along} of ${describe(a.aval)}`,
    );
  let at = 0;
  return lengths.map((length) => {
    const from = at;
    at += length;
    if (length === a.shape[along]) return a;
    const start = a.shape.map((_, i) => (i === along ? from : 0));
    return slice(
      a,
      start,
      a.shape.map((n, i) => (i === along ? at : n)),
    );
  });
}
