/**
 * Convolutions as products of matrices, for the CPU: rows of x are the places of the result, rows of y its features, and
 * the terms are the elements of the window with their input features. The matrix of what the window meets at each place is
 * never made: its elements are read from the image, in runs that lie in one piece. For that the features of an element of
 * the image must lie side by side, and what is not there must be zeros, so the image may have to be copied first.
 */
import { type Aval, sizeOf, stridesOf } from "../core/aval.js";
import { indexAdd, indexMul, ravel, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import {
  abs,
  assign,
  cast,
  constant,
  get,
  i32,
  isConst,
  letIn,
  load,
  loop,
  lt,
  max,
  not,
  select,
  store,
  when,
} from "../core/ir/ops.js";
import { type Buffer, type Expr, Local, type ScalarType, type Stmt, scalarTypeOf } from "../core/ir/types.js";
import {
  type ConvGeometry,
  indexFrom,
  isFull,
  lhsPlace,
  pixelAt,
  positionsRead,
  termsOf,
} from "./convGeometry.js";
import { lengths } from "./convShape.js";
import { type Product, type Runs, type Side, storageOf } from "./product.js";
import { acrossTile, productAcross, stretchTerms } from "./productTiles.js";

/** Convolutions of fewer products are not worth a kernel for tiles. */
const fewProducts = 4096;
/** Images of fewer places do not fill tiles well. */
const fewPlaces = 32;

export const isProductWorthIt = (g: ConvGeometry): boolean =>
  g.batch * sizeOf(g.places) * g.groups * g.outputs * termsOf(g) >= fewProducts;

/** An image in memory. */
interface Image {
  readonly buffer: Buffer;
  /** Where the element at position 0 of each spatial axis is, of the first feature of the first image. */
  readonly start: number;
  /** Distances of neighbours. */
  readonly batch: number;
  readonly feature: number;
  readonly spatial: readonly number[];
}

/** Whether kernels can read lhs as it is. */
export function readsImage(g: ConvGeometry, lhs: Aval): boolean {
  const [, feature] = lengths(stridesOf(lhs.shape), g.params.dimensionNumbers.lhsSpec);
  return isFull(g) && (feature === 1 || g.inputs === 1) && lhs.dtype === storageOf(scalarTypeOf(lhs.dtype));
}

export function convAsProduct(ctx: KernelContext, g: ConvGeometry): void {
  const [lhs] = ctx.inputs;
  const [out] = ctx.outputs;
  const { rhsSpec, outSpec } = g.params.dimensionNumbers;
  const type = scalarTypeOf(lhs.dtype);
  const image = readsImage(g, lhs) ? asItIs(ctx, g) : copied(ctx, g, type);
  const byColumns = out.shape.slice(outSpec[1] + 1).some((n) => n > 1);
  // With an image at a time, neighbouring rows of x are neighbours in the result.
  const rows = new Rows(g, byColumns && sizeOf(g.places) >= fewPlaces);
  const window: Side = {
    rows: g.outputs,
    at: (group, o, term) => {
      const [taps, c] = splitTerm(g, term);
      return cast(type, ctx.element(1, indexFrom(rhsSpec, indexAdd(indexMul(group, g.outputs), o), c, taps)));
    },
    direct: undefined,
    shared: { count: g.groups, of: (batch) => rows.split(batch, i32(0)).group },
  };
  const p: Product = {
    name: "conv",
    batch: rows.batch,
    terms: termsOf(g),
    x: imageSide(ctx, g, image, rows),
    y: window,
    type,
    write: (batch, i, j, sum) => {
      const { group, n, place } = rows.split(batch, i);
      const feature = indexAdd(indexMul(group, g.outputs), j);
      return ctx.write(0, indexFrom(outSpec, n, feature, place), cast(scalarTypeOf(out.dtype), sum));
    },
    byColumns,
  };
  productAcross(ctx, p, acrossTile(p.x.rows, g.outputs, type));
}

/** The element of the window and the input feature of a term. */
function splitTerm(g: ConvGeometry, term: Expr): [taps: Expr[], c: Expr] {
  const taps = unravel(term, [...g.window, g.inputs]);
  const [c] = taps.splice(-1);
  return [taps, c];
}

/** Rows of x: the places of all images, or of one image at a time. */
class Rows {
  readonly batch: number;
  readonly count: number;
  private readonly shape: readonly number[];

  constructor(
    private readonly g: ConvGeometry,
    private readonly apart: boolean,
  ) {
    this.batch = apart ? g.groups * g.batch : g.groups;
    this.shape = apart ? g.places : [g.batch, ...g.places];
    this.count = sizeOf(this.shape);
  }

  split(batch: Expr, row: Expr): { readonly group: Expr; readonly n: Expr; readonly place: readonly Expr[] } {
    const place = unravel(row, this.shape);
    if (!this.apart) return { group: batch, n: place[0], place: place.slice(1) };
    const [group, n] = unravel(batch, [this.g.groups, this.g.batch]);
    return { group, n, place };
  }
}

function imageSide(ctx: KernelContext, g: ConvGeometry, image: Image, rows: Rows): Side {
  const { buffer } = image;
  const { windowStrides, rhsDilation } = g.params;
  const offsetOfRow = (row: Expr): Expr => {
    const { n, place } = rows.split(i32(0), row);
    return place.reduce(
      (at, o, d) => indexAdd(at, indexMul(o, windowStrides[d] * image.spatial[d])),
      indexMul(n, image.batch),
    );
  };
  // Divisions for each tile would cost as much as a small window: the places of rows are computed once.
  const table = ctx.temporary("places", "int32", rows.count);
  ctx.parallel("conv_places", rows.count, (row) => [store(table, row, offsetOfRow(row))]);
  const first = (batch: Expr, row: Expr): Expr => {
    const { group, n } = rows.split(batch, i32(0));
    const [b, feature] = lhsPlace(g, group, n, i32(0));
    const start = indexAdd(indexAdd(indexMul(b, image.batch), indexMul(feature, image.feature)), image.start);
    return indexAdd(start, load(table, row));
  };
  const offset = (term: Expr): Expr => {
    const [taps, c] = splitTerm(g, term);
    return taps.reduce(
      (at, k, d) => indexAdd(at, indexMul(k, rhsDilation[d] * image.spatial[d])),
      indexMul(c, image.feature),
    );
  };
  const place = (batch: Expr, row: Expr, term: Expr): Expr => indexAdd(first(batch, row), offset(term));
  return {
    rows: rows.count,
    at: (batch, row, term) => load(buffer, place(batch, row, term)),
    direct: { buffer, place, rowStep: undefined, termStep: image.feature, runs: runsOf(g, image, offset) },
  };
}

/** Longest runs of terms that lie at the same distance from each other. */
function runsOf(g: ConvGeometry, image: Image, offset: (term: Expr) => Expr): Runs | undefined {
  const terms = termsOf(g);
  const last = g.window.length - 1;
  let length = g.inputs;
  if (last >= 0 && g.params.rhsDilation[last] * image.spatial[last] === g.inputs * image.feature) {
    const whole = g.window[last] * g.inputs;
    if (whole <= stretchTerms * 1.5) length = whole;
  }
  if (length > stretchTerms * 1.5) length = divisorUpTo(length, stretchTerms);
  if (length === terms) return undefined;
  return { count: terms / length, length, offset: (run) => offset(indexMul(run, length)) };
}

/** The largest divisor of n up to a limit, or n itself if all of those are small. */
function divisorUpTo(n: number, limit: number): number {
  for (let divisor = limit; divisor >= limit / 4; divisor--) if (n % divisor === 0) return divisor;
  return n;
}

// ---------------------------------------------------------------------------------------------------------------------
// The image in memory
// ---------------------------------------------------------------------------------------------------------------------

function asItIs(ctx: KernelContext, g: ConvGeometry): Image {
  const [lhs] = ctx.inputs;
  const [batch, feature, ...spatial] = lengths(stridesOf(lhs.shape), g.params.dimensionNumbers.lhsSpec);
  // Negative padding cuts off.
  const start = spatial.reduce((at, pitch, d) => at - g.params.padding[d][0] * pitch, 0);
  return { buffer: ctx.input(0), start, batch, feature: g.inputs === 1 ? 1 : feature, spatial };
}

/** All positions that are read, features side by side. */
function copied(ctx: KernelContext, g: ConvGeometry, type: ScalarType): Image {
  const [lhs] = ctx.inputs;
  const { lhsSpec } = g.params.dimensionNumbers;
  const [batch, features] = lengths(lhs.shape, lhsSpec);
  const positions = g.image.map((_, d) => positionsRead(g, d));
  const shape = [batch, ...positions, features];
  const pitches = stridesOf(shape);
  const buffer = ctx.temporary("image", storageOf(type), sizeOf(shape));
  const place = (at: readonly Expr[]): Expr =>
    ravel([...at, ...shape.slice(at.length).map(() => i32(0))], shape);
  const zeros = (at: readonly Expr[]): Stmt =>
    loop("z", 0, pitches[at.length - 1], (z) => [store(buffer, indexAdd(place(at), z), constant(type, 0))]);
  /** Copies what lies at the given positions along the first axes. */
  const copy = (at: readonly Expr[], pixels: readonly Expr[]): Stmt[] => {
    if (at.length === shape.length - 1)
      return [
        loop("f", 0, features, (f) => [
          store(buffer, place([...at, f]), cast(type, ctx.element(0, indexFrom(lhsSpec, at[0], f, pixels)))),
        ]),
      ];
    const along = (position: Expr): Stmt[] => step([...at, position], pixels);
    return [loop(`p${at.length}`, 0, shape[at.length], along)];
  };
  const step = (at: readonly Expr[], pixels: readonly Expr[]): Stmt[] => {
    const { pixel, exists } = pixelAt(g, at.length - 2, at[at.length - 1]);
    const inside = copy(at, [...pixels, pixel]);
    if (isConst(exists, 1)) return inside;
    return isConst(exists, 0) ? [zeros(at)] : [when(exists, inside, [zeros(at)])];
  };
  // An image row by row, if it has rows.
  const items = shape.slice(0, Math.min(2, shape.length - 1));
  ctx.parallel("conv_image", sizeOf(items), (item) => {
    const at = unravel(item, items);
    return at.length === 1 ? copy(at, []) : step(at, []);
  });
  return {
    buffer,
    start: 0,
    batch: pitches[0],
    feature: 1,
    spatial: pitches.slice(1, -1),
  };
}

/** Finds out whether the window has an element that is not finite: 1 in the one element of the result if so. */
export function findWild(ctx: KernelContext): Buffer {
  const flag = ctx.temporary("wild", "int32", 1);
  const { shape, dtype } = ctx.inputs[1];
  const type = scalarTypeOf(dtype);
  ctx.parallel("conv_finite", 1, () => {
    const most = new Local("most", type, 1, true);
    return [
      letIn(most, constant(type, 0)),
      // The maximum is NaN if an element is.
      loop("i", 0, sizeOf(shape), (i) => [
        assign(most, max(get(most), abs(ctx.element(1, unravel(i, shape))))),
      ]),
      store(flag, 0, select(not(lt(get(most), Infinity)), i32(1), i32(0))),
    ];
  });
  return flag;
}
