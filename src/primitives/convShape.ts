/** What a convolution's params mean: their types, their checks, the shape of the result. */
import { left, right } from "fp-ts/lib/Either.js";
import { type Aval, aval, describeAll, type Shape } from "../core/aval.js";
import { isFloat, isInteger } from "../core/dtype.js";
import { ArgumentError, AxisError, DtypeError, ShapeError } from "../core/errors.js";
import type { Params, ParamValue } from "../core/primitive.js";
import { isAxis, showParam, type TypeResult } from "./checks.js";

/**
 * Which axis is which, for the two operands and the result. The first two entries of each are
 * batch and feature (`lhsSpec`, `outSpec`) or output and input feature (`rhsSpec`); spatial axes follow.
 */
export interface ConvDimensionNumbers {
  readonly lhsSpec: readonly number[];
  readonly rhsSpec: readonly number[];
  readonly outSpec: readonly number[];
  readonly [key: string]: readonly number[];
}

/** Params of convGeneralDilated; lists have one entry for each spatial axis. */
export interface ConvParams {
  readonly windowStrides: readonly number[];
  /** Zeros before and after; negative numbers cut off. */
  readonly padding: readonly (readonly [low: number, high: number])[];
  /** Distance of elements of lhs, with zeros between them: more than 1 makes a transposed convolution. */
  readonly lhsDilation: readonly number[];
  /** Distance of elements of the window. */
  readonly rhsDilation: readonly number[];
  readonly dimensionNumbers: ConvDimensionNumbers;
  /** Input and output features fall into as many groups, each convolved on its own. */
  readonly featureGroupCount: number;
  /** The batch and the output features fall into as many groups, each convolved on its own. */
  readonly batchGroupCount: number;
  readonly [key: string]: ParamValue;
}

/** The lengths along `spec`: first the two that are not spatial. */
export const lengths = (shape: Shape, spec: readonly number[]): number[] => spec.map((a) => shape[a]);

/** Length of n elements at the given distance. */
export const dilated = (n: number, dilation: number): number => (n === 0 ? 0 : (n - 1) * dilation + 1);

const specs = ["lhsSpec", "rhsSpec", "outSpec"] as const;
const perAxis = ["windowStrides", "lhsDilation", "rhsDilation"] as const;

const isPermutation = (x: unknown, n: number): boolean =>
  Array.isArray(x) && x.length === n && x.every((a) => isAxis(a, n)) && new Set(x).size === n;

const isPositive = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) > 0;

/** What is wrong with params for operands of the given rank, if anything. */
function paramError(params: Params, rank: number): ArgumentError | AxisError | undefined {
  const spatial = rank - 2;
  const { dimensionNumbers, padding } = params;
  if (typeof dimensionNumbers !== "object" || dimensionNumbers === null)
    return new ArgumentError(
      `convGeneralDilated: dimensionNumbers must hold lhsSpec, rhsSpec and outSpec, got ${showParam(dimensionNumbers)}`,
    );
  for (const key of specs) {
    const spec = (dimensionNumbers as Params)[key];
    if (!isPermutation(spec, rank))
      return new AxisError(
        `convGeneralDilated: ${key} ${showParam(spec)} does not name each of ${rank} axes once`,
      );
  }
  for (const key of perAxis) {
    const list = params[key];
    if (!Array.isArray(list) || list.length !== spatial || !list.every(isPositive))
      return new ArgumentError(
        `convGeneralDilated: ${key} must be a positive integer for each of ${spatial} spatial axes, got ${showParam(list)}`,
      );
  }
  const isPair = (p: unknown): boolean => Array.isArray(p) && p.length === 2 && p.every(Number.isSafeInteger);
  if (!Array.isArray(padding) || padding.length !== spatial || !padding.every(isPair))
    return new ArgumentError(
      `convGeneralDilated: padding must be [low, high] for each of ${spatial} spatial axes, got ${showParam(padding)}`,
    );
  for (const key of ["featureGroupCount", "batchGroupCount"])
    if (!isPositive(params[key]))
      return new ArgumentError(
        `convGeneralDilated: ${key} must be a positive integer, got ${showParam(params[key])}`,
      );
  return undefined;
}

/** What is wrong with groups and feature counts, if anything. */
function groupError(lhs: Aval, rhs: Aval, params: ConvParams): string | undefined {
  const { featureGroupCount: groups, batchGroupCount: batchGroups, dimensionNumbers } = params;
  const [batch, features] = lengths(lhs.shape, dimensionNumbers.lhsSpec);
  const [outputs, inputs] = lengths(rhs.shape, dimensionNumbers.rhsSpec);
  if (groups > 1 && batchGroups > 1)
    return `featureGroupCount ${groups} and batchGroupCount ${batchGroups} cannot both be more than 1`;
  if (features !== inputs * groups)
    return `${features} features of lhs are not ${inputs} input features of rhs times featureGroupCount ${groups}`;
  if (outputs % groups !== 0) return `${outputs} output features do not fall into ${groups} feature groups`;
  if (batch % batchGroups !== 0) return `a batch of ${batch} does not fall into ${batchGroups} batch groups`;
  if (outputs % batchGroups !== 0)
    return `${outputs} output features do not fall into ${batchGroups} batch groups`;
  return undefined;
}

/** The shape of the result; for params and operands that `convType` accepts. */
export function convShape(lhs: Shape, rhs: Shape, params: ConvParams): Shape {
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers;
  const [batch, , ...image] = lengths(lhs, lhsSpec);
  const [outputs, , ...window] = lengths(rhs, rhsSpec);
  const sizes = [
    batch / params.batchGroupCount,
    outputs,
    ...image.map((n, d) => {
      const [low, high] = params.padding[d];
      const room = dilated(n, params.lhsDilation[d]) + low + high - dilated(window[d], params.rhsDilation[d]);
      return Math.max(0, Math.floor(room / params.windowStrides[d]) + 1);
    }),
  ];
  const shape = new Array<number>(sizes.length);
  for (const [i, axis] of outSpec.entries()) shape[axis] = sizes[i];
  return shape;
}

/** The type rule. */
export function convType([lhs, rhs]: readonly Aval[], given: Params): TypeResult {
  const operands = `(operands ${describeAll([lhs, rhs])})`;
  if (lhs.dtype !== rhs.dtype)
    return left(
      new DtypeError(`convGeneralDilated needs operands of one dtype, got ${describeAll([lhs, rhs])}`),
    );
  if (!isFloat(lhs.dtype) && !isInteger(lhs.dtype))
    return left(new DtypeError(`convGeneralDilated is not defined for ${lhs.dtype} ${operands}`));
  const rank = lhs.shape.length;
  if (rank < 2 || rhs.shape.length !== rank)
    return left(
      new ShapeError(
        `convGeneralDilated needs operands of one rank, with two axes and the spatial ones, got ${describeAll([lhs, rhs])}`,
      ),
    );
  const wrong = paramError(given, rank);
  if (wrong !== undefined) return left(wrong);
  const params = given as ConvParams;
  const groups = groupError(lhs, rhs, params);
  if (groups !== undefined) return left(new ShapeError(`convGeneralDilated: ${groups} ${operands}`));
  const { lhsSpec, rhsSpec } = params.dimensionNumbers;
  for (const [d, [low, high]] of params.padding.entries()) {
    if (rhs.shape[rhsSpec[d + 2]] === 0)
      return left(
        new ShapeError(`convGeneralDilated: the window has no elements along spatial axis ${d} ${operands}`),
      );
    if (dilated(lhs.shape[lhsSpec[d + 2]], params.lhsDilation[d]) + low + high < 0)
      return left(
        new ShapeError(
          `convGeneralDilated: padding [${low},${high}] cuts off more than there is along spatial axis ${d} ${operands}`,
        ),
      );
  }
  return right([aval(convShape(lhs.shape, rhs.shape, params), lhs.dtype, lhs.weakType && rhs.weakType)]);
}
