/**
 * Kernels that do the same to other buffers. A loop that is written out makes hundreds of them; each is optimised, printed
 * and compiled once.
 */
import type { Buffer, Expr, Kernel, Local, Stmt } from "../core/ir/types.js";
import { eachChild, eachNode, exprsOf, mapStmt, rewriting } from "./walk.js";

/**
 * A pass over kernels that looks at one of those that are the same only, and gives the others as copies of what became of it.
 */
export function withCopies(pass: (kernel: Kernel) => Kernel): (kernel: Kernel) => Kernel {
  const made = new Map<string, Made[]>();
  return (kernel) => {
    const outline = outlineOf(kernel);
    const alike = made.get(outline) ?? [];
    // Only what has the same outline as another is spelled.
    const spelling = alike.length > 0 ? spell(kernel) : undefined;
    for (const other of alike) {
      other.spelling ??= spell(other.before);
      if (other.spelling === spelling) return copy(other.after, placesOf(other.before, kernel), kernel);
    }
    const after = pass(kernel);
    made.set(outline, [...alike, { before: kernel, after, spelling }]);
    return after;
  };
}

/** What became of a kernel. */
interface Made {
  readonly before: Kernel;
  readonly after: Kernel;
  spelling: string | undefined;
}

/** What two kernels that are the same have in common, seen from outside. */
const outlineOf = ({ name, launch, buffers }: Kernel): string =>
  `${name} ${launch.kind === "range" ? launch.extent : launch.groups} ${buffers.map((b) => `${b.dtype}${b.size}`)}`;

/** What stands for each buffer of one kernel in another that is the same. */
const placesOf = (from: Kernel, to: Kernel): ReadonlyMap<Buffer, Buffer> =>
  new Map(from.buffers.map((b, i) => [b, to.buffers[i]]));

function copy(original: Kernel, places: ReadonlyMap<Buffer, Buffer>, { name }: Kernel): Kernel {
  const { launch, scratch } = original;
  let body: readonly Stmt[] | undefined;
  return {
    name,
    launch,
    scratch,
    buffers: original.buffers.map((b) => placeOf(b, places)),
    copyOf: original,
    // Most copies are only ever run, by the code of the original.
    get body() {
      body ??= renamed(original.body, places);
      return body;
    },
  };
}

const placeOf = (b: Buffer, places: ReadonlyMap<Buffer, Buffer>): Buffer => places.get(b) ?? b;

function renamed(body: readonly Stmt[], places: ReadonlyMap<Buffer, Buffer>): readonly Stmt[] {
  const expr = rewriting((e) => (e.op === "load" ? { ...e, buffer: placeOf(e.buffer, places) } : e));
  const block = (stmts: readonly Stmt[]): readonly Stmt[] =>
    stmts.map((s) => {
      const mapped = mapStmt(s, expr, block);
      return mapped.kind === "store" || mapped.kind === "atomic"
        ? { ...mapped, buffer: placeOf(mapped.buffer, places) }
        : mapped;
    });
  return block(body);
}

/** All that decides what a kernel does, but for the names of locals and which buffers they are that it is run on. */
function spell(kernel: Kernel): string {
  const speller = new Speller();
  const { launch, name, buffers, scratch } = kernel;
  const words = speller.words;
  if (launch.kind === "range")
    words.push(name, launch.extent, speller.local(launch.begin), speller.local(launch.end));
  else
    words.push(
      name,
      launch.groups,
      launch.threads,
      speller.local(launch.group),
      speller.local(launch.thread),
    );
  for (const b of [...buffers, ...scratch]) words.push(b.dtype, b.size, b.space, speller.number(b));
  speller.block(kernel.body);
  return words.join(" ");
}

const functions = new WeakMap<object, number>();
let functionCount = 0;

/** The same number in all kernels. */
function functionNumber(fn: object): number {
  let n = functions.get(fn);
  if (n === undefined) {
    n = functionCount++;
    functions.set(fn, n);
  }
  return n;
}

class Speller {
  readonly words: (string | number)[] = [];
  private readonly numbers = new Map<object, number>();
  private readonly seen = new Set<Expr>();

  /** The number of a node, local or buffer: they are counted as they come. */
  number(x: object): number {
    let n = this.numbers.get(x);
    if (n === undefined) {
      n = this.numbers.size;
      this.numbers.set(x, n);
    }
    return n;
  }

  local(local: Local): number {
    if (!this.numbers.has(local))
      this.words.push(local.type, local.lanes, local.mutable ? "var" : "let", local.bound ?? "");
    return this.number(local);
  }

  block(body: readonly Stmt[]): void {
    this.words.push("{");
    for (const s of body) this.stmt(s);
    this.words.push("}");
  }

  private stmt(s: Stmt): void {
    const { words } = this;
    const exprs = exprsOf(s);
    eachNode(exprs, this.seen, (e) => this.node(e));
    words.push(s.kind);
    for (const e of exprs) words.push(this.number(e));
    switch (s.kind) {
      case "let":
      case "assign":
        words.push(this.local(s.local));
        return;
      case "atomic":
        words.push(s.fn, this.number(s.buffer));
        return;
      case "store":
        words.push(this.number(s.buffer));
        return;
      case "for":
        words.push(s.step, this.local(s.local));
        this.block(s.body);
        return;
      case "while":
        this.block(s.body);
        return;
      case "if":
        this.block(s.then);
        this.block(s.else);
    }
  }

  private node(e: Expr): void {
    const { words } = this;
    words.push(e.op, e.type, e.lanes);
    switch (e.op) {
      case "const":
        words.push(Object.is(e.value, -0) ? "-0" : e.value);
        break;
      case "get":
        words.push(this.local(e.local));
        break;
      case "load":
        words.push(this.number(e.buffer), e.guard === undefined ? "" : "guarded");
        break;
      case "unary":
      case "binary":
      case "compare":
        words.push(e.fn);
        break;
      case "select":
        words.push(e.rare === true ? "rare" : "");
        break;
      case "extract":
        words.push(e.lane);
        break;
      case "host":
        words.push(functionNumber(e.fn), e.args.length);
        break;
      case "vector":
        words.push(e.parts.length);
    }
    eachChild(e, (c) => words.push(this.number(c)));
    this.number(e);
  }
}
