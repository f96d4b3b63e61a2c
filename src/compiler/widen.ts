/**
 * The body of a loop for several iterations at once. What depends on the counter becomes a vector, one lane for each
 * iteration; what does not stays as it is. A body may also be widened to several vectors (`parts`), which hides latency.
 *
 * Indices stay scalar: an element of each lane is at the index of the first lane plus the lane (a vector load), or is
 * loaded on its own. What has no vector form in the number of lanes at hand is computed lane by lane.
 */
import { affine, indexAdd, indexMul, indexSub, keyOf } from "../core/ir/affine.js";
import { add, assign, extract, get, isConst, letIn, splat, store, vector, when } from "../core/ir/ops.js";
import { type Expr, type Lanes, Local, type Stmt } from "../core/ir/types.js";
import { combined, termOf } from "./reductions.js";
import { fits, type Varying } from "./varying.js";
import { exprsOf, Fold, mapChildren, someChild } from "./walk.js";

/** A body that cannot be widened. */
export class NotWidened extends Error {}

/** What stands for a local in one part of the widened body. */
type Wide =
  | { readonly kind: "vector"; readonly local: Local }
  | { readonly kind: "lanes"; readonly locals: readonly Local[] };

export class Widening {
  /** Locals that are the same in all parts. */
  private readonly uniforms = new Map<Local, Local>();
  private readonly parts: readonly Part[];

  /**
   * @param at the counter of the first lane.
   * @param accumulators for each reduction a vector cell for each part.
   */
  constructor(
    private readonly varying: Varying,
    readonly lanes: Lanes,
    at: Expr,
    private readonly accumulators: ReadonlyMap<Local, readonly Local[]>,
    parts: number,
  ) {
    this.parts = Array.from(
      { length: parts },
      (_, k) => new Part(lanes, indexAdd(at, k * lanes), varying, this.uniforms),
    );
  }

  block(body: readonly Stmt[]): Stmt[] {
    return body.flatMap((s) => this.stmt(s));
  }

  private stmt(s: Stmt): Stmt[] {
    for (const e of exprsOf(s)) if (e.lanes > 1) throw new NotWidened();
    switch (s.kind) {
      case "let":
        return this.define(s.local, s.value);
      case "assign":
        return this.assign(s.local, s.value);
      case "store":
        return this.parts.flatMap((part) => part.store(s));
      case "for": {
        if (this.varying.has(s.from) || this.varying.has(s.to)) throw new NotWidened();
        const [first] = this.parts;
        const from = first.uniform(s.from);
        const to = first.uniform(s.to);
        return [{ ...s, local: this.renamed(s.local), from, to, body: this.block(s.body) }];
      }
      case "if":
        if (this.varying.has(s.cond)) throw new NotWidened();
        return [when(this.parts[0].uniform(s.cond), this.block(s.then), this.block(s.else))];
      default:
        throw new NotWidened();
    }
  }

  private define(local: Local, value: Expr): Stmt[] {
    if (!this.varying.locals.has(local)) return [letIn(this.renamed(local), this.parts[0].uniform(value))];
    return this.parts.flatMap((part, k) => part.define(local, value, this.parts.length > 1 ? `${k}` : ""));
  }

  private assign(local: Local, value: Expr): Stmt[] {
    const cells = this.accumulators.get(local);
    if (cells !== undefined) {
      const found = termOf(local, value);
      if (found === undefined) throw new NotWidened();
      const { fn, term } = found;
      return this.parts.map((part, k) => assign(cells[k], combined(fn, get(cells[k]), part.wide(term))));
    }
    if (!this.varying.locals.has(local)) return [assign(this.renamed(local), this.parts[0].uniform(value))];
    return this.parts.flatMap((part) => part.assign(local, value));
  }

  /** A local that is the same for all lanes, under a name of its own: the loop for what remains has the old one. */
  private renamed(local: Local): Local {
    let fresh = this.uniforms.get(local);
    if (fresh === undefined) {
      fresh = new Local(local.name, local.type, local.lanes, local.mutable, local.bound);
      this.uniforms.set(local, fresh);
    }
    return fresh;
  }
}

/** As many iterations as there are lanes. */
class Part {
  private readonly wides = new Map<Local, Wide>();
  private readonly wideOf: Fold<Expr>;
  private readonly uniformOf: Fold<Expr>;
  private readonly lanesOf: readonly Fold<Expr>[];
  private readonly isIndex: Fold<boolean>;

  constructor(
    private readonly lanes: Lanes,
    private readonly at: Expr,
    private readonly varying: Varying,
    private readonly uniforms: ReadonlyMap<Local, Local>,
  ) {
    this.uniformOf = new Fold((e, of) => this.uniformNode(e, of));
    this.isIndex = new Fold((e, of) => this.isIndexNode(e, of));
    this.lanesOf = Array.from({ length: lanes }, (_, lane) => new Fold((e) => this.laneNode(e, lane)));
    this.wideOf = new Fold((e) => this.wideNode(e));
  }

  define(local: Local, value: Expr, suffix: string): Stmt[] {
    const { name, type, mutable, bound } = local;
    if (fits(type, this.lanes)) {
      const known = this.wides.get(local);
      const wide =
        known?.kind === "vector" ? known.local : new Local(`${name}v${suffix}`, type, this.lanes, mutable);
      const stmt = letIn(wide, this.wide(value));
      this.wides.set(local, { kind: "vector", local: wide });
      return [stmt];
    }
    const known = this.wides.get(local);
    const locals =
      known?.kind === "lanes"
        ? known.locals
        : Array.from(
            { length: this.lanes },
            (_, lane) => new Local(`${name}l${suffix}${lane}`, type, 1, mutable, bound),
          );
    const stmts = locals.map((l, lane) => letIn(l, this.lane(value, lane)));
    this.wides.set(local, { kind: "lanes", locals });
    return stmts;
  }

  assign(local: Local, value: Expr): Stmt[] {
    const wide = this.wides.get(local);
    if (wide === undefined) throw new NotWidened();
    if (wide.kind !== "lanes") return [assign(wide.local, this.wide(value))];
    return wide.locals.map((l, lane) => assign(l, this.lane(value, lane)));
  }

  store({ buffer, index, value }: Extract<Stmt, { kind: "store" }>): Stmt[] {
    if (this.varying.strideOf(index) === 1 && fits(value.type, this.lanes))
      return [store(buffer, this.lane(index, 0), this.wide(value))];
    return Array.from({ length: this.lanes }, (_, lane) =>
      store(buffer, this.lane(index, lane), this.lane(value, lane)),
    );
  }

  /** An expression that is the same in all lanes. */
  uniform = (e: Expr): Expr => this.uniformOf.of(e);
  /** The values of all lanes. */
  wide = (e: Expr): Expr => this.wideOf.of(e);
  /** The value of one lane. */
  private lane = (e: Expr, lane: number): Expr => this.lanesOf[lane].of(e);

  private uniformNode(e: Expr, of: (child: Expr) => Expr): Expr {
    if (e.op !== "get") return mapChildren(e, of);
    const local = this.uniforms.get(e.local);
    return local === undefined ? e : get(local);
  }

  /** Whether an index is best computed for each lane on its own: as the counter plus something. */
  private isIndexNode(e: Expr, of: (child: Expr) => boolean): boolean {
    if (!this.varying.has(e)) return true;
    if (e.op === "get") return e.local === this.varying.loop.local;
    return (
      e.op !== "load" &&
      e.op !== "host" &&
      (e.type === "i32" || e.type === "bool") &&
      !someChild(e, (c) => !of(c))
    );
  }

  private laneNode(e: Expr, lane: number): Expr {
    if (!this.varying.has(e)) return this.uniform(e);
    if (e.op === "get") {
      if (e.local === this.varying.loop.local) return indexAdd(this.at, lane);
      const wide = this.wides.get(e.local);
      if (wide === undefined) throw new NotWidened();
      return wide.kind === "lanes" ? get(wide.locals[lane]) : extract(get(wide.local), lane);
    }
    const alone = !fits(e.type, this.lanes) || this.isIndex.of(e) || !this.varying.isVector(e, this.lanes);
    if (!alone) return extract(this.wide(e), lane);
    return simplified(e, this.lanesOf[lane].of);
  }

  private wideNode(e: Expr): Expr {
    if (!this.varying.has(e)) return splat(this.uniform(e), this.lanes);
    if (e.op === "get") {
      if (e.local === this.varying.loop.local) return this.countingUp();
      const wide = this.wides.get(e.local);
      if (wide?.kind === "vector") return get(wide.local);
    }
    if (!this.varying.isVector(e, this.lanes))
      return vector(Array.from({ length: this.lanes }, (_, lane) => this.lane(e, lane)));
    if (e.op === "load")
      return {
        ...e,
        lanes: this.lanes,
        index: this.lane(e.index, 0),
        guard: e.guard === undefined ? undefined : this.uniform(e.guard),
      };
    return { ...mapChildren(e, this.wideOf.of), lanes: this.lanes } as Expr;
  }

  private countingUp(): Expr {
    const steps = Array.from({ length: this.lanes }, (_, lane) => indexSub(lane, 0));
    return add(splat(this.at, this.lanes), vector(steps));
  }
}

/** Index arithmetic is simplified: the counter of a lane is a sum. */
function simplified(e: Expr, of: (child: Expr) => Expr): Expr {
  if (e.op === "binary" && e.type === "i32" && !affine(e).terms.has(keyOf(e))) {
    const [x, y] = [of(e.x), of(e.y)];
    if (e.fn === "add") return indexAdd(x, y);
    if (e.fn === "sub") return indexSub(x, y);
    if (e.fn === "mul" && isConst(y)) return indexMul(x, y.value);
    if (e.fn === "mul" && isConst(x)) return indexMul(y, x.value);
  }
  return mapChildren(e, of);
}
