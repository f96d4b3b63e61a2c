/** How gather is compiled: each element is read at a place that is computed from the indices. */
import type { DType } from "../core/dtype.js";
import type { MapRule } from "../core/ir/lower.js";
import { constant, i32, select } from "../core/ir/ops.js";
import { scalarTypeOf } from "../core/ir/types.js";
import type { Params } from "../core/primitive.js";
import { type AxisNumbers, countingAxes } from "./indexed.js";
import { placeInWindow, placeOfWindow, windowLengths } from "./indexedLower.js";

/** `fill` is what windows that do not lie inside read; undefined if they are moved. */
export const lowerGather = (
  numbersOf: (params: Params) => AxisNumbers,
  fillOf: (params: Params, dtype: DType) => number | undefined,
): MapRule => ({
  kind: "map",
  element: (ctx, index, params) => {
    const [operand] = ctx.inputs;
    const [out] = ctx.outputs;
    const numbers = numbersOf(params);
    const count = countingAxes(out.shape.length, numbers).map((a) => index[a]);
    const lengths = windowLengths(operand.shape.length, out, numbers);
    const component = (k: number) => ctx.operand(1, [...count, i32(k)]);
    const fill = fillOf(params, out.dtype);
    const { start, inside } = placeOfWindow(operand, lengths, numbers, count, component, fill === undefined);
    const place = placeInWindow(start, numbers, index);
    if (fill === undefined) return [ctx.operand(0, place)];
    const x = ctx.guarded(inside, () => ctx.operand(0, place));
    return [select(inside, x, constant(scalarTypeOf(out.dtype), fill))];
  },
  weight: () => 2,
});
