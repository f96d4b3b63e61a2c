/** Evenly spaced numbers. */
import { concreteArray, type NDArray } from "../core/array.js";
import { type DType, isFloat, promote, toInexact } from "../core/dtype.js";
import { ArgumentError, DtypeError } from "../core/errors.js";
import { add, div, mul, pow, sub } from "../primitives/arithmetic.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { floor } from "../primitives/rounding.js";
import { iota } from "../primitives/shape.js";
import { oneAxis, plainOptions, wholeNumber } from "./axes.js";
import { type ArrayLike, asArray, broadcastOperands, convertTo } from "./operands.js";
import { type DTypeOption, dataDType, dtypeOption, isOptions } from "./options.js";
import { power } from "./power.js";

/** The value of a number that decides the length of an array, and has to be known for that. */
function knownNumber(name: string, x: ArrayLike): number {
  // A JavaScript number does not go through an array, which would round it.
  const value =
    typeof x === "number" ? x : Number(asArray(x, name).concrete(`the length of np.${name}`).item());
  if (!Number.isFinite(value)) throw new ArgumentError(`${name} needs finite numbers, got ${value}`);
  return value;
}

type DTypeArgument = DType | DTypeOption;

/**
 * The numbers start, start + step, ... below `stop` (above it for a negative step). Without `stop` and `step` they
 * count from 0 in steps of 1. Whole numbers give int32, others float32, unless `dtype` says otherwise.
 * @throws ArgumentError for a step of 0 and for infinite ranges.
 * @throws ConcretizationError for traced numbers: the length has to be known.
 * @example
 * np.arange(4); // [0, 1, 2, 3]
 * np.arange(10, 2, -3); // [10, 7, 4]
 * np.arange(0, 1, 0.25); // [0, 0.25, 0.5, 0.75]
 */
export function arange(stop: ArrayLike, options?: DTypeArgument): NDArray;
export function arange(start: ArrayLike, stop: ArrayLike, options?: DTypeArgument): NDArray;
export function arange(start: ArrayLike, stop: ArrayLike, step: ArrayLike, options?: DTypeArgument): NDArray;
export function arange(...given: readonly (ArrayLike | DTypeArgument | undefined)[]): NDArray {
  const last = given.at(-1);
  const hasOptions = typeof last === "string" || isOptions(last) || last === undefined;
  const dtype = hasOptions ? dtypeOption("arange", last as DTypeArgument | undefined) : undefined;
  const limits = (hasOptions ? given.slice(0, -1) : given) as readonly ArrayLike[];
  if (limits.length === 0 || limits.length > 3)
    throw new ArgumentError(`arange takes 1 to 3 numbers (start, stop, step), got ${limits.length}`);
  const values = limits.map((x) => knownNumber("arange", x));
  const [start, stop, step] =
    values.length === 1 ? [0, values[0], 1] : [values[0], values[1], values[2] ?? 1];
  if (step === 0) throw new ArgumentError("arange: the step must not be 0");
  const count = Math.max(0, Math.ceil((stop - start) / step));
  const type = dtype ?? promote(limits.map((x) => asArray(x, "arange").aval)).dtype;
  if (type === "bool") throw new DtypeError("arange: bool is not a dtype of numbers");
  if (Number.isInteger(start) && Number.isInteger(step)) return counted(type, count, start, step);
  return concreteArray(
    Array.from({ length: count }, (_, i) => start + i * step),
    [count],
    type,
  );
}

function counted(dtype: DType, count: number, start: number, step: number): NDArray {
  const counts = iota(dtype, [count], 0);
  const scaled = step === 1 ? counts : mul(counts, step);
  return start === 0 ? scaled : add(scaled, start);
}

export interface SpaceOptions extends DTypeOption {
  /** Whether `stop` is the last number (default true), or the one after it. */
  readonly endpoint?: boolean;
  /** Where the new axis stands, if the ends are arrays (default 0). */
  readonly axis?: number;
}

/** What the three kinds of spacing have in common. */
interface Spacing {
  /** How far each number is on the way from start to stop. */
  readonly along: readonly number[];
  /** How many steps the way has; 0 or less if there is none. */
  readonly steps: number;
  /** The float dtype to compute in. */
  readonly inner: DType;
  /** The dtype of the result. */
  readonly dtype: DType;
  readonly axis: number;
}

function spacing(
  name: string,
  start: ArrayLike,
  stop: ArrayLike,
  num: number,
  options: SpaceOptions,
): Spacing {
  const { endpoint = true, axis = 0 } = options;
  const count = wholeNumber(name, "the number of elements", num, 0);
  const steps = endpoint ? count - 1 : count;
  const own = toInexact(promote([start, stop].map((x) => asArray(x, name).aval))).dtype;
  const dtype = options.dtype === undefined ? own : dataDType(name, options.dtype);
  const along = Array.from({ length: count }, (_, i) => (steps === 0 ? 0 : i / steps));
  return { along, steps, inner: isFloat(dtype) ? dtype : own, dtype, axis };
}

/** Computes from both ends and the fractions, each repeated along the axes that it has not. */
function between(
  name: string,
  start: ArrayLike,
  stop: ArrayLike,
  { along, inner, axis }: Spacing,
  compute: (start: NDArray, stop: NDArray, t: NDArray) => NDArray,
): NDArray {
  const type = { dtype: inner, weakType: false };
  const ends = broadcastOperands(name, [convertTo(start, type), convertTo(stop, type)]);
  const common = ends[0].ndim > 0 ? ends[0].shape : ends[1].shape;
  const place = oneAxis(name, axis, [...common, 1]);
  const shape = [...common.slice(0, place), along.length, ...common.slice(place)];
  const others = shape.flatMap((_, i) => (i === place ? [] : [i]));
  const [a, b] = ends.map((end) => (end.ndim === 0 ? end : broadcastInDim(end, shape, others)));
  return compute(a, b, broadcastInDim(concreteArray(along, [along.length], inner), shape, [place]));
}

/** Between two JavaScript numbers everything is known, and computed in double precision. */
function betweenNumbers(
  start: number,
  stop: number,
  { along, inner }: Spacing,
  compute: (start: number, stop: number, t: number) => number,
): NDArray {
  // The last number is `stop` itself, not what rounding makes of it.
  const values = along.map((t) => (t === 1 ? stop : compute(start, stop, t)));
  return concreteArray(values, [values.length], inner);
}

const areNumbers = (x: ArrayLike, y: ArrayLike): boolean => typeof x === "number" && typeof y === "number";

export interface LinspaceOptions extends SpaceOptions {
  /** Whether to return the step too: `[numbers, step]`. */
  readonly retstep?: boolean;
}

/**
 * `num` (default 50) evenly spaced numbers from `start` to `stop`. If these are arrays, one such sequence for each pair
 * of elements, along a new axis. Integer dtypes round towards -∞.
 * @throws ArgumentError if `num` is not a count; ShapeError if the ends do not broadcast.
 * @example
 * np.linspace(0, 1, 5); // [0, 0.25, 0.5, 0.75, 1]
 * np.linspace(0, 1, 4, { endpoint: false }); // [0, 0.25, 0.5, 0.75]
 */
export function linspace(
  start: ArrayLike,
  stop: ArrayLike,
  num: number | undefined,
  options: LinspaceOptions & { readonly retstep: true },
): [numbers: NDArray, step: NDArray];
export function linspace(start: ArrayLike, stop: ArrayLike, num?: number, options?: LinspaceOptions): NDArray;
export function linspace(
  start: ArrayLike,
  stop: ArrayLike,
  num = 50,
  options: LinspaceOptions = {},
): NDArray | [NDArray, NDArray] {
  plainOptions("linspace", options, ["dtype", "endpoint", "axis", "retstep"]);
  const space = spacing("linspace", start, stop, num, options);
  const numbers = areNumbers(start, stop)
    ? betweenNumbers(start as number, stop as number, space, (a, b, t) => a + (b - a) * t)
    : between("linspace", start, stop, space, (a, b, t) => add(mul(a, sub(1, t)), mul(b, t)));
  const isWhole = !isFloat(space.dtype) && space.dtype !== "bool";
  const settled = convertElementType(isWhole ? floor(numbers) : numbers, space.dtype);
  return options.retstep ? [settled, stepBetween(start, stop, space)] : settled;
}

function stepBetween(start: ArrayLike, stop: ArrayLike, { steps, inner }: Spacing): NDArray {
  const type = { dtype: inner, weakType: false };
  if (areNumbers(start, stop)) {
    const step = steps > 0 ? ((stop as number) - (start as number)) / steps : Number.NaN;
    return convertTo(step, type);
  }
  const [a, b] = broadcastOperands("linspace", [convertTo(start, type), convertTo(stop, type)]);
  return div(sub(b, a), steps > 0 ? steps : Number.NaN);
}

export interface LogspaceOptions extends SpaceOptions {
  /** The base of the powers (default 10). */
  readonly base?: ArrayLike;
}

/**
 * `num` (default 50) powers of `base`, whose exponents are evenly spaced from `start` to `stop`.
 * @throws ArgumentError if `num` is not a count; ShapeError if the ends do not broadcast.
 * @example
 * np.logspace(0, 2, 3); // [1, 10, 100]
 * np.logspace(0, 3, 4, { base: 2 }); // [1, 2, 4, 8]
 */
export function logspace(
  start: ArrayLike,
  stop: ArrayLike,
  num = 50,
  options: LogspaceOptions = {},
): NDArray {
  plainOptions("logspace", options, ["dtype", "endpoint", "axis", "base"]);
  const { base = 10, endpoint, axis } = options;
  const { inner, dtype } = spacing("logspace", start, stop, num, options);
  return convertElementType(power(base, linspace(start, stop, num, { endpoint, axis, dtype: inner })), dtype);
}

/**
 * `num` (default 50) numbers from `start` to `stop` with a constant ratio.
 * @throws ArgumentError if `num` is not a count, or for numbers that are zero or of different signs.
 * @throws ShapeError if the ends do not broadcast.
 * @example
 * np.geomspace(1, 1000, 4); // [1, 10, 100, 1000]
 */
export function geomspace(start: ArrayLike, stop: ArrayLike, num = 50, options: SpaceOptions = {}): NDArray {
  plainOptions("geomspace", options, ["dtype", "endpoint", "axis"]);
  const space = spacing("geomspace", start, stop, num, options);
  if (areNumbers(start, stop) && Math.sign(start as number) * Math.sign(stop as number) !== 1)
    throw new ArgumentError(`geomspace needs numbers of one sign and not zero, got ${start} and ${stop}`);
  const numbers = areNumbers(start, stop)
    ? betweenNumbers(start as number, stop as number, space, (a, b, t) => a * (b / a) ** t)
    : between("geomspace", start, stop, space, (a, b, t) => mul(a, pow(div(b, a), t)));
  return convertElementType(numbers, space.dtype);
}
