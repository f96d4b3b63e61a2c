/**
 * Sorting as kernels: a merge sort, which keeps the order of what ties. Short runs are sorted by insertion, then pairs of
 * runs are merged until one is left. A merge is shared among items: the item that is to write places from d on finds by
 * bisection how many of the elements before d come from which run (S. Odeh, O. Green et al., Merge path, 2012).
 */
import type { DType } from "../core/dtype.js";
import { indexAdd, indexDiv, indexMul, unravel } from "../core/ir/affine.js";
import type { KernelContext } from "../core/ir/lower.js";
import {
  add,
  and,
  assign,
  cast,
  div,
  ge,
  get,
  gt,
  i32,
  letIn,
  load,
  loop,
  loopWhile,
  lt,
  max,
  min,
  not,
  or,
  select,
  shl,
  store,
  sub,
  when,
} from "../core/ir/ops.js";
import { type Buffer, type Expr, Local, type Stmt, scalarTypeOf } from "../core/ir/types.js";

/** Arrays whose elements move together: they have one length along each of as many lines. */
export interface Sorting {
  readonly lines: number;
  readonly length: number;
  /** The dtypes of what moves. */
  readonly dtypes: readonly DType[];
  /** What moves, from place k of a line. */
  read(line: Expr, k: Expr): readonly Expr[];
  /** Whether a must come before b, even if it is behind it. */
  precedes(a: readonly Expr[], b: readonly Expr[]): Expr;
  /** So many places of the result are wanted. */
  readonly wanted: number;
  /** What to do with what ends up in place k. */
  write(line: Expr, k: Expr, elements: readonly Expr[]): readonly Stmt[];
}

/** Runs that are sorted by insertion. */
const shortRun = 16;
/** What one item sorts by itself on the CPU, and the part of a merge that it does. On the GPU both are short runs. */
const longRun = 16384;
const mergePart = 4096;

export function sortLines(ctx: KernelContext, sorting: Sorting): void {
  new Sorter(ctx, sorting).sort();
}

class Sorter {
  /** Both halves of each hold all elements: merges go from one to the other. An element more, which may be read. */
  private readonly buffers: readonly Buffer[];
  private readonly half: number;
  private readonly run: number;
  private readonly part: number;

  constructor(
    private readonly ctx: KernelContext,
    private readonly s: Sorting,
  ) {
    this.half = s.lines * s.length;
    this.buffers = s.dtypes.map((dtype, i) => ctx.temporary(`sorting${i}`, dtype, 2 * this.half + 1));
    this.run = ctx.target === "wasm" ? longRun : shortRun;
    this.part = ctx.target === "wasm" ? mergePart : shortRun;
  }

  private load(at: Expr): Expr[] {
    return this.buffers.map((buffer) => load(buffer, at));
  }

  private store(at: Expr, elements: readonly Expr[]): Stmt[] {
    return this.buffers.map((buffer, i) => store(buffer, at, elements[i]));
  }

  sort(): void {
    const { ctx, part, run, s } = this;
    const alone = s.length <= run;
    let from = this.sortRuns(alone);
    for (let width = run; width < s.length; width *= 2) {
      const isLast = 2 * width >= s.length;
      const parts = Math.ceil((isLast ? s.wanted : s.length) / part);
      ctx.parallel("sort_merge", s.lines * parts, (item) => {
        const [line, p] = unravel(item, [s.lines, parts]);
        return this.mergePart(line, indexMul(p, part), width, from, isLast);
      });
      from = this.half - from;
    }
  }

  /** Sorts every run; returns the half in which they are then. */
  private sortRuns(alone: boolean): number {
    const { ctx, half, run, s } = this;
    const length = Math.min(run, s.length);
    const runs = Math.ceil(s.length / length);
    const passes = Math.max(0, Math.ceil(Math.log2(length / shortRun)));
    const last = passes % 2 === 0 ? 0 : half;
    ctx.parallel("sort_runs", s.lines * runs, (item) => {
      const [line, r] = unravel(item, [s.lines, runs]);
      const start = indexMul(r, length);
      const end = s.length % length === 0 ? indexAdd(start, length) : min(indexAdd(start, length), s.length);
      const stmts = this.insertions(line, start, end, length);
      if (passes > 0) stmts.push(...this.mergesOfRun(line, start, end, passes));
      if (alone) {
        const offset = indexAdd(indexMul(line, s.length), last);
        stmts.push(loop("k", 0, s.wanted, (k) => s.write(line, k, this.load(indexAdd(offset, k)))));
      }
      return stmts;
    });
    return last;
  }

  /** Short runs between two places of a line. */
  private insertions(line: Expr, start: Expr, end: Expr, length: number): Stmt[] {
    const { s } = this;
    const offset = indexMul(line, s.length);
    const short = Math.min(shortRun, length);
    const first = new Local("first", "i32", 1, false, s.length);
    const insert = (k: Expr): Stmt[] => {
      const named = s.dtypes.map((dtype, i) => new Local(`x${i}`, scalarTypeOf(dtype)));
      const elements = s.read(line, k);
      const place = new Local("place", "i32", 1, true);
      const before = sub(add(offset, get(place)), 1);
      // Without a guard the load would be before the first element when the place is 0.
      const inside = gt(get(place), get(first));
      const other = this.buffers.map((buffer) => load(buffer, before, inside));
      return [
        ...named.map((local, i) => letIn(local, elements[i])),
        letIn(place, k),
        loopWhile(and(inside, s.precedes(named.map(get), other)), [
          ...this.store(add(offset, get(place)), this.load(before)),
          assign(place, sub(get(place), 1)),
        ]),
        ...this.store(add(offset, get(place)), named.map(get)),
      ];
    };
    const runs = length === short ? 1 : Math.ceil(length / short);
    const run = (number: Expr): Stmt[] => {
      const local = new Local("k", "i32", 1, false, s.length);
      const from = indexAdd(start, indexMul(number, short));
      const to = runs === 1 ? end : min(indexAdd(from, short), end);
      return [letIn(first, from), { kind: "for", local, from, to, step: 1, body: insert(get(local)) }];
    };
    return runs === 1 ? run(i32(0)) : [loop("run", 0, runs, run)];
  }

  /** Merges the short runs between two places of a line, all in one item. */
  private mergesOfRun(line: Expr, start: Expr, end: Expr, passes: number): Stmt[] {
    const { half, s } = this;
    const offset = indexMul(line, s.length);
    const width = new Local("width", "i32");
    const from = new Local("from", "i32");
    const low = new Local("low", "i32", 1, true);
    const limit = (steps: Expr): Expr => min(add(get(low), steps), end);
    return [
      loop("pass", 0, passes, (pass) => {
        const middle = new Local("middle", "i32");
        const high = new Local("high", "i32");
        const odd = gt(sub(pass, indexMul(indexDiv(pass, 2), 2)), 0);
        return [
          letIn(width, shl(i32(shortRun), pass)),
          letIn(from, select(odd, i32(half), i32(0))),
          letIn(low, start),
          loopWhile(lt(get(low), end), [
            letIn(middle, limit(get(width))),
            letIn(high, limit(add(get(width), get(width)))),
            ...this.merge(
              { low: get(low), middle: get(middle), high: get(high) },
              { x: get(low), y: get(middle) },
              { from: get(low), to: get(high) },
              add(offset, get(from)),
              (at, elements) => this.store(add(add(offset, sub(half, get(from))), at), elements),
            ),
            assign(low, get(high)),
          ]),
        ];
      }),
    ];
  }

  /** A part of a merge of two runs. */
  private mergePart(line: Expr, start: Expr, width: number, from: number, isLast: boolean): Stmt[] {
    const { half, part, s } = this;
    const offset = indexMul(line, s.length);
    const place = (name: string): Local => new Local(name, "i32", 1, false, s.length + 1);
    const [low, middle, high] = [place("low"), place("middle"), place("high")];
    const [few, many] = [new Local("few", "i32", 1, true), new Local("many", "i32", 1, true)];
    const guess = new Local("guess", "i32");
    const all = isLast ? s.wanted : s.length;
    const end = all % part === 0 ? indexAdd(start, part) : min(indexAdd(start, part), all);
    const source = indexAdd(offset, from);
    // How many of the elements before `start` come from the first run: at least `few`, at most `many`.
    const before = sub(start, get(low));
    const element = (at: Expr): Expr[] => this.load(add(source, at));
    const other = sub(sub(add(get(middle), before), 1), get(guess));
    return [
      letIn(low, indexMul(indexDiv(start, 2 * width), 2 * width)),
      letIn(middle, min(add(get(low), width), s.length)),
      letIn(high, min(add(get(low), 2 * width), s.length)),
      letIn(few, max(sub(before, sub(get(high), get(middle))), 0)),
      letIn(many, min(before, sub(get(middle), get(low)))),
      loopWhile(lt(get(few), get(many)), [
        letIn(guess, div(add(get(few), get(many)), 2)),
        when(
          s.precedes(element(other), element(add(get(low), get(guess)))),
          [assign(many, get(guess))],
          [assign(few, add(get(guess), 1))],
        ),
      ]),
      ...this.merge(
        { low: get(low), middle: get(middle), high: get(high) },
        { x: add(get(low), get(few)), y: sub(add(get(middle), before), get(few)) },
        { from: start, to: end },
        source,
        (at, elements) =>
          isLast ? s.write(line, at, elements) : this.store(add(indexAdd(offset, half - from), at), elements),
      ),
    ];
  }

  /** Merges two neighbouring runs from the places `at` on, as far as is needed for the places `result`. */
  private merge(
    runs: { readonly low: Expr; readonly middle: Expr; readonly high: Expr },
    at: { readonly x: Expr; readonly y: Expr },
    result: { readonly from: Expr; readonly to: Expr },
    source: Expr,
    sink: (at: Expr, elements: readonly Expr[]) => readonly Stmt[],
  ): Stmt[] {
    const { s } = this;
    const [x, y] = [new Local("x", "i32", 1, true), new Local("y", "i32", 1, true)];
    const k = new Local("k", "i32", 1, false, s.length);
    const names = (name: string): Local[] =>
      s.dtypes.map((dtype, i) => new Local(`${name}${i}`, scalarTypeOf(dtype)));
    const [left, right] = [names("left"), names("right")];
    const takesRight = new Local("takesRight", "bool");
    const [l, r] = [left.map(get), right.map(get)];
    return [
      letIn(x, at.x),
      letIn(y, at.y),
      {
        kind: "for",
        local: k,
        from: result.from,
        to: result.to,
        step: 1,
        body: [
          ...this.load(add(source, get(x))).map((e, i) => letIn(left[i], e)),
          ...this.load(add(source, get(y))).map((e, i) => letIn(right[i], e)),
          letIn(takesRight, and(lt(get(y), runs.high), or(ge(get(x), runs.middle), s.precedes(r, l)))),
          ...sink(
            get(k),
            l.map((e, i) => select(get(takesRight), r[i], e)),
          ),
          assign(x, add(get(x), cast("i32", not(get(takesRight))))),
          assign(y, add(get(y), cast("i32", get(takesRight)))),
        ],
      },
    ];
  }
}
