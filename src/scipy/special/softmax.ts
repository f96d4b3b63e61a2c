/** Softmax and the logarithm of sums of exponentials, over all elements unless an axis is named. */
import type { NDArray } from "../../core/array.js";
import type { Axis, AxisOr } from "../../core/methods.js";
import * as nn from "../../nn/softmax.js";
import { axisOptions } from "../../numpy/axes.js";
import type { ArrayLike } from "../../numpy/operands.js";

export { logsumexp } from "../../nn/logsumexp.js";

export interface SoftmaxOptions {
  /** Default: all axes. */
  readonly axis?: Axis;
}

const axisOf = (name: string, options: AxisOr<SoftmaxOptions> | undefined): Axis =>
  axisOptions<SoftmaxOptions>(name, options, ["axis"]).axis ?? null;

/**
 * eˣ / Σ eˣ along axes (default: over all elements, unlike `nn.softmax`), without overflow.
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * scipy.special.softmax(np.array([[0, 0], [0, 0]])); // [[0.25, 0.25], [0.25, 0.25]]
 */
export const softmax = (x: ArrayLike, options?: AxisOr<SoftmaxOptions>): NDArray =>
  nn.softmax(x, { axis: axisOf("special.softmax", options) });

/**
 * log softmax(x) along axes (default: over all elements, unlike `nn.logSoftmax`).
 * @throws AxisError for an axis that does not exist; ArgumentError for unknown options.
 * @example
 * scipy.special.logSoftmax(np.array([1000, 0])); // [0, -1000]
 */
export const logSoftmax = (x: ArrayLike, options?: AxisOr<SoftmaxOptions>): NDArray =>
  nn.logSoftmax(x, { axis: axisOf("special.logSoftmax", options) });
