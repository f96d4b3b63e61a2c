/**
 * Convolutions as products of matrices on the GPU: rows of the one side are the places of the result, rows of the other its
 * features, and the terms are the elements of the window with their input features. The matrix of what the window meets at
 * each place is never made: its elements are read from the image when tiles are brought into the memory of a workgroup, and
 * each is then used for all features of the tile.
 */
import { type Aval, sizeOf } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { indexAdd, indexMul, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import {
  and,
  assign,
  cast,
  constant,
  get,
  isConst,
  isNaNOf,
  letIn,
  max,
  min,
  select,
  truth,
  when,
} from "../core/ir/ops.js";
import { tileFor } from "../core/ir/tiling.js";
import { type Expr, Local, type ScalarType, scalarTypeOf } from "../core/ir/types.js";
import { addProducts } from "./convEach.js";
import {
  type ConvGeometry,
  indexFrom,
  isFull,
  lhsPlace,
  pixelAt,
  positionOf,
  termsOf,
} from "./convGeometry.js";
import { layoutOf, operandSide, type Product, type Roles, type Side, turned } from "./product.js";
import { type GridPlan, planOnGrid, productOnGrid } from "./productGrid.js";
import type { ProductShape } from "./productPlan.js";

/** With fewer tiles of single threads than this, a thread for each element keeps a device busier. */
const enoughTiles = 4096;
const sumsOfThread = 16;

/** The window as a side: its axes with the output features apart in groups, and what they are for. */
function windowAxes(g: ConvGeometry, rhs: Aval): { readonly shape: number[]; readonly roles: Roles } {
  const [feature, ...others] = g.params.dimensionNumbers.rhsSpec;
  const shape = [...rhs.shape];
  shape.splice(feature, 1, g.groups, g.outputs);
  // Terms go through the window as it lies in memory.
  const contracting = others.map((a) => (a > feature ? a + 1 : a)).sort((a, b) => a - b);
  return { shape, roles: { batch: [feature], free: [feature + 1], contracting } };
}

/** The input feature and the elements of the window are axes of the terms: where each of them stands among those. */
const termAxes = (g: ConvGeometry): number[] => {
  const [, ...axes] = g.params.dimensionNumbers.rhsSpec;
  const order = [...axes].sort((a, b) => a - b);
  return axes.map((a) => order.indexOf(a));
};

function shapeOf(g: ConvGeometry, rhs: Aval): ProductShape {
  const { shape, roles } = windowAxes(g, rhs);
  const type = scalarTypeOf(rhs.dtype);
  const stored = layoutOf(shape, roles);
  const none = { rowStep: undefined, termStep: undefined };
  return {
    batch: g.groups,
    terms: termsOf(g),
    x: { rows: g.batch * sizeOf(g.places), stored: none, layout: undefined },
    y: { rows: g.outputs, stored, layout: stored },
    type,
  };
}

/** Whether kernels read the window as it is stored, four elements at once. */
export function readsWindow(g: ConvGeometry, [, rhs]: readonly Aval[]): boolean {
  const { form, direct } = planOnGrid(shapeOf(g, rhs));
  return form === "tiled" && direct[1];
}

/** Makes the kernels; false, and none, where that does not suit the convolution. */
export function convOnGrid(ctx: KernelContext, g: ConvGeometry): boolean {
  const [lhs, rhs] = ctx.inputs;
  const [out] = ctx.outputs;
  const shape = shapeOf(g, rhs);
  const plan = planOnGrid(shape);
  const sums = g.groups * shape.x.rows * g.outputs;
  if (plan.form !== "tiled") return false;
  // Places that lie side by side in the result are written side by side.
  const byPlaces = g.params.dimensionNumbers.outSpec[1] !== out.shape.length - 1;
  const [rows, columns] = byPlaces ? [g.outputs, shape.x.rows] : [shape.x.rows, g.outputs];
  const tile = tileFor(ctx.limits.tiling, ctx.limits, { batch: g.groups, rows, columns });
  if (tile === undefined && sums < enoughTiles * sumsOfThread) return false;

  const type = scalarTypeOf(out.dtype);
  const { shape: windowShape, roles } = windowAxes(g, rhs);
  const [feature] = g.params.dimensionNumbers.rhsSpec;
  const windowElement = (index: readonly Expr[]): Expr => {
    const own = [...index];
    own.splice(feature, 2, indexAdd(indexMul(index[feature], g.outputs), index[feature + 1]));
    return ctx.element(1, own);
  };
  const direct = plan.direct[1] ? ctx.input(1) : undefined;
  const p: Product = {
    name: "conv",
    batch: g.groups,
    terms: shape.terms,
    x: imageSide(ctx, g, type),
    y: operandSide(windowShape, roles, type, windowElement, direct),
    type,
    ...writing(ctx, g, type, isFloat(lhs.dtype) && !isFull(g)),
  };
  const featuresInside = g.params.dimensionNumbers.lhsSpec[1] === lhs.shape.length - 1;
  const ofImage = featuresInside && termAxes(g)[0] === g.window.length ? "terms" : "rows";
  const along: GridPlan["along"] = [ofImage, plan.along[1]];
  if (byPlaces) productOnGrid(ctx, turned(p), { ...plan, along: [along[1], along[0]] });
  else productOnGrid(ctx, p, { ...plan, along });
  return true;
}

const splitRow = (g: ConvGeometry, row: Expr): { readonly n: Expr; readonly place: readonly Expr[] } => {
  const [n, ...place] = unravel(row, [g.batch, ...g.places]);
  return { n, place };
};

/** What the window meets. */
function imageSide(ctx: KernelContext, g: ConvGeometry, type: ScalarType): Side {
  const { lhsSpec } = g.params.dimensionNumbers;
  const axes = termAxes(g);
  const lengths = new Array<number>(axes.length);
  for (const [i, n] of [g.inputs, ...g.window].entries()) lengths[axes[i]] = n;
  return {
    rows: g.batch * sizeOf(g.places),
    at: (group, row, term) => {
      const { n, place } = splitRow(g, row);
      const parts = unravel(term, lengths);
      const [c, ...taps] = axes.map((a) => parts[a]);
      const met = taps.map((tap, d) => pixelAt(g, d, positionOf(g, d, place[d], tap)));
      const there = met.reduce((all: Expr, { exists }) => and(all, exists), truth(true));
      // What is not there is read at the edge and not used.
      const pixels = met.map(({ pixel, exists }, d) =>
        isConst(exists, 1) ? pixel : min(max(pixel, 0), Math.max(0, g.image[d] - 1)),
      );
      const value = cast(type, ctx.element(0, indexFrom(lhsSpec, ...lhsPlace(g, group, n, c), pixels)));
      return isConst(there, 1) ? value : select(there, value, constant(type, 0));
    },
    direct: undefined,
  };
}

/**
 * Writes sums. Products have zeros where the image has no element, which only an infinity or NaN in the window shows, and
 * always as NaN; what is NaN is therefore added up again from what is there.
 */
function writing(
  ctx: KernelContext,
  g: ConvGeometry,
  type: ScalarType,
  again: boolean,
): Pick<Product, "write" | "isLong"> {
  const { outSpec } = g.params.dimensionNumbers;
  const write: Product["write"] = (group, i, j, sum) => {
    const { n, place } = splitRow(g, i);
    const feature = indexAdd(indexMul(group, g.outputs), j);
    const store = (value: Expr) => ctx.write(0, indexFrom(outSpec, n, feature, place), value);
    if (!again) return store(sum);
    const total = new Local("total", type, 1, true);
    return [
      letIn(total, sum),
      when(isNaNOf(get(total)), [
        assign(total, constant(type, 0)),
        ...addProducts(ctx, g, type, { n, group, feature, place }, total),
      ]),
      ...store(get(total)),
    ];
  };
  return { write, isLong: again };
}
