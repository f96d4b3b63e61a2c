/** How broadcasting, reshaping, transposing and counting are compiled: as index arithmetic. */
import { type Shape, sizeOf } from "../core/aval.js";
import { ravel, unravel } from "../core/ir/affine.js";
import type { MapRule } from "../core/ir/lower.js";
import { cast, i32 } from "../core/ir/ops.js";
import { type Expr, scalarTypeOf } from "../core/ir/types.js";

const free = (): number => 0;

export const lowerBroadcast: MapRule = {
  kind: "map",
  element: (ctx, index, { dims }) => {
    const { shape } = ctx.inputs[0];
    return [
      ctx.operand(
        0,
        (dims as readonly number[]).map((d, i) => (shape[i] === 1 ? i32(0) : index[d])),
      ),
    ];
  },
  weight: free,
};

export const lowerReshape: MapRule = {
  kind: "map",
  element: (ctx, index) => [ctx.operand(0, reshapeIndex(index, ctx.outputs[0].shape, ctx.inputs[0].shape))],
  weight: free,
};

/**
 * The index into an array of shape `to` of the element that has `index` in its reshape to `from`. Runs of axes with the
 * same number of elements on both sides are treated on their own, so that only axes that really mix are divided.
 */
export function reshapeIndex(index: readonly Expr[], from: Shape, to: Shape): Expr[] {
  const result: Expr[] = to.map(() => i32(0));
  if (sizeOf(from) === 0) return result;
  const source = longAxes(from);
  const target = longAxes(to);
  for (let i = 0, j = 0; i < source.length; ) {
    const [firstSource, firstTarget] = [i, j];
    let n = from[source[i++]];
    let m = to[target[j++]];
    while (n !== m)
      if (n < m) n *= from[source[i++]];
      else m *= to[target[j++]];
    const ins = source.slice(firstSource, i);
    const outs = target.slice(firstTarget, j);
    const flat = ravel(
      ins.map((a) => index[a]),
      ins.map((a) => from[a]),
    );
    const places = unravel(
      flat,
      outs.map((a) => to[a]),
    );
    for (const [k, a] of outs.entries()) result[a] = places[k];
  }
  return result;
}

const longAxes = (shape: Shape): number[] => shape.flatMap((n, a) => (n === 1 ? [] : [a]));

export const lowerTranspose: MapRule = {
  kind: "map",
  element: (ctx, index, { permutation }) => {
    const axes = permutation as readonly number[];
    return [
      ctx.operand(
        0,
        axes.map((_, a) => index[axes.indexOf(a)]),
      ),
    ];
  },
  weight: free,
};

export const lowerIota: MapRule = {
  kind: "map",
  element: (ctx, index, { dimension }) => [
    cast(scalarTypeOf(ctx.outputs[0].dtype), index[dimension as number]),
  ],
  weight: free,
};
