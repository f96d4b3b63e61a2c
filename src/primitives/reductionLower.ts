/** How reductions are compiled: what they start from and how two elements combine. */
import { type DType, integerRange, isFloat } from "../core/dtype.js";
import type { ReduceRule } from "../core/ir/lower.js";
import {
  add,
  and,
  cast,
  constant,
  eq,
  gt,
  isNaNOf,
  lt,
  max,
  min,
  mul,
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
export const lowerReduceMax = fold(lowest, (x, y) => (x.type === "bool" ? or(x, y) : max(x, y)));
export const lowerReduceMin = fold(highest, (x, y) => (x.type === "bool" ? and(x, y) : min(x, y)));
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
  };
}

export const lowerArgmax = argExtremum(true);
export const lowerArgmin = argExtremum(false);
