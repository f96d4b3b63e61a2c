/**
 * How operations that run along an axis are compiled: element k of the result comes of the elements 0 to k. A line is
 * walked from its one end to the other. On the CPU lines that lie side by side are walked together, so that memory is
 * read in order. On the GPU there may be too few lines for its threads: then lines are cut into chunks, which is why
 * what is kept of the elements so far must join with that of a chunk.
 */
import { sizeOf } from "../core/aval.js";
import { indexAdd, indexMul, indexSub, unravel } from "../core/ir/affine.js";
import type { KernelContext, KernelsRule, Target } from "../core/ir/lower.js";
import { assign, constant, get, gt, i32, letIn, load, loop, min, store, when } from "../core/ir/ops.js";
import { type Buffer, type Expr, Local, type ScalarType, type Stmt } from "../core/ir/types.js";
import type { Direction } from "./direction.js";
import { storageOf } from "./product.js";

/** What is kept of a stretch of elements. */
export type Cells = readonly Expr[];

export interface Scan {
  readonly types: readonly ScalarType[];
  /** What is kept of one element, whose index is given. */
  lift(index: readonly Expr[]): Cells;
  /** What is kept of two stretches, one after the other. Associative. */
  join(earlier: Cells, later: Cells): Cells;
  /** The same where the later stretch may be long; default: `join`. */
  joinLong?(earlier: Cells, later: Cells): Cells;
  /** Element k of the result, of what is kept of the elements up to k. */
  result(cells: Cells): Expr;
  /** How many cells (the first ones) the result comes from; the others count in a later stretch alone. Default: all. */
  readonly shown?: number;
}

/** Lines on the GPU that are longer than this are cut, if there are few of them. */
const longLine = 512;
const manyLines = 2048;
const chunkLength = 128;
/** Lines on the CPU that are walked together. */
const together = 256;

const isLong = (n: number, lines: number): boolean => n > longLine && lines < manyLines;

export const lowerScan = (make: (ctx: KernelContext) => Scan): KernelsRule<Direction> => ({
  kind: "kernels",
  fusesConsumers: true,
  reads: ({ inputs, target }, { axis }) =>
    inputs.map(({ shape }) => {
      const n = shape[axis];
      return target === "webgpu" && isLong(n, sizeOf(shape) / n) ? 2 : 1;
    }),
  build: (ctx, direction) => {
    if (sizeOf(ctx.outputs[0].shape) === 0) return;
    const scanner = new Scanner(ctx, make(ctx), direction);
    if (ctx.target === "webgpu") scanner.onGrid();
    else if (scanner.inner === 1) scanner.lineByLine();
    else scanner.sideBySide();
  },
});

/** Sums of float32 are kept in double precision where there is such. */
export const wideType = (type: ScalarType, target: Target): ScalarType =>
  type === "f32" && target === "wasm" ? "f64" : type;

class Scanner {
  private readonly length: number;
  /** Lines that lie side by side. */
  readonly inner: number;
  private readonly lines: number;
  private readonly shown: number;

  constructor(
    private readonly ctx: KernelContext,
    private readonly scan: Scan,
    private readonly direction: Direction,
  ) {
    const { shape } = ctx.outputs[0];
    this.length = shape[direction.axis];
    this.inner = sizeOf(shape.slice(direction.axis + 1));
    this.lines = sizeOf(shape) / this.length;
    this.shown = scan.shown ?? scan.types.length;
  }

  /** The index of the element that a walk along a line reaches after k others. */
  private index(outer: Expr, inner: Expr, k: Expr): Expr[] {
    const { axis, reverse } = this.direction;
    const { shape } = this.ctx.outputs[0];
    return [
      ...unravel(outer, shape.slice(0, axis)),
      reverse ? indexSub(this.length - 1, k) : k,
      ...unravel(inner, shape.slice(axis + 1)),
    ];
  }

  private indexInLine(line: Expr, k: Expr): Expr[] {
    const [outer, inner] = unravel(line, [this.lines / this.inner, this.inner]);
    return this.index(outer, inner, k);
  }

  private cells(name: string, count: number): Local[] {
    return this.scan.types.slice(0, count).map((type, c) => new Local(`${name}${c}`, type, 1, true));
  }

  /** Cells that are left out count for nothing. */
  private padded(cells: Cells): Cells {
    return this.scan.types.map((type, c) => cells[c] ?? constant(type, 0));
  }

  private advance(cells: readonly Local[], later: Cells, long = false): Stmt[] {
    const { join, joinLong = join } = this.scan;
    const joined = (long ? joinLong : join)(this.padded(cells.map(get)), later).slice(0, cells.length);
    if (cells.length === 1) return [assign(cells[0], joined[0])];
    const named = joined.map((e, c) => new Local(`next${c}`, e.type));
    return [
      ...named.map((local, c) => letIn(local, joined[c])),
      ...cells.map((cell, c) => assign(cell, get(named[c]))),
    ];
  }

  private write(index: readonly Expr[], cells: Cells): readonly Stmt[] {
    return this.ctx.write(0, index, this.scan.result(this.padded(cells)));
  }

  lineByLine(): void {
    this.ctx.parallel("scan", this.lines, (line) => {
      const cells = this.cells("cell", this.shown);
      const at = (k: Expr): Expr[] => this.indexInLine(line, k);
      const first = this.scan.lift(at(i32(0)));
      return [
        ...cells.map((cell, c) => letIn(cell, first[c])),
        ...this.write(at(i32(0)), cells.map(get)),
        loop("k", 1, this.length, (k) => [
          ...this.advance(cells, this.scan.lift(at(k))),
          ...this.write(at(k), cells.map(get)),
        ]),
      ];
    });
  }

  /** What is kept of each line lies in memory. */
  sideBySide(): void {
    const { ctx, inner, lines, scan } = this;
    const outer = lines / inner;
    const width = Math.min(inner, together);
    const blocks = Math.ceil(inner / width);
    const kept = scan.types
      .slice(0, this.shown)
      .map((type, c) => ctx.temporary(`cell${c}`, storageOf(type), lines));
    ctx.parallel("scan", outer * blocks, (item) => {
      const [o, block] = unravel(item, [outer, blocks]);
      const left = inner % width === 0 ? i32(width) : min(indexSub(inner, indexMul(block, width)), width);
      const eachLine = (body: (i: Expr, place: Expr) => readonly Stmt[]): Stmt => {
        const local = new Local("i", "i32", 1, false, width);
        const i = indexAdd(indexMul(block, width), get(local));
        const place = indexAdd(indexMul(o, inner), i);
        return { kind: "for", local, from: i32(0), to: left, step: 1, body: body(i, place) };
      };
      const keep = (place: Expr, index: readonly Expr[], cells: Cells): Stmt[] => {
        const named = kept.map((_, c) => new Local(`next${c}`, cells[c].type));
        return [
          ...named.map((local, c) => letIn(local, cells[c])),
          ...kept.map((buffer, c) => store(buffer, place, get(named[c]))),
          ...this.write(index, named.map(get)),
        ];
      };
      return [
        eachLine((i, place) => {
          const index = this.index(o, i, i32(0));
          return keep(place, index, scan.lift(index));
        }),
        loop("k", 1, this.length, (k) => [
          eachLine((i, place) => {
            const index = this.index(o, i, k);
            const before = this.padded(kept.map((buffer) => load(buffer, place)));
            return keep(place, index, scan.join(before, scan.lift(index)));
          }),
        ]),
      ];
    });
  }

  onGrid(): void {
    this.walk(
      this.length,
      (line, k) => this.scan.lift(this.indexInLine(line, k)),
      (line, k, cells) => this.write(this.indexInLine(line, k), cells),
      this.shown,
      false,
    );
  }

  /**
   * Walks along all lines of `n` stretches, handing to `sink` what is kept of each and all before it.
   *
   * @param shown how many cells the sink needs.
   * @param long whether the stretches may be more than single elements.
   */
  private walk(
    n: number,
    lift: (line: Expr, k: Expr) => Cells,
    sink: (line: Expr, k: Expr, cells: Cells) => readonly Stmt[],
    shown: number,
    long: boolean,
  ): void {
    const { ctx, lines, scan } = this;
    const chunks = isLong(n, lines) ? Math.ceil(n / chunkLength) : 1;
    const chunk = chunks === 1 ? n : chunkLength;
    let carries: readonly Buffer[] | undefined;
    if (chunks > 1) {
      const all = scan.types.length;
      const buffers = (name: string): Buffer[] =>
        scan.types.map((type, c) => ctx.temporary(`${name}${c}`, storageOf(type), lines * chunks));
      const totals = buffers("total");
      const before = buffers("carry");
      const place = (line: Expr, c: Expr): Expr => indexAdd(indexMul(line, chunks), c);
      ctx.parallel("scan_totals", lines * (chunks - 1), (item) => {
        const [line, c] = unravel(item, [lines, chunks - 1]);
        const start = indexMul(c, chunk);
        const cells = this.cells("total", all);
        const first = lift(line, start);
        return [
          ...cells.map((cell, k) => letIn(cell, first[k])),
          loop("k", 1, chunk, (k) => this.advance(cells, lift(line, indexAdd(start, k)), long)),
          ...totals.map((buffer, k) => store(buffer, place(line, c), get(cells[k]))),
        ];
      });
      this.walk(
        chunks - 1,
        (line, c) => totals.map((buffer) => load(buffer, place(line, c))),
        (line, c, cells) =>
          before.slice(0, shown).map((buffer, k) => store(buffer, place(line, indexAdd(c, 1)), cells[k])),
        shown,
        true,
      );
      carries = before;
    }
    ctx.parallel("scan", lines * chunks, (item) => {
      const [line, c] = unravel(item, [lines, chunks]);
      const start = indexMul(c, chunk);
      const cells = this.cells("cell", shown);
      const first = lift(line, start);
      const carry = carries?.slice(0, shown).map((buffer) => load(buffer, item)) ?? [];
      const stmts: Stmt[] = cells.map((cell, k) => letIn(cell, first[k]));
      if (carries !== undefined)
        stmts.push(
          when(gt(c, 0), [
            ...cells.map((cell, k) => assign(cell, carry[k])),
            ...this.advance(cells, first, long),
          ]),
        );
      const local = new Local("k", "i32", 1, false, chunk);
      const to = n % chunk === 0 ? i32(chunk) : min(indexSub(n, start), chunk);
      const k = indexAdd(start, get(local));
      return [
        ...stmts,
        ...sink(line, start, cells.map(get)),
        {
          kind: "for",
          local,
          from: i32(1),
          to,
          step: 1,
          body: [...this.advance(cells, lift(line, k), long), ...sink(line, k, cells.map(get))],
        },
      ];
    });
  }
}
