/** Softmax: exponentials scaled so that they add up to 1. */
import type { NDArray } from "../core/array.js";
import type { Axis, AxisOr } from "../core/methods.js";
import { axisOptions } from "../numpy/axes.js";
import { type ArrayLike, inexactOperand } from "../numpy/operands.js";
import { axesOf, type MaskOption, maskOf } from "../numpy/reducing.js";
import { div, max, sub } from "../primitives/arithmetic.js";
import { reduceSum } from "../primitives/broadcast.js";
import { exp, log } from "../primitives/exponential.js";
import { select } from "../primitives/select.js";
import { alongside, largest } from "./sums.js";

export interface SoftmaxOptions extends MaskOption {
  /** Default: the last. */
  readonly axis?: Axis;
  /** Where `where` leaves elements out: the smallest value that is subtracted. Default: -∞. */
  readonly initial?: number;
}

interface Shifted {
  /** x less its largest element; -∞ for elements left out. */
  readonly shifted: NDArray;
  readonly mask: NDArray | undefined;
  readonly axes: readonly number[];
}

function shift(name: string, x: ArrayLike, options: AxisOr<SoftmaxOptions> | undefined): Shifted {
  const given = axisOptions<SoftmaxOptions>(name, options, ["axis", "where", "initial"]);
  const { axis = -1, where, initial = -Infinity } = given;
  const a = inexactOperand(name, x);
  const axes = axesOf(name, a, { axis });
  const mask = where === undefined ? undefined : maskOf(name, where, a.shape);
  const top = largest(mask === undefined ? a : select(mask, a, initial), axes);
  if (top === undefined) return { shifted: a, mask, axes };
  const subtracted = mask === undefined || initial === -Infinity ? top : max(top, initial);
  const shifted = sub(a, alongside(subtracted, a, axes));
  return { shifted: mask === undefined ? shifted : select(mask, shifted, -Infinity), mask, axes };
}

/**
 * eˣ / Σ eˣ along axes, without overflow. Elements that `where` leaves out get 0.
 * @throws AxisError for an axis that does not exist; ShapeError if `where` does not broadcast; ArgumentError for unknown
 *   options.
 * @example
 * nn.softmax(np.array([0, 0, 0, 0])); // [0.25, 0.25, 0.25, 0.25]
 * nn.softmax(np.array([1000, 1000, 0]), { where: np.array([true, true, false]) }); // [0.5, 0.5, 0]
 */
export function softmax(x: ArrayLike, options?: AxisOr<SoftmaxOptions>): NDArray {
  const { shifted, mask, axes } = shift("nn.softmax", x, options);
  const powers = exp(shifted);
  const result = div(powers, alongside(reduceSum(powers, axes), powers, axes));
  return mask === undefined ? result : select(mask, result, 0);
}

/**
 * log softmax(x), exact also where softmax is too small to be told from 0. Elements that `where` leaves out get -∞.
 * @throws AxisError for an axis that does not exist; ShapeError if `where` does not broadcast; ArgumentError for unknown
 *   options.
 * @example
 * nn.logSoftmax(np.array([1000, 0])); // [0, -1000]
 */
export function logSoftmax(x: ArrayLike, options?: AxisOr<SoftmaxOptions>): NDArray {
  const { shifted, mask, axes } = shift("nn.logSoftmax", x, options);
  const normaliser = log(reduceSum(exp(shifted), axes));
  const result = sub(shifted, alongside(normaliser, shifted, axes));
  return mask === undefined ? result : select(mask, result, -Infinity);
}
