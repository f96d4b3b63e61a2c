/** How reductions are compiled: what they start from and how two elements combine. */
import { type DType, integerRange, isFloat } from "../core/dtype.js";
import type { ReduceContext, ReduceRule } from "../core/ir/lower.js";
import {
  add,
  and,
  bitcast,
  cast,
  constant,
  eq,
  gt,
  isNaNOf,
  lt,
  max,
  min,
  mul,
  ne,
  not,
  or,
  select,
  xor,
} from "../core/ir/ops.js";
import { type Expr, scalarTypeOf } from "../core/ir/types.js";

/** A reduction with one cell. `initial` is neutral for every element of the dtype. */
const fold = (
  initial: (dtype: DType) => number,
  combine: (total: Expr, x: Expr) => Expr,
  sum = false,
): ReduceRule => ({
  kind: "reduce",
  axes: ({ axes }) => axes as readonly number[],
  element: (ctx, index) => [ctx.operand(0, index)],
  initial: ({ inputs: [{ dtype }] }) => [constant(scalarTypeOf(dtype), initial(dtype))],
  combine: ([total], [x]) => [combine(total, x)],
  sum,
});

const lowest = (dtype: DType): number => (isFloat(dtype) ? -Infinity : integerRange(dtype)[0]);
const highest = (dtype: DType): number => (isFloat(dtype) ? Infinity : integerRange(dtype)[1]);

export const lowerReduceSum = fold(() => 0, add, true);
export const lowerReduceProd = fold(() => 1, mul);
/**
 * The largest or smallest element. That of floats is NaN if one is, and tells zeros apart, which takes processors many
 * instructions for each element. On the CPU three accumulators take one or two each: the extremum without NaN, of which any
 * zero may stand for all; whether there was a NaN; and the signs that all elements have in common (or that some have), which
 * is that of the zero, if it is one.
 */
function extremum(largest: boolean): ReduceRule {
  const plain = fold(largest ? lowest : highest, (x, y) => {
    if (x.type === "bool") return largest ? or(x, y) : and(x, y);
    return largest ? max(x, y) : min(x, y);
  });
  const isSplit = ({ target, inputs: [{ dtype }] }: ReduceContext): boolean =>
    target === "wasm" && scalarTypeOf(dtype) === "f32";
  return {
    ...plain,
    element: (ctx, index, params) => {
      const [x] = plain.element(ctx, index, params);
      return isSplit(ctx) ? [x, ne(x, x), bitcast("i32", x)] : [x];
    },
    initial: (ctx, params) => {
      const start = plain.initial(ctx, params);
      return isSplit(ctx) ? [...start, constant("bool", 0), constant("i32", largest ? -1 : 0)] : start;
    },
    combine: (total, element, params, ctx) => {
      if (!isSplit(ctx)) return plain.combine(total, element, params, ctx);
      const [[best, isNaN, signs], [x, isXNaN, sign]] = [total, element];
      const takes = largest ? lt(best, x) : lt(x, best);
      return [select(takes, x, best), or(isNaN, isXNaN), largest ? and(signs, sign) : or(signs, sign)];
    },
    finish: (total, ctx) => {
      if (!isSplit(ctx)) return total;
      const [best, isNaN, signs] = total;
      const zero = select(lt(signs, 0), constant("f32", -0), constant("f32", 0));
      return [select(isNaN, constant("f32", Number.NaN), select(eq(best, 0), zero, best))];
    },
  };
}

export const lowerReduceMax = extremum(true);
export const lowerReduceMin = extremum(false);
export const lowerReduceOr = fold(() => 0, or);
export const lowerReduceXor = fold(() => 0, xor);
export const lowerReduceAnd = fold((dtype) => (dtype === "int32" ? -1 : integerRange(dtype)[1]), and);

const lastPlace = 2 ** 31 - 1;

/**
 * Two cells, the best element and its place. Of elements that tie the lower place wins, so that the order in which they
 * are combined does not matter.
 */
function argExtremum(largest: boolean): ReduceRule {
  const better = (x: Expr, best: Expr): Expr => (largest ? gt(x, best) : lt(x, best));
  return {
    kind: "reduce",
    axes: ({ axis }) => [axis as number],
    element: (ctx, index, { axis }) => {
      const x = ctx.operand(0, index);
      return [x.type === "bool" ? cast("i32", x) : x, index[axis as number]];
    },
    initial: ({ inputs: [{ dtype }] }) => {
      const type = scalarTypeOf(dtype);
      const worst = largest ? lowest(dtype) : highest(dtype);
      return [constant(type === "bool" ? "i32" : type, worst), constant("i32", lastPlace)];
    },
    combine: ([best, place], [x, at], _, { inputs: [{ dtype }] }) => {
      const first = lt(at, place);
      let takes = or(better(x, best), and(eq(x, best), first));
      if (isFloat(dtype)) takes = or(takes, and(isNaNOf(x), or(not(isNaNOf(best)), first)));
      return [select(takes, x, best), select(takes, at, place)];
    },
    finish: ([, place], { outputs: [{ dtype }] }) => [cast(scalarTypeOf(dtype), place)],
    places: largest ? "largest" : "smallest",
  };
}

export const lowerArgmax = argExtremum(true);
export const lowerArgmin = argExtremum(false);
