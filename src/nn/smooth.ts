/** Smooth activation functions, exact in their tails: where exponentials would overflow another form is taken. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ShapeError } from "../core/errors.js";
import { oneAxis, plainOptions } from "../numpy/axes.js";
import { type ArrayLike, asArray, elementwiseOperands, inexactOperand } from "../numpy/operands.js";
import { split } from "../numpy/splitting.js";
import { abs, add, div, integerPow, mul, neg, sqrt, square } from "../primitives/arithmetic.js";
import { gt } from "../primitives/comparison.js";
import { exp, log1p, logistic } from "../primitives/exponential.js";
import { tanh as hyperbolicTangent } from "../primitives/hyperbolic.js";
import { select } from "../primitives/select.js";
import { erfc } from "../primitives/special.js";

/**
 * x itself.
 * @example
 * nn.identity(np.array([1, -2])); // [1, -2]
 */
export const identity = (x: ArrayLike): NDArray => asArray(x, "nn.identity");

/**
 * The hyperbolic tangent.
 * @example
 * nn.tanh(np.array([0, 0.5])); // [0, 0.4621]
 */
export const tanh = (x: ArrayLike): NDArray => hyperbolicTangent(inexactOperand("nn.tanh", x));

/**
 * 1 / (1 + e⁻ˣ).
 * @example
 * nn.sigmoid(np.array([-1000, 0, 1])); // [0, 0.5, 0.7311]
 */
export const sigmoid = (x: ArrayLike): NDArray => logistic(inexactOperand("nn.sigmoid", x));

/**
 * Both branches contain the same smooth log(1 + e^-|x|), written without |x|: derivatives of every order are right at 0.
 */
function softplusOf(a: NDArray): NDArray {
  const positive = gt(a, 0);
  return add(select(positive, a, 0), log1p(exp(select(positive, neg(a), a))));
}

/**
 * log(1 + eˣ), the smooth relu.
 * @example
 * nn.softplus(np.array([-1000, 0, 1000])); // [0, 0.6931, 1000]
 */
export const softplus = (x: ArrayLike): NDArray => softplusOf(inexactOperand("nn.softplus", x));

/**
 * log(sigmoid(x)).
 * @example
 * nn.logSigmoid(np.array([-1000, 0, 1000])); // [-1000, -0.6931, 0]
 */
export const logSigmoid = (x: ArrayLike): NDArray => neg(softplusOf(neg(inexactOperand("nn.logSigmoid", x))));

/**
 * x · sigmoid(x).
 * @see https://arxiv.org/abs/1702.03118
 * @example
 * nn.silu(np.array([0, 1])); // [0, 0.7311]
 */
export function silu(x: ArrayLike): NDArray {
  const a = inexactOperand("nn.silu", x);
  return mul(a, logistic(a));
}

export { silu as swish };

export interface GeluOptions {
  /** With tanh in place of the error function: within 5e-4 of it. Default: true. */
  readonly approximate?: boolean;
}

/**
 * x · Φ(x), where Φ is the distribution function of the normal distribution; by default approximated as
 * x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))).
 * @throws ArgumentError for unknown options.
 * @see https://arxiv.org/abs/1606.08415
 * @example
 * nn.gelu(np.array([0, 1])); // [0, 0.8412]
 * nn.gelu(np.array([0, 1]), { approximate: false }); // [0, 0.8413]
 */
export function gelu(x: ArrayLike, options: GeluOptions = {}): NDArray {
  const { approximate = true } = plainOptions("nn.gelu", options, ["approximate"]);
  const a = inexactOperand("nn.gelu", x);
  if (!approximate) return mul(mul(0.5, a), erfc(mul(a, -Math.SQRT1_2)));
  const inner = mul(Math.sqrt(2 / Math.PI), add(a, mul(0.044715, integerPow(a, 3))));
  return mul(a, mul(0.5, add(1, hyperbolicTangent(inner))));
}

/**
 * x · tanh(softplus(x)).
 * @see https://arxiv.org/abs/1908.08681
 * @example
 * nn.mish(np.array([0, 1])); // [0, 0.8651]
 */
export function mish(x: ArrayLike): NDArray {
  const a = inexactOperand("nn.mish", x);
  return mul(a, hyperbolicTangent(softplusOf(a)));
}

export interface SquareplusOptions {
  /** How round the bend at 0 is: squareplus(0) = √b / 2. Default: 4. */
  readonly b?: ArrayLike;
}

/**
 * (x + √(x² + b)) / 2: a smooth relu without exponentials.
 * @throws ArgumentError for unknown options.
 * @see https://arxiv.org/abs/2112.11687
 * @example
 * nn.squareplus(np.array([0, 1.5])); // [1, 2]
 */
export function squareplus(x: ArrayLike, options: SquareplusOptions = {}): NDArray {
  const { b = 4 } = plainOptions("nn.squareplus", options, ["b"]);
  const [a, bend] = elementwiseOperands("nn.squareplus", [x, b], true);
  return mul(0.5, add(a, sqrt(add(square(a), bend))));
}

/**
 * x / (1 + |x|).
 * @example
 * nn.softSign(np.array([-1, 0, 3])); // [-0.5, 0, 0.75]
 */
export function softSign(x: ArrayLike): NDArray {
  const a = inexactOperand("nn.softSign", x);
  return div(a, add(1, abs(a)));
}

export interface GluOptions {
  /** The axis that is halved. Default: the last. */
  readonly axis?: number;
}

/**
 * The gated linear unit: the first half of x along an axis, times the sigmoid of the second half.
 * @throws ShapeError if the axis has an odd length; AxisError if there is no such axis.
 * @see https://arxiv.org/abs/1612.08083
 * @example
 * nn.glu(np.array([3, 5, 0, 1000])); // [1.5, 5]
 */
export function glu(x: ArrayLike, options: GluOptions = {}): NDArray {
  const { axis = -1 } = plainOptions("nn.glu", options, ["axis"]);
  const a = inexactOperand("nn.glu", x);
  const along = oneAxis("nn.glu", axis, a.shape);
  if (a.shape[along] % 2 !== 0)
    throw new ShapeError(`nn.glu: axis ${along} of ${describe(a.aval)} has no two halves`);
  const [value, gate] = split(a, 2, { axis: along });
  return mul(value, logistic(gate));
}
