/**
 * How convGeneralDilated is compiled: as a product of matrices where that is worth it (see convTiles.ts for the CPU and
 * convGrid.ts for the GPU), else each element of the result by itself, from the elements that are there.
 */
import { sizeOf } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { indexAdd, indexDiv, indexMul, unravel } from "../core/ir/affine.js";
import type { KernelContext, KernelsRule } from "../core/ir/lower.js";
import { cast, constant, get, letIn, load, min, ne, when } from "../core/ir/ops.js";
import { type Buffer, type Expr, Local, type Stmt, scalarTypeOf } from "../core/ir/types.js";
import type { Params } from "../core/primitive.js";
import { addProducts } from "./convEach.js";
import { type ConvGeometry, geometryOf, isFull } from "./convGeometry.js";
import { convOnGrid, readsWindow } from "./convGrid.js";
import type { ConvParams } from "./convShape.js";
import { convAsProduct, findWild, isProductWorthIt, readsImage } from "./convTiles.js";
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
    return target === "webgpu" && readsWindow(g, inputs) ? [4, "buffer"] : [4, 4];
  },
  build: (ctx, params) => {
    if (sizeOf(ctx.outputs[0].shape) === 0) return;
    const g = geometry(ctx, params);
    if (ctx.target === "webgpu") {
      if (!convOnGrid(ctx, g)) direct(ctx, g);
      return;
    }
    if (!isProductWorthIt(g)) return direct(ctx, g);
    convAsProduct(ctx, g);
    // The product has zeros where there is nothing, which only an infinity or NaN in the window would show.
    if (mayMeetNothing(g, isFloat(ctx.inputs[0].dtype))) direct(ctx, g, findWild(ctx));
  },
};

/** Whether the window can meet what is not there, and whether that would matter. */
const mayMeetNothing = (g: ConvGeometry, floats: boolean): boolean => floats && !isFull(g);

/** A kernel that mostly has nothing to do is walked in so many parts, each of which finds that out once. */
const parts = 64;

/**
 * Every element of the result on its own.
 *
 * @param flag if given, nothing is done unless its one element is 1.
 */
function direct(ctx: KernelContext, g: ConvGeometry, flag?: Buffer): void {
  const [out] = ctx.outputs;
  const { outSpec } = g.params.dimensionNumbers;
  const own = scalarTypeOf(out.dtype);
  const type = wideType(own, ctx.target);
  const element = (number: Expr): Stmt[] => {
    const index = unravel(number, out.shape);
    const [n, feature, ...place] = outSpec.map((a) => index[a]);
    const group = indexDiv(feature, g.outputs);
    const total = new Local("total", type, 1, true);
    return [
      letIn(total, constant(type, 0)),
      ...addProducts(ctx, g, type, { n, group, feature, place }, total),
      ...ctx.write(0, index, cast(own, get(total))),
    ];
  };
  const size = sizeOf(out.shape);
  if (flag === undefined) {
    ctx.parallel("conv", size, element);
    return;
  }
  const length = Math.ceil(size / parts);
  ctx.parallel("conv_wild", Math.ceil(size / length), (part) => {
    const first = indexMul(part, length);
    const local = new Local("element", "i32", 1, false, size);
    const to = min(indexAdd(first, length), size);
    const all: Stmt = { kind: "for", local, from: first, to, step: 1, body: element(get(local)) };
    return [when(ne(load(flag, 0), 0), [all])];
  });
}
