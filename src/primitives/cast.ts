/** Changing what elements are made of: dtypes, bits, precision; and hiding a value from differentiation. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { type Aval, aval, describe, type Shape, sizeOf } from "../core/aval.js";
import {
  allocate,
  type DType,
  type FloatDType,
  floatLimits,
  integerRange,
  isDType,
  isFloat,
  itemSize,
  roundToFloat16,
  type TypedArray,
} from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { reducePrecision as irReducePrecision } from "../core/ir/math/index.js";
import { noParams } from "../core/params.js";
import { definePrimitive } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { zeroFor } from "../core/zero.js";
import { lowerBitcast, lowerConvert } from "./castLower.js";
import { isCount, showParam, typeRule } from "./checks.js";
import { elementwise, type Operand, scalarsLike, work } from "./elementwise.js";
import { bitsToHalf, exponentOf, halfToBits } from "./floatBits.js";
import { noWork } from "./linear.js";

/** What is wrong with a param that should be a dtype with data. */
const dtypeError = (name: string, dtype: unknown): DtypeError | undefined =>
  isDType(dtype) && dtype !== "float0"
    ? undefined
    : new DtypeError(`${name}: the param dtype must be a dtype, got ${showParam(dtype)}`);

// ---------------------------------------------------------------------------------------------------------------------
// convertElementType
// ---------------------------------------------------------------------------------------------------------------------

/** Storage wraps integers and rounds floats by itself; what is left is what it would get wrong. */
function converter(from: DType, to: DType): (x: number) => number {
  if (to === "bool") return (x) => (x !== 0 ? 1 : 0);
  // Straight from double precision: by way of float32 it would be rounded twice.
  if (to === "float16") return roundToFloat16;
  if (isFloat(to) || !isFloat(from)) return (x) => x;
  const [lo, hi] = integerRange(to);
  return (x) => (Number.isNaN(x) ? 0 : x <= lo ? lo : x >= hi ? hi : Math.trunc(x));
}

interface ConvertParams {
  readonly dtype: DType;
  readonly weakType: boolean;
}

const convertPrimitive = elementwise({
  name: "convertElementType",
  summary: "the same numbers in another dtype",
  arity: 1,
  domain: "any",
  check: ({ dtype, weakType }) =>
    typeof weakType === "boolean"
      ? dtypeError("convertElementType", dtype)
      : new ArgumentError(
          `convertElementType: the param weakType must be a boolean, got ${showParam(weakType)}`,
        ),
  result: (params) => {
    const { dtype, weakType } = params as unknown as ConvertParams;
    return { dtype, weakType: weakType && dtype !== "bool" };
  },
  evaluateFor: (from, { dtype }) => converter(from, dtype as DType),
  lower: ([x], from, { dtype }) => lowerConvert(x, from, dtype as DType),
  tangents: (params) => {
    const { dtype, weakType } = params as unknown as ConvertParams;
    return [isFloat(dtype) ? (t) => convertElementType(t, dtype, weakType) : undefined];
  },
  transposes: () => [(ct, x) => convertElementType(ct, x.aval.dtype, x.aval.weakType)],
  examples: [
    { params: { dtype: "float64", weakType: true } },
    { params: { dtype: "int32", weakType: false }, domain: [[0.1, 0.9]] },
    { params: { dtype: "float64", weakType: false }, dtype: "float32" },
    { params: { dtype: "float16", weakType: false }, dtype: "float32" },
    { params: { dtype: "float32", weakType: false }, dtype: "float16" },
    { params: { dtype: "float32", weakType: true }, dtype: "int32" },
    { params: { dtype: "uint8", weakType: false }, dtype: "int32", domain: [[-300, 300]] },
    { params: { dtype: "bool", weakType: false }, dtype: "int32" },
  ],
  simplify: ([x], { dtype, weakType }) =>
    x.aval.dtype === dtype && x.aval.weakType === weakType ? 0 : undefined,
});

/**
 * The same numbers in another dtype, with the shape of `x`; `weakType` makes the result give way to other dtypes. Floats
 * become integers by dropping the fraction, clamped to the range of the dtype (NaN gives 0); integers wrap around; to
 * bool is x ≠ 0. A tangent is converted along between floats; to and from other dtypes it is zero. Throws `DtypeError`
 * for a dtype that is none.
 *
 * @example convertElementType(np.array([-1.5, 300]), "uint8") // [0, 255]
 */
export const convertElementType = Object.assign(
  (x: Operand, dtype: DType, weakType = false): NDArray => {
    const [operand] = scalarsLike("convertElementType", [x]);
    const weak = weakType && dtype !== "bool";
    if (operand.dtype === dtype && operand.weakType === weak) return operand;
    return bind(convertPrimitive, [operand], { dtype, weakType: weak })[0];
  },
  { primitive: convertPrimitive },
);

// ---------------------------------------------------------------------------------------------------------------------
// bitcastConvertType
// ---------------------------------------------------------------------------------------------------------------------

/** The shape after reading bytes as another dtype: a wider one takes up the last axis, a narrower one adds an axis. */
function bitcastShape(x: Aval, to: DType): Shape | undefined {
  const from = itemSize(x.dtype);
  const width = itemSize(to);
  if (from === width) return x.shape;
  if (from > width) return [...x.shape, from / width];
  return x.shape.at(-1) === width / from ? x.shape.slice(0, -1) : undefined;
}

/** The bytes of the elements as a device would store them: float16 in two bytes. */
function toBytes({ values, dtype }: ConcreteArray): ArrayBuffer {
  const stored = dtype === "float16" ? Uint16Array.from(values, halfToBits) : values.slice();
  return stored.buffer as ArrayBuffer;
}

/** Elements of a dtype from such bytes. */
function fromBytes(bytes: ArrayBuffer, dtype: DType, length: number): TypedArray {
  if (dtype === "float16") return Float32Array.from(new Uint16Array(bytes), bitsToHalf);
  const values = allocate(dtype, length);
  // Copied as bytes: a NaN keeps all of its bits.
  new Uint8Array(values.buffer).set(new Uint8Array(bytes));
  return values;
}

const bitcastPrimitive = definePrimitive({
  name: "bitcastConvertType",
  family: "elementwise",
  summary: "the same bytes read as another dtype",
  abstractEval: typeRule("bitcastConvertType", 1, ([x], { dtype }) => {
    const wrong = dtypeError("bitcastConvertType", dtype);
    if (wrong !== undefined) return left(wrong);
    const to = dtype as DType;
    if (x.dtype === "float0" || (x.dtype !== to && (x.dtype === "bool" || to === "bool")))
      return left(new DtypeError(`bitcastConvertType: ${describe(x)} cannot be read as ${to}`));
    const shape = bitcastShape(x, to);
    if (shape === undefined) {
      const ratio = itemSize(to) / itemSize(x.dtype);
      return left(
        new ShapeError(
          `bitcastConvertType: ${describe(x)} needs a last axis of length ${ratio} to be read as ${to}`,
        ),
      );
    }
    return right([aval(shape, to)]);
  }),
  evaluate: ([x], _, [out]) => [new ConcreteArray(fromBytes(toBytes(x), out.dtype, sizeOf(out.shape)), out)],
  jvp: (primals, _, params) => {
    const [out] = bind(bitcastPrimitive, primals, params);
    return { outputs: [out], tangents: [zeroFor(out.aval)] };
  },
  batch: (_, inputs, __, params) => ({ outputs: bind(bitcastPrimitive, inputs, params), batched: [true] }),
  lower: lowerBitcast,
  cost: noWork,
  laws: {
    differentiable: false,
    examples: () => [
      { avals: [aval([3], "float32")], params: { dtype: "int32" } },
      // Bits of ordinary numbers, 0.5 to 2: those of small whole numbers are all next to nothing.
      { avals: [aval([], "uint32")], params: { dtype: "float32" }, domain: [[0x3f000000, 0x40000000]] },
      { avals: [aval([2], "float64")], params: { dtype: "uint32" } },
      { avals: [aval([2, 4], "uint8")], params: { dtype: "float32" }, domain: [[0, 120]] },
      { avals: [aval([], "float16")], params: { dtype: "uint8" } },
      { avals: [aval([2, 2], "uint8")], params: { dtype: "float16" }, domain: [[0, 120]] },
      { avals: [aval([0], "int32")], params: { dtype: "uint8" } },
      { avals: [aval([2], "bool")], params: { dtype: "bool" } },
    ],
  },
  simplify: ([x], { dtype }) => (x.aval.dtype === dtype && !x.aval.weakType ? 0 : undefined),
});

/**
 * The same bytes read as another dtype, lowest byte first. Of the same width the shape is kept; a narrower dtype adds a
 * last axis (float32[3] gives uint8[3,4]) and a wider one uses it up. It has no derivative. Throws `DtypeError` for bool
 * (which is not a pattern of bits) and `ShapeError` if the last axis does not fit.
 *
 * @example bitcastConvertType(np.array([1.5]), "int32") // [0x3fc00000]
 */
export const bitcastConvertType = Object.assign(
  (x: NDArray, dtype: DType): NDArray => bind(bitcastPrimitive, [x], { dtype })[0],
  { primitive: bitcastPrimitive },
);

// ---------------------------------------------------------------------------------------------------------------------
// reducePrecision
// ---------------------------------------------------------------------------------------------------------------------

/** How many bits of a float hold its exponent; the others but one its fraction. */
const exponentBitsOf: Record<FloatDType, number> = { float16: 5, float32: 8, float64: 11 };

/** Rounds to a float format with that many bits; ties to even, overflow to infinity, underflow to zero (as XLA has it). */
function precisionReducer(
  dtype: FloatDType,
  exponentBits: number,
  mantissaBits: number,
): (x: number) => number {
  const { eps, tiny } = floatLimits(dtype);
  const ownLowest = exponentOf(tiny);
  const rounds = 2 ** -mantissaBits > eps;
  const narrows = exponentBits < exponentBitsOf[dtype];
  const highest = 2 ** (exponentBits - 1) - 1;
  const overflow = narrows ? 2 ** (highest + 1) : Infinity;
  const smallest = narrows ? 2 ** (1 - highest) : 0;
  return (x) => {
    const m = Math.abs(x);
    if (m === 0 || m === Infinity || Number.isNaN(m)) return x;
    let rounded = m;
    if (rounds) {
      // In two steps: 2^(e - bits) itself may be below the smallest double.
      const e = Math.max(exponentOf(m), ownLowest);
      const scaled = (m / 2 ** e) * 2 ** mantissaBits;
      const whole = Math.floor(scaled);
      const rest = scaled - whole;
      rounded =
        ((rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? whole + 1 : whole) / 2 ** mantissaBits) * 2 ** e;
    }
    if (rounded >= overflow) rounded = Infinity;
    if (rounded < smallest) rounded = 0;
    return x < 0 ? -rounded : rounded;
  };
}

/** The format to round to: so many bits of exponent, so many of fraction (without the leading 1). */
export interface Precision {
  readonly exponentBits: number;
  readonly mantissaBits: number;
}

const reducePrecisionPrimitive = elementwise({
  name: "reducePrecision",
  summary: "rounded to a float format with fewer bits, in the same dtype",
  arity: 1,
  domain: "float",
  check: ({ exponentBits, mantissaBits }) =>
    isCount(exponentBits) && exponentBits > 0 && isCount(mantissaBits)
      ? undefined
      : new ArgumentError(
          `reducePrecision needs at least 1 exponent bit and 0 mantissa bits, got ${showParam(exponentBits)} and ${showParam(mantissaBits)}`,
        ),
  evaluateFor: (dtype, params) => {
    const { exponentBits, mantissaBits } = params as unknown as Precision;
    return precisionReducer(dtype as FloatDType, exponentBits, mantissaBits);
  },
  lower: ([x], dtype, params) => {
    const { exponentBits, mantissaBits } = params as unknown as Precision;
    if (dtype === "float64") return undefined;
    return irReducePrecision(x, dtype as "float16" | "float32", exponentBits, mantissaBits);
  },
  // Derivatives are rounded like the value, so that a program keeps to the lower precision in both directions.
  tangents: (params) => [(t) => reducePrecision(t, params as unknown as Precision)],
  transposes: (params) => [(ct) => reducePrecision(ct, params as unknown as Precision)],
  examples: [
    { params: { exponentBits: 11, mantissaBits: 52 } },
    { params: { exponentBits: 8, mantissaBits: 50 }, domain: [[0.5, 2]] },
    { params: { exponentBits: 5, mantissaBits: 10 }, dtype: "float32" },
  ],
});

/**
 * x rounded to a float format with `exponentBits` and `mantissaBits`, in its own dtype: ties to even, too large becomes
 * infinite, below the smallest normal number becomes zero. Tangents and cotangents are rounded in the same way. Floats
 * only. Throws `ArgumentError` for bits that are not counts.
 *
 * @example
 * // As a bfloat16 holds it:
 * reducePrecision(1.005, { exponentBits: 8, mantissaBits: 7 }) // 1.0078125
 */
export const reducePrecision = Object.assign(
  (x: Operand, { exponentBits, mantissaBits }: Precision): NDArray =>
    bind(reducePrecisionPrimitive, scalarsLike("reducePrecision", [x], "float"), {
      exponentBits,
      mantissaBits,
    })[0],
  { primitive: reducePrecisionPrimitive },
);

// ---------------------------------------------------------------------------------------------------------------------
// stopGradient
// ---------------------------------------------------------------------------------------------------------------------

/**
 * An operation of its own, so that every transform sees it: its tangent is zero, and differentiating leaves it in the
 * program, where the next differentiation finds it again. A program that merely dropped the tangent once would forget.
 */
const stopGradientPrimitive = elementwise({
  name: "stopGradient",
  summary: "x, taken for a constant by differentiation of every order",
  arity: 1,
  domain: "any",
  evaluate: (x) => x,
  lower: ([x]) => x,
  tangents: () => [undefined],
  cost: work.move,
  differentiable: false,
  examples: [{ params: noParams }],
});

/**
 * x itself, taken for a constant by differentiation: zero tangent, forwards and backwards, at every order. Integers and
 * booleans have no tangent and are returned as they are.
 *
 * @example grad((x) => mul(stopGradient(x), x))(3.5) // 3.5, where x² has the derivative 7
 */
export const stopGradient = Object.assign(
  (x: NDArray): NDArray => (isFloat(x.dtype) ? bind(stopGradientPrimitive, [x], noParams)[0] : x),
  { primitive: stopGradientPrimitive },
);
