/** Convolutions. (As everywhere in machine learning the kernel is not turned around: these are correlations.) */
import type { NDArray } from "../core/array.js";
import { describeAll } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { showParam } from "../primitives/checks.js";
import { convGeneralDilated as primitive } from "../primitives/conv.js";
import { transpose } from "../primitives/shape.js";
import { rev } from "../primitives/slicing.js";
import { optionsOf } from "./arguments.js";
import { type ConvLayout, dimensionNumbers, featuresLast } from "./convNumbers.js";
import { arrayOperand } from "./operands.js";
import { type Padding, paddingPairs } from "./padding.js";

export interface ConvOptions {
  /** How far the window moves along each spatial axis. Default: 1. */
  readonly windowStrides?: readonly number[];
  /** Zeros around the image. Default: "VALID", none. */
  readonly padding?: Padding;
  /** Distances of the elements of the image, zeros between them: more than 1 makes a transposed convolution. Default: 1. */
  readonly lhsDilation?: readonly number[];
  /** Distances of the elements of the kernel. Default: 1. */
  readonly rhsDilation?: readonly number[];
  /** Which axis is which. Default: batch, feature, spatial axes; for the kernel output and input feature in front. */
  readonly dimensionNumbers?: ConvLayout;
  /** Input and output features fall into as many groups, each convolved on its own. Default: 1. */
  readonly featureGroupCount?: number;
  /** The batch and the output features fall into as many groups, each convolved on its own. Default: 1. */
  readonly batchGroupCount?: number;
}

/** Length of n elements at the given distance. */
const reach = (n: number, dilation: number): number => (n === 0 ? 0 : (n - 1) * dilation + 1);

/** Operands of one rank, with two axes and the spatial ones. */
function images(name: string, lhs: NDArray, rhs: NDArray): [NDArray, NDArray] {
  const [x, y] = [arrayOperand(name, lhs), arrayOperand(name, rhs)];
  if (x.ndim < 2 || x.ndim !== y.ndim)
    throw new ShapeError(
      `lax.${name} needs operands of one rank, with two axes and the spatial ones, got ${describeAll([x.aval, y.aval])}`,
    );
  return [x, y];
}

function convolve(name: string, lhs: NDArray, rhs: NDArray, options: ConvOptions): NDArray {
  const [x, y] = images(name, lhs, rhs);
  const ones = new Array<number>(x.ndim - 2).fill(1);
  const { windowStrides = ones, lhsDilation = ones, rhsDilation = ones, padding = "VALID" } = options;
  const numbers = dimensionNumbers(name, options.dimensionNumbers, x.ndim);
  if (typeof padding === "string" && padding !== "VALID" && lhsDilation.some((d) => d !== 1))
    throw new ArgumentError(
      `lax.${name}: padding ${showParam(padding)} says nothing of a dilated image; give it in numbers, or use lax.convTranspose`,
    );
  const spatial = (shape: readonly number[], spec: readonly number[]) => spec.slice(2).map((a) => shape[a]);
  const windows = spatial(y.shape, numbers.rhsSpec).map((n, i) => reach(n, rhsDilation[i]));
  return primitive(x, y, {
    windowStrides,
    padding: paddingPairs(name, padding, spatial(x.shape, numbers.lhsSpec), windows, windowStrides),
    lhsDilation,
    rhsDilation,
    dimensionNumbers: numbers,
    featureGroupCount: options.featureGroupCount ?? 1,
    batchGroupCount: options.batchGroupCount ?? 1,
  });
}

/**
 * Convolution with any number of spatial axes, strides, padding, dilation of image and kernel, and groups.
 * @param lhs the image: by default [batch, features, ...spatial].
 * @param rhs the kernel, of the same dtype: by default [output features, input features / groups, ...window].
 * @throws ShapeError, DtypeError, AxisError or ArgumentError for operands and options that do not fit.
 * @see https://openxla.org/xla/operation_semantics#convolution
 * @example
 * const x = np.array([[[1, 2, 3, 4]]]);
 * lax.convGeneralDilated(x, np.array([[[1, 1]]])); // [[[3, 5, 7]]]
 * lax.convGeneralDilated(x, np.array([[[1, 1]]]), { windowStrides: [2], padding: "SAME" }); // [[[3, 7]]]
 */
export const convGeneralDilated = (lhs: NDArray, rhs: NDArray, options?: ConvOptions): NDArray =>
  convolve(
    "convGeneralDilated",
    lhs,
    rhs,
    optionsOf("convGeneralDilated", options, [
      "windowStrides",
      "padding",
      "lhsDilation",
      "rhsDilation",
      "dimensionNumbers",
      "featureGroupCount",
      "batchGroupCount",
    ]),
  );

/**
 * Convolution with the default layout (batch, features, spatial axes), strides and padding.
 * @throws ShapeError, DtypeError or ArgumentError for operands that do not fit.
 * @example
 * lax.conv(np.array([[[1, 2, 3, 4]]]), np.array([[[1, 1]]]), [1], "SAME"); // [[[3, 5, 7, 4]]]
 */
export const conv = (
  lhs: NDArray,
  rhs: NDArray,
  windowStrides: readonly number[],
  padding: Padding,
): NDArray => convolve("conv", lhs, rhs, { windowStrides, padding });

export interface GeneralPaddingOptions {
  /** Distances of the elements of the image. Default: 1. */
  readonly lhsDilation?: readonly number[];
  /** Distances of the elements of the kernel. Default: 1. */
  readonly rhsDilation?: readonly number[];
}

/**
 * Convolution with the default layout, strides, padding and dilation.
 * @throws ShapeError, DtypeError or ArgumentError for operands that do not fit.
 * @example
 * const x = np.array([[[1, 2, 3, 4]]]);
 * lax.convWithGeneralPadding(x, np.array([[[1, 1]]]), [1], [[0, 0]], { rhsDilation: [2] }); // [[[4, 6]]]
 */
export const convWithGeneralPadding = (
  lhs: NDArray,
  rhs: NDArray,
  windowStrides: readonly number[],
  padding: Padding,
  options?: GeneralPaddingOptions,
): NDArray =>
  convolve("convWithGeneralPadding", lhs, rhs, {
    ...optionsOf("convWithGeneralPadding", options, ["lhsDilation", "rhsDilation"]),
    windowStrides,
    padding,
  });

export interface ConvTransposeOptions {
  /** Distances of the elements of the kernel. Default: 1. */
  readonly rhsDilation?: readonly number[];
  /** Which axis is which. Default: batch, spatial axes, feature; for the kernel spatial axes, input and output feature. */
  readonly dimensionNumbers?: ConvLayout;
  /** Turn the kernel around and exchange its features: the result is then the gradient of a convolution. Default: false. */
  readonly transposeKernel?: boolean;
}

/**
 * What is added around an image that is spread by the stride, so that n elements become n·stride ("SAME") or
 * (n - 1)·stride + max(window, stride) ("VALID").
 */
function transposedPadding(name: string, window: number, stride: number, padding: string): [number, number] {
  if (padding === "VALID") return [window - 1, Math.max(window, stride) - 1];
  if (padding !== "SAME")
    throw new ArgumentError(
      `lax.${name}: padding must be "VALID", "SAME" or [low, high] for each axis, got ${showParam(padding)}`,
    );
  const total = window + stride - 2;
  const low = stride > window - 1 ? window - 1 : Math.ceil(total / 2);
  return [low, total - low];
}

/**
 * The transposed convolution: the image is spread by `strides` and then convolved, so that it grows by that factor.
 * @param lhs the image: by default [batch, ...spatial, features].
 * @param rhs the kernel: by default [...window, input features, output features].
 * @throws ShapeError, DtypeError, AxisError or ArgumentError for operands and options that do not fit.
 * @example
 * const x = np.array([[[1], [2]]]);
 * lax.convTranspose(x, np.array([[[1]], [[1]]]), [2], "SAME"); // [[[1], [1], [2], [2]]]
 */
export function convTranspose(
  lhs: NDArray,
  rhs: NDArray,
  strides: readonly number[],
  padding: Padding,
  options?: ConvTransposeOptions,
): NDArray {
  const name = "convTranspose";
  const [x, kernel] = images(name, lhs, rhs);
  const known = ["rhsDilation", "dimensionNumbers", "transposeKernel"] as const;
  const {
    rhsDilation = strides.map(() => 1),
    transposeKernel = false,
    ...given
  } = optionsOf(name, options, known);
  const layout = given.dimensionNumbers ?? (kernel.ndim <= 5 ? featuresLast(kernel.ndim) : undefined);
  const numbers = dimensionNumbers(name, layout, kernel.ndim);
  const [output, input, ...window] = numbers.rhsSpec;
  const pairs =
    typeof padding === "string"
      ? window.map((a, i) =>
          transposedPadding(name, reach(kernel.shape[a], rhsDilation[i]), strides[i], padding),
        )
      : padding;
  return convolve(name, x, transposeKernel ? turned(kernel, window, output, input) : kernel, {
    padding: pairs,
    lhsDilation: strides,
    rhsDilation,
    dimensionNumbers: numbers,
  });
}

/** The kernel of the transposed linear map. */
function turned(kernel: NDArray, window: readonly number[], output: number, input: number): NDArray {
  const exchanged = kernel.shape.map((_, i) => (i === output ? input : i === input ? output : i));
  return transpose(
    rev(
      kernel,
      [...window].sort((a, b) => a - b),
    ),
    exchanged,
  );
}
