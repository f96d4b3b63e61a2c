/** Reductions that pass over NaN. Integers have none, and are reduced as they are. */
import type { NDArray } from "../core/array.js";
import { isFloat } from "../core/dtype.js";
import type { AxisOr } from "../core/methods.js";
import * as primitive from "../primitives/argmax.js";
import { bitwiseAnd } from "../primitives/bits.js";
import { eq, ne } from "../primitives/comparison.js";
import { select } from "../primitives/select.js";
import { axisOptions } from "./axes.js";
import { type MeanOptions, mean, std, type VarianceOptions, variance } from "./moments.js";
import { type ArrayLike, asArray, asCondition, broadcastOperands } from "./operands.js";
import { type PlaceOptions, placeOf } from "./reducing.js";
import { all, type ExtremumOptions, max, min, prod, type SumOptions, sum } from "./reductions.js";

/** x with a number in place of NaN, which takes no part in derivatives either. */
function replacing(name: string, x: ArrayLike, value: number): NDArray {
  const a = asArray(x, name);
  return isFloat(a.dtype) ? select(ne(a, a), value, a) : a;
}

const sumKeys = ["axis", "keepdims", "dtype", "where", "initial"] as const;

/**
 * The sum of the elements that are not NaN. Options and errors are those of `sum`.
 * @example
 * np.nansum(np.array([1, NaN, 3])); // 4
 */
export const nansum = (x: ArrayLike, options?: AxisOr<SumOptions>): NDArray =>
  sum(replacing("nansum", x, 0), axisOptions<SumOptions>("nansum", options, sumKeys));

/**
 * The product of the elements that are not NaN. Options and errors are those of `prod`.
 * @example
 * np.nanprod(np.array([2, NaN, 3])); // 6
 */
export const nanprod = (x: ArrayLike, options?: AxisOr<SumOptions>): NDArray =>
  prod(replacing("nanprod", x, 1), axisOptions<SumOptions>("nanprod", options, sumKeys));

/** The option `where`, which leaves out NaN as well; and the array without them. */
function withoutNaN<O extends { readonly where?: ArrayLike }>(
  name: string,
  x: ArrayLike,
  options: O,
): [NDArray, O] {
  const a = asArray(x, name);
  if (!isFloat(a.dtype)) return [a, options];
  const isNumber = eq(a, a);
  const where =
    options.where === undefined
      ? isNumber
      : bitwiseAnd(
          ...(broadcastOperands(name, [isNumber, asCondition(asArray(options.where, name))]) as [
            NDArray,
            NDArray,
          ]),
        );
  return [select(isNumber, a, 0), { ...options, where }];
}

/**
 * The mean of the elements that are not NaN; NaN if there are none. Options and errors are those of `mean`.
 * @example
 * np.nanmean(np.array([1, NaN, 3])); // 2
 */
export const nanmean = (x: ArrayLike, options?: AxisOr<MeanOptions>): NDArray =>
  mean(
    ...withoutNaN(
      "nanmean",
      x,
      axisOptions<MeanOptions>("nanmean", options, ["axis", "keepdims", "dtype", "where"]),
    ),
  );

const varianceKeys = ["axis", "keepdims", "dtype", "where", "ddof", "correction"] as const;

/**
 * The variance of the elements that are not NaN. Options and errors are those of `var`.
 * @example
 * np.nanvar(np.array([1, NaN, 3])); // 1
 */
export const nanvar = (x: ArrayLike, options?: AxisOr<VarianceOptions>): NDArray =>
  variance(...withoutNaN("nanvar", x, axisOptions<VarianceOptions>("nanvar", options, varianceKeys)));

/**
 * The standard deviation of the elements that are not NaN. Options and errors are those of `std`.
 * @example
 * np.nanstd(np.array([1, NaN, 5])); // 2
 */
export const nanstd = (x: ArrayLike, options?: AxisOr<VarianceOptions>): NDArray =>
  std(...withoutNaN("nanstd", x, axisOptions<VarianceOptions>("nanstd", options, varianceKeys)));

function nanExtremum(
  name: string,
  x: ArrayLike,
  given: AxisOr<ExtremumOptions> | undefined,
  extreme: (x: NDArray, options: ExtremumOptions) => NDArray,
  loser: number,
): NDArray {
  const options = axisOptions<ExtremumOptions>(name, given, ["axis", "keepdims", "where", "initial"]);
  const a = asArray(x, name);
  if (!isFloat(a.dtype)) return extreme(a, options);
  const isMissing = ne(a, a);
  const result = extreme(select(isMissing, loser, a), options);
  // With an initial value there is something to return even where all are NaN.
  if (options.initial !== undefined) return result;
  const { axis, keepdims } = options;
  return select(all(isMissing, { axis, keepdims }), Number.NaN, result);
}

/**
 * The largest of the elements that are not NaN; NaN if there are none. Options and errors are those of `max`.
 * @example
 * np.nanmax(np.array([1, NaN, 3])); // 3
 */
export const nanmax = (x: ArrayLike, options?: AxisOr<ExtremumOptions>): NDArray =>
  nanExtremum("nanmax", x, options, max, -Infinity);

/**
 * The smallest of the elements that are not NaN; NaN if there are none. Options and errors are those of `min`.
 * @example
 * np.nanmin(np.array([1, NaN, 3])); // 1
 */
export const nanmin = (x: ArrayLike, options?: AxisOr<ExtremumOptions>): NDArray =>
  nanExtremum("nanmin", x, options, min, Infinity);

function nanPlace(
  name: string,
  x: ArrayLike,
  given: AxisOr<PlaceOptions> | undefined,
  find: primitive.ArgExtremumOp,
  loser: number,
): NDArray {
  const options = axisOptions<PlaceOptions>(name, given, ["axis", "keepdims"]);
  const a = asArray(x, name);
  const place = placeOf(name, replacing(name, a, loser), options, find);
  return isFloat(a.dtype) ? select(all(ne(a, a), options), -1, place) : place;
}

/**
 * The index of the largest of the elements that are not NaN; -1 if there are none. Options and errors are those of
 * `argmax`.
 * @example
 * np.nanargmax(np.array([1, NaN, 3])); // 2
 */
export const nanargmax = (x: ArrayLike, options?: AxisOr<PlaceOptions>): NDArray =>
  nanPlace("nanargmax", x, options, primitive.argmax, -Infinity);

/**
 * The index of the smallest of the elements that are not NaN; -1 if there are none. Options and errors are those of
 * `argmin`.
 * @example
 * np.nanargmin(np.array([NaN, 2, 3])); // 1
 */
export const nanargmin = (x: ArrayLike, options?: AxisOr<PlaceOptions>): NDArray =>
  nanPlace("nanargmin", x, options, primitive.argmin, Infinity);
