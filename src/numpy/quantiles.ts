/** Quantiles: medians, percentiles, with NaN or past it. */
import { concreteArray, type NDArray } from "../core/array.js";
import { type Shape, sizeOf } from "../core/aval.js";
import { ArgumentError } from "../core/errors.js";
import type { AxisOr, ReduceOptions } from "../core/methods.js";
import { add, div, max, mul, sub } from "../primitives/arithmetic.js";
import { broadcastInDim, reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { eq, le, ne } from "../primitives/comparison.js";
import { filled } from "../primitives/filled.js";
import { takeAlong } from "../primitives/gather.js";
import { ceil, floor } from "../primitives/rounding.js";
import { select } from "../primitives/select.js";
import { reshape, transpose } from "../primitives/shape.js";
import { sort } from "../primitives/sort.js";
import { array } from "./array.js";
import { axisOptions } from "./axes.js";
import { type ArrayLike, convertTo, promoteOperands } from "./operands.js";
import { elementAt, gatherAxis, pick } from "./rearrange.js";
import { axesOf, keptShape, otherAxes } from "./reducing.js";

/** What a quantile between two elements is. */
export type QuantileMethod = "linear" | "lower" | "higher" | "midpoint" | "nearest";

export interface QuantileOptions extends ReduceOptions {
  readonly method?: QuantileMethod;
}

/** One fraction, or several: then the result has their axes in front. */
export type Fractions = ArrayLike | readonly number[];

/**
 * Neighbours in the sorted order, and how far the quantile lies from the lower to the upper one. The arrays have one
 * shape; for a single fraction that is known the weight is a number.
 */
interface Neighbours {
  readonly lower: NDArray;
  readonly upper: NDArray;
  readonly weight: NDArray | number;
}

function linear({ lower, upper, weight }: Neighbours): NDArray {
  // The lower one alone where the weight is 0: an infinite neighbour would spoil it.
  if (weight === 0) return lower;
  if (typeof weight === "number") return add(mul(lower, 1 - weight), mul(upper, weight));
  return select(eq(weight, 0), lower, add(mul(lower, sub(1, weight)), mul(upper, weight)));
}

function nearest({ lower, upper, weight }: Neighbours): NDArray {
  if (typeof weight === "number") return weight <= 0.5 ? lower : upper;
  return select(le(weight, 0.5), lower, upper);
}

const methods: Record<QuantileMethod, (n: Neighbours) => NDArray> = {
  linear,
  lower: ({ lower }) => lower,
  higher: ({ upper }) => upper,
  midpoint: ({ lower, upper }) => mul(add(lower, upper), 0.5),
  nearest,
};

/** Brings the axes to reduce together, as the last axis. */
function gathered(a: NDArray, axes: readonly number[]): NDArray {
  const kept = otherAxes(a.shape, axes);
  const length = sizeOf(axes.map((i) => a.shape[i]));
  return reshape(transpose(a, [...kept, ...axes]), [...kept.map((i) => a.shape[i]), length]);
}

/** Neighbours at places that are known while tracing: slices of the sorted array. A single place takes up no axis. */
function knownNeighbours(sorted: NDArray, fractions: readonly number[]): Neighbours {
  const last = sorted.ndim - 1;
  const places = fractions.map((q) => q * (sorted.shape[last] - 1));
  if (places.length === 1) {
    const at = (place: number): NDArray => elementAt(sorted, last, place);
    const [below, above] = [Math.floor(places[0]), Math.ceil(places[0])];
    const lower = at(below);
    return { lower, upper: above === below ? lower : at(above), weight: places[0] - below };
  }
  const weights = concreteArray(
    places.map((p) => p - Math.floor(p)),
    [places.length],
    sorted.dtype,
  );
  const lower = pick(sorted, last, places.map(Math.floor));
  return {
    lower,
    upper: pick(sorted, last, places.map(Math.ceil)),
    weight: broadcastInDim(weights, lower.shape, [last]),
  };
}

/** Neighbours at places that are computed, the same for each line. */
function tracedNeighbours(sorted: NDArray, fractions: NDArray): Neighbours {
  const last = sorted.ndim - 1;
  const places = mul(fractions, sorted.shape[last] - 1);
  const below = floor(places);
  const at = (place: NDArray): NDArray =>
    gatherAxis(sorted, last, convertElementType(place, "int32"), "clip");
  const lower = at(below);
  return { lower, upper: at(ceil(places)), weight: broadcastInDim(sub(places, below), lower.shape, [last]) };
}

/** Neighbours in each line among the elements that are not NaN, which the sort has put in front. */
function neighboursPastNaN(sorted: NDArray, isNumber: NDArray, fractions: NDArray): Neighbours {
  const last = sorted.ndim - 1;
  const count = reduceSum(convertElementType(isNumber, sorted.dtype), [last]);
  const shape = [...count.shape, fractions.size];
  const others = count.shape.map((_, i) => i);
  const places = mul(
    broadcastInDim(fractions, shape, [last]),
    // A line of NaN alone has its first element, which is NaN, for all quantiles.
    broadcastInDim(max(sub(count, 1), 0), shape, others),
  );
  const below = floor(places);
  const at = (place: NDArray): NDArray => takeAlong(sorted, convertElementType(place, "int32"), last);
  return { lower: at(below), upper: at(ceil(places)), weight: sub(places, below) };
}

/** Fractions whose values are known, as JavaScript numbers. */
function knownFractions(name: string, q: Fractions, scale: number): number[] | undefined {
  if (typeof q !== "number" && !Array.isArray(q)) return undefined;
  const fractions = (typeof q === "number" ? [q] : (q as readonly number[])).map((v) => v / scale);
  const wrong = fractions.findIndex((v) => !(v >= 0 && v <= 1));
  if (wrong >= 0)
    throw new ArgumentError(`${name} needs numbers from 0 to ${scale}, got ${[q].flat()[wrong]}`);
  return fractions;
}

function quantilesOf(
  name: string,
  x: ArrayLike,
  q: Fractions,
  given: AxisOr<QuantileOptions> | undefined,
  { scale, pastNaN }: { scale: number; pastNaN: boolean },
): NDArray {
  const options = axisOptions<QuantileOptions>(name, given, ["axis", "keepdims", "method"]);
  const { method = "linear", keepdims } = options;
  if (!Object.hasOwn(methods, method))
    throw new ArgumentError(
      `${name}: the method must be one of ${Object.keys(methods).join(", ")}, got ${JSON.stringify(method)}`,
    );
  const known = knownFractions(name, q, scale);
  const traced = known === undefined ? array(q as ArrayLike) : undefined;
  const [a] = promoteOperands(name, traced === undefined ? [x] : [x, traced], true);
  const strong = { dtype: a.dtype, weakType: false };
  const axes = axesOf(name, a, options);
  const lines = gathered(convertTo(a, strong), axes);
  const count = known?.length ?? (traced as NDArray).size;
  const qShape: Shape = traced?.shape ?? (typeof q === "number" ? [] : [count]);
  const kept = keepdims ? keptShape(a.shape, axes) : otherAxes(a.shape, axes).map((i) => a.shape[i]);
  const shape = [...qShape, ...kept];
  const last = lines.ndim - 1;
  if (lines.shape[last] === 0) return filled(shape, convertTo(Number.NaN, strong));

  const [sorted] = sort([lines], { dimension: last, numKeys: 1, isStable: true });
  const fractions = (): NDArray => {
    if (traced === undefined) return concreteArray(known as number[], [count], strong.dtype);
    const flat = reshape(convertTo(traced, strong), [count]);
    return scale === 1 ? flat : div(flat, scale);
  };
  const neighbours = pastNaN
    ? neighboursPastNaN(sorted, eq(lines, lines), fractions())
    : known === undefined
      ? tracedNeighbours(sorted, fractions())
      : knownNeighbours(sorted, known);
  const others = lines.shape.slice(0, -1).map((_, i) => i);
  let result = methods[method](neighbours);
  if (!pastNaN) {
    // NaN sorts last, so one look tells whether there is any.
    const end = elementAt(sorted, last, lines.shape[last] - 1);
    result = select(broadcastInDim(ne(end, end), result.shape, others), Number.NaN, result);
  }
  return reshape(result.ndim > last ? transpose(result, [last, ...others]) : result, shape);
}

/**
 * The q-th quantile along axes (default: of all elements), for fractions q from 0 to 1. For several fractions the result
 * has their axis in front. Between two elements the method decides: "linear" (default), "lower", "higher", "midpoint" or
 * "nearest". NaN where an element is NaN, and for no elements. Integers are taken as float32.
 * @throws ArgumentError for fractions out of range (if they are known), unknown methods and options.
 * @throws AxisError for an axis that does not exist.
 * @example
 * np.quantile(np.array([1, 2, 3, 4]), 0.5); // 2.5
 * np.quantile(np.array([1, 2, 3, 4]), [0, 0.75]); // [1, 3.25]
 */
export const quantile = (x: ArrayLike, q: Fractions, options?: AxisOr<QuantileOptions>): NDArray =>
  quantilesOf("quantile", x, q, options, { scale: 1, pastNaN: false });

/**
 * The q-th percentile along axes: `quantile` for q from 0 to 100. Options and errors are those of `quantile`.
 * @example
 * np.percentile(np.array([1, 2, 3, 4]), 25); // 1.75
 */
export const percentile = (x: ArrayLike, q: Fractions, options?: AxisOr<QuantileOptions>): NDArray =>
  quantilesOf("percentile", x, q, options, { scale: 100, pastNaN: false });

/**
 * The median along axes (default: of all elements). NaN where an element is NaN, and for no elements.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * np.median(np.array([3, 1, 2, 10])); // 2.5
 */
export const median = (x: ArrayLike, options?: AxisOr<ReduceOptions>): NDArray =>
  quantilesOf("median", x, 0.5, axisOptions<ReduceOptions>("median", options, ["axis", "keepdims"]), {
    scale: 1,
    pastNaN: false,
  });

/**
 * The q-th quantile of the elements that are not NaN. Options and errors are those of `quantile`.
 * @example
 * np.nanquantile(np.array([1, NaN, 3, 4]), 0.5); // 3
 */
export const nanquantile = (x: ArrayLike, q: Fractions, options?: AxisOr<QuantileOptions>): NDArray =>
  quantilesOf("nanquantile", x, q, options, { scale: 1, pastNaN: true });

/**
 * The q-th percentile of the elements that are not NaN. Options and errors are those of `quantile`.
 * @example
 * np.nanpercentile(np.array([1, NaN, 3, 4]), 50); // 3
 */
export const nanpercentile = (x: ArrayLike, q: Fractions, options?: AxisOr<QuantileOptions>): NDArray =>
  quantilesOf("nanpercentile", x, q, options, { scale: 100, pastNaN: true });

/**
 * The median of the elements that are not NaN. Options and errors are those of `median`.
 * @example
 * np.nanmedian(np.array([1, NaN, 3, 4])); // 3
 */
export const nanmedian = (x: ArrayLike, options?: AxisOr<ReduceOptions>): NDArray =>
  quantilesOf("nanmedian", x, 0.5, axisOptions<ReduceOptions>("nanmedian", options, ["axis", "keepdims"]), {
    scale: 1,
    pastNaN: true,
  });
