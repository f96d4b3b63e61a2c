/** Elements along an axis at places that an array gives for each position along the other axes. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { AxisOr } from "../core/methods.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { showParam } from "../primitives/checks.js";
import { gather } from "../primitives/gather.js";
import { scatter } from "../primitives/scatter.js";
import { reshape } from "../primitives/shape.js";
import { axisOptions, oneAxis } from "./axes.js";
import { indexArray, wrapNegative } from "./indexParts.js";
import { placed, type TakeMode } from "./indexing.js";
import { ravel } from "./manipulation.js";
import { type ArrayLike, asArray, stretch } from "./operands.js";
import { counting } from "./rearrange.js";
import { checkFits, fitting } from "./values.js";

interface AlongOptions {
  /** Default: -1; null means the flattened array. */
  readonly axis?: number | null;
  readonly mode?: TakeMode;
  readonly fillValue?: number | null;
}

/** What a gather or scatter along one axis needs to know, the other axes going along. */
interface Along {
  readonly x: NDArray;
  readonly indices: NDArray;
  readonly numbers: { readonly axis: number; readonly operandBatching: number[]; readonly indicesBatching: number[] };
  /** Axes of length 1 of the array that the indices repeat. */
  readonly shape: readonly number[];
}

function along(name: string, x: NDArray, given: NDArray, axis: number | null): Along {
  const flat = axis === null;
  const a = flat ? ravel(x) : x;
  const i = flat ? ravel(given) : given;
  const own = flat ? 0 : oneAxis(name, axis, a.shape);
  const fits =
    i.ndim === a.ndim && a.shape.every((n, d) => d === own || n === i.shape[d] || n === 1 || i.shape[d] === 1);
  if (!fits)
    throw new ShapeError(
      `${name}: indices ${describe(i.aval)} must have the shape of ${describe(a.aval)} except along axis ${own}`,
    );
  const shape = i.shape.map((n, d) => (d !== own && n === 1 ? a.shape[d] : n));
  // Axes of length 1 that the indices repeat are the same for all of them, so they are left out of the operand.
  const kept = counting(a.ndim).filter((d) => d === own || a.shape[d] === shape[d]);
  const operand = reshape(
    a,
    kept.map((d) => a.shape[d]),
  );
  return {
    x: operand,
    indices: broadcastInDim(i, shape, counting(i.ndim)),
    numbers: {
      axis: kept.indexOf(own),
      operandBatching: counting(kept.length).filter((k) => kept[k] !== own),
      indicesBatching: kept.filter((d) => d !== own),
    },
    shape,
  };
}

/**
 * For each index the element at that place along the axis, the places along other axes being those of the index: what
 * `argsort` and `argmax` give can be used so. Other axes broadcast. Indices out of range as in `take`.
 * @throws ShapeError, AxisError, DtypeError
 * @example
 * np.takeAlongAxis(np.array([[3, 1], [5, 9]]), np.array([[1], [0]]), 1); // [[1], [5]]
 */
export function takeAlongAxis(x: ArrayLike, indices: ArrayLike, options?: AxisOr<AlongOptions>): NDArray {
  const known = ["axis", "mode", "fillValue"] as const;
  const { axis = -1, mode = "fill", fillValue = null } = axisOptions<AlongOptions>("takeAlongAxis", options, known);
  const setting = along("takeAlongAxis", asArray(x, "takeAlongAxis"), indexArray("takeAlongAxis", indices), axis);
  const { numbers, shape } = setting;
  const length = setting.x.shape[numbers.axis];
  // Unlike `take`, JAX counts negative places from the end here in every mode.
  const counted = mode === "clip" ? wrapNegative(setting.indices, length) : setting.indices;
  const { places, mode: outside } = placed("takeAlongAxis", counted, length, mode);
  return gather(setting.x, reshape(places, [...shape, 1]), {
    offsetDims: [],
    collapsedSliceDims: [numbers.axis],
    startIndexMap: [numbers.axis],
    operandBatchingDims: numbers.operandBatching,
    startIndicesBatchingDims: numbers.indicesBatching,
    sliceSizes: setting.x.shape.map(() => 1),
    mode: outside,
    fillValue,
  });
}

/**
 * `x` with elements along an axis replaced: the counterpart of `takeAlongAxis`. Values broadcast to the indices;
 * indices out of range are dropped, or moved inside with mode "clip". `x` itself stays as it is.
 * @throws ShapeError, AxisError, DtypeError
 * @example
 * np.putAlongAxis(np.zeros([2, 2]), np.array([[1], [0]]), 7, 1); // [[0, 7], [7, 0]]
 */
export function putAlongAxis(
  x: ArrayLike,
  indices: ArrayLike,
  values: ArrayLike,
  options?: AxisOr<{ readonly axis?: number | null; readonly mode?: "clip" | "drop" }>,
): NDArray {
  const name = "putAlongAxis";
  type Options = { axis?: number | null; mode?: "clip" | "drop" };
  const { axis = -1, mode = "drop" } = axisOptions<Options>(name, options, ["axis", "mode"]);
  const a = asArray(x, name);
  const given = indexArray(name, indices);
  const flat = axis === null;
  const { numbers, indices: places, ...setting } = along(name, a, given, axis);
  if (setting.x.ndim !== (flat ? 1 : a.ndim))
    throw new ShapeError(`${name}: indices ${describe(given.aval)} repeat places of ${describe(a.aval)}`);
  if (mode !== "drop" && mode !== "clip")
    throw new ArgumentError(`${name}: mode must be "drop" or "clip", got ${showParam(mode)}`);
  const wrapped = wrapNegative(places, setting.x.shape[numbers.axis]);
  const fit = fitting(name, a, values);
  checkFits(name, fit, setting.shape);
  const updates = stretch(fit, setting.shape);
  const out = scatter(setting.x, reshape(wrapped, [...setting.shape, 1]), updates, {
    updateWindowDims: [],
    insertedWindowDims: [numbers.axis],
    scatterDimsToOperandDims: [numbers.axis],
    operandBatchingDims: numbers.operandBatching,
    scatterIndicesBatchingDims: numbers.indicesBatching,
    mode,
  });
  return reshape(out, a.shape);
}
