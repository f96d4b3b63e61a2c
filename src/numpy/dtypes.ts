/** Dtypes and shapes: asking about them, and changing the dtype of an array. */

import { NDArray } from "../core/array.js";
import { type Shape, sizeOf } from "../core/aval.js";
import {
  type DType,
  type FloatDType,
  floatLimits,
  integerRange,
  isDType,
  isFloat,
  isInteger,
  isUnsigned,
  itemSize,
  promote,
  requireDType,
  type Typed,
} from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import type { Axis, AxisOr } from "../core/methods.js";
import { convertElementType } from "../primitives/cast.js";
import { axisOptions, severalAxes, shapeOf } from "./axes.js";
import { type ArrayLike, asArray, commonShape } from "./operands.js";
import { dataDType } from "./options.js";

/** Half precision: 11 significant bits, kept in float32 words on the CPU. */
export const float16 = "float16";
/** Single precision, the default. */
export const float32 = "float32";
/** Double precision; not on WebGPU. */
export const float64 = "float64";
/** Integers from -2³¹ to 2³¹ - 1. */
export const int32 = "int32";
/** Integers from 0 to 2³² - 1. */
export const uint32 = "uint32";
/** Integers from 0 to 255. */
export const uint8 = "uint8";
/** true and false. */
export const bool = "bool";
export { bool as bool_ };

/** The base of natural logarithms. */
export const e = Math.E;
/** Half the circumference of the unit circle. */
export const pi = Math.PI;
/** Euler's constant γ. */
export const eulerGamma = 0.5772156649015329;
/** Infinity. */
export const inf = Infinity;
/** Not a number. */
export const nan = Number.NaN;
/** An index that makes a new axis of length 1. */
export const newaxis = null;

/** What limits a float dtype. */
export interface FloatInfo {
  readonly dtype: DType;
  readonly bits: number;
  /** The gap between 1 and the next larger number. */
  readonly eps: number;
  /** The gap between 1 and the next smaller number. */
  readonly epsneg: number;
  readonly max: number;
  readonly min: number;
  /** The smallest positive number of full precision; also called `smallestNormal`. */
  readonly tiny: number;
  readonly smallestNormal: number;
  readonly smallestSubnormal: number;
  /** How many bits the fraction has. */
  readonly nmant: number;
  /** How many decimal digits are reliable. */
  readonly precision: number;
}

const ofDType = (x: DType | NDArray): DType => (typeof x === "string" ? x : x.dtype);

/**
 * The limits of a float dtype, or that of an array.
 * @throws DtypeError for other dtypes.
 * @example
 * np.finfo("float32").max; // 3.4028234663852886e38
 */
export function finfo(x: DType | NDArray): FloatInfo {
  const dtype = requireDType(ofDType(x), "finfo");
  if (!isFloat(dtype)) throw new DtypeError(`finfo needs a float dtype, got ${dtype}; see np.iinfo`);
  const { eps, max, tiny } = floatLimits(dtype as FloatDType);
  return {
    dtype,
    bits: 8 * itemSize(dtype),
    eps,
    epsneg: eps / 2,
    max,
    min: -max,
    tiny,
    smallestNormal: tiny,
    smallestSubnormal: tiny * eps,
    nmant: -Math.log2(eps),
    precision: Math.floor(-Math.log10(eps)),
  };
}

/** What limits an integer dtype. */
export interface IntegerInfo {
  readonly dtype: DType;
  readonly bits: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The limits of an integer dtype, or that of an array.
 * @throws DtypeError for other dtypes.
 * @example
 * np.iinfo("uint8").max; // 255
 */
export function iinfo(x: DType | NDArray): IntegerInfo {
  const dtype = requireDType(ofDType(x), "iinfo");
  if (!isInteger(dtype)) throw new DtypeError(`iinfo needs an integer dtype, got ${dtype}; see np.finfo`);
  const [min, max] = integerRange(dtype);
  return { dtype, bits: 8 * itemSize(dtype), min, max };
}

/**
 * The dtype that operands are brought to: arrays, numbers and dtypes.
 * @throws DtypeError for a dtype that is none; ArgumentError without operands.
 * @example
 * np.resultType("int32", 1.5); // "float32"
 * np.resultType(np.zeros(2, "float16"), 1.5); // "float16"
 */
export function resultType(...operands: readonly (ArrayLike | DType)[]): DType {
  if (operands.length === 0) throw new ArgumentError("resultType needs at least one operand");
  const typeOf = (x: ArrayLike | DType): Typed =>
    typeof x === "string"
      ? { dtype: dataDType("resultType", x), weakType: false }
      : asArray(x, "resultType").aval;
  return promote(operands.map(typeOf)).dtype;
}

/**
 * The smallest dtype that two dtypes are brought to.
 * @throws DtypeError for a dtype that is none.
 * @example
 * np.promoteTypes("int32", "float16"); // "float16"
 */
export const promoteTypes = (a: DType, b: DType): DType => resultType(a, b);

export type Casting = "no" | "equiv" | "safe" | "sameKind" | "unsafe";

/** From the narrowest kind to the widest: "sameKind" casts go to the same kind or up. */
const kindOf = (d: DType): number => (d === "bool" ? 0 : isUnsigned(d) ? 1 : isInteger(d) ? 2 : 3);

/** The largest whole number up to which a dtype has all of them, and the smallest. */
const wholeRange = (d: DType): readonly [number, number] =>
  isFloat(d) ? [-2 / floatLimits(d).eps, 2 / floatLimits(d).eps] : integerRange(d);

function isSafe(from: DType, to: DType): boolean {
  if (from === to || from === "bool") return true;
  if (to === "bool") return false;
  if (isFloat(from)) return isFloat(to) && itemSize(to) >= itemSize(from);
  const [lo, hi] = wholeRange(from);
  const [least, most] = wholeRange(to);
  return least <= lo && hi <= most;
}

/**
 * Whether a conversion between dtypes is allowed: "safe" (the default) keeps every value, "sameKind" may also lose
 * precision, "no" and "equiv" allow the same dtype alone, "unsafe" everything.
 * @throws DtypeError for a dtype that is none.
 * @example
 * np.canCast("uint8", "float16"); // true
 * np.canCast("int32", "float32"); // false
 */
export function canCast(from: DType, to: DType, casting: Casting = "safe"): boolean {
  const [a, b] = [dataDType("canCast", from), dataDType("canCast", to)];
  switch (casting) {
    case "no":
    case "equiv":
      return a === b;
    case "safe":
      return isSafe(a, b);
    case "sameKind":
      return isSafe(a, b) || kindOf(a) <= kindOf(b);
    case "unsafe":
      return true;
    default:
      throw new ArgumentError(
        `canCast: casting must be "no", "equiv", "safe", "sameKind" or "unsafe", got ${casting}`,
      );
  }
}

/** The kinds of dtypes, from general to special, as NumPy names them. */
const kinds = {
  generic: () => true,
  number: (d) => d !== "bool",
  integer: isInteger,
  signedinteger: (d) => isInteger(d) && !isUnsigned(d),
  unsignedinteger: isUnsigned,
  inexact: isFloat,
  floating: isFloat,
} satisfies Record<string, (d: DType) => boolean>;

/** A kind of dtypes, such as "floating". */
export type DTypeKind = keyof typeof kinds;

/**
 * Whether a dtype is of a kind ("generic", "number", "integer", "signedinteger", "unsignedinteger", "inexact",
 * "floating"), or is another dtype.
 * @throws DtypeError for a dtype that is none; ArgumentError for an unknown kind.
 * @example
 * np.issubdtype("float16", "floating"); // true
 * np.issubdtype("bool", "integer"); // false
 */
export function issubdtype(dtype: DType, kind: DType | DTypeKind): boolean {
  const d = dataDType("issubdtype", dtype);
  if (isDType(kind)) return d === kind;
  if (!Object.hasOwn(kinds, kind))
    throw new ArgumentError(
      `issubdtype: ${JSON.stringify(kind)} is neither a dtype nor one of ${Object.keys(kinds).join(", ")}`,
    );
  return kinds[kind](d);
}

/**
 * x in another dtype. Floats become integers by dropping the fraction, clamped to the range; NaN becomes 0. Anything
 * that is not 0 becomes true. Derivatives go through conversions between floats.
 * @throws DtypeError for a dtype that is none.
 * @example
 * np.astype(np.array([1.7, -1.7]), "int32"); // [1, -1]
 */
export const astype = (x: ArrayLike, dtype: DType): NDArray =>
  convertElementType(asArray(x, "astype"), dataDType("astype", dtype));

/**
 * The shape that arrays of the given shapes broadcast to.
 * @throws ShapeError if there is none.
 * @example
 * np.broadcastShapes([2, 1], [3]); // [2, 3]
 */
export function broadcastShapes(...shapes: readonly (number | Shape)[]): number[] {
  const given = shapes.map((s) => shapeOf("broadcastShapes", s));
  const common = commonShape(given);
  if (common === undefined)
    throw new ShapeError(
      `broadcastShapes: ${given.map((s) => `[${s.join(",")}]`).join(", ")} do not broadcast together`,
    );
  return [...common];
}

/**
 * The number of axes.
 * @example
 * np.ndim(np.zeros([2, 3])); // 2
 */
export const ndim = (x: ArrayLike): number => asArray(x, "ndim").ndim;

/**
 * The lengths of the axes.
 * @example
 * np.shape(np.zeros([2, 3])); // [2, 3]
 */
export const shape = (x: ArrayLike): Shape => asArray(x, "shape").shape;

/**
 * The number of elements, of all axes or of some.
 * @throws AxisError for an axis that does not exist.
 * @example
 * np.size(np.zeros([2, 3])); // 6
 * np.size(np.zeros([2, 3]), 1); // 3
 */
export function size(x: ArrayLike, options?: AxisOr<{ readonly axis?: Axis }>): number {
  const { axis } = axisOptions<{ readonly axis?: Axis }>("size", options, ["axis"]);
  const own = asArray(x, "size").shape;
  return sizeOf(severalAxes("size", axis, own).map((a) => own[a]));
}

/**
 * Whether x is a number, a boolean or an array without axes.
 * @example
 * np.isscalar(3); // true
 * np.isscalar(np.zeros(2)); // false
 */
export const isscalar = (x: unknown): boolean =>
  typeof x === "number" || typeof x === "boolean" || (x instanceof NDArray && x.ndim === 0);
