/**
 * What a reduction in two steps leaves are parts of its results. Where few and small kernels read those, each of their
 * workgroups combines the parts for itself and keeps the results in its own memory. That takes about as long as a pass of the
 * workgroup over a thousand numbers, which lie in the cache; a kernel in between would cost a dispatch, some 5 µs.
 */
import { indexAdd, indexDiv, indexMod, indexMul, unravel } from "../core/ir/affine.js";
import { and, barrier, get, load, lt, truth, when } from "../core/ir/ops.js";
import type { Tiling } from "../core/ir/tiling.js";
import { Buffer, type Expr, type Kernel, Local, type Stmt, scalarTypeOf } from "../core/ir/types.js";
import type { Var } from "../core/jaxpr.js";
import { accessesIn } from "./accesses.js";
import type { Elements } from "./elements.js";
import { type Places, withBuffers } from "./emit.js";
import { combineThreads, dtypeOf } from "./gridTree.js";
import { type Group, outerDims } from "./group.js";
import { declareCells, finishCells, type Reduction, reduceLoops } from "./loops.js";

/** What kernels for a GPU may use, and how work is cut. */
export interface GridOptions {
  readonly buffers: number;
  readonly workgroupThreads: number;
  readonly tiling: Tiling;
}

/** The first step of reductions: each row in parts, and where the parts are. */
export interface Parts {
  readonly group: Group;
  readonly reductions: readonly Reduction[];
  /** The accumulators of each reduction, one of each for each part. */
  readonly memory: readonly (readonly Buffer[])[];
  readonly rows: number;
  readonly parts: number;
  placeOf(row: Expr, part: Expr): Expr;
  elementsAt(): Elements;
  /** Stores what others read, given the results, for one row. */
  stores(results: ReadonlyMap<Var, Expr>, row: readonly Expr[], places: Places): readonly Stmt[];
}

/** Reductions of the parts, at their places, in place of those of the elements. */
export const ofParts = ({ reductions, memory }: Parts): Reduction[] =>
  reductions.map((reduction, k) => ({ ...reduction, partAt: ([at]) => memory[k].map((b) => load(b, at)) }));

/** Terms of a sum that one accumulator takes. */
export const sumBlock = 16;

/** So many parts a workgroup combines in passing. */
const mostParts = 4096;
/** With more readers, or accumulators for one of them, a kernel in between is quicker. */
const mostReaders = 4;
const mostCells = 4;
/** Readers of so many workgroups run about at once; in more rounds, all of which combine the parts, time would be lost. */
const mostGroups = 1024;
const leastThreads = 256;

interface Fold {
  readonly parts: Parts;
  /** The memory of a workgroup that holds the results. */
  readonly values: ReadonlyMap<Var, Buffer>;
}

/** The reductions of a program whose readers combine the parts themselves. */
export class Folds {
  private readonly foldOf = new Map<Var, Fold>();
  /** Accumulators that each group combines already, and buffers that it reads for that. */
  private readonly taken = new Map<Group, { readonly cells: number; readonly buffers: number }>();

  constructor(
    private readonly groups: readonly Group[],
    private readonly options: GridOptions,
  ) {}

  /** Where kernels that begin as `before` makes them find values. */
  placesIn(buffers: Places): Places {
    return { of: (v) => this.foldOf.get(v)?.values.get(v) ?? buffers.of(v) };
  }

  /** Lets all that read the results combine the parts, if that pays; gives the results of which that is so. */
  take(parts: Parts): Iterable<Var> | undefined {
    const { group, rows, parts: count, memory } = parts;
    if (rows > this.threads || rows * count > mostParts) return undefined;
    const outputs = group.members
      .filter(({ role }) => role !== "full")
      .flatMap(({ node }) => node.eqn.outputs.filter((v) => group.stored.has(v)).map((v) => ({ node, v })));
    if (outputs.some(({ node }) => node.isOutput)) return undefined;
    const readers = this.groups.filter(({ reads }) => outputs.some(({ v }) => reads.has(v)));
    if (readers.length === 0 || readers.length > mostReaders) return undefined;
    const values = new Map(
      outputs.map(({ v }) => [
        v,
        new Buffer(`whole${v.id}`, dtypeOf[scalarTypeOf(v.aval.dtype)], rows, "scratch"),
      ]),
    );
    const fold = { parts, values };
    const { read } = accessesIn(
      this.combine(fold, new Local("thread", "i32", 1, false, this.threads), this.threads).stmts,
    );
    // Results that depend on those of another fold would need that one first.
    if ([...this.foldOf.values()].some((other) => [...other.values.values()].some((b) => read.has(b))))
      return undefined;
    const cells = memory.flat().length;
    const more = [...read].filter(({ space }) => space === "global").length;
    const sums = readers.map((reader) => {
      const before = this.taken.get(reader) ?? { cells: 0, buffers: 0 };
      return { cells: before.cells + cells, buffers: before.buffers + more };
    });
    const fits = readers.every(
      (reader, i) =>
        isSmall(reader) &&
        sums[i].cells <= mostCells &&
        reader.reads.size + reader.stored.size + sums[i].buffers <= this.options.buffers,
    );
    if (!fits) return undefined;
    for (const [i, reader] of readers.entries()) this.taken.set(reader, sums[i]);
    for (const v of values.keys()) this.foldOf.set(v, fold);
    return values.keys();
  }

  /** The kernel, with what it reads of parts combined first. */
  before(kernel: Kernel): Kernel {
    if (kernel.launch.kind !== "grid" || this.foldOf.size === 0) return kernel;
    const { read } = accessesIn(kernel.body);
    const { thread, threads } = kernel.launch;
    const folds = [...new Set(this.foldOf.values())].filter((fold) =>
      [...fold.values.values()].some((b) => read.has(b)),
    );
    if (folds.length === 0) return kernel;
    const made = folds.map((fold) => this.combine(fold, thread, threads));
    return withBuffers({
      ...kernel,
      scratch: [
        ...folds.flatMap(({ values }) => [...values.values()]),
        ...made.flatMap(({ scratch }) => scratch),
        ...kernel.scratch,
      ],
      body: [...made.flatMap(({ stmts }) => stmts), ...kernel.body],
    });
  }

  /** Threads of any workgroup: all kernels combine in the same order, and so get the same bits. */
  private get threads(): number {
    const { workgroupThreads, tiling } = this.options;
    return Math.min(workgroupThreads, tiling.threads, leastThreads);
  }

  /** As many threads for each row as there are, or parts. */
  private combine(
    { parts: p, values }: Fold,
    thread: Local,
    all: number,
  ): { readonly stmts: Stmt[]; readonly scratch: Buffer[] } {
    const threads = Math.min(
      2 ** Math.floor(Math.log2(this.threads / p.rows)),
      2 ** Math.ceil(Math.log2(p.parts)),
    );
    const [row, lane] = [indexDiv(get(thread), threads), indexMod(get(thread), threads)];
    const shares = Math.ceil(p.parts / threads);
    const partOf = (share: Expr): Expr => indexAdd(indexMul(share, threads), lane);
    const isRow = p.rows * threads === all ? truth(true) : lt(row, p.rows);
    const isPart = (share: Expr): Expr =>
      shares * threads === p.parts ? truth(true) : lt(partOf(share), p.parts);
    const declared = p.reductions.map((reduction) => declareCells(reduction, p.elementsAt()));
    const cells = declared.map((d) => d.cells);
    const results = new Map<Var, Expr>();
    const scratch: Buffer[] = [];
    const place: Places = { of: (v) => values.get(v) as Buffer };
    const stmts = [
      ...declared.flatMap((d) => d.stmts),
      ...reduceLoops(
        ofParts(p),
        cells,
        [shares],
        sumBlock,
        p.elementsAt,
        ([share]) => [p.placeOf(row, partOf(share))],
        ([share]) => and(isPart(share), isRow),
      ),
      ...combineThreads(p.reductions, cells, {
        thread,
        threads,
        lane,
        all,
        scratch,
        elementsAt: p.elementsAt,
      }),
    ];
    const finish = p.reductions.flatMap((reduction, k) =>
      finishCells(reduction, cells[k], p.elementsAt(), results),
    );
    const stores = p.stores(results, unravel(row, outerDims(p.group.space)), place);
    return {
      stmts: [...stmts, when(and(lt(lane, 1), isRow), [...finish, ...stores]), barrier],
      scratch,
    };
  }
}

/** Whether few enough workgroups make the results of a group, all of which begin with what the group needs. */
function isSmall({ kind, space }: Group): boolean {
  if (kind !== "loops") return false;
  const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
  // Reductions have a workgroup for a row at most, or are cut into as many as that.
  return space.reduced.some(Boolean)
    ? product(outerDims(space)) <= mostGroups
    : product(space.dims) <= mostGroups * leastThreads;
}
