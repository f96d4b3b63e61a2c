/**
 * Reduction of large angles to the first octant: the method of M. Payne & R. Hanek, Radian reduction for trigonometric
 * functions, SIGNUM Newsletter 18 (1983). Of x·2/π only the last two bits before the point and what comes after it matter,
 * and those need no more than 81 bits of 2/π, beginning where the exponent of x says.
 */
import { add, and, bitcast, cast, constant, eq, lt, mul, neg, or, select, shr, sub, xor } from "../ops.js";
import type { Expr } from "../types.js";
import { flipSign, magnitudeBits, powerOfTwo } from "./floats.js";
import { longHead } from "./pairs.js";

/** |x|·2/π = quadrant + f. */
export interface Angle {
  /** The quadrant modulo 4, u32. */
  readonly quadrant: Expr;
  /** From -½ to ½. */
  readonly f: Expr;
  /** f once more, in two parts of which the first has 16 bits. */
  readonly hi: Expr;
  readonly lo: Expr;
}

/** The binary digits of 2/π from the first after the point, 32 in a word. */
const twoOverPi = [0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab];

/** 32 digits of 2/π from digit `start` on (the first after the point is 0; before the point there are zeros). */
function digits(start: number): number {
  const word = (i: number): bigint => BigInt(i < 0 ? 0 : twoOverPi[i]);
  const first = Math.floor(start / 32);
  const two = (word(first) << 32n) | word(first + 1);
  return Number((two >> BigInt(32 - (start - first * 32))) & 0xffffffffn);
}

/** The smallest exponent of x for which digits are selected. */
const lowest = 0;

/** Windows begin at every 16th digit. */
const windows = (127 - lowest + 1) / 16;

/** The word of each window that lies `offset` digits behind its begin, for window number `j` (i32). */
function pick(j: Expr, offset: number): Expr {
  const words = Array.from({ length: windows }, (_, i) =>
    constant("u32", digits(16 * i + lowest - 25 + offset)),
  );
  const choose = (bit: number, at: readonly Expr[]): readonly Expr[] => {
    if (at.length <= 1) return at;
    const isClear = eq(and(j, bit), 0);
    const next = [];
    for (let i = 0; i < at.length; i += 2)
      next.push(i + 1 < at.length ? select(isClear, at[i], at[i + 1]) : at[i]);
    return choose(bit * 2, next);
  };
  return choose(1, words)[0];
}

const low16 = (x: Expr): Expr => and(x, 0xffff);
const high16 = (x: Expr): Expr => shr(x, 16);

/** The high word of the product of a number below 2^24 and a word. */
function highProduct(m: Expr, w: Expr): Expr {
  const [m1, m0, w1, w0] = [high16(m), low16(m), high16(w), low16(w)];
  const middle = add(mul(m0, w1), high16(mul(m0, w0)));
  const carry = high16(add(low16(middle), mul(m1, w0)));
  return add(add(mul(m1, w1), high16(middle)), carry);
}

/** Half of a word as a float: CPUs convert signed numbers faster. */
const halfOf = (w: Expr): Expr => cast("f32", bitcast("i32", shr(w, 1)));

/** Reduces |x|, for finite x of at least 1. */
export function reduceAngle(x: Expr): Angle {
  const bits = magnitudeBits(x);
  const place = sub(shr(bits, 23), 127 + lowest);
  const window = shr(place, 4);
  // Moves digits by as many places as the window began too early, by multiplication: vectors cannot shift otherwise.
  const shift = bitcast("u32", cast("i32", powerOfTwo(and(place, 15))));
  const [a, b, c] = [0, 32, 64].map((offset) => pick(window, offset));
  const moved = (w: Expr, next: Expr): Expr => add(mul(w, shift), high16(mul(high16(next), shift)));
  // Of the third word at least 17 digits are left, enough for the float32 that is closest to a multiple of π/2.
  // x = m·2^(exponent - 23). The lowest bit of m·w1 stands for 2^-30, that of m·w2 for 2^-62.
  const m = bitcast("u32", or(and(bits, 0x007fffff), 0x00800000));
  const [w1, w2, w3] = [moved(a, b), moved(b, c), mul(c, shift)];
  const fine = mul(m, w2);
  const finest = mul(mul(halfOf(m), 2 ** -92), halfOf(w3));
  const coarse = add(mul(m, w1), highProduct(m, w2));
  const rounded = add(coarse, 0x20000000);
  // The fraction as a whole number of 64 bits, of which the ones' complement is taken where it is negative.
  const signed = sub(bitcast("i32", and(rounded, 0x3fffffff)), 0x20000000);
  const sign = shr(signed, 31);
  const high = xor(signed, sign);
  const low = xor(fine, bitcast("u32", sign));
  const negative = lt(signed, 0);
  // Integers of 24 bits are floats, exactly.
  const big = mul(cast("f32", and(high, ~0xff)), 2 ** -30);
  const middle = mul(cast("f32", and(high, 0xff)), 2 ** -30);
  const small = add(mul(halfOf(low), 2 ** -61), select(negative, neg(finest), finest));
  const f = add(big, add(middle, small));
  const hi = longHead(f);
  // Close to a multiple of π/2 the first part is 0, and the sum of the others is rounded.
  const lo = add(add(sub(big, hi), middle), small);
  return {
    quadrant: shr(rounded, 30),
    f: flipSign(f, sign),
    hi: flipSign(hi, sign),
    lo: flipSign(lo, sign),
  };
}
