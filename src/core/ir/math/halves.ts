/** The 16 bits of half precision, of numbers that are computed with as f32. */
import { add, and, bitcast, cast, constant, gt, lt, mul, or, select, shl, shr, sub } from "../ops.js";
import type { Expr } from "../types.js";
import { fromBits, infiniteBits, magnitudeBits } from "./floats.js";

/** The bits of a number that half precision can represent, as u32; of NaN 0x7e00. */
export function halfBits(x: Expr): Expr {
  const m = magnitudeBits(x);
  const sign = and(shr(bitcast("u32", x), 16), 0x8000);
  // The exponent's bias is 127 in f32 and 15 in half precision, whose subnormal numbers count units of 2^-24.
  const normal = shr(sub(m, (127 - 15) << 23), 13);
  const subnormal = cast("i32", mul(fromBits(m), 2 ** 24));
  const finite = select(lt(m, (127 - 14) << 23), subnormal, normal);
  const infinite = bitcast("u32", select(lt(m, infiniteBits), finite, 0x7c00));
  return select(gt(m, infiniteBits), constant("u32", 0x7e00), or(infinite, sign));
}

/** The number with these bits (u32, below 2^16). */
export function fromHalfBits(bits: Expr): Expr {
  const m = and(bits, 0x7fff);
  const moved = shl(m, 13);
  const normal = add(moved, (127 - 15) << 23);
  const special = or(moved, infiniteBits);
  const subnormal = bitcast("u32", mul(cast("f32", m), 2 ** -24));
  const magnitude = select(lt(m, 0x0400), subnormal, select(lt(m, 0x7c00), normal, special));
  return bitcast("f32", or(magnitude, shl(and(bits, 0x8000), 16)));
}
