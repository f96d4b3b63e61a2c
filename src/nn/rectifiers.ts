/**
 * Activation functions in pieces. Where two pieces meet each has one derivative, that of the piece named in its
 * description; branches are chosen with `select`, so that no other derivative mixes in.
 */
import type { NDArray } from "../core/array.js";
import { plainOptions } from "../numpy/axes.js";
import { type ArrayLike, elementwiseOperands, inexactOperand, numericOperand } from "../numpy/operands.js";
import { add, div, max, min, mul, square } from "../primitives/arithmetic.js";
import { ge, gt, le, lt } from "../primitives/comparison.js";
import { expm1 } from "../primitives/exponential.js";
import { clamp, select } from "../primitives/select.js";

/** A float operand and a parameter of its dtype, of one shape or scalars. */
const floatOperands = (name: string, x: ArrayLike, parameter: ArrayLike): [NDArray, NDArray] =>
  elementwiseOperands(name, [x, parameter], true) as [NDArray, NDArray];

/**
 * max(x, 0). The derivative at 0 is 0. Integers stay integers.
 * @example
 * nn.relu(np.array([-1, 0, 2])); // [0, 0, 2]
 */
export function relu(x: ArrayLike): NDArray {
  const a = numericOperand("nn.relu", x);
  // Written this way round NaN stays NaN.
  return select(le(a, 0), 0, a);
}

/**
 * x, but not below 0 and not above 6. The derivative at 0 and at 6 is 0.
 * @example
 * nn.relu6(np.array([-1, 2, 9])); // [0, 2, 6]
 */
export const relu6 = (x: ArrayLike): NDArray => clamp(0, inexactOperand("nn.relu6", x), 6);

/**
 * x, but not below -1 and not above 1. The derivative at the bounds is 1. Integers stay integers.
 * @example
 * nn.hardTanh(np.array([-3, 0.5, 3])); // [-1, 0.5, 1]
 */
export function hardTanh(x: ArrayLike): NDArray {
  const a = numericOperand("nn.hardTanh", x);
  return select(gt(a, 1), 1, select(lt(a, -1), -1, a));
}

/**
 * relu6(x + 3) / 6: a sigmoid of three straight lines.
 * @example
 * nn.hardSigmoid(np.array([-3, 0, 1.5])); // [0, 0.5, 0.75]
 */
export const hardSigmoid = (x: ArrayLike): NDArray => rampOf(inexactOperand("nn.hardSigmoid", x));

const rampOf = (a: NDArray): NDArray => div(clamp(0, add(a, 3), 6), 6);

/**
 * x · hardSigmoid(x).
 * @example
 * nn.hardSilu(np.array([-3, 1.5, 4])); // [0, 1.125, 4]
 */
export function hardSilu(x: ArrayLike): NDArray {
  const a = inexactOperand("nn.hardSilu", x);
  return mul(a, rampOf(a));
}

export { hardSilu as hardSwish };

export interface LeakyReluOptions {
  /** Default: 0.01. */
  readonly negativeSlope?: ArrayLike;
}

/**
 * x from 0 on, and x times a small slope below. The derivative at 0 is 1.
 * @throws ArgumentError for unknown options.
 * @example
 * nn.leakyRelu(np.array([-2, 3]), { negativeSlope: 0.5 }); // [-1, 3]
 */
export function leakyRelu(x: ArrayLike, options: LeakyReluOptions = {}): NDArray {
  const { negativeSlope = 0.01 } = plainOptions("nn.leakyRelu", options, ["negativeSlope"]);
  const [a, slope] = floatOperands("nn.leakyRelu", x, negativeSlope);
  return select(ge(a, 0), a, mul(slope, a));
}

export interface AlphaOptions {
  /** Default: 1. */
  readonly alpha?: ArrayLike;
}

/**
 * x above 0, and α (eˣ - 1) up to there. The derivative at 0 is α.
 * @throws ArgumentError for unknown options.
 * @example
 * nn.elu(np.array([-1, 2])); // [-0.6321, 2]
 */
export function elu(x: ArrayLike, options: AlphaOptions = {}): NDArray {
  const { alpha = 1 } = plainOptions("nn.elu", options, ["alpha"]);
  return exponentialLinear(...floatOperands("nn.elu", x, alpha));
}

/** Above 0 the exponential, which is not taken there, is kept from overflowing. */
function exponentialLinear(a: NDArray, alpha: NDArray | number): NDArray {
  const positive = gt(a, 0);
  return select(positive, a, mul(alpha, expm1(select(positive, 0, a))));
}

/**
 * max(x, 0) + α (e^(min(x, 0) / α) - 1): like elu, with the derivative 1 at 0 for every α.
 * @throws ArgumentError for unknown options.
 * @see https://arxiv.org/abs/1704.07483
 * @example
 * nn.celu(np.array([-1, 2]), { alpha: 2 }); // [-0.7869, 2]
 */
export function celu(x: ArrayLike, options: AlphaOptions = {}): NDArray {
  const { alpha = 1 } = plainOptions("nn.celu", options, ["alpha"]);
  const [a, scale] = floatOperands("nn.celu", x, alpha);
  return add(max(a, 0), mul(scale, expm1(div(min(a, 0), scale))));
}

/**
 * λ elu(x, α) with the λ and α that keep mean 0 and variance 1 from layer to layer.
 * @see https://arxiv.org/abs/1706.02515, section 2
 * @example
 * nn.selu(np.array([-1, 2])); // [-1.1113, 2.1014]
 */
export const selu = (x: ArrayLike): NDArray =>
  mul(1.0507009873554805, exponentialLinear(inexactOperand("nn.selu", x), 1.6732632423543772));

/**
 * 0 up to -1, x from 1 on, and (x + 1)²/4 between: once differentiable.
 * @example
 * nn.sparsePlus(np.array([-2, 0, 2])); // [0, 0.25, 2]
 */
export function sparsePlus(x: ArrayLike): NDArray {
  const a = inexactOperand("nn.sparsePlus", x);
  return select(ge(a, 1), a, mul(0.25, square(add(clamp(-1, a, 1), 1))));
}

/**
 * The derivative of sparsePlus: 0 up to -1, 1 from 1 on, a straight line between.
 * @example
 * nn.sparseSigmoid(np.array([-2, 0, 2])); // [0, 0.5, 1]
 */
export const sparseSigmoid = (x: ArrayLike): NDArray =>
  mul(clamp(0, add(inexactOperand("nn.sparseSigmoid", x), 1), 2), 0.5);
