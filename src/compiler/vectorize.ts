/**
 * Loops of a range kernel with several iterations at once, in the lanes of vectors. For each nest of loops the loop is
 * chosen that makes the whole cheapest: the innermost one where it walks memory in order, an outer one where that does
 * (sums of columns). What does not fill the lanes is left to a scalar loop.
 */
import { add, and, get, i32, isConst, letIn, max, sub } from "../core/ir/ops.js";
import { type Expr, type For, type Kernel, type Lanes, Local, type Stmt } from "../core/ir/types.js";
import { isIndependent } from "./dependence.js";
import { type BlockFacts, factsOf } from "./facts.js";
import { inlineIndices } from "./inline.js";
import { costOf, costOfTrip, tripsOf } from "./kernelCost.js";
import { combineInto, neutral, type Reduction, reductionsOf } from "./reductions.js";
import { fits, Varying } from "./varying.js";
import { mapStmt, mapStmts } from "./walk.js";
import { NotWidened, Widening } from "./widen.js";

/** Accumulators beside each other, so that an addition need not wait for the one before. */
const accumulators = 4;
/** The work of a body that is small enough for that. */
const smallBody = 24;
/** A loop is changed only if it gets faster by this factor. */
const worthwhile = 0.9;

/** A range kernel in vectors, where that is faster. Grids stay as they are. Float sums may round differently. */
export function vectorizeKernel(kernel: Kernel): Kernel {
  const { launch } = kernel;
  if (launch.kind === "grid") return kernel;
  const body = inlineIndices(kernel.body);
  return { ...kernel, body: mapStmts(body, (s) => vectorizeStmt(s, launch.extent)) };
}

function vectorizeStmt(s: Stmt, extent?: number): readonly Stmt[] {
  const inside = mapStmt(
    s,
    (e) => e,
    (block) => mapStmts(block, (inner) => vectorizeStmt(inner)),
  );
  if (s.kind !== "for" || inside.kind !== "for") return [inside];
  const trips = tripsOf(s, extent);
  const candidates = candidatesFor(s, inside, trips);
  if (candidates.length === 0) return [inside];
  let best: Candidate = {
    stmts: [inside],
    cost: worthwhile * trips * (costOfTrip + costOf(inside.body)),
  };
  for (const vectors of candidates) {
    // The innermost loop mostly gains.
    if (s.body.some(({ kind }) => kind === "for") && vectors.leastCost(trips) >= best.cost) continue;
    try {
      const candidate = vectors.candidate(trips);
      if (candidate.cost < best.cost) best = candidate;
    } catch (error) {
      if (!(error instanceof NotWidened)) throw error;
    }
  }
  return best.stmts;
}

interface Candidate {
  readonly stmts: readonly Stmt[];
  readonly cost: number;
}

/** @param rest the loop for what remains. */
function candidatesFor(loop: For, rest: For, trips: number): readonly Vectors[] {
  if (loop.step !== 1 || trips < 2) return [];
  const facts = factsOf(loop.body);
  if (!facts.isWidenable || !isIndependent(loop)) return [];
  const reductions = reductionsOf(loop);
  if (reductions === undefined) return [];
  const parts = facts.isRecurrent && facts.work <= smallBody ? [1, accumulators] : [1];
  const varying = new Varying(loop);
  return lanesFor(facts)
    .filter((lanes) => reductions.every(({ local }) => fits(local.type, lanes)))
    .flatMap((lanes) => parts.map((n) => ({ lanes, parts: n })))
    .filter((shape) => shape.lanes * shape.parts <= trips)
    .map((shape) => new Vectors(varying, rest, reductions, shape));
}

const lanesFor = ({ types }: BlockFacts): readonly Lanes[] => (types.has("f64") ? [2, 4] : [4]);

/** A loop as loops over vectors, and one for the rest. */
class Vectors {
  private readonly stmts: Stmt[] = [];
  private cost = 0;

  constructor(
    private readonly varying: Varying,
    private readonly rest: For,
    private readonly reductions: readonly Reduction[],
    private readonly shape: { readonly lanes: Lanes; readonly parts: number },
  ) {}

  /** What the loops take at least: known before they are made. */
  leastCost(trips: number): number {
    const { lanes, parts } = this.shape;
    return Math.floor(trips / (lanes * parts)) * (costOfTrip + this.varying.leastCost(lanes, parts));
  }

  candidate(trips: number): Candidate {
    const { lanes, parts } = this.shape;
    const { loop } = this.varying;
    let from = this.named("first", loop.from);
    const to = this.named("last", loop.to);
    const start = from;
    const count = isConst(from) && isConst(to) ? i32(trips) : this.named("count", max(sub(to, from), 0));
    let left = trips;
    for (const n of parts === 1 ? [1] : [parts, 1]) {
      const width = lanes * n;
      const middle =
        isConst(count) && isConst(start)
          ? i32(start.value + (count.value & -width))
          : this.named("middle", add(start, and(count, -width)));
      // For constant bounds it is known whether there is anything to do.
      if (isConst(from) && isConst(middle, from.value)) continue;
      this.vectorLoop(from, middle, n, Math.floor(left / width));
      left %= width;
      from = middle;
    }
    if (!isConst(from) || !isConst(to, from.value)) {
      this.stmts.push({ ...this.rest, from, to });
      this.cost += left * (costOfTrip + costOf(this.rest.body));
    }
    return { stmts: this.stmts, cost: this.cost };
  }

  private vectorLoop(from: Expr, to: Expr, parts: number, trips: number): void {
    const { local, body } = this.varying.loop;
    const { lanes } = this.shape;
    const cells = new Map(
      this.reductions.map(({ local: cell }) => [
        cell,
        Array.from({ length: parts }, (_, k) => new Local(`${cell.name}v${k}`, cell.type, lanes, true)),
      ]),
    );
    const counter = new Local(local.name, "i32", 1, false, local.bound);
    const widening = new Widening(this.varying, lanes, get(counter), cells, parts);
    const wide = widening.block(body);
    const before = this.reductions.flatMap((r) =>
      (cells.get(r.local) as Local[]).map((cell) => letIn(cell, neutral(r, lanes))),
    );
    const after = this.reductions.flatMap((r) => combineInto(r, cells.get(r.local) as Local[]));
    this.stmts.push(
      ...before,
      { kind: "for", local: counter, from, to, step: lanes * parts, body: wide },
      ...after,
    );
    this.cost += trips * (costOfTrip + costOf(wide)) + costOf(after) + 2;
  }

  /** A value that is used several times. */
  private named(name: string, value: Expr): Expr {
    if (isConst(value) || (value.op === "get" && !value.local.mutable)) return value;
    const local = new Local(name, "i32");
    this.stmts.push(letIn(local, value));
    return get(local);
  }
}
