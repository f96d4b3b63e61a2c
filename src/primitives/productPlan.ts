/** Which kernels compute a product best: a choice by shapes and layouts alone. */
import type { ScalarType } from "../core/ir/types.js";
import { type Layout, lanesOf } from "./product.js";
import { type AcrossTile, acrossTile, isAcross } from "./productTiles.js";

/** What is known of a side before there are buffers. */
export interface SideShape {
  readonly rows: number;
  /** How it is stored. */
  readonly stored: Layout;
  /** The same if kernels can read it as it is. */
  readonly layout: Layout | undefined;
}

export interface ProductShape {
  readonly batch: number;
  readonly terms: number;
  readonly x: SideShape;
  readonly y: SideShape;
  readonly type: ScalarType;
}

/** Kernels for the CPU. */
export type Plan = Common &
  (
    | { readonly form: "each" }
    | { readonly form: "spelledOut" }
    | { readonly form: "along" }
    | { readonly form: "thin" }
    | ({ readonly form: "across" } & AcrossTile)
  );

interface Common {
  /** The sides change places. */
  readonly turned: boolean;
  /** Which sides (before they change places) are read as they are. */
  readonly direct: readonly [x: boolean, y: boolean];
}

/** Sums of no more products than this are spelt out. */
const fewTerms = 8;
/** Products of fewer multiplications are not worth tiles. */
const fewProducts = 512;
/** With so few rows of x, each row of y is read too few times to be copied first. */
const fewRows = 8;
/** With fewer rows on one side, what takes time is to read the other. */
const thin = 4;

export function planProduct({ x, y, terms, type }: ProductShape): Plan {
  const loops = { turned: false, direct: [false, false] } as const;
  if (terms <= fewTerms) return { ...loops, form: "spelledOut" };
  // One sum fills no tile, and is most exact so.
  if (x.rows * y.rows * terms < fewProducts || x.rows * y.rows === 1) return { ...loops, form: "each" };
  if (!isTurned(x, y)) return tiles(x, y, type);
  const { direct, ...plan } = tiles(y, x, type);
  return { ...plan, turned: true, direct: [direct[1], direct[0]] };
}

const alongTerms = ({ stored }: SideShape): boolean => stored.termStep === 1;

/** Whether it is better if the sides change places. */
function isTurned(x: SideShape, y: SideShape): boolean {
  if (Math.min(x.rows, y.rows) >= thin) return !alongTerms(x) && alongTerms(y);
  // The matrix is x if it is read along its terms, else y.
  return y.rows < x.rows ? !alongTerms(x) : alongTerms(y);
}

/** The tiles for sides that do not change places any more. */
function tiles(x: SideShape, y: SideShape, type: ScalarType): Plan {
  const readsAlong = ({ layout }: SideShape): boolean => layout?.termStep === 1;
  const readsRows = (side: SideShape): boolean => readsAlong(side) && side.stored.rowStep !== undefined;
  if (y.rows < thin && alongTerms(x))
    return { form: "along", turned: false, direct: [readsRows(x), readsRows(y)] };
  if (x.rows < thin) return { form: "thin", turned: false, direct: [false, false] };
  const alongRows = y.layout !== undefined && isAcross(y.layout, y.rows, lanesOf(type));
  const readsX = readsAlong(x) || (x.rows <= 4 && x.layout?.termStep !== undefined);
  return {
    form: "across",
    turned: false,
    ...acrossTile(x.rows, y.rows, type),
    direct: [readsX, x.rows <= fewRows && alongRows],
  };
}
