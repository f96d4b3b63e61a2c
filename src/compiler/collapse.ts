/**
 * Loops in loops as one loop: where two counters occur only together, as outer · n + inner, one counter does for both. An
 * elementwise operation on a matrix becomes one long loop, whatever the shape of the matrix.
 */
import { affine, indexAdd, indexMul, keyOf } from "../core/ir/affine.js";
import { get, i32, isConst } from "../core/ir/ops.js";
import { type Expr, type For, type Kernel, Local, type Range, type Stmt } from "../core/ir/types.js";
import { isIndependent } from "./dependence.js";
import { inlineIndices, mentions } from "./inline.js";
import { Fold, mapChildren, mapStmt, mapStmts, someChild } from "./walk.js";

/** Counters are i32. */
const largest = 2 ** 31 - 1;

/** A range kernel with fewer, longer loops, and with its innermost items as items, if they are independent. */
export function collapseLoops(kernel: Kernel): Kernel {
  if (kernel.launch.kind === "grid") return kernel;
  const body = collapseBlock(inlineIndices(kernel.body));
  return collapseRange({ ...kernel, body }, kernel.launch);
}

function collapseBlock(body: readonly Stmt[]): readonly Stmt[] {
  return mapStmts(body, (s) => {
    const inside = mapStmt(s, (e) => e, collapseBlock);
    if (inside.kind !== "for") return inside;
    const trips = tripsOf(inside);
    return (trips === undefined ? undefined : merge(inside, trips, i32(0), (n) => i32(n))) ?? inside;
  });
}

/** The loop over the items of a range that is the whole body, with a loop in it. */
function collapseRange(kernel: Kernel, launch: Range): Kernel {
  const [loop] = kernel.body;
  if (kernel.body.length !== 1 || loop.kind !== "for" || loop.step !== 1) return kernel;
  const { from, to, body } = loop;
  if (from.op !== "get" || from.local !== launch.begin || to.op !== "get" || to.local !== launch.end)
    return kernel;
  const inner = body[0];
  if (body.length !== 1 || inner.kind !== "for" || !isIndependent(inner)) return kernel;
  if (mentions(body, launch.begin) || mentions(body, launch.end)) return kernel;
  const merged = merge(loop, launch.extent, from, () => to);
  if (merged === undefined) return kernel;
  const extent = launch.extent * (tripsOf(inner) as number);
  return collapseRange({ ...kernel, launch: { ...launch, extent }, body: [merged] }, { ...launch, extent });
}

/** How often a loop from 0 runs. */
function tripsOf({ from, to, step }: For): number | undefined {
  return isConst(from, 0) && isConst(to) && step === 1 ? to.value : undefined;
}

/**
 * One loop for a loop and the one that is all of its body; undefined if their counters are not used as one.
 * @param trips how often the outer loop runs, if it runs in full.
 */
function merge(outer: For, trips: number, from: Expr, to: (trips: number) => Expr): For | undefined {
  const [inner] = outer.body;
  if (outer.body.length !== 1 || inner.kind !== "for") return undefined;
  const width = tripsOf(inner);
  if (width === undefined || width < 1 || trips * width > largest) return undefined;
  const counter = new Local(inner.local.name, "i32", 1, false, trips * width);
  const merging = new Merging(outer.local, inner.local, width, counter);
  const body = merging.block(inner.body);
  if (!merging.possible) return undefined;
  return { kind: "for", local: counter, from, to: to(trips * width), step: 1, body };
}

/** Writes a counter for outer · width + inner. */
class Merging {
  possible = true;
  private readonly fold: Fold<Expr | undefined>;
  private readonly depends = new Fold<boolean>((e, of) =>
    e.op === "get" ? e.local === this.outer || e.local === this.inner : someChild(e, of),
  );

  constructor(
    private readonly outer: Local,
    private readonly inner: Local,
    private readonly width: number,
    private readonly counter: Local,
  ) {
    this.fold = new Fold((e, of) => this.node(e, of));
  }

  block(body: readonly Stmt[]): readonly Stmt[] {
    return body.map((s) =>
      mapStmt(
        s,
        (e) => this.expr(e),
        (b) => this.block(b),
      ),
    );
  }

  private expr(e: Expr): Expr {
    if (!this.possible) return e;
    const rewritten = this.fold.of(e);
    if (rewritten === undefined) this.possible = false;
    return rewritten ?? e;
  }

  /** The expression in terms of the one counter; undefined if a counter occurs in it on its own. */
  private node(e: Expr, of: (child: Expr) => Expr | undefined): Expr | undefined {
    if (!this.depends.of(e)) return e;
    if (e.type === "i32" && e.lanes === 1) {
      const { terms, constant } = affine(e);
      if (!terms.has(keyOf(e)) || e.op === "get") return this.sum([...terms.values()], constant);
    }
    if (someChild(e, (c) => of(c) === undefined)) return undefined;
    return mapChildren(e, of as (child: Expr) => Expr);
  }

  private sum(
    terms: readonly { readonly atom: Expr; readonly coefficient: number }[],
    constant: number,
  ): Expr | undefined {
    const coefficientOf = (local: Local): number =>
      terms.find(({ atom }) => atom.op === "get" && atom.local === local)?.coefficient ?? 0;
    const inner = coefficientOf(this.inner);
    if (coefficientOf(this.outer) !== inner * this.width) return undefined;
    let total: Expr = i32(constant);
    for (const { atom, coefficient } of terms) {
      if (atom.op === "get" && atom.local === this.outer)
        total = indexAdd(total, indexMul(get(this.counter), inner));
      else if (atom.op !== "get" || atom.local !== this.inner) {
        const rewritten = this.fold.of(atom);
        if (rewritten === undefined) return undefined;
        total = indexAdd(total, indexMul(rewritten, coefficient));
      }
    }
    return total;
  }
}
