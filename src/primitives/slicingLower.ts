/** How slice, pad, rev and concatenate are compiled: as index arithmetic, with conditions where there are several sources. */
import { inBounds, indexAdd, indexDiv, indexMod, indexMul, indexSub } from "../core/ir/affine.js";
import type { MapRule } from "../core/ir/lower.js";
import { and, eq, lt, select, truth } from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";

const free = (): number => 0;

export const lowerSlice: MapRule = {
  kind: "map",
  element: (ctx, index, params) => {
    const { start, strides } = params as { start: readonly number[]; strides: readonly number[] };
    return [
      ctx.operand(
        0,
        index.map((i, a) => indexAdd(indexMul(i, strides[a]), start[a])),
      ),
    ];
  },
  weight: free,
};

export const lowerPad: MapRule = {
  kind: "map",
  element: (ctx, index, { config }) => {
    const { shape } = ctx.inputs[0];
    let inside: Expr = truth(true);
    const places = (config as readonly (readonly number[])[]).map(([low, , interior], a) => {
      const step = interior + 1;
      const place = indexSub(index[a], low);
      inside = and(inside, inBounds(place, shape[a] * step));
      // The remainder of a place in front of the first element may be anything: it is not inside.
      inside = and(inside, eq(indexMod(place, step), 0));
      return indexDiv(place, step);
    });
    const x = ctx.guarded(inside, () => ctx.operand(0, places));
    return [select(inside, x, ctx.operand(1, []))];
  },
  weight: free,
};

export const lowerRev: MapRule = {
  kind: "map",
  element: (ctx, index, { axes }) => {
    const { shape } = ctx.inputs[0];
    return [
      ctx.operand(
        0,
        index.map((i, a) => ((axes as readonly number[]).includes(a) ? indexSub(shape[a] - 1, i) : i)),
      ),
    ];
  },
  weight: free,
};

export const lowerConcatenate: MapRule = {
  kind: "map",
  element: (ctx, index, params) => {
    const axis = params.axis as number;
    const pieces: { readonly x: Expr; readonly begin: number }[] = [];
    let end = 0;
    for (const [i, { shape }] of ctx.inputs.entries()) {
      const begin = end;
      const n = shape[axis];
      end += n;
      if (n === 0) continue;
      const place = indexSub(index[axis], begin);
      const own = index.map((e, a) => (a === axis ? place : e));
      pieces.push({ x: ctx.guarded(inBounds(place, n), () => ctx.operand(i, own)), begin });
    }
    if (pieces.length === 0) return [ctx.operand(0, index)];
    // Halving keeps the expression shallow however many pieces there are.
    const pick = (from: number, to: number): Expr => {
      if (to - from === 1) return pieces[from].x;
      const middle = (from + to) >> 1;
      return select(lt(index[axis], pieces[middle].begin), pick(from, middle), pick(middle, to));
    };
    return [pick(0, pieces.length)];
  },
  weight: free,
};
