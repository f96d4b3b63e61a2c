/** Counting elements by value. */
import type { NDArray } from "../core/array.js";
import { describe, sameShape } from "../core/aval.js";
import { isInteger, toInexact } from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { add, max as larger } from "../primitives/arithmetic.js";
import { reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { eq } from "../primitives/comparison.js";
import { div, sub } from "../primitives/field.js";
import { scatterAdd } from "../primitives/gather.js";
import { reduceMax, reduceMin } from "../primitives/reduction.js";
import { select } from "../primitives/select.js";
import { reshape } from "../primitives/shape.js";
import { plainOptions, wholeNumber } from "./axes.js";
import { full } from "./constants.js";
import { ravel } from "./manipulation.js";
import { type ArrayLike, asArray, convertTo, promoteOperands } from "./operands.js";
import { linspace } from "./ranges.js";
import { elementAt, sliceAxis } from "./rearrange.js";
import { countBefore } from "./searching.js";

/** Adds weights at places; places outside are dropped. */
const addAt = (places: NDArray, weights: NDArray, length: number): NDArray =>
  scatterAdd(full([length], 0, weights.dtype), reshape(places, [places.size, 1]), weights, {
    updateWindowDims: [],
    insertedWindowDims: [0],
    scatterDimsToOperandDims: [0],
    mode: "drop",
  });

export interface BincountOptions {
  /** What each element adds to its count. Default: 1. */
  readonly weights?: ArrayLike;
  /** The least number of counts. */
  readonly minlength?: number;
  /** How many counts there are, where that cannot depend on values (under `jit`); larger elements are left out. */
  readonly length?: number;
}

/**
 * How often 0, 1, 2, ... occur in a vector of integers; negative ones count as 0. With weights, the sums of these.
 * @throws DtypeError, ShapeError; ConcretizationError for a traced vector without `length`.
 * @example
 * np.bincount(np.array([0, 2, 2], "int32")); // [1, 0, 2]
 */
export function bincount(x: ArrayLike, options: BincountOptions = {}): NDArray {
  const {
    weights,
    minlength = 0,
    length,
  } = plainOptions("bincount", options, ["weights", "minlength", "length"]);
  const given = asArray(x, "bincount");
  const a = given.dtype === "bool" ? convertElementType(given, "int32") : given;
  if (!isInteger(a.dtype)) throw new DtypeError(`bincount needs integers, got ${describe(a.aval)}`);
  if (a.ndim !== 1) throw new ShapeError(`bincount needs a vector, got ${describe(a.aval)}`);
  const own = weights === undefined ? full(a.shape, 1, "int32") : asArray(weights, "bincount");
  if (!sameShape(own.shape, a.shape))
    throw new ShapeError(
      `bincount: weights ${describe(own.aval)} must have the shape of ${describe(a.aval)}`,
    );
  wholeNumber("bincount", "minlength", minlength, 0);
  const most = (): number => {
    let largest = -1;
    for (const v of a.concrete("bincount (without the option length)").values) largest = Math.max(largest, v);
    return largest + 1;
  };
  const count =
    length === undefined ? Math.max(minlength, most()) : wholeNumber("bincount", "length", length, 0);
  return addAt(larger(a, 0), own, count);
}

export interface HistogramOptions {
  /** The lowest and highest edge. Default: those of the data. */
  readonly range?: readonly [low: ArrayLike, high: ArrayLike];
  /** What each element adds to its bin. Default: 1. */
  readonly weights?: ArrayLike;
  /** Whether to give the density, whose integral is 1. Default: false. */
  readonly density?: boolean;
}

/**
 * The edges of the bins of `histogram`: so many equal bins, or the edges given.
 * @throws ShapeError, ArgumentError
 * @example
 * np.histogramBinEdges(np.array([0, 4]), 2); // [0, 2, 4]
 */
export function histogramBinEdges(
  x: ArrayLike,
  bins: number | NDArray = 10,
  options: Pick<HistogramOptions, "range"> = {},
): NDArray {
  const { range } = plainOptions<Pick<HistogramOptions, "range">>("histogramBinEdges", options, ["range"]);
  const a = asArray(x, "histogramBinEdges");
  const type = toInexact(a.aval);
  if (typeof bins !== "number") {
    if (bins.ndim !== 1)
      throw new ShapeError(`histogramBinEdges: edges must be a vector, got ${describe(bins.aval)}`);
    return convertTo(bins, type);
  }
  wholeNumber("histogramBinEdges", "bins", bins, 1);
  const flat = ravel(a);
  if (range === undefined && flat.size === 0)
    throw new ArgumentError("histogramBinEdges: without data there is no range; give the option range");
  const [low, high] = (range ?? [reduceMin(flat, [0]), reduceMax(flat, [0])]).map((end) =>
    convertTo(end, type),
  );
  // A single value lies in the middle of a range of length 1.
  const isPoint = eq(low, high);
  return linspace(select(isPoint, sub(low, 0.5), low), select(isPoint, add(high, 0.5), high), bins + 1, {
    dtype: type.dtype,
  });
}

/**
 * How many elements fall into each of some bins, in floats, and the edges of the bins: so many equal ones, or those with
 * the given edges. A bin contains its lower edge, and the last one also its upper edge. Elements outside do not count.
 * @throws ShapeError, ArgumentError
 * @example
 * np.histogram(np.array([1, 2, 2, 4]), 3)[0]; // [1, 2, 1]
 */
export function histogram(
  x: ArrayLike,
  bins: number | NDArray = 10,
  options: HistogramOptions = {},
): [counts: NDArray, edges: NDArray] {
  const {
    range,
    weights,
    density = false,
  } = plainOptions("histogram", options, ["range", "weights", "density"]);
  const operands = promoteOperands("histogram", weights === undefined ? [x] : [x, weights], true);
  if (weights !== undefined && !sameShape(operands[0].shape, operands[1].shape))
    throw new ShapeError(
      `histogram: weights ${describe(operands[1].aval)} must have the shape of ${describe(operands[0].aval)}`,
    );
  const flat = ravel(operands[0]);
  const own = weights === undefined ? full(flat.shape, 1, flat.dtype) : ravel(operands[1]);
  const edges = histogramBinEdges(flat, bins, range === undefined ? {} : { range });
  const last = edges.size - 1;
  const place = countBefore(edges, flat, "right");
  const inside = select(eq(flat, elementAt(edges, 0, last)), last, place);
  const counts = sliceAxis(addAt(inside, own, edges.size), 0, 1, edges.size);
  if (!density) return [counts, edges];
  const widths = sub(sliceAxis(edges, 0, 1, edges.size), sliceAxis(edges, 0, 0, last));
  return [div(div(counts, widths), reduceSum(counts, [0])), edges];
}
