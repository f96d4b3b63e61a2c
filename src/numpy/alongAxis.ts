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
import { axisOptions, oneAxis, plainOptions } from "./axes.js";
import { known } from "./constants.js";
import { type Indices, placed, type TakeMode } from "./indexing.js";
import { indexArray, wrapNegative } from "./indexParts.js";
import { ravel } from "./manipulation.js";
import { type ArrayLike, asArray, stretch } from "./operands.js";
import { counting } from "./rearrange.js";
import { checkFits, fitting } from "./values.js";

/** The axis (default: -1; null means the flattened array), by itself or among the options. */
interface AxisOption {
  readonly axis?: number | null;
}

export interface TakeAlongOptions extends AxisOption {
  /** What indices out of range do, as in `take`. Default: "fill". */
  readonly mode?: TakeMode;
  readonly fillValue?: number | null;
}

export interface PutAlongOptions extends AxisOption {
  /** Whether values for indices out of range are left out or moved inside. Default: "drop". */
  readonly mode?: "clip" | "drop";
}

/** An axis may stand before the options, as in NumPy. */
function withAxis<O extends AxisOption>(
  name: string,
  axis: AxisOr<O> | undefined,
  options: O | undefined,
  keys: readonly (keyof O & string)[],
): O {
  const first = axisOptions<O>(name, axis as AxisOr<O>, keys);
  return options === undefined ? first : { ...plainOptions(name, options, keys), ...first };
}

/** What a gather or scatter along one axis needs to know, the other axes going along. */
interface Along {
  readonly x: NDArray;
  readonly indices: NDArray;
  readonly numbers: {
    readonly axis: number;
    readonly operandBatching: number[];
    readonly indicesBatching: number[];
  };
  /** Axes of length 1 of the array that the indices repeat. */
  readonly shape: readonly number[];
}

function along(name: string, x: NDArray, given: NDArray, axis: number | null): Along {
  const flat = axis === null;
  const a = flat ? ravel(x) : x;
  const i = flat ? ravel(given) : given;
  const own = flat ? 0 : oneAxis(name, axis, a.shape);
  const fits =
    i.ndim === a.ndim &&
    a.shape.every((n, d) => d === own || n === i.shape[d] || n === 1 || i.shape[d] === 1);
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
    indices: known([i], () => broadcastInDim(i, shape, counting(i.ndim))),
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
 * np.takeAlongAxis(np.array([[3, 1], [5, 9]]), [[1], [0]], 1); // [[1], [5]]
 */
export function takeAlongAxis(
  x: ArrayLike,
  indices: Indices,
  axisOrOptions?: number | null | TakeAlongOptions,
  options?: TakeAlongOptions,
): NDArray {
  const keys = ["axis", "mode", "fillValue"] as const;
  const given = withAxis<TakeAlongOptions>("takeAlongAxis", axisOrOptions, options, keys);
  const { axis = -1, mode = "fill", fillValue = null } = given;
  const setting = along(
    "takeAlongAxis",
    asArray(x, "takeAlongAxis"),
    indexArray("takeAlongAxis", indices),
    axis,
  );
  const { numbers, shape } = setting;
  const length = setting.x.shape[numbers.axis];
  // Unlike `take`, JAX counts negative places from the end here in every mode.
  const counted = mode === "clip" ? wrapNegative(setting.indices, length) : setting.indices;
  const { places, mode: outside } = placed("takeAlongAxis", counted, length, mode);
  const vectors = known([places], () => reshape(places, [...shape, 1]));
  return gather(setting.x, vectors, {
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
 * np.putAlongAxis(np.zeros([2, 2]), [[1], [0]], 7, 1); // [[0, 7], [7, 0]]
 */
export function putAlongAxis(
  x: ArrayLike,
  indices: Indices,
  values: ArrayLike,
  axisOrOptions?: number | null | PutAlongOptions,
  options?: PutAlongOptions,
): NDArray {
  const name = "putAlongAxis";
  const { axis = -1, mode = "drop" } = withAxis<PutAlongOptions>(name, axisOrOptions, options, [
    "axis",
    "mode",
  ]);
  const a = asArray(x, name);
  const places = indexArray(name, indices);
  const flat = axis === null;
  const { numbers, ...setting } = along(name, a, places, axis);
  if (setting.x.ndim !== (flat ? 1 : a.ndim))
    throw new ShapeError(`${name}: indices ${describe(places.aval)} repeat places of ${describe(a.aval)}`);
  if (mode !== "drop" && mode !== "clip")
    throw new ArgumentError(`${name}: mode must be "drop" or "clip", got ${showParam(mode)}`);
  const wrapped = wrapNegative(setting.indices, setting.x.shape[numbers.axis]);
  const fit = fitting(name, a, values);
  checkFits(name, fit, setting.shape);
  const updates = stretch(fit, setting.shape);
  const vectors = known([wrapped], () => reshape(wrapped, [...setting.shape, 1]));
  const out = scatter(setting.x, vectors, updates, {
    updateWindowDims: [],
    insertedWindowDims: [numbers.axis],
    scatterDimsToOperandDims: [numbers.axis],
    operandBatchingDims: numbers.operandBatching,
    scatterIndicesBatchingDims: numbers.indicesBatching,
    mode,
  });
  return reshape(out, a.shape);
}
