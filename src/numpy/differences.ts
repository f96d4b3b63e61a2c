/** Differences of neighbours, and what is made of them: numerical derivatives and integrals, phases without jumps. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { AxisError, DtypeError, ShapeError } from "../core/errors.js";
import type { AxisOr } from "../core/methods.js";
import { abs, add, div, mul, neg, sub } from "../primitives/arithmetic.js";
import { bitwiseAnd } from "../primitives/bits.js";
import { reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { eq, gt, lt, ne } from "../primitives/comparison.js";
import { cumsum } from "../primitives/cumulative.js";
import { select } from "../primitives/select.js";
import { reshape } from "../primitives/shape.js";
import { add as addArrays, divide, multiply } from "./arithmetic.js";
import { axisOptions, oneAxis, plainOptions, severalAxes, wholeNumber } from "./axes.js";
import { floorDivide, mod } from "./division.js";
import { concatenate } from "./joining.js";
import { broadcastTo, moveaxis, ravel } from "./manipulation.js";
import { type ArrayLike, asArray, convertTo, inexactOperand, promoteOperands } from "./operands.js";
import { isOptions } from "./options.js";
import { elementAt, sliceAxis, withLength } from "./rearrange.js";
import { fitting } from "./values.js";

/** Each element but the first minus the one before, along an axis; for booleans whether they differ. */
function differences(x: NDArray, axis: number): NDArray {
  const n = x.shape[axis];
  if (n === 0) return x;
  const [later, earlier] = [sliceAxis(x, axis, 1, n), sliceAxis(x, axis, 0, n - 1)];
  return x.dtype === "bool" ? ne(later, earlier) : sub(later, earlier);
}

export interface DiffOptions {
  /** Default: -1, the last axis. */
  readonly axis?: number;
  /** Values to put in front and behind first: a scalar, or slices along the axis. */
  readonly prepend?: ArrayLike;
  readonly append?: ArrayLike;
}

/**
 * The differences of neighbours along an axis, taken `n` times; for booleans whether they differ.
 * @throws ShapeError for a scalar, AxisError, ArgumentError
 * @example
 * np.diff(np.array([1, 4, 9])); // [3, 5]
 */
export function diff(x: ArrayLike, n = 1, options?: AxisOr<DiffOptions>): NDArray {
  const {
    axis = -1,
    prepend,
    append,
  } = axisOptions<DiffOptions>("diff", options, ["axis", "prepend", "append"]);
  wholeNumber("diff", "n", n, 0);
  const a = asArray(x, "diff");
  if (a.ndim === 0) throw new ShapeError(`diff needs an array with an axis, got ${describe(a.aval)}`);
  const along = oneAxis("diff", axis, a.shape);
  const slice = (given: ArrayLike | undefined): NDArray[] => {
    if (given === undefined) return [];
    const value = asArray(given, "diff");
    return [value.ndim === 0 ? broadcastTo(value, withLength(a.shape, along, 1)) : value];
  };
  const parts = [...slice(prepend), a, ...slice(append)];
  let result = parts.length === 1 ? a : concatenate(parts, along);
  for (let i = 0; i < n; i++) result = differences(result, along);
  return result;
}

/**
 * The differences of neighbours in the flattened array, with values put in front and behind afterwards.
 * @throws DtypeError if its dtype cannot hold these values.
 * @example
 * np.ediff1d(np.array([1, 4, 9]), { toEnd: 0 }); // [3, 5, 0]
 */
export function ediff1d(
  x: ArrayLike,
  options: { readonly toBegin?: ArrayLike; readonly toEnd?: ArrayLike } = {},
): NDArray {
  const { toBegin, toEnd } = plainOptions("ediff1d", options, ["toBegin", "toEnd"]);
  const a = ravel(x);
  const inner = a.dtype === "bool" ? convertElementType(a, "int32") : a;
  const more = (given: ArrayLike | undefined) =>
    given === undefined ? [] : [ravel(fitting("ediff1d", inner, given))];
  return concatenate([...more(toBegin), differences(inner, 0), ...more(toEnd)]);
}

export interface GradientOptions {
  /** Default: null, all axes. */
  readonly axis?: number | readonly number[] | null;
}

/**
 * The numerical derivative along axes: central differences inside, one-sided ones at both ends. Between `x` and the
 * options stand the spacings: none (1), one for all axes, or one for each; numbers, or vectors of coordinates. Several
 * axes give a list.
 * @throws ShapeError if there are fewer than two elements or coordinates do not fit; AxisError
 * @example
 * np.gradient(np.array([1, 4, 9, 16])); // [3, 4, 6, 7]
 */
export function gradient(
  x: ArrayLike,
  ...given: readonly (ArrayLike | GradientOptions)[]
): NDArray | NDArray[] {
  const last = given.at(-1);
  const { axis } = isOptions(last) ? plainOptions<GradientOptions>("gradient", last, ["axis"]) : {};
  const spacings = (isOptions(last) ? given.slice(0, -1) : given) as readonly ArrayLike[];
  const [a, ...steps] = promoteOperands("gradient", [x, ...spacings], true);
  const axes = severalAxes("gradient", axis, a.shape);
  if (steps.length > 1 && steps.length !== axes.length)
    throw new AxisError(`gradient: ${steps.length} spacings do not go with ${axes.length} axes`);
  const results = axes.map((i, k) => gradientAlong(a, i, steps.length > 1 ? steps[k] : steps[0]));
  return results.length === 1 ? results[0] : results;
}

function gradientAlong(x: NDArray, axis: number, step: NDArray | undefined): NDArray {
  const n = x.shape[axis];
  if (n < 2)
    throw new ShapeError(`gradient: axis ${axis} of ${describe(x.aval)} has fewer than two elements`);
  const part = (start: number, limit: number) => sliceAxis(x, axis, start, limit);
  const first = sub(part(1, 2), part(0, 1));
  const final = sub(part(n - 1, n), part(n - 2, n - 1));
  if (step === undefined || step.ndim === 0) {
    const inner = mul(sub(part(2, n), part(0, n - 2)), 0.5);
    const all = concatenate([first, inner, final], axis);
    return step === undefined ? all : div(all, step);
  }
  if (step.ndim !== 1 || step.size !== n)
    throw new ShapeError(
      `gradient: coordinates ${describe(step.aval)} for axis ${axis} of ${describe(x.aval)}`,
    );
  const gaps = reshape(
    differences(step, 0),
    x.shape.map((_, i) => (i === axis ? n - 1 : 1)),
  );
  const gap = (start: number, limit: number) => sliceAxis(gaps, axis, start, limit);
  // The derivative in the middle of the parabola through three points.
  const [before, after] = [gap(0, n - 2), gap(1, n - 1)];
  const both = add(before, after);
  const inner = [
    multiply(neg(div(after, mul(before, both))), part(0, n - 2)),
    multiply(div(sub(after, before), mul(before, after)), part(1, n - 1)),
    multiply(div(before, mul(after, both)), part(2, n)),
  ].reduce((y, z) => add(y, z));
  return concatenate([divide(first, gap(0, 1)), inner, divide(final, gap(n - 2, n - 1))], axis);
}

export interface TrapezoidOptions {
  /** The distance of points, without `x`. Default: 1. */
  readonly dx?: ArrayLike;
  /** Default: -1, the last axis. */
  readonly axis?: number;
}

/**
 * The integral along an axis by the trapezoidal rule, of values `y` at the points `x` (a vector, or as many as values),
 * or at points that lie `dx` apart.
 * @throws ShapeError, AxisError
 * @example
 * np.trapezoid(np.array([1, 2, 3])); // 4
 */
export function trapezoid(
  y: ArrayLike,
  x?: ArrayLike | null | TrapezoidOptions,
  options: TrapezoidOptions = {},
): NDArray {
  const points = isOptions(x) || x === null ? undefined : (x as ArrayLike | undefined);
  const given = isOptions(x) ? (x as TrapezoidOptions) : options;
  const { dx = 1, axis = -1 } = plainOptions<TrapezoidOptions>("trapezoid", given, ["dx", "axis"]);
  const operands = promoteOperands("trapezoid", points === undefined ? [y] : [y, points], true);
  const along = oneAxis("trapezoid", axis, operands[0].shape);
  const values = moveaxis(operands[0], along, -1);
  const end = values.ndim - 1;
  const n = values.shape[end];
  if (points === undefined) {
    if (n === 0) return reduceSum(values, [end]);
    // With equal distances the ends count half.
    const ends = add(elementAt(values, end, 0), elementAt(values, end, n - 1));
    return multiply(convertTo(dx, values.aval), sub(reduceSum(values, [end]), mul(0.5, ends)));
  }
  const [, p] = operands;
  const gaps = p.ndim === 1 ? differences(p, 0) : differences(moveaxis(p, along, -1), end);
  const sums = addArrays(sliceAxis(values, end, 1, n), sliceAxis(values, end, 0, Math.max(n - 1, 0)));
  return reduceSum(mul(multiply(gaps, sums), 0.5), [end]);
}

export interface UnwrapOptions {
  /** The least jump that is taken out. Default: half a period. */
  readonly discont?: number;
  /** Default: -1, the last axis. */
  readonly axis?: number;
  /** Default: 2π. */
  readonly period?: number;
}

/**
 * Phases without jumps: each element is moved by whole periods so that it differs from the one before by at most half a
 * period.
 * @throws AxisError
 * @example
 * np.unwrap(np.array([0, 3, 6]), { period: 4 }); // [0, -1, -2]
 */
export function unwrap(x: ArrayLike, options: UnwrapOptions = {}): NDArray {
  const {
    discont,
    axis = -1,
    period = 2 * Math.PI,
  } = plainOptions("unwrap", options, ["discont", "axis", "period"]);
  const [a, length] = promoteOperands("unwrap", [x, period]);
  if (a.dtype === "bool") throw new DtypeError("unwrap is not defined for bool");
  const along = oneAxis("unwrap", axis, a.shape);
  const n = a.shape[along];
  if (n < 2) return a;
  const steps = differences(a, along);
  const half = isFloat(a.dtype) ? div(length, 2) : floorDivide(length, 2);
  const folded = sub(mod(add(steps, half), length), half);
  // A step of exactly half a period stays positive if it was.
  const upwards = bitwiseAnd(eq(folded, neg(half)), gt(steps, 0));
  const wanted = select(upwards, half, folded);
  const least = discont === undefined ? period / 2 : discont;
  const small = lt(convertTo(abs(steps), inexactOperand("unwrap", a).aval), least);
  const correction = cumsum(select(small, 0, sub(wanted, steps)), { axis: along, reverse: false });
  return concatenate([sliceAxis(a, along, 0, 1), add(sliceAxis(a, along, 1, n), correction)], along);
}
