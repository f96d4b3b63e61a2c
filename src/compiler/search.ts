/**
 * Places of extrema on the CPU. Elements come in order there, so that the first of several equal ones needs no comparison of
 * places. A row that lies in memory in order is searched in two steps, each of which computes in vectors: the extremum of each
 * block of the row, of which the best block is remembered, and then the first place in that block where the extremum is.
 */
import { indexAdd, indexMul } from "../core/ir/affine.js";
import {
  and,
  assign,
  constant,
  eq,
  get,
  gt,
  i32,
  le,
  letIn,
  loop,
  lt,
  max,
  min,
  ne,
  not,
  or,
  select,
} from "../core/ir/ops.js";
import { type Expr, Local, type ScalarType, type Stmt } from "../core/ir/types.js";
import type { Elements } from "./elements.js";
import { indexFor } from "./group.js";
import { costOf } from "./kernelCost.js";
import { type Cells, initialOf, type Reduction } from "./loops.js";
import { nodesOf } from "./walk.js";

/** Elements of a block. */
const block = 128;
/** An element that costs more is not computed a second time. */
const cheapElement = 6;

/** Statements that look through a row, and cells that have the extremum and its place afterwards. */
export interface Search {
  readonly stmts: readonly Stmt[];
  readonly cells: Cells;
}

/**
 * @param n the length of the axis.
 * @param index from the counter of the axis to those of all axes of the space.
 * @param inOrder whether the elements of a row lie side by side.
 */
export function searchLoops(
  reduction: Reduction,
  n: number,
  elementsAt: () => Elements,
  index: (counter: Expr) => readonly Expr[],
  inOrder: boolean,
): Search {
  const { eqn, rule } = reduction;
  const [worst] = initialOf(reduction, elementsAt());
  const at = (counter: Expr): Expr => {
    const elements = elementsAt();
    return rule.element(
      elements.context(eqn),
      indexFor(eqn.inputs[0].aval.shape, index(counter)),
      eqn.params,
    )[0];
  };
  const extremum: Extremum = { largest: rule.places === "largest", worst, at };
  const probe = at(get(new Local("r", "i32", 1, false, n)));
  return inOrder && n >= 2 * block && isRepeatable(probe) ? inBlocks(n, extremum) : oneByOne(n, extremum);
}

interface Extremum {
  readonly largest: boolean;
  /** No element is worse. */
  readonly worst: Expr;
  /** The element at a place. */
  readonly at: (counter: Expr) => Expr;
}

/** Whether an element can be computed twice: it must come out the same in a vector and alone, which sums of products need not. */
function isRepeatable(e: Expr): boolean {
  if (costOf([letIn(new Local("x", e.type), e)]) > cheapElement) return false;
  return !nodesOf(e).some((x) => x.op === "host" || (x.op === "binary" && x.fn === "mul" && isFloat(x.type)));
}

const isFloat = (type: ScalarType): boolean => type === "f32" || type === "f64";

const cell = (name: string, from: Expr): { readonly local: Local; readonly start: Stmt } => {
  const local = new Local(name, from.type, 1, true);
  return { local, start: letIn(local, from) };
};

/** Each element takes the place of the best one before it if it is better. */
function oneByOne(n: number, { largest, worst, at }: Extremum): Search {
  const best = cell("best", worst);
  const place = cell("place", i32(0));
  const [b, p] = [get(best.local), get(place.local)];
  const step = loop("r", 0, n, (r) => {
    const x = at(r);
    const ordered = largest ? le(x, b) : le(b, x);
    // A NaN is in no order, and takes the place of all but another NaN.
    const takes = isFloat(x.type) ? and(not(ordered), eq(b, b)) : not(ordered);
    const is = new Local("takes", "bool");
    return [
      letIn(is, takes),
      assign(best.local, select(get(is), x, b)),
      assign(place.local, select(get(is), r, p)),
    ];
  });
  return { stmts: [best.start, place.start, step], cells: [best.local, place.local] };
}

function inBlocks(n: number, { largest, worst, at }: Extremum): Search {
  const best = cell("best", worst);
  const hasNaN = cell("hasNaN", constant("bool", 0));
  const start = cell("start", i32(0));
  const own = cell("own", worst);
  const ownNaN = cell("ownNaN", constant("bool", 0));
  const place = cell("place", i32(block));
  const [x, isNaN] = [get(own.local), get(ownNaN.local)];
  const first = new Local("first", "i32", 1, false, n);
  const from = new Local("from", "i32", 1, false, n);
  const takes = new Local("takes", "bool");
  const sought = new Local("sought", worst.type);
  const seeksNaN = new Local("seeksNaN", "bool");
  const nan = isFloat(worst.type) ? constant(worst.type, Number.NaN) : worst;

  const look = loop("r", 0, block, (r) => {
    const e = at(indexAdd(get(first), r));
    if (!isFloat(e.type)) return [assign(own.local, (largest ? max : min)(x, e))];
    const ahead = largest ? lt(x, e) : lt(e, x);
    return [assign(own.local, select(ahead, e, x)), assign(ownNaN.local, or(isNaN, ne(e, e)))];
  });
  const find = loop("r", 0, block, (r) => {
    const e = at(indexAdd(get(from), r));
    let matches = eq(e, get(sought));
    if (isFloat(e.type)) matches = or(matches, and(get(seeksNaN), ne(e, e)));
    return [assign(place.local, min(get(place.local), select(matches, r, i32(block))))];
  });
  const better = largest ? gt(x, get(best.local)) : lt(x, get(best.local));
  return {
    stmts: [
      best.start,
      hasNaN.start,
      start.start,
      loop("b", 0, Math.ceil(n / block), (b) => [
        // The last block ends where the row does. What it has in common with the one before is no better than that.
        letIn(first, min(indexMul(b, block), i32(n - block))),
        own.start,
        ownNaN.start,
        look,
        letIn(takes, and(not(get(hasNaN.local)), or(isNaN, better))),
        assign(best.local, select(get(takes), x, get(best.local))),
        assign(start.local, select(get(takes), get(first), get(start.local))),
        assign(hasNaN.local, or(get(hasNaN.local), isNaN)),
      ]),
      letIn(from, get(start.local)),
      letIn(seeksNaN, get(hasNaN.local)),
      // Nothing equals NaN: what is sought then is a NaN.
      letIn(sought, select(get(seeksNaN), nan, get(best.local))),
      place.start,
      find,
      assign(place.local, indexAdd(get(place.local), get(from))),
    ],
    cells: [best.local, place.local],
  };
}
