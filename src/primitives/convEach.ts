/** An element of the result of a convolution by itself, from the elements that are there. */
import { indexAdd, indexMul } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import { add, assign, cast, constant, get, i32, isConst, letIn, loop, mul, when } from "../core/ir/ops.js";
import { type Expr, Local, type ScalarType, type Stmt } from "../core/ir/types.js";
import { type ConvGeometry, indexFrom, lhsPlace, pixelAt, positionOf } from "./convGeometry.js";
import { blockTerms } from "./productLoops.js";

/** Which element: of the batch, of the features of a group, and at which place. */
export interface ConvPlace {
  readonly n: Expr;
  readonly group: Expr;
  /** Among those of all groups. */
  readonly feature: Expr;
  readonly place: readonly Expr[];
}

/** Adds the products of an element of the result to `total`. */
export function addProducts(
  ctx: KernelContext,
  g: ConvGeometry,
  type: ScalarType,
  { n, group, feature, place }: ConvPlace,
  total: Local,
): Stmt[] {
  const { lhsSpec, rhsSpec } = g.params.dimensionNumbers;
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
  return overWindow([], []);
}
