/**
 * `numpy`: NumPy's functions over traceable arrays, by the names of NumPy and JAX in camelCase.
 *
 * Arrays and numbers come first, options last as one object; where NumPy takes an axis by position, so do these.
 */
import "../backends/default.js";
import "./methods.js";

export * from "./alongAxis.js";
export * from "./arithmetic.js";
export * from "./array.js";
export * from "./bits.js";
export * from "./choosing.js";
export * from "./convolution.js";
export * from "./covariance.js";
export * from "./creation.js";
export * from "./cross.js";
export * from "./cumulative.js";
export * from "./differences.js";
export * from "./division.js";
export * from "./dtypes.js";
export * from "./editing.js";
export { einsum } from "./einsum.js";
export * from "./exponential.js";
export * from "./floats.js";
export * from "./grids.js";
export * from "./histogram.js";
export * from "./hyperbolic.js";
export { type DiagonalOptions, diagonal, type Indices, type TakeMode, take } from "./indexing.js";
export * from "./indexTricks.js";
export * from "./interpolation.js";
export * from "./joining.js";
export * from "./linalg.js";
export * as linalg from "./linalgNamespace.js";
export * from "./logic.js";
export * from "./manipulation.js";
export * from "./matrices.js";
export {
  type AverageOptions,
  average,
  type MeanOptions,
  mean,
  std,
  type VarianceOptions,
  variance as var,
} from "./moments.js";
export * from "./nanReductions.js";
export * from "./nonzero.js";
export * from "./pad.js";
export * from "./polynomials.js";
export * from "./power.js";
export * from "./quantiles.js";
export * from "./ranges.js";
export * from "./reductions.js";
export * from "./reordering.js";
export * from "./rounding.js";
export * from "./selecting.js";
export * from "./sets.js";
export * from "./sorting.js";
export * from "./splitting.js";
export * from "./trigonometric.js";
export * from "./vectorize.js";
export * from "./windows.js";
