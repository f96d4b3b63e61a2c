/** A convolution as its kernels see it: the lengths of its axes by what they are for, and where elements meet. */
import { type Shape, sizeOf } from "../core/aval.js";
import { inBounds, indexAdd, indexMul } from "../core/ir/affine.js";
import { and, div, eq, rem } from "../core/ir/ops.js";
import type { Expr } from "../core/ir/types.js";
import { type ConvParams, dilated, lengths } from "./convShape.js";

export interface ConvGeometry {
  /** Elements of the batch of the result. */
  readonly batch: number;
  readonly groups: number;
  /** Input and output features of a group. */
  readonly inputs: number;
  readonly outputs: number;
  /** Lengths along the spatial axes, of lhs, of the window, and of the result. */
  readonly image: Shape;
  readonly window: Shape;
  readonly places: Shape;
  readonly params: ConvParams;
}

export function geometryOf(lhs: Shape, rhs: Shape, out: Shape, params: ConvParams): ConvGeometry {
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers;
  const [, , ...image] = lengths(lhs, lhsSpec);
  const [allOutputs, inputs, ...window] = lengths(rhs, rhsSpec);
  const [batch, , ...places] = lengths(out, outSpec);
  const groups = params.featureGroupCount * params.batchGroupCount;
  return { batch, groups, inputs, outputs: allOutputs / groups, image, window, places, params };
}

/** The position of the window's element k at place o along spatial axis d, counted from the first that is ever read. */
export const positionOf = ({ params }: ConvGeometry, d: number, o: Expr, k: Expr): Expr =>
  indexAdd(indexMul(o, params.windowStrides[d]), indexMul(k, params.rhsDilation[d]));

/** Positions that are read along spatial axis d. */
export const positionsRead = ({ places, window, params }: ConvGeometry, d: number): number =>
  (places[d] - 1) * params.windowStrides[d] + (window[d] - 1) * params.rhsDilation[d] + 1;

/** The element of the image at a position, and whether there is one. */
export function pixelAt(
  { image, params }: ConvGeometry,
  d: number,
  position: Expr,
): { readonly pixel: Expr; readonly exists: Expr } {
  const dilation = params.lhsDilation[d];
  const place = indexAdd(position, -params.padding[d][0]);
  const inside = inBounds(place, dilated(image[d], dilation));
  if (dilation === 1) return { pixel: place, exists: inside };
  return { pixel: div(place, dilation), exists: and(inside, eq(rem(place, dilation), 0)) };
}

/** Whether each position that is read has an element of the image. */
export const isFull = (g: ConvGeometry): boolean =>
  g.image.every(
    (n, d) =>
      g.params.lhsDilation[d] === 1 &&
      g.params.padding[d][0] <= 0 &&
      positionsRead(g, d) - g.params.padding[d][0] <= n,
  );

/** Puts an index together from positions along the axes that `spec` names: the first two, and the spatial ones. */
export function indexFrom(
  spec: readonly number[],
  first: Expr,
  second: Expr,
  spatial: readonly Expr[],
): Expr[] {
  const index = new Array<Expr>(spec.length);
  for (const [i, e] of [first, second, ...spatial].entries()) index[spec[i]] = e;
  return index;
}

/** The element of the batch and the feature of lhs, for a group, an element of the batch of the result and an input. */
export function lhsPlace(g: ConvGeometry, group: Expr, n: Expr, c: Expr): readonly [n: Expr, feature: Expr] {
  if (g.params.batchGroupCount > 1) return [indexAdd(indexMul(group, g.batch), n), c];
  return [n, g.groups === 1 ? c : indexAdd(indexMul(group, g.inputs), c)];
}

/** Products in each sum, if all are there. */
export const termsOf = ({ inputs, window }: ConvGeometry): number => inputs * sizeOf(window);
