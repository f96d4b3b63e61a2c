/** Convolution and correlation of vectors. */
import type { NDArray } from "../core/array.js";
import { describeAll } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { convertElementType } from "../primitives/cast.js";
import { showParam } from "../primitives/checks.js";
import { convGeneralDilated } from "../primitives/conv.js";
import { reshape } from "../primitives/shape.js";
import { rev } from "../primitives/slicing.js";
import { plainOptions } from "./axes.js";
import { type ArrayLike, promoteOperands } from "./operands.js";
import { dataDType } from "./options.js";

/** Which places of the shorter vector along the longer one count: where both meet, "same" as many as the longer has, or
 * where the shorter lies inside. */
export type ConvolveMode = "full" | "same" | "valid";

export interface ConvolveOptions {
  readonly mode?: ConvolveMode;
  /** The dtype of the result. Default: a float dtype; with it integers stay integers. */
  readonly preferredElementType?: DType;
}

function paddingOf(name: string, mode: unknown, window: number): readonly [number, number] {
  if (mode === "valid") return [0, 0];
  if (mode === "full") return [window - 1, window - 1];
  const half = Math.floor(window / 2);
  if (mode === "same") return [half, window - half - 1];
  throw new ArgumentError(`${name}: mode must be "full", "same" or "valid", got ${showParam(mode)}`);
}

/** Slides the shorter vector along the longer one. */
function slide(
  name: string,
  xs: readonly [ArrayLike, ArrayLike],
  given: ConvolveMode | ConvolveOptions,
  standard: ConvolveMode,
): { longer: NDArray; shorter: NDArray; swapped: boolean; run: (window: NDArray) => NDArray } {
  const options = typeof given === "string" ? { mode: given } : given;
  const { mode = standard, preferredElementType: preferred } = plainOptions<ConvolveOptions>(name, options, [
    "mode",
    "preferredElementType",
  ]);
  const operands = promoteOperands(name, xs, preferred === undefined);
  const dtype = preferred === undefined ? operands[0].dtype : dataDType(name, preferred);
  const [a, b] = operands.map((x) => convertElementType(x, dtype));
  if (a.ndim !== 1 || b.ndim !== 1 || a.size === 0 || b.size === 0)
    throw new ShapeError(
      `${name} needs two vectors with elements, got ${describeAll(operands.map((x) => x.aval))}`,
    );
  const swapped = a.size < b.size;
  const [longer, shorter] = swapped ? [b, a] : [a, b];
  const spec = [0, 1, 2];
  const run = (window: NDArray): NDArray => {
    const out = convGeneralDilated(
      reshape(longer, [1, 1, longer.size]),
      reshape(window, [1, 1, window.size]),
      {
        windowStrides: [1],
        padding: [paddingOf(name, mode, window.size)],
        lhsDilation: [1],
        rhsDilation: [1],
        dimensionNumbers: { lhsSpec: spec, rhsSpec: spec, outSpec: spec },
        featureGroupCount: 1,
        batchGroupCount: 1,
      },
    );
    return reshape(out, [out.size]);
  };
  return { longer, shorter, swapped, run };
}

/**
 * The convolution of two vectors, out[k] = Σ x[i] · y[k - i], in floats. `mode` is "full" (the default), "same" or
 * "valid".
 * @throws ShapeError for other than vectors with elements; ArgumentError
 * @example
 * np.convolve(np.array([1, 2, 3]), np.array([0, 1, 0.5])); // [0, 1, 2.5, 4, 1.5]
 */
export function convolve(x: ArrayLike, y: ArrayLike, options: ConvolveMode | ConvolveOptions = {}): NDArray {
  const { shorter, run } = slide("convolve", [x, y], options, "full");
  return run(rev(shorter, [0]));
}

/**
 * The cross-correlation of two vectors, out[k] = Σ x[i + k] · y[i], in floats. `mode` is "valid" (the default), "same"
 * or "full".
 * @throws ShapeError for other than vectors with elements; ArgumentError
 * @example
 * np.correlate(np.array([1, 2, 3]), np.array([0, 1, 0.5]), "full"); // [0.5, 2, 3.5, 3, 0]
 */
export function correlate(x: ArrayLike, y: ArrayLike, options: ConvolveMode | ConvolveOptions = {}): NDArray {
  const { shorter, swapped, run } = slide("correlate", [x, y], options, "valid");
  const out = run(shorter);
  return swapped ? rev(out, [0]) : out;
}
