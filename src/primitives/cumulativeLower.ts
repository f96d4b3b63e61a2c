/** What the cumulative operations keep of the elements so far: the total, and for log-sum-exp the maximum and a sum. */
import type { KernelContext, KernelsRule } from "../core/ir/lower.js";
import { exp } from "../core/ir/math/exponential.js";
import { infiniteBits, magnitudeBits } from "../core/ir/math/floats.js";
import { log } from "../core/ir/math/logarithm.js";
import {
  abs,
  add,
  and,
  cast,
  constant,
  eq,
  ge,
  host,
  lt,
  max,
  min,
  mul,
  ne,
  neg,
  select,
  sub,
} from "../core/ir/ops.js";
import { type Expr, type ScalarType, scalarTypeOf } from "../core/ir/types.js";
import type { Params } from "../core/primitive.js";
import { type Cells, lowerScan, type Scan, wideType } from "./scanLower.js";

const typeOf = (ctx: KernelContext): ScalarType => scalarTypeOf(ctx.outputs[0].dtype);

/** One cell, the total; `wide` if it is worth more digits than the result has. */
function total(combine: (total: Expr, x: Expr) => Expr, wide: boolean) {
  return (ctx: KernelContext): Scan => {
    const own = typeOf(ctx);
    const type = wide ? wideType(own, ctx.target) : own;
    return {
      types: [type],
      lift: (index) => [cast(type, ctx.element(0, index))],
      join: ([x], [y]) => [combine(x, y)],
      result: ([x]) => cast(own, x),
    };
  };
}

/**
 * Where there is no double precision, the sum and what rounding has taken from it: of s = x + y that is computed exactly
 * (D. Knuth, The Art of Computer Programming, vol. 2, 4.2.2, theorem B). An infinite sum leaves nothing that could be added.
 */
function compensatedSum(ctx: KernelContext): Scan {
  return {
    types: ["f32", "f32"],
    lift: (index) => [ctx.element(0, index), constant("f32", 0)],
    join: ([x, lostOfX], [y, lostOfY]) => {
      const s = add(x, y);
      const part = sub(s, x);
      const lost = add(sub(x, sub(s, part)), sub(y, part));
      return [s, add(lost, add(lostOfX, lostOfY))];
    },
    result: ([s, lost]) => {
      const size = magnitudeBits(lost);
      return select(and(ne(size, 0), lt(size, infiniteBits)), add(s, lost), s);
    },
  };
}

const sum = (ctx: KernelContext): Scan =>
  ctx.target === "webgpu" && ctx.outputs[0].dtype === "float32" ? compensatedSum(ctx) : total(add, true)(ctx);

/**
 * The maximum m and Σ exp(xᵢ − m), so that no exponential overflows. Equal infinities are not subtracted. An exponential is
 * computed in the precision of the elements, their sum with more digits.
 */
function logSumExp(ctx: KernelContext): Scan {
  const own = typeOf(ctx);
  const type = wideType(own, ctx.target);
  const exponential = (x: Expr): Expr =>
    own === "f64" ? host("exp", "f64", Math.exp, [x]) : cast(type, exp(x));
  const logarithm = (x: Expr): Expr =>
    own === "f64" ? host("log", "f64", Math.log, [x]) : log(cast("f32", x));
  return {
    types: [own, type],
    lift: (index) => [ctx.element(0, index), constant(type, 1)],
    join: ([m, sum], [n, other]): Cells => {
      const factor = exponential(select(eq(m, n), 0, neg(abs(sub(m, n)))));
      const stays = ge(m, n);
      const larger = select(stays, sum, other);
      const smaller = select(stays, other, sum);
      return [max(m, n), add(larger, mul(smaller, factor))];
    },
    result: ([m, sum]) => add(m, logarithm(sum)),
  };
}

const rule = (make: (ctx: KernelContext) => Scan): KernelsRule<Params> =>
  lowerScan(make) as KernelsRule<Params>;

export const lowerCumsum = rule(sum);
export const lowerCumprod = rule(total(mul, true));
export const lowerCummax = rule(total(max, false));
export const lowerCummin = rule(total(min, false));
export const lowerCumlogsumexp = rule(logSumExp);

/**
 * z_k = a_k · z_(k-1) + b_k. Of a stretch are kept what it makes of 0 and by what it multiplies; the latter may overflow
 * where z itself stays 0.
 */
export const lowerRecurrence = rule((ctx) => {
  const own = typeOf(ctx);
  const type = wideType(own, ctx.target);
  const join = ([z, a]: Cells, [b, c]: Cells): Cells => [add(mul(c, z), b), mul(a, c)];
  return {
    types: [type, type],
    lift: (index) => [cast(type, ctx.element(1, index)), cast(type, ctx.element(0, index))],
    join,
    joinLong: (x, y) => {
      const [z, a] = join(x, y);
      return [select(eq(x[0], 0), y[0], z), a];
    },
    result: ([z]) => cast(own, z),
    shown: 1,
  };
});
