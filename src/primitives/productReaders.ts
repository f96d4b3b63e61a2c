/** How tiles of a product read its sides: as they lie in memory, or from copies whose elements lie in the order of reading. */
import { indexAdd, indexDiv, indexMod, indexMul, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import { constant, get, i32, letIn, loop, lt, min, store, when } from "../core/ir/ops.js";
import { type Buffer, type Expr, Local, type Stmt } from "../core/ir/types.js";
import { type Product, type Side, storageOf } from "./product.js";

/** Reads some rows of a side, a tile of them at a time. */
export interface Reader {
  readonly buffer: Buffer;
  /** For a tile: the place in the buffer of a term of its row r. */
  tile(batch: Expr, tile: Expr): { readonly stmts: readonly Stmt[]; place(k: Expr, r: number): Expr };
}

/** Reads the operand itself. Of rows that do not exist the last `width` (that lie side by side) stand in. */
export function directReader({ rows, direct }: Side, count: number, width = 1): Reader | undefined {
  const step = direct?.termStep;
  if (direct === undefined || step === undefined) return undefined;
  return {
    buffer: direct.buffer,
    tile: (batch, tile) => {
      const exists = rows % count === 0;
      const bases: Local[] = [];
      const stmts: Stmt[] = [];
      for (let r = 0; r < count; r += width) {
        const row = indexAdd(indexMul(tile, count), r);
        const base = new Local(`row${r}`, "i32", 1, false, direct.buffer.size);
        stmts.push(letIn(base, direct.place(batch, exists ? row : min(row, rows - width), i32(0))));
        bases.push(base);
      }
      return {
        stmts,
        place: (k, r) => indexAdd(get(bases[Math.floor(r / width)]), indexAdd(indexMul(k, step), r % width)),
      };
    },
  };
}

/**
 * Copies a side into panels, term after term with the elements of all rows of the panel side by side. Rows that do not
 * exist are zeros.
 *
 * @param count rows of a tile.
 * @param tiles tiles of a panel: what is copied at once should fill lines of the cache.
 * @returns also where a panel begins.
 */
export function pack(
  ctx: KernelContext,
  { name, batch: all, terms, type }: Product,
  side: Side,
  count: number,
  tiles = 1,
): Reader & { first(batch: Expr, panel: Expr): Expr } {
  const { rows } = side;
  const { count: batch, of } = side.shared ?? { count: all, of: (b: Expr) => b };
  const width = count * tiles;
  const panels = Math.ceil(rows / width);
  const buffer = ctx.temporary("packed", storageOf(type), batch * panels * terms * width);
  const first = (b: Expr, panel: Expr): Expr => indexMul(indexAdd(indexMul(b, panels), panel), terms * width);
  ctx.parallel(`${name}_pack`, batch * panels, (item) => {
    const [b, panel] = unravel(item, [batch, panels]);
    const copy = (exist: number): Stmt =>
      loop("k", 0, terms, (k) => {
        const at = indexAdd(first(b, panel), indexMul(k, width));
        const rowsOfPanel = loop("r", 0, exist, (r) => [
          store(buffer, indexAdd(at, r), side.at(b, indexAdd(indexMul(panel, width), r), k)),
        ]);
        if (exist === width) return [rowsOfPanel];
        const none = loop("r", exist, width, (r) => [store(buffer, indexAdd(at, r), constant(type, 0))]);
        return [rowsOfPanel, none];
      });
    const rest = rows % width;
    if (rest === 0) return [copy(width)];
    return panels === 1 ? [copy(rest)] : [when(lt(panel, panels - 1), [copy(width)], [copy(rest)])];
  });
  return {
    buffer,
    first: (b, panel) => first(of(b), panel),
    tile: (b, tile) => {
      const base = new Local("panel", "i32", 1, false, buffer.size);
      const inPanel = indexMul(indexMod(tile, tiles), count);
      return {
        stmts: [letIn(base, indexAdd(first(of(b), indexDiv(tile, tiles)), inPanel))],
        place: (k, r) => indexAdd(get(base), indexAdd(indexMul(k, width), r)),
      };
    },
  };
}
