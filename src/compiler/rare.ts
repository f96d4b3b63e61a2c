/**
 * Values that are seldom needed: `rare` choices (core/ir/ops.ts, `rarely`), as the reduction of large angles, or powers of e
 * that may overflow.
 * A vector computes both sides of a choice, so that one element in a million would make all of them pay. Here loops first do
 * without: they run through a few thousand bytes and note on the way whether an element needed such a value. If so, they run
 * through these again with it. On a GPU threads branch, where the value costs more than that.
 */
import {
  add,
  assign,
  constant,
  extract,
  get,
  gt,
  isConst,
  letIn,
  lt,
  max,
  min,
  not,
  or,
  select,
  truth,
  when,
} from "../core/ir/ops.js";
import { type Expr, type For, type Kernel, Local, type Stmt } from "../core/ir/types.js";
import { accessesOf } from "./accesses.js";
import { inThreads, isRare, type Rare } from "./rareThreads.js";
import { exprsOf, mapStmt, mapStmts, nodesOf, rewriting, someNode, writtenIn } from "./walk.js";

/** Iterations between two looks at what was noted: their elements are still in the cache. */
const stretch = 128;

/** A kernel whose loops and threads compute rare values only where one is needed. */
export function spareRare(kernel: Kernel): Kernel {
  if (kernel.launch.kind === "grid") return withBody(kernel, inThreads(kernel.body));
  const wary: Local[] = [];
  const body = inLoops(kernel.body, wary);
  return withBody(kernel, wary.length === 0 ? body : [...wary.map((w) => letIn(w, truth(false))), ...body]);
}

const withBody = (kernel: Kernel, body: readonly Stmt[]): Kernel =>
  body === kernel.body ? kernel : { ...kernel, body };

/** @param wary gets a cell for each loop. */
function inLoops(body: readonly Stmt[], wary: Local[]): readonly Stmt[] {
  let isBehindVectors = false;
  return mapStmts(body, (s) => {
    if (s.kind !== "for" || !s.body.every(isPlain))
      return [
        mapStmt(
          s,
          (e) => e,
          (block) => inLoops(block, wary),
        ),
      ];
    const rare = rareIn(s);
    if (rare.length === 0) return [s];
    // The loop behind one over vectors takes what remains: too little to be worth it.
    const isVector = rare.some(({ lanes }) => lanes > 1);
    if (!isVector && isBehindVectors) return [s];
    isBehindVectors = isVector;
    const cell = new Local("wary", "bool", 1, true);
    wary.push(cell);
    return new Versions(s, rare, cell).stmts();
  });
}

const isPlain = ({ kind }: Stmt): boolean => kind === "let" || kind === "assign" || kind === "store";

/** The rare choices of a body, as far as it is known at its end which were needed. */
function rareIn({ body }: For): readonly Rare[] {
  const found = nodesOf(...body.flatMap(exprsOf)).filter(isRare);
  if (found.length === 0) return found;
  const written = writtenIn(body);
  const changes = (e: Expr): boolean =>
    (e.op === "get" && e.local.mutable) || (e.op === "load" && written.has(e.buffer));
  return found.filter(({ cond }) => !someNode(cond, changes));
}

/** A cell that remembers whether a condition held. */
interface Watch {
  readonly cell: Local;
  readonly start: Expr;
  /** What the cell becomes. */
  readonly next: Expr;
  readonly found: Expr;
}

/** Of a number that is to be above a limit the largest is remembered: that is quicker than to compare each. */
function watch(cond: Expr): Watch {
  const { lanes } = cond;
  if (cond.op === "compare" && cond.fn === "gt" && isConst(cond.y)) {
    const { x, y } = cond;
    const cell = new Local("largest", x.type, lanes, true);
    const start = constant(x.type, x.type === "i32" ? -(2 ** 31) : x.type === "u32" ? 0 : -Infinity, lanes);
    // Unlike a maximum of floats it passes NaN over, which is above no limit.
    const next = x.type === "i32" ? max(get(cell), x) : select(lt(get(cell), x), x, get(cell));
    return { cell, start, next, found: some(cell, (largest) => gt(largest, y.value)) };
  }
  const cell = new Local("needed", "bool", lanes, true);
  return { cell, start: constant("bool", 0, lanes), next: or(get(cell), cond), found: some(cell, (x) => x) };
}

/** Whether something holds in a lane. */
function some(cell: Local, test: (x: Expr) => Expr): Expr {
  const { lanes } = cell;
  const tests = Array.from({ length: lanes }, (_, lane) =>
    test(lanes === 1 ? get(cell) : extract(get(cell), lane)),
  );
  return tests.reduce((x, y) => or(x, y));
}

/** A loop that does without rare values, and the same with them. */
class Versions {
  private readonly usual: (e: Expr) => Expr;
  private readonly conds: ReadonlySet<Expr>;
  private readonly watches: readonly Watch[];

  /** @param wary whether the last look found a rare value: then the next stretch probably has some, too. */
  constructor(
    private readonly loop: For,
    rare: readonly Rare[],
    private readonly wary: Local,
  ) {
    const left = new Set<Expr>(rare);
    this.usual = rewriting((e, original) => (e.op === "select" && left.has(original) ? e.onFalse : e));
    this.conds = new Set(rare.map(({ cond }) => this.usual(cond)));
    this.watches = [...this.conds].map(watch);
  }

  stmts(): readonly Stmt[] {
    const { from, to, step } = this.loop;
    const length = stretch * step;
    if (isConst(from) && isConst(to) && to.value - from.value <= length) return this.run(from, to);
    const begin = new Local("begin", "i32", 1, false, this.loop.local.bound);
    const last = new Local("last", "i32");
    const end = new Local("end", "i32");
    const body = [letIn(end, min(add(get(begin), length), get(last))), ...this.run(get(begin), get(end))];
    return [letIn(last, to), { kind: "for", local: begin, from, to: get(last), step: length, body }];
  }

  private run(from: Expr, to: Expr): readonly Stmt[] {
    const { loop, wary, watches } = this;
    const usual = loop.body.map((s) => mapStmt(s, this.usual, (block) => block));
    const over = (body: readonly Stmt[]): Stmt => ({ ...loop, from, to, body });
    const found = watches.map((w) => w.found).reduce((x, y) => or(x, y));
    const declared = watches.map(({ cell, start }) => letIn(cell, start));
    // What it has read is gone once it has stored, so it is looked at before.
    if (overwrites(loop.body)) {
      const named = usual.filter((s) => s.kind === "let");
      return [...declared, over(this.watching(named)), when(found, [over(loop.body)], [over(usual)])];
    }
    const cells = cellsOf(loop.body);
    const saved = cells.map((cell) => new Local(`${cell.name}_before`, cell.type, cell.lanes));
    return [
      ...declared,
      ...cells.map((cell, k) => letIn(saved[k], get(cell))),
      when(not(get(wary)), [over(this.watching(usual)), assign(wary, found)]),
      when(get(wary), [
        ...cells.map((cell, k) => assign(cell, get(saved[k]))),
        ...watches.map(({ cell, start }) => assign(cell, start)),
        over(this.watching(loop.body)),
        assign(wary, found),
      ]),
    ];
  }

  /** A body that notes whether a lane needs a rare value, as soon as that is known. */
  private watching(body: readonly Stmt[]): readonly Stmt[] {
    const notes = this.watches.map(({ cell, next }) => assign(cell, next));
    const first = body.findIndex((s) => s.kind !== "let");
    const at = first < 0 ? body.length : first;
    const asked = new Set<Local>();
    for (const e of nodesOf(...this.conds)) if (e.op === "get") asked.add(e.local);
    const isKnown = !body.slice(at).some((s) => s.kind === "let" && asked.has(s.local));
    return isKnown ? [...body.slice(0, at), ...notes, ...body.slice(at)] : [...body, ...notes];
  }
}

/** Whether a body reads a buffer that it writes. */
const overwrites = (body: readonly Stmt[]): boolean =>
  body.some((s) => s.kind === "store" && body.some((t) => accessesOf(t).read.has(s.buffer)));

/** The cells that a body assigns to and does not declare. */
function cellsOf(body: readonly Stmt[]): readonly Local[] {
  const own = new Set(body.flatMap((s) => (s.kind === "let" ? [s.local] : [])));
  return [...new Set(body.flatMap((s) => (s.kind === "assign" && !own.has(s.local) ? [s.local] : [])))];
}
