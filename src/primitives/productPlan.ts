/** Which kernels compute a product best: a choice by shapes and layouts alone. */
import type { ScalarType } from "../core/ir/types.js";
import { type Layout, lanesOf } from "./product.js";
import { isAcross } from "./productTiles.js";

/** What is known of a side before there are buffers. */
export interface SideShape {
  readonly rows: number;
  /** Undefined if kernels cannot read it as it is. */
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
    | { readonly form: "across"; readonly rows: number; readonly vectors: number }
    | { readonly form: "along"; readonly rows: number; readonly columns: number }
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

export function planProduct({ x, y, terms, type }: ProductShape): Plan {
  const loops = { turned: false, direct: [false, false] } as const;
  if (terms <= fewTerms) return { ...loops, form: "spelledOut" };
  // One sum fills no tile, and is most exact so.
  if (x.rows * y.rows * terms < fewProducts || x.rows * y.rows === 1) return { ...loops, form: "each" };
  if (!(x.rows > y.rows ? turnsTall(x, y) : turnsWide(x, y, type))) return tiles(x, y, type);
  const { direct, ...plan } = tiles(y, x, type);
  return { ...plan, turned: true, direct: [direct[1], direct[0]] };
}

const alongTerms = ({ layout }: SideShape): boolean => layout?.termStep === 1;
const alongRows = ({ layout, rows }: SideShape, type: ScalarType): boolean =>
  layout !== undefined && isAcross(layout, rows, lanesOf(type));

/** With more rows in x than in y: whether it is better to turn. */
function turnsTall(x: SideShape, y: SideShape): boolean {
  // A thin y: x is read as it is, along its rows or along its terms.
  if (y.rows < 4) return !alongTerms(x);
  return !alongTerms(x) && alongTerms(y);
}

/** With at least as many rows in y. */
function turnsWide(x: SideShape, y: SideShape, type: ScalarType): boolean {
  if (x.rows < 4) return alongTerms(y) && !alongRows(y, type);
  return !alongTerms(x) && alongTerms(y);
}

/** The tiles for sides that do not change places any more. */
function tiles(x: SideShape, y: SideShape, type: ScalarType): Plan {
  const lanes = lanesOf(type);
  if (y.rows < 4 && alongTerms(x)) {
    const columns = y.rows;
    const rows = Math.min(x.rows, 4);
    return { form: "along", turned: false, rows, columns, direct: [true, alongTerms(y)] };
  }
  const rows = Math.min(x.rows, 4);
  const most = rows === 1 ? 8 : rows < 4 ? 4 : 2;
  const vectors = Math.min(most, Math.ceil(y.rows / lanes));
  const readsX = x.layout?.termStep === 1 || (x.rows <= 4 && x.layout?.termStep !== undefined);
  return {
    form: "across",
    turned: false,
    rows,
    vectors,
    direct: [readsX, x.rows <= fewRows && alongRows(y, type)],
  };
}
