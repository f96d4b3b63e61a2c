/**
 * Reductions in two steps, where there are too few rows to keep a GPU busy: each row is cut into parts, a first kernel
 * reduces every part, and a second one combines the parts of a row.
 *
 * Where the last axis is reduced, a workgroup shares a part, and its threads read side by side along the row. Where it is
 * not, neighbouring rows lie side by side, and a thread has a part of a row to itself.
 */
import { indexAdd, indexMul, unravel } from "../core/ir/affine.js";
import { add, get, lt, mul, store, when } from "../core/ir/ops.js";
import { Buffer, type Expr, type Kernel, Local, type Stmt } from "../core/ir/types.js";
import type { Var } from "../core/jaxpr.js";
import { elementsIn, nameOf, type Places, withBuffers } from "./emit.js";
import type { Graph } from "./graph.js";
import { type GridOptions, ofParts, type Parts, sumBlock } from "./gridFold.js";
import { combineThreads, dtypeOf } from "./gridTree.js";
import type { Group } from "./group.js";
import { type Cells, declareCells, finishCells, reduceLoops, reductionOf } from "./loops.js";

/** Workgroups, or threads, that keep a device busy; below the first number it is worth a second kernel. */
const groups = { few: 256, enough: 1024 };
const threads = { few: 32768, enough: 131072 };
/** Elements of a part that a thread combines at least. */
const leastShare = 8;
const leastColumn = 32;
/** So many parts a thread combines alone. */
const fewParts = 32;
const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/**
 * Loads of a thread, which follow each other, take some 0.1 µs each: half a microsecond, a few at a time. The second kernel is
 * a dispatch, some 5 µs; so rows are not cut in which a thread has fewer elements than this.
 */
const longShare = 64;
const longColumn = 128;
/**
 * Where columns are few and long, each could have a workgroup, of whose loads each fetches a line of memory for one element.
 * For so many elements that takes longer than a dispatch.
 */
const wasteful = 65536;

/** Into how many parts each row is cut. */
export function partsOf(rows: number, columns: number, alongRow: boolean, size: number): number {
  if (rows === 0 || columns === 0) return 1;
  if (alongRow)
    return rows >= groups.few || columns < size * longShare
      ? 1
      : Math.min(Math.ceil(groups.enough / rows), Math.floor(columns / (size * leastShare)));
  return rows >= threads.few || columns < longColumn || rows * columns < wasteful
    ? 1
    : Math.max(1, Math.min(Math.ceil(threads.enough / rows), Math.floor(columns / leastColumn)));
}

/** The first kernel, what it leaves, and the second one for where that is not combined by those who read it. */
export interface Split {
  readonly first: Kernel;
  readonly parts: Parts;
  second(): Kernel;
}

/** Undefined if one kernel does as well, or if the group does more than reduce. */
export function gridSplit(
  graph: Graph,
  places: Places,
  group: Group,
  options: GridOptions,
  storesOf: Parts["stores"],
): Split | undefined {
  const { dims, reduced } = group.space;
  if (!reduced.some(Boolean)) return undefined;
  const stored = (m: (typeof group.members)[number]): boolean =>
    m.node.eqn.outputs.some((v) => group.stored.has(v));
  if (group.members.some((m) => (m.role === "full" && stored(m)) || (m.role === "reduce" && m.stage > 0)))
    return undefined;
  const reductions = group.members.filter((m) => m.role === "reduce").map(reductionOf);
  const outerDims = dims.filter((_, i) => !reduced[i]);
  const innerDims = dims.filter((_, i) => reduced[i]);
  const [rows, columns] = [product(outerDims), product(innerDims)];
  const size = Math.min(options.workgroupThreads, 256);
  const alongRow = reduced.at(-1) === true;
  const parts = partsOf(rows, columns, alongRow, size);
  if (parts < 2) return undefined;

  const elementsAt = (results: ReadonlyMap<Var, Expr> = new Map()) =>
    elementsIn(graph, places, group, (v) => results.get(v));
  const declare = (): { cells: Cells[]; stmts: Stmt[] } => {
    const declared = reductions.map((reduction) => declareCells(reduction, elementsAt()));
    return { cells: declared.map(({ cells }) => cells), stmts: declared.flatMap(({ stmts }) => stmts) };
  };
  const memory = declare().cells.map((own) =>
    own.map((cell, c) => new Buffer(`parts${c}`, dtypeOf[cell.type], rows * parts)),
  );
  /** Where the result of a part is: neighbouring threads of the second kernel read neighbours. */
  const placeOf = (row: Expr, part: Expr): Expr =>
    alongRow ? indexAdd(indexMul(row, parts), part) : indexAdd(indexMul(part, rows), row);
  const keep = (cells: readonly Cells[], at: Expr): Stmt[] =>
    cells.flatMap((own, k) => own.map((cell, c) => store(memory[k][c], at, get(cell))));

  const first = (): Kernel => {
    const { cells, stmts } = declare();
    const whole = (row: Expr, column: Expr): Expr[] => {
      const [outer, inner] = [unravel(row, outerDims), unravel(column, innerDims)];
      let [o, r] = [0, 0];
      return reduced.map((isReduced) => (isReduced ? inner[r++] : outer[o++]));
    };
    const scratch: Buffer[] = [];
    if (alongRow) {
      const shares = Math.ceil(columns / (parts * size));
      const [group, thread] = grid(rows * parts, size);
      const [row, part] = unravel(get(group), [rows, parts]);
      const columnOf = (share: Expr): Expr =>
        indexAdd(indexMul(indexAdd(indexMul(part, shares), share), size), get(thread));
      const exists =
        parts * shares * size === columns ? undefined : ([s]: readonly Expr[]) => lt(columnOf(s), columns);
      const index = ([s]: readonly Expr[]): Expr[] => whole(row, columnOf(s));
      return kernelOf("part", rows * parts, size, group, thread, scratch, [
        ...stmts,
        ...reduceLoops(reductions, cells, [shares], sumBlock, elementsAt, index, exists),
        ...combineThreads(reductions, cells, { thread, threads: size, scratch, elementsAt }),
        when(lt(get(thread), 1), keep(cells, placeOf(row, part))),
      ]);
    }
    const length = Math.ceil(columns / parts);
    const items = Math.ceil((rows * parts) / size);
    const [group, thread] = grid(items, size);
    const item = new Local("item", "i32", 1, false, rows * parts);
    const [part, row] = unravel(get(item), [parts, rows]);
    const columnOf = (r: Expr): Expr => indexAdd(indexMul(part, length), r);
    const exists =
      parts * length === columns ? undefined : ([r]: readonly Expr[]) => lt(columnOf(r), columns);
    const index = ([r]: readonly Expr[]): Expr[] => whole(row, columnOf(r));
    return kernelOf("part", items, size, group, thread, scratch, [
      { kind: "let", local: item, value: add(mul(get(group), size), get(thread)) },
      when(lt(get(item), rows * parts), [
        ...stmts,
        ...reduceLoops(reductions, cells, [length], sumBlock, elementsAt, index, exists),
        ...keep(cells, placeOf(row, part)),
      ]),
    ]);
  };

  const second = (): Kernel => {
    const { cells, stmts } = declare();
    const results = new Map<Var, Expr>();
    const alone = parts <= fewParts;
    const [group, thread] = grid(alone ? Math.ceil(rows / size) : rows, size);
    const row = new Local("row", "i32", 1, false, rows);
    const scratch: Buffer[] = [];
    const shares = alone ? parts : Math.ceil(parts / size);
    const partOf = ([share]: readonly Expr[]): Expr =>
      alone ? share : indexAdd(indexMul(share, size), get(thread));
    const exists =
      alone || shares * size === parts ? undefined : (at: readonly Expr[]) => lt(partOf(at), parts);
    const combine = [
      ...stmts,
      ...reduceLoops(
        ofParts(made),
        cells,
        [shares],
        sumBlock,
        elementsAt,
        (at) => [placeOf(get(row), partOf(at))],
        exists,
      ),
    ];
    const finish = (): Stmt[] =>
      reductions.flatMap((reduction, k) => finishCells(reduction, cells[k], elementsAt(), results));
    if (alone)
      return kernelOf("parts", Math.ceil(rows / size), size, group, thread, scratch, [
        { kind: "let", local: row, value: add(mul(get(group), size), get(thread)) },
        when(lt(get(row), rows), [
          ...combine,
          ...finish(),
          ...storesOf(results, unravel(get(row), outerDims), places),
        ]),
      ]);
    return kernelOf("parts", rows, size, group, thread, scratch, [
      { kind: "let", local: row, value: get(group) },
      ...combine,
      ...combineThreads(reductions, cells, { thread, threads: size, scratch, elementsAt }),
      ...finish(),
      when(lt(get(thread), 1), storesOf(results, unravel(get(row), outerDims), places)),
    ]);
  };

  const kernelOf = (
    step: string,
    count: number,
    size: number,
    group: Local,
    thread: Local,
    scratch: readonly Buffer[],
    body: readonly Stmt[],
  ): Kernel =>
    withBuffers({
      name: step === "part" ? `${nameOf(groupOfLoops)}_parts` : nameOf(groupOfLoops),
      launch: { kind: "grid", groups: count, threads: size, group, thread },
      scratch,
      body,
    });
  const groupOfLoops = group;
  const made: Parts = {
    group,
    reductions,
    memory,
    rows,
    parts,
    placeOf,
    elementsAt,
    stores: storesOf,
  };
  return { first: first(), parts: made, second };
}

const grid = (count: number, size: number): [group: Local, thread: Local] => [
  new Local("group", "i32", 1, false, count),
  new Local("thread", "i32", 1, false, size),
];
