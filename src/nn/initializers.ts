/**
 * Initial weights of layers. Each function makes an initialiser, which takes a key, a shape and a dtype; the numbers are
 * those of `jax.nn.initializers`.
 */
import type { NDArray } from "../core/array.js";
import { type Shape, sizeOf } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { multiply } from "../numpy/arithmetic.js";
import { oneAxis, plainOptions, severalAxes, shapeOf } from "../numpy/axes.js";
import { full } from "../numpy/creation.js";
import { type ArrayLike, asArray } from "../numpy/operands.js";
import { mul } from "../primitives/arithmetic.js";
import { showParam } from "../primitives/checks.js";
import { truncatedNormal as cutNormal, normal as standardNormal } from "../random/distributions.js";
import { uniform as standardUniform } from "../random/uniform.js";

/** Makes weights of a shape from a key. The dtype is float32 unless it, or the initialiser, says otherwise. */
export type Initializer = (key: NDArray, shape: Shape, dtype?: DType) => NDArray;

export interface InitializerOptions {
  /** Default: float32. */
  readonly dtype?: DType;
}

/**
 * An initialiser: all weights 0. It is one itself; the key is not looked at.
 * @example
 * nn.initializers.zeros(random.key(0), [2]); // [0, 0]
 */
export const zeros: Initializer = (_, shape, dtype = "float32") => full(shape, 0, { dtype });

/**
 * An initialiser: all weights 1. It is one itself; the key is not looked at.
 * @example
 * nn.initializers.ones(random.key(0), [2]); // [1, 1]
 */
export const ones: Initializer = (_, shape, dtype = "float32") => full(shape, 1, { dtype });

/**
 * All weights the same, or an array that broadcasts to their shape.
 * @throws ArgumentError for unknown options, or a value that is none.
 * @example
 * nn.initializers.constant(0.5)(random.key(0), [2]); // [0.5, 0.5]
 */
export function constant(value: ArrayLike, options: InitializerOptions = {}): Initializer {
  const own = plainOptions("nn.initializers.constant", options, ["dtype"]).dtype ?? "float32";
  asArray(value, "nn.initializers.constant");
  // The value itself goes on, so that a number is rounded once, to the dtype.
  return (_, shape, dtype = own) => full(shape, value, { dtype });
}

/**
 * Uniformly distributed from 0 to `scale` (default 0.01).
 * @throws ArgumentError for unknown options.
 * @example
 * nn.initializers.uniform(5)(random.key(0), [2, 3]); // shape [2,3]
 */
export function uniform(scale: ArrayLike = 0.01, options: InitializerOptions = {}): Initializer {
  const own = plainOptions("nn.initializers.uniform", options, ["dtype"]).dtype ?? "float32";
  return (key, shape, dtype = own) => multiply(standardUniform(key, shape, { dtype }), scale);
}

/**
 * Normally distributed with mean 0 and standard deviation `stddev` (default 0.01).
 * @throws ArgumentError for unknown options.
 * @example
 * nn.initializers.normal(5)(random.key(0), [2, 3]); // shape [2,3]
 */
export function normal(stddev: ArrayLike = 0.01, options: InitializerOptions = {}): Initializer {
  const own = plainOptions("nn.initializers.normal", options, ["dtype"]).dtype ?? "float32";
  return (key, shape, dtype = own) => multiply(standardNormal(key, shape, { dtype }), stddev);
}

export interface TruncatedNormalOptions extends InitializerOptions {
  /** Where the standard normal distribution is cut off, before it is scaled. Default: -2. */
  readonly lower?: number;
  /** Default: 2. */
  readonly upper?: number;
}

/**
 * `stddev` (default 0.01) times the standard normal distribution cut off at `lower` and `upper`. The standard deviation of
 * the result is smaller than that of what is not cut off.
 * @throws ArgumentError for unknown options.
 * @example
 * nn.initializers.truncatedNormal(5)(random.key(0), [2, 3]); // shape [2,3]
 */
export function truncatedNormal(stddev: ArrayLike = 0.01, options: TruncatedNormalOptions = {}): Initializer {
  const given = plainOptions("nn.initializers.truncatedNormal", options, ["dtype", "lower", "upper"]);
  const { dtype: own = "float32", lower = -2, upper = 2 } = given;
  return (key, shape, dtype = own) => multiply(cutNormal(key, lower, upper, shape, { dtype }), stddev);
}

/** The standard deviation of the standard normal distribution cut off at ±2. */
const cutDeviation = 0.8796256610342398;

/** What the variance is divided by: the number of inputs of a unit, of outputs, or half of both. */
export type FanMode = "fanIn" | "fanOut" | "fanAvg";
export type ScalingDistribution = "normal" | "truncatedNormal" | "uniform";

export interface FanOptions extends InitializerOptions {
  /** The axes of inputs. Default: the last but one. */
  readonly inAxis?: number | readonly number[];
  /** The axes of outputs. Default: the last. */
  readonly outAxis?: number | readonly number[];
  /** Axes along which there are separate layers. Default: none. All others belong to the window of a convolution. */
  readonly batchAxis?: number | readonly number[];
}

const fanKeys = ["dtype", "inAxis", "outAxis", "batchAxis"] as const;

function fans(name: string, shape: Shape, options: FanOptions): { fanIn: number; fanOut: number } {
  const { inAxis = -2, outAxis = -1, batchAxis = [] } = options;
  if (shape.length < 2)
    throw new ShapeError(
      `${name} needs weights with an axis of inputs and one of outputs, got shape [${shape.join(",")}]`,
    );
  const length = (axis: number | readonly number[]) =>
    sizeOf(
      (typeof axis === "number" ? [oneAxis(name, axis, shape)] : severalAxes(name, axis, shape)).map(
        (a) => shape[a],
      ),
    );
  const [inputs, outputs, batch] = [inAxis, outAxis, batchAxis].map(length);
  const window = sizeOf(shape) / inputs / outputs / batch;
  return { fanIn: inputs * window, fanOut: outputs * window };
}

/**
 * Weights with mean 0 and variance scale / n, where n is the number of inputs of a unit, of its outputs, or their mean.
 * @throws ArgumentError for another mode or distribution, or unknown options; the initialiser ShapeError for a shape with
 *   fewer than two axes.
 * @see https://www.tensorflow.org/api_docs/python/tf/keras/initializers/VarianceScaling
 * @example
 * nn.initializers.varianceScaling(2, "fanIn", "uniform")(random.key(0), [4, 3]); // shape [4,3]
 */
export function varianceScaling(
  scale: number,
  mode: FanMode,
  distribution: ScalingDistribution,
  options: FanOptions = {},
): Initializer {
  const name = "nn.initializers.varianceScaling";
  const given = plainOptions(name, options, fanKeys);
  if (!["fanIn", "fanOut", "fanAvg"].includes(mode))
    throw new ArgumentError(`${name}: mode must be "fanIn", "fanOut" or "fanAvg", got ${showParam(mode)}`);
  if (!["normal", "truncatedNormal", "uniform"].includes(distribution))
    throw new ArgumentError(
      `${name}: distribution must be "normal", "truncatedNormal" or "uniform", got ${showParam(distribution)}`,
    );
  return (key, shape, dtype = given.dtype ?? "float32") => {
    const { fanIn, fanOut } = fans(name, shapeOf(name, shape), given);
    const variance = scale / (mode === "fanIn" ? fanIn : mode === "fanOut" ? fanOut : (fanIn + fanOut) / 2);
    if (distribution === "normal") return mul(standardNormal(key, shape, { dtype }), Math.sqrt(variance));
    if (distribution === "uniform")
      return mul(standardUniform(key, shape, { dtype, minval: -1 }), Math.sqrt(3 * variance));
    return mul(cutNormal(key, -2, 2, shape, { dtype }), Math.sqrt(variance) / cutDeviation);
  };
}

/**
 * Uniform with variance 2 / (inputs + outputs).
 * @see Glorot & Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html
 * @example
 * nn.initializers.glorotUniform()(random.key(0), [4, 3]); // shape [4,3]
 */
export const glorotUniform = (options?: FanOptions): Initializer =>
  varianceScaling(1, "fanAvg", "uniform", options);

/**
 * Normal, cut off at two standard deviations, with variance 2 / (inputs + outputs).
 * @see Glorot & Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html
 * @example
 * nn.initializers.glorotNormal()(random.key(0), [4, 3]); // shape [4,3]
 */
export const glorotNormal = (options?: FanOptions): Initializer =>
  varianceScaling(1, "fanAvg", "truncatedNormal", options);

/**
 * Uniform with variance 1 / inputs.
 * @see LeCun et al., Efficient BackProp (1998), section 4.6
 * @example
 * nn.initializers.lecunUniform()(random.key(0), [4, 3]); // shape [4,3]
 */
export const lecunUniform = (options?: FanOptions): Initializer =>
  varianceScaling(1, "fanIn", "uniform", options);

/**
 * Normal, cut off at two standard deviations, with variance 1 / inputs.
 * @see LeCun et al., Efficient BackProp (1998), section 4.6
 * @example
 * nn.initializers.lecunNormal()(random.key(0), [4, 3]); // shape [4,3]
 */
export const lecunNormal = (options?: FanOptions): Initializer =>
  varianceScaling(1, "fanIn", "truncatedNormal", options);

/**
 * Uniform with variance 2 / inputs, for layers followed by relu.
 * @see https://arxiv.org/abs/1502.01852
 * @example
 * nn.initializers.heUniform()(random.key(0), [4, 3]); // shape [4,3]
 */
export const heUniform = (options?: FanOptions): Initializer =>
  varianceScaling(2, "fanIn", "uniform", options);

/**
 * Normal, cut off at two standard deviations, with variance 2 / inputs, for layers followed by relu.
 * @see https://arxiv.org/abs/1502.01852
 * @example
 * nn.initializers.heNormal()(random.key(0), [4, 3]); // shape [4,3]
 */
export const heNormal = (options?: FanOptions): Initializer =>
  varianceScaling(2, "fanIn", "truncatedNormal", options);

export {
  glorotNormal as xavierNormal,
  glorotUniform as xavierUniform,
  heNormal as kaimingNormal,
  heUniform as kaimingUniform,
};
