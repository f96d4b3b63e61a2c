/**
 * How convGeneralDilated is compiled: on the CPU as a product of matrices where that is worth it (see convTiles.ts), else
 * each element of the result by itself, from the elements that are there.
 */
import { sizeOf } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { indexAdd, indexDiv, indexMul, unravel } from "../core/ir/affine.js";
import type { KernelContext, KernelsRule } from "../core/ir/lower.js";
import {
  add,
  assign,
  cast,
  constant,
  get,
  i32,
  isConst,
  letIn,
  load,
  loop,
  mul,
  ne,
  when,
} from "../core/ir/ops.js";
import { type Buffer, type Expr, Local, type Stmt, scalarTypeOf } from "../core/ir/types.js";
import type { Params } from "../core/primitive.js";
import {
  type ConvGeometry,
  geometryOf,
  indexFrom,
  isFull,
  lhsPlace,
  pixelAt,
  positionOf,
} from "./convGeometry.js";
import type { ConvParams } from "./convShape.js";
import { convAsProduct, findWild, isProductWorthIt, readsImage } from "./convTiles.js";
import { blockTerms } from "./productLoops.js";
import { wideType } from "./scanLower.js";

const geometry = (
  { inputs: [lhs, rhs], outputs: [out] }: Pick<KernelContext, "inputs" | "outputs">,
  params: Params,
): ConvGeometry => geometryOf(lhs.shape, rhs.shape, out.shape, params as ConvParams);

export const lowerConv: KernelsRule<Params> = {
  kind: "kernels",
  fusesConsumers: true,
  reads: (shapes, params) => {
    const g = geometry(shapes, params);
    const { inputs, target } = shapes;
    if (target === "wasm" && isProductWorthIt(g)) {
      const twice = mayMeetNothing(g, isFloat(inputs[0].dtype)) ? 2 : 1;
      return [readsImage(g, inputs[0]) ? "buffer" : twice, twice];
    }
    // Each element is part of many products.
    return [4, 4];
  },
  build: (ctx, params) => {
    if (sizeOf(ctx.outputs[0].shape) === 0) return;
    const g = geometry(ctx, params);
    if (ctx.target !== "wasm" || !isProductWorthIt(g)) return direct(ctx, g);
    convAsProduct(ctx, g);
    // The product has zeros where there is nothing, which only an infinity or NaN in the window would show.
    if (mayMeetNothing(g, isFloat(ctx.inputs[0].dtype))) direct(ctx, g, findWild(ctx));
  },
};

/** Whether the window can meet what is not there, and whether that would matter. */
const mayMeetNothing = (g: ConvGeometry, floats: boolean): boolean => floats && !isFull(g);

/**
 * Every element of the result on its own.
 *
 * @param flag if given, nothing is done unless its one element is 1.
 */
function direct(ctx: KernelContext, g: ConvGeometry, flag?: Buffer): void {
  const [out] = ctx.outputs;
  const { lhsSpec, rhsSpec, outSpec } = g.params.dimensionNumbers;
  const own = scalarTypeOf(out.dtype);
  const type = wideType(own, ctx.target);
  ctx.parallel("conv", sizeOf(out.shape), (item) => {
    const index = unravel(item, out.shape);
    const [n, feature, ...place] = outSpec.map((a) => index[a]);
    const group = indexDiv(feature, g.outputs);
    const total = new Local("total", type, 1, true);
    const overFeatures = (taps: readonly Expr[], pixels: readonly Expr[]): Stmt[] => {
      const adding = (part: Local, from: Expr, count: number): Stmt =>
        loop("c", 0, count, (step) => {
          const c = indexAdd(from, step);
          const [batch, input] = lhsPlace(g, group, n, c);
          const x = ctx.element(0, indexFrom(lhsSpec, batch, input, pixels));
          const w = ctx.element(1, indexFrom(rhsSpec, feature, c, taps));
          return [assign(part, add(get(part), mul(cast(type, x), cast(type, w))))];
        });
      const block = (from: Expr, count: number): Stmt[] => {
        const part = new Local("part", type, 1, true);
        return [
          letIn(part, constant(type, 0)),
          adding(part, from, count),
          assign(total, add(get(total), get(part))),
        ];
      };
      const blocks = Math.floor(g.inputs / blockTerms);
      const rest = g.inputs - blocks * blockTerms;
      if (blocks === 0) return block(i32(0), rest);
      const main = loop("block", 0, blocks, (b) => block(indexMul(b, blockTerms), blockTerms));
      return rest === 0 ? [main] : [main, ...block(i32(blocks * blockTerms), rest)];
    };
    const overWindow = (taps: readonly Expr[], pixels: readonly Expr[]): Stmt[] => {
      const d = taps.length;
      if (d === g.window.length) return overFeatures(taps, pixels);
      return [
        loop(`tap${d}`, 0, g.window[d], (tap) => {
          const { pixel, exists } = pixelAt(g, d, positionOf(g, d, place[d], tap));
          const inside = overWindow([...taps, tap], [...pixels, pixel]);
          return isConst(exists, 1) ? inside : [when(exists, inside)];
        }),
      ];
    };
    const stmts = [
      letIn(total, constant(type, 0)),
      ...overWindow([], []),
      ...ctx.write(0, index, cast(own, get(total))),
    ];
    return flag === undefined ? stmts : [when(ne(load(flag, 0), 0), stmts)];
  });
}
