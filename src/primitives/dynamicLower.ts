/** How slices at computed places are compiled. */
import { type Aval, sizeOf } from "../core/aval.js";
import { inBounds, indexAdd, indexSub, unravel } from "../core/ir/affine.js";
import type { KernelsRule, MapRule } from "../core/ir/lower.js";
import { and, select, truth } from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";
import { clampedPlace } from "./indexedLower.js";

/** The starts, moved so that a part of the given sizes lies inside. */
const startsOf = (
  [{ shape }]: readonly Aval[],
  sizes: readonly number[],
  start: (axis: number) => Expr,
): Expr[] => shape.map((n, a) => clampedPlace(start(a), n - sizes[a]));

export const lowerDynamicSlice: MapRule = {
  kind: "map",
  element: (ctx, index) => {
    const starts = startsOf(ctx.inputs, ctx.outputs[0].shape, (a) => ctx.operand(1 + a, []));
    return [
      ctx.operand(
        0,
        index.map((i, a) => indexAdd(i, starts[a])),
      ),
    ];
  },
  weight: () => 1,
};

/** Only the slice is written; the rest of the operand stays where it is, or is copied. */
const updateSlice: KernelsRule = {
  kind: "kernels",
  reads: ({ inputs: [operand, { shape }] }) => ["buffer", 1, ...operand.shape.map(() => sizeOf(shape))],
  build: (ctx) => {
    const [, { shape }] = ctx.inputs;
    ctx.startFrom(0, 0);
    ctx.parallel("update_slice", sizeOf(shape), (item) => {
      const index = unravel(item, shape);
      const starts = startsOf(ctx.inputs, shape, (a) => ctx.element(2 + a, []));
      return ctx.write(
        0,
        index.map((i, a) => indexAdd(i, starts[a])),
        ctx.element(1, index),
      );
    });
  },
};

export const lowerDynamicUpdateSlice: MapRule = {
  kind: "map",
  element: (ctx, index) => {
    const [, { shape }] = ctx.inputs;
    const starts = startsOf(ctx.inputs, shape, (a) => ctx.operand(2 + a, []));
    const place = index.map((i, a) => indexSub(i, starts[a]));
    let inside: Expr = truth(true);
    for (const [a, i] of place.entries()) inside = and(inside, inBounds(i, shape[a]));
    const update = ctx.guarded(inside, () => ctx.operand(1, place));
    return [select(inside, update, ctx.operand(0, index))];
  },
  weight: () => 1,
  update: updateSlice,
};
