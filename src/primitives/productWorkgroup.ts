/**
 * Products on the GPU by tiles that a workgroup shares. Panels of both sides, `depth` terms deep, are brought into the memory
 * of the workgroup, four elements at a time; from there each thread adds up a tile of its own in registers. An element is read
 * from global memory once for each tile, and from the workgroup's once for each of its threads down (or across).
 *
 * In a panel the four elements of a vector are neighbouring terms of a row, or neighbouring rows of a term, whichever lie
 * side by side in global memory; so nothing is transposed. Sums are cut every 256 terms, as elsewhere.
 */
import { indexAdd, indexDiv, indexMod, indexMul, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import type { MatrixProduct } from "../core/ir/matrix.js";
import {
  add,
  and,
  assign,
  barrier,
  constant,
  eq,
  extract,
  get,
  i32,
  isConst,
  letIn,
  load,
  loop,
  lt,
  min,
  mul,
  select,
  splat,
  store,
  truth,
  vector,
  when,
} from "../core/ir/ops.js";
import { extentOf, type ProductTile, panelStep } from "../core/ir/tiling.js";
import { Buffer, type Expr, Local, type Stmt } from "../core/ir/types.js";
import { type Product, type Side, storageOf } from "./product.js";
import { blockTerms } from "./productLoops.js";

/** What lies side by side in a panel. */
export type Along = "terms" | "rows";

const lanes = 4;

const counted = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

export interface WorkgroupPlan {
  readonly tile: ProductTile;
  readonly along: readonly [x: Along, y: Along];
  /** The same as a product of matrices, if that is all it is. */
  readonly product: MatrixProduct | undefined;
}

export function workgroupSums(ctx: KernelContext, p: Product, { tile, along, product }: WorkgroupPlan): void {
  const [down, across] = tile.threads;
  const [height, width] = extentOf(tile);
  const blocks = [p.batch, Math.ceil(p.x.rows / height), Math.ceil(p.y.rows / width)];
  const groups = blocks.reduce((a, b) => a * b);
  const group = new Local("group", "i32", 1, false, groups);
  const thread = new Local("thread", "i32", 1, false, down * across);
  const [batch, block, blockAcross] = unravel(get(group), blocks);
  const [row, column] = unravel(get(thread), [down, across]);
  const place = { batch, thread: get(thread), threads: down * across };
  const x = new Panel("xs", p, p.x, along[0], tile, {
    ...place,
    span: height,
    first: indexMul(block, height),
  });
  const y = new Panel("ys", p, p.y, along[1], tile, {
    ...place,
    span: width,
    first: indexMul(blockAcross, width),
  });

  const [quadsDown, quadsAcross] = [tile.sums[0] / lanes, tile.sums[1] / lanes];
  const cells = (name: string): Local[][] =>
    counted(tile.sums[0], (r) =>
      counted(quadsAcross, (v) => new Local(`${name}${r}_${v}`, p.type, lanes, true)),
    );
  const zero = (locals: readonly Local[][]): Stmt[] =>
    locals.flat().map((local) => letIn(local, constant(p.type, 0, lanes)));
  /** Where, in a panel, the four rows with number `q` of a thread begin. */
  const quad = (q: Expr | number, threads: number, own: Expr): Expr =>
    indexMul(indexAdd(own, indexMul(q, threads)), lanes);

  /** The products of the terms that are in the panels. */
  const addPanels = (into: readonly Local[][]): Stmt =>
    loop(
      "term",
      0,
      tile.depth,
      (term) => {
        const [xs, ys] = [
          x.read(
            term,
            counted(quadsDown, (q) => quad(q, down, row)),
          ),
          y.read(
            term,
            counted(quadsAcross, (v) => quad(v, across, column)),
          ),
        ];
        const products = counted(lanes, (u) => {
          const [own, other] = [xs.term(u), ys.term(u)];
          const columns = counted(quadsAcross, (v) => new Local(`column${u}_${v}`, p.type, lanes));
          return [
            ...own.stmts,
            ...other.stmts,
            ...columns.map((local, v) => letIn(local, other.quad(v))),
            ...into.flatMap((cell, r) =>
              cell.map((sum, v) =>
                assign(
                  sum,
                  add(
                    get(sum),
                    mul(splat(extract(own.quad(Math.floor(r / lanes)), r % lanes), lanes), get(columns[v])),
                  ),
                ),
              ),
            ),
          ];
        });
        return [...xs.stmts, ...ys.stmts, ...products.flat()];
      },
      lanes,
    );

  const sides = [x, y];
  const { depth } = tile;
  const overTerms = (into: readonly Local[][], from: Expr, to: Expr): Stmt => {
    const k = new Local("k", "i32", 1, false, p.terms);
    const next = indexAdd(get(k), depth);
    const body = tile.ahead
      ? [
          ...sides.flatMap((side) => side.storeLoaded()),
          barrier,
          ...sides.flatMap((side) => side.loadNext(next)),
          addPanels(into),
        ]
      : [...sides.flatMap((side) => side.bring(get(k))), barrier, addPanels(into)];
    // What is in the panels is replaced only when all threads are done with it.
    return { kind: "for", local: k, from, to, step: depth, body: [...body, barrier] };
  };

  const total = cells("total");
  const stretch = (first: Expr): Stmt[] => {
    const part = cells("part");
    return [
      ...zero(part),
      overTerms(part, first, min(indexAdd(first, blockTerms), p.terms)),
      ...total.flatMap((sums, r) => sums.map((sum, v) => assign(sum, add(get(sum), get(part[r][v]))))),
    ];
  };
  const sums =
    p.terms <= 2 * blockTerms
      ? overTerms(total, i32(0), i32(p.terms))
      : loop("stretch", 0, p.terms, (first) => stretch(first), blockTerms);

  const exists = (position: Expr, span: number, side: Side): Expr =>
    side.rows % span === 0 ? truth(true) : lt(position, side.rows);
  /** Writes four neighbouring sums of a thread: those with number `v` in its row `r`. */
  const writeQuad = (r: Expr, v: Expr, four: Expr): Stmt => {
    const inRow = indexAdd(quad(indexDiv(r, lanes), down, row), indexMod(r, lanes));
    const i = indexAdd(indexMul(block, height), inRow);
    const first = indexAdd(indexMul(blockAcross, width), quad(v, across, column));
    return loop("c", 0, lanes, (c) => {
      const j = indexAdd(first, c);
      const stmts = p.write(batch, i, j, laneOf(four, c));
      const there = and(exists(i, height, p.x), exists(j, width, p.y));
      return isConst(there, 1) ? stmts : [when(there, stmts)];
    });
  };
  const all = total.flat().map(get);
  const numbered = (n: Expr, four: Expr): Stmt =>
    writeQuad(indexDiv(n, quadsAcross), indexMod(n, quadsAcross), four);
  const write =
    p.isLong === true
      ? [
          loop("n", 0, all.length, (n) => {
            const four = new Local("four", p.type, lanes);
            return [letIn(four, choose(n, all)), numbered(n, get(four))];
          }),
        ]
      : all.map((four, n) => numbered(i32(n), four));
  ctx.kernel({
    name: p.name,
    launch: { kind: "grid", groups, threads: down * across, group, thread },
    scratch: [x.buffer, y.buffer],
    product,
    body: [...zero(total), ...(tile.ahead ? sides.flatMap((side) => side.loadFirst()) : []), sums, ...write],
  });
}

/** The one with a number that is known only when it runs. */
const choose = (number: Expr, values: readonly Expr[]): Expr =>
  values.reduceRight((rest, value, n) =>
    n === values.length - 1 ? value : select(splat(eq(number, n), value.lanes), value, rest),
  );

const laneOf = (x: Expr, lane: Expr): Expr =>
  choose(
    lane,
    counted(lanes, (n) => extract(x, n)),
  );

/** What a thread reads of a panel for one term: its rows, four by four. */
interface TermQuads {
  readonly stmts: readonly Stmt[];
  quad(q: number): Expr;
}

interface PanelPlace {
  readonly batch: Expr;
  readonly thread: Expr;
  readonly threads: number;
  /** Rows of the side in the panel, and the first of them. */
  readonly span: number;
  readonly first: Expr;
}

/** A part of a side in the memory of the workgroup. */
class Panel {
  readonly buffer: Buffer;
  /** Vectors that each thread brings. */
  private readonly share: number;
  private readonly vectors: number;
  /** What was loaded ahead. */
  private readonly loaded: readonly Local[];

  constructor(
    private readonly name: string,
    private readonly p: Product,
    private readonly side: Side,
    private readonly along: Along,
    private readonly tile: ProductTile,
    private readonly place: PanelPlace,
  ) {
    const { span, threads } = place;
    const size = along === "terms" ? span * panelStep(tile) : span * tile.depth;
    this.buffer = new Buffer(name, storageOf(p.type), size, "scratch");
    this.vectors = (span * tile.depth) / lanes;
    this.share = Math.ceil(this.vectors / threads);
    this.loaded = counted(this.share, (n) => new Local(`${name}_next${n}`, p.type, lanes, true));
  }

  /** Which vector a thread brings as its n-th, as row and term in the panel. */
  private position(n: number): { readonly row: Expr; readonly term: Expr; readonly exists: Expr } {
    const { span, thread, threads } = this.place;
    const number = indexAdd(thread, n * threads);
    const whole = this.share * this.place.threads === this.vectors;
    const exists = whole || n + 1 < this.share ? truth(true) : lt(number, this.vectors);
    if (this.along === "terms") {
      const perRow = this.tile.depth / lanes;
      return { row: indexDiv(number, perRow), term: indexMul(indexMod(number, perRow), lanes), exists };
    }
    const perTerm = span / lanes;
    return { row: indexMul(indexMod(number, perTerm), lanes), term: indexDiv(number, perTerm), exists };
  }

  /**
   * A vector of the side, for the panel that begins with term `k`. Rows that do not exist may be any, but terms that do not
   * are zero: they are added to sums that do exist.
   */
  private vectorAt(k: Expr, n: number): Expr {
    const { side, place, p, along } = this;
    const at = this.position(n);
    const [row, term] = [indexAdd(place.first, at.row), indexAdd(k, at.term)];
    const { direct } = side;
    const zero = constant(p.type, 0);
    const even = p.terms % this.tile.depth === 0 && !this.tile.ahead;
    const within = (e: Expr, count: number, isSure: boolean): Expr => (isSure ? e : min(e, count));
    const sureRow = side.rows % place.span === 0;
    if (along === "terms") {
      const i = within(row, side.rows - 1, sureRow);
      if (direct !== undefined) {
        const first = within(term, p.terms - lanes, even);
        const value = load(direct.buffer, direct.place(place.batch, i, first), undefined, lanes);
        return p.terms % this.tile.depth === 0
          ? value
          : select(splat(lt(term, p.terms), lanes), value, splat(zero, lanes));
      }
      return vector(
        counted(lanes, (u) => {
          const own = indexAdd(term, u);
          const value = side.at(place.batch, i, within(own, p.terms - 1, even));
          return p.terms % this.tile.depth === 0 ? value : select(lt(own, p.terms), value, zero);
        }),
      );
    }
    const t = within(term, p.terms - 1, even);
    const value =
      direct === undefined
        ? vector(
            counted(lanes, (u) => side.at(place.batch, within(indexAdd(row, u), side.rows - 1, sureRow), t)),
          )
        : load(
            direct.buffer,
            direct.place(place.batch, within(row, side.rows - lanes, sureRow), t),
            undefined,
            lanes,
          );
    return p.terms % this.tile.depth === 0
      ? value
      : select(splat(lt(term, p.terms), lanes), value, splat(zero, lanes));
  }

  /** Where in the panel an element is. */
  private index(row: Expr, term: Expr): Expr {
    return this.along === "terms"
      ? indexAdd(indexMul(row, panelStep(this.tile)), term)
      : indexAdd(indexMul(term, this.place.span), row);
  }

  private storeEach(value: (n: number) => Expr): Stmt[] {
    return counted(this.share, (n) => {
      const { row, term, exists } = this.position(n);
      const stmt = store(this.buffer, this.index(row, term), value(n));
      return isConst(exists, 1) ? stmt : when(exists, [stmt]);
    });
  }

  /** Brings the terms from `k` on. */
  bring(k: Expr): Stmt[] {
    return this.storeEach((n) => this.vectorAt(k, n));
  }

  loadFirst(): Stmt[] {
    return this.loaded.map((local, n) => letIn(local, this.vectorAt(i32(0), n)));
  }

  storeLoaded(): Stmt[] {
    return this.storeEach((n) => get(this.loaded[n]));
  }

  loadNext(k: Expr): Stmt[] {
    return this.loaded.map((local, n) => assign(local, this.vectorAt(k, n)));
  }

  /** Reads four terms of some rows, which are given by fours. */
  read(term: Expr, quads: readonly Expr[]): { stmts: readonly Stmt[]; term(u: number): TermQuads } {
    const { p, name } = this;
    const vectorOf = (row: Expr, k: Expr): Expr => load(this.buffer, this.index(row, k), undefined, lanes);
    if (this.along === "rows")
      return {
        stmts: [],
        term: (u) => {
          const locals = quads.map((_, q) => new Local(`${name}${u}_${q}`, p.type, lanes));
          const stmts = locals.map((local, q) => letIn(local, vectorOf(quads[q], indexAdd(term, u))));
          return { stmts, quad: (q) => get(locals[q]) };
        },
      };
    const rows = quads.map((_, q) => counted(lanes, (r) => new Local(`${name}${q}_${r}`, p.type, lanes)));
    const stmts = rows.flatMap((locals, q) =>
      locals.map((local, r) => letIn(local, vectorOf(indexAdd(quads[q], r), term))),
    );
    const quad = (u: number, q: number): Expr => vector(rows[q].map((local) => extract(get(local), u)));
    return { stmts, term: (u) => ({ stmts: [], quad: (q) => quad(u, q) }) };
  }
}
