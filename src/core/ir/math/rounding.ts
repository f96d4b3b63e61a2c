/** Rounding: to whole numbers, to neighbours, to fewer bits. The latter two work on bits, of float32 or of float16. */
import {
  abs,
  add,
  and,
  cast,
  constant,
  eq,
  ge,
  gt,
  i32,
  isNaNOf,
  lt,
  not,
  or,
  select,
  shr,
  sub,
  trunc,
  xor,
} from "../ops.js";
import type { Expr } from "../types.js";
import { bitsOf, fromBits, infiniteBits, nan } from "./floats.js";
import { fromHalfBits, halfBits } from "./halves.js";

/** The nearest whole number; halves away from zero. Of any float type; exact. */
export function roundAway(x: Expr): Expr {
  const whole = trunc(x);
  // x - whole is exact, where adding ½ to x would not be.
  const up = add(whole, select(lt(x, 0), constant(x.type, -1), 1));
  return select(ge(abs(sub(x, whole)), 0.5), up, whole);
}

/** A float format as its bits have it: an i32 of which the highest bit in use is the sign. */
interface Format {
  readonly fractionBits: number;
  readonly bias: number;
  readonly sign: number;
  readonly infinite: number;
  readonly encode: (x: Expr) => Expr;
  readonly decode: (bits: Expr) => Expr;
}

const formats: Record<"float16" | "float32", Format> = {
  float32: {
    fractionBits: 23,
    bias: 127,
    sign: -0x80000000,
    infinite: infiniteBits,
    encode: bitsOf,
    decode: fromBits,
  },
  float16: {
    fractionBits: 10,
    bias: 15,
    sign: 0x8000,
    infinite: 0x7c00,
    encode: (x) => cast("i32", halfBits(x)),
    decode: (bits) => fromHalfBits(cast("u32", bits)),
  },
};

type Narrow = keyof typeof formats;

/** The next number of the dtype after x towards y; y where they are equal. Exact. */
export function nextafter(x: Expr, y: Expr, dtype: Narrow): Expr {
  const { sign, encode, decode } = formats[dtype];
  // Bits count magnitudes, so that one more is the neighbour away from zero.
  const grows = not(xor(gt(y, x), gt(x, 0)));
  const moved = add(encode(x), select(grows, i32(1), -1));
  const fromZero = or(and(encode(y), sign), 1);
  const neighbour = decode(select(eq(x, 0), fromZero, moved));
  return select(or(isNaNOf(x), isNaNOf(y)), nan, select(eq(x, y), y, neighbour));
}

/**
 * x rounded to a format with so many bits of exponent and of fraction: ties to even, overflow to infinity, what is below
 * the smallest normal number to zero. Exact.
 */
export function reducePrecision(x: Expr, dtype: Narrow, exponentBits: number, mantissaBits: number): Expr {
  const { fractionBits, bias, sign, infinite, encode, decode } = formats[dtype];
  const bits = encode(x);
  const m = and(bits, ~sign & 0x7fffffff);
  let rounded = m;
  const dropped = fractionBits - mantissaBits;
  if (dropped > 0) {
    // The last bit that stays. Of a normal number without a fraction that is the leading 1, which is not stored.
    const last = mantissaBits > 0 ? and(shr(m, dropped), 1) : select(lt(m, 1 << fractionBits), i32(0), 1);
    rounded = and(add(add(m, (1 << (dropped - 1)) - 1), last), ~((1 << dropped) - 1));
  }
  const highest = 2 ** (exponentBits - 1) - 1;
  if (highest < bias) {
    const isTiny = lt(rounded, (1 - highest + bias) << fractionBits);
    const isHuge = ge(rounded, (highest + 1 + bias) << fractionBits);
    rounded = select(isHuge, i32(infinite), select(isTiny, i32(0), rounded));
  }
  return select(gt(m, infinite), x, decode(or(rounded, and(bits, sign))));
}
