/** Covariance and correlation of variables. */
import type { NDArray } from "../core/array.js";
import { describe, sizeOf } from "../core/aval.js";
import { type DType, isFloat, isInteger } from "../core/dtype.js";
import { DtypeError, ShapeError } from "../core/errors.js";
import { abs, div, max, min, mul, sqrt, sub } from "../primitives/arithmetic.js";
import { broadcastInDim, reduceSum } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { transpose } from "../primitives/shape.js";
import { plainOptions } from "./axes.js";
import { full } from "./constants.js";
import { diagonal } from "./indexing.js";
import { concatenate } from "./joining.js";
import { matmul } from "./linalg.js";
import { atleast2d, squeeze } from "./manipulation.js";
import { type ArrayLike, asArray, promoteOperands } from "./operands.js";
import { isOptions } from "./options.js";

export interface CorrelationOptions {
  /** Whether each row is a variable (the default), or each column. */
  readonly rowvar?: boolean;
  /** The dtype to compute in: a float dtype. */
  readonly dtype?: DType;
}

export interface CovarianceOptions extends CorrelationOptions {
  /** Divide by the number of observations, not by one less. Default: false. */
  readonly bias?: boolean;
  /** What to subtract from the number of observations. Default: 1, or 0 with `bias`. */
  readonly ddof?: number;
  /** How often each observation occurs: whole numbers. */
  readonly fweights?: ArrayLike;
  /** How much each observation counts. */
  readonly aweights?: ArrayLike;
}

const covarianceKeys = ["rowvar", "dtype", "bias", "ddof", "fweights", "aweights"] as const;

/** The variables as the rows of one matrix. */
function variables(
  name: string,
  x: ArrayLike,
  y: ArrayLike | undefined,
  { rowvar = true, dtype }: CorrelationOptions,
): NDArray {
  const given = promoteOperands(name, y === undefined ? [x] : [x, y], true);
  const wrong = given.find((a) => a.ndim > 2);
  if (wrong !== undefined)
    throw new ShapeError(`${name} needs vectors or matrices, got ${describe(wrong.aval)}`);
  const rows = given.map((a) => (rowvar || a.ndim < 2 ? atleast2d(a) : transpose(a, [1, 0])));
  const all = rows.length === 1 ? rows[0] : concatenate(rows);
  if (dtype === undefined) return all;
  if (!isFloat(dtype)) throw new DtypeError(`${name}: dtype must be a float dtype, got ${dtype}`);
  return convertElementType(all, dtype);
}

function weightVector(what: string, given: ArrayLike, count: number): NDArray {
  const w = asArray(given, "cov");
  if (w.ndim !== 1 || w.size !== count)
    throw new ShapeError(
      `cov: ${what} ${describe(w.aval)} must be a vector with one weight for each of ${count} observations`,
    );
  return abs(w);
}

/** The weights of observations, and what to divide the sums by. */
function weighting(
  x: NDArray,
  { bias = false, ddof = bias ? 0 : 1, fweights, aweights }: CovarianceOptions,
): { weights: NDArray | undefined; divisor: NDArray | number } {
  const count = x.shape[1];
  const f = fweights === undefined ? undefined : weightVector("fweights", fweights, count);
  if (f !== undefined && !isInteger(f.dtype))
    throw new DtypeError(`cov: fweights must be integers, got ${f.dtype}`);
  const a =
    aweights === undefined
      ? undefined
      : convertElementType(weightVector("aweights", aweights, count), x.dtype);
  const counts = f === undefined ? undefined : convertElementType(f, x.dtype);
  const weights = counts === undefined ? a : a === undefined ? counts : mul(counts, a);
  if (weights === undefined) return { weights, divisor: count - ddof };
  const total = reduceSum(weights, [0]);
  if (ddof === 0) return { weights, divisor: total };
  if (a === undefined) return { weights, divisor: sub(total, ddof) };
  return { weights, divisor: sub(total, div(mul(ddof, reduceSum(mul(weights, a), [0])), total)) };
}

/**
 * The covariance of variables: a matrix with an entry for each pair of them, a scalar for a single one. Each row of `x`
 * (and of `y`, which adds variables) is a variable, each column an observation.
 * @throws ShapeError, DtypeError, ArgumentError
 * @example
 * np.cov(np.array([[1, 2, 3], [3, 2, 1]])); // [[1, -1], [-1, 1]]
 */
export function cov(
  x: ArrayLike,
  y?: ArrayLike | null | CovarianceOptions,
  options: CovarianceOptions = {},
): NDArray {
  const given = plainOptions<CovarianceOptions>(
    "cov",
    isOptions(y) ? (y as CovarianceOptions) : options,
    covarianceKeys,
  );
  const second = isOptions(y) || y === null ? undefined : (y as ArrayLike | undefined);
  const rows = variables("cov", x, second, given);
  const [n, count] = rows.shape;
  if (n === 0 || count === 0) return squeeze(full([n, n], Number.NaN, rows.dtype));
  const { weights, divisor } = weighting(rows, given);
  const spread = (v: NDArray, axis: number): NDArray => broadcastInDim(v, rows.shape, [axis]);
  const weighted = weights === undefined ? rows : mul(rows, spread(weights, 1));
  const total = weights === undefined ? count : reduceSum(weights, [0]);
  const centred = sub(rows, spread(div(reduceSum(weighted, [1]), total), 0));
  const other = weights === undefined ? centred : mul(centred, spread(weights, 1));
  return squeeze(div(matmul(centred, transpose(other, [1, 0])), divisor));
}

/**
 * The correlation coefficients of variables: their covariance divided by their standard deviations, from -1 to 1. A
 * scalar for a single variable. Variables are given as to `cov`.
 * @throws ShapeError, DtypeError, ArgumentError
 * @example
 * np.corrcoef(np.array([[1, 2, 3], [6, 4, 2]])); // [[1, -1], [-1, 1]]
 */
export function corrcoef(
  x: ArrayLike,
  y?: ArrayLike | null | CorrelationOptions,
  options: CorrelationOptions = {},
): NDArray {
  const own = isOptions(y) ? (y as CorrelationOptions) : options;
  const given = plainOptions<CorrelationOptions>("corrcoef", own, ["rowvar", "dtype"]);
  const c = cov(x, isOptions(y) ? undefined : (y as ArrayLike | null | undefined), given);
  if (c.ndim === 0) return div(c, c);
  if (sizeOf(c.shape) === 0) return c;
  const deviations = sqrt(diagonal(c));
  const quotient = div(
    div(c, broadcastInDim(deviations, c.shape, [0])),
    broadcastInDim(deviations, c.shape, [1]),
  );
  return min(max(quotient, -1), 1);
}
