/** How slices at computed places are compiled. */
import { inBounds, indexAdd, indexSub } from "../core/ir/affine.js";
import type { MapContext, MapRule } from "../core/ir/lower.js";
import { and, select, truth } from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";
import { clampedPlace } from "./indexedLower.js";

/** The starts, operands from `first` on, moved so that a part of the given sizes lies inside. */
const startsOf = (ctx: MapContext, first: number, sizes: readonly number[]): Expr[] =>
  ctx.inputs[0].shape.map((n, a) => clampedPlace(ctx.operand(first + a, []), n - sizes[a]));

export const lowerDynamicSlice: MapRule = {
  kind: "map",
  element: (ctx, index) => {
    const starts = startsOf(ctx, 1, ctx.outputs[0].shape);
    return [
      ctx.operand(
        0,
        index.map((i, a) => indexAdd(i, starts[a])),
      ),
    ];
  },
  weight: () => 1,
};

export const lowerDynamicUpdateSlice: MapRule = {
  kind: "map",
  element: (ctx, index) => {
    const [, { shape }] = ctx.inputs;
    const starts = startsOf(ctx, 2, shape);
    const place = index.map((i, a) => indexSub(i, starts[a]));
    let inside: Expr = truth(true);
    for (const [a, i] of place.entries()) inside = and(inside, inBounds(i, shape[a]));
    const update = ctx.guarded(inside, () => ctx.operand(1, place));
    return [select(inside, update, ctx.operand(0, index))];
  },
  weight: () => 1,
};
