/** Piecewise linear interpolation. */
import type { NDArray } from "../core/array.js";
import { describeAll, sameShape } from "../core/aval.js";
import { type FloatDType, floatLimits } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { abs, add, div, max, min, mul, sub } from "../primitives/arithmetic.js";
import { showParam } from "../primitives/checks.js";
import { gt, le, lt } from "../primitives/comparison.js";
import { select } from "../primitives/select.js";
import { sort } from "../primitives/sort.js";
import { plainOptions } from "./axes.js";
import { where } from "./choosing.js";
import { mod } from "./division.js";
import { concatenate } from "./joining.js";
import { type ArrayLike, inexactOperand, promoteOperands } from "./operands.js";
import { elementAt, gatherAxis, sliceAxis } from "./rearrange.js";
import { countBefore } from "./searching.js";

export interface InterpOptions {
  /** The value left of the first and right of the last point, or "extrapolate". Default: those of these points. */
  readonly left?: ArrayLike | "extrapolate";
  readonly right?: ArrayLike | "extrapolate";
  /** The period of the points; `left` and `right` then mean nothing. */
  readonly period?: number;
}

/** The points of a periodic function, sorted, with a neighbour beyond each end. */
function periodicPoints(xp: NDArray, fp: NDArray, period: number): readonly [NDArray, NDArray] {
  const [x, f] = sort([mod(xp, period), fp], { dimension: 0 });
  const n = x.size;
  const [firstX, lastX, firstF, lastF] = [x, f].flatMap((v) => [
    sliceAxis(v, 0, 0, 1),
    sliceAxis(v, 0, n - 1, n),
  ]);
  return [concatenate([sub(lastX, period), x, add(firstX, period)]), concatenate([lastF, f, firstF])];
}

/**
 * The values at `x` of the piecewise linear function through the points (xp, fp), whose xp ascend. Differentiable in all
 * of them.
 * @throws ShapeError unless `xp` and `fp` are vectors of one length; ArgumentError
 * @example
 * np.interp(np.array([-1, 0.5, 1.5]), np.array([0, 1, 2]), np.array([10, 20, 0])); // [10, 15, 10]
 */
export function interp(x: ArrayLike, xp: ArrayLike, fp: ArrayLike, options: InterpOptions = {}): NDArray {
  const { left, right, period } = plainOptions("interp", options, ["left", "right", "period"]);
  const [at, given] = promoteOperands("interp", [x, xp], true);
  const values = inexactOperand("interp", fp);
  if (given.ndim !== 1 || !sameShape(given.shape, values.shape) || given.size === 0)
    throw new ShapeError(
      `interp: points must be two vectors of one length, got ${describeAll([given.aval, values.aval])}`,
    );
  for (const [key, end] of Object.entries({ left, right }))
    if (typeof end === "string" && end !== "extrapolate")
      throw new ArgumentError(`interp: ${key} must be a number or "extrapolate", got ${showParam(end)}`);
  const isPeriodic = period !== undefined;
  const [points, f] = isPeriodic ? periodicPoints(given, values, Math.abs(period)) : [given, values];
  const place = isPeriodic ? mod(at, Math.abs(period)) : at;
  const n = points.size;
  if (n === 1) return ends(place, points, f, add(mul(place, 0), elementAt(f, 0, 0)), left, right);
  const upper = max(min(countBefore(points, place, "right"), n - 1), 1);
  const lower = sub(upper, 1);
  const read = (v: NDArray, i: NDArray) => gatherAxis(v, 0, i, "promiseInBounds");
  const start = read(points, lower);
  const width = sub(read(points, upper), start);
  // Points that coincide make no slope; twice a select, so that they make no NaN in the derivative either.
  const tiny = le(abs(width), floatLimits(points.dtype as FloatDType).eps ** 2);
  const fraction = div(sub(place, start), select(tiny, 1, width));
  const [f0, f1] = [read(f, lower), read(f, upper)];
  const rise = promoteOperands("interp", [fraction, sub(f1, f0)]);
  const [base, line] = promoteOperands("interp", [f0, mul(rise[0], rise[1])]);
  const inner = select(tiny, base, add(base, line));
  return isPeriodic ? inner : ends(place, points, f, inner, left, right);
}

/** What lies beyond the outermost points. */
function ends(
  x: NDArray,
  points: NDArray,
  f: NDArray,
  inner: NDArray,
  left: InterpOptions["left"],
  right: InterpOptions["right"],
): NDArray {
  const n = points.size;
  const [first, last] = [0, n - 1].map((i) => elementAt(points, 0, i));
  const withLeft = left === "extrapolate" ? inner : where(lt(x, first), left ?? elementAt(f, 0, 0), inner);
  return right === "extrapolate" ? withLeft : where(gt(x, last), right ?? elementAt(f, 0, n - 1), withLeft);
}
