/**
 * Reductions as loops. Float sums are added up level by level: in blocks, and blocks in blocks of blocks, so that an
 * accumulator takes a few dozen terms. The error grows with that number, and with the number of levels, but not with the
 * length of the sum.
 */
import { indexAdd, indexMul } from "../core/ir/affine.js";
import { inGroups } from "../core/ir/groups.js";
import type { ReduceRule } from "../core/ir/lower.js";
import { assign, get, i32, letIn, when } from "../core/ir/ops.js";
import { type Expr, Local, type Stmt } from "../core/ir/types.js";
import type { Eqn, Var } from "../core/jaxpr.js";
import { type Elements, settled } from "./elements.js";
import { indexFor, type Member } from "./group.js";
import { rewriting, someNode } from "./walk.js";

/** Sums of the axes inside that one accumulator takes. */
const fewRows = 32;

/** A reduction that runs in the loops at hand. */
export interface Reduction {
  readonly eqn: Eqn;
  readonly rule: ReduceRule;
  /** What is combined in place of elements of the operand: totals of parts of it, at the counters of all axes. */
  readonly partAt?: (counters: readonly Expr[]) => readonly Expr[];
}

export const reductionOf = ({ node }: Member): Reduction => ({
  eqn: node.eqn,
  rule: node.rule as ReduceRule,
});

/** Accumulators of a reduction. */
export type Cells = readonly Local[];

export const initialOf = ({ eqn, rule }: Reduction, elements: Elements): readonly Expr[] =>
  rule.initial(elements.context(eqn), eqn.params);

export function declareCells(reduction: Reduction, elements: Elements): { cells: Cells; stmts: Stmt[] } {
  const initial = initialOf(reduction, elements);
  const cells = initial.map((e, k) => new Local(`acc${k}`, e.type, 1, true));
  return { cells, stmts: cells.map((cell, k) => letIn(cell, initial[k])) };
}

/** The values for several cells, with a name for the first where it is part of the others: it is read once. */
function named(values: readonly Expr[]): {
  readonly stmts: readonly Stmt[];
  readonly values: readonly Expr[];
} {
  const [first, ...others] = values;
  if (!others.some((e) => someNode(e, (x) => x === first))) return { stmts: [], values };
  const local = new Local("element", first.type);
  const withName = rewriting((rebuilt, e) => (e === first ? get(local) : rebuilt));
  return { stmts: [letIn(local, first)], values: [get(local), ...others.map(withName)] };
}

export const combineInto = (
  { eqn, rule }: Reduction,
  cells: Cells,
  values: readonly Expr[],
  elements: Elements,
): Stmt[] => {
  const context = elements.context(eqn);
  const combined = rule.combine(cells.map(get), values, eqn.params, context);
  const others = (k: number) => (e: Expr) =>
    e.op === "get" && e.local !== cells[k] && cells.includes(e.local);
  if (!combined.some((e, k) => someNode(e, others(k))))
    return cells.map((cell, k) => assign(cell, combined[k]));
  // All are computed before the first is assigned: they depend on each other.
  const named = combined.map((e, k) => new Local(`next${k}`, e.type));
  return [
    ...named.map((l, k) => letIn(l, combined[k])),
    ...cells.map((cell, k) => assign(cell, get(named[k]))),
  ];
};

/** The outputs of a reduction, named: afterwards the accumulators are not looked at again. */
export function finishCells(
  { eqn, rule }: Reduction,
  cells: Cells,
  elements: Elements,
  results: Map<Var, Expr>,
): Stmt[] {
  const totals = cells.map(get);
  const finished = rule.finish?.(totals, elements.context(eqn), eqn.params) ?? totals;
  return eqn.outputs.map((v, k) => {
    const value = settled(v.aval.dtype, finished[k]);
    const local = new Local(`${eqn.primitive.name}${v.id}`, value.type);
    results.set(v, get(local));
    return letIn(local, value);
  });
}

/**
 * Loops over the reduced axes, adding to `cells`.
 *
 * @param dims lengths of the axes of the loops.
 * @param block terms of a sum that one accumulator takes, along the innermost axis.
 * @param index from the counters of the loops to those of all axes of the space.
 * @param exists for loops that overshoot: whether there is an element.
 * @param keep makes, given the counters of all axes, the elements of the innermost loop, and what is to be done before.
 */
export function reduceLoops(
  reductions: readonly Reduction[],
  cells: readonly Cells[],
  dims: readonly number[],
  block: number,
  elementsAt: () => Elements,
  index: (counters: readonly Expr[]) => readonly Expr[],
  exists?: (counters: readonly Expr[]) => Expr,
  keep?: (counters: readonly Expr[]) => { readonly stmts: readonly Stmt[]; readonly elements: Elements },
): Stmt[] {
  const blocked = reductions.some(({ rule }) => rule.sum);

  const atElement = (counters: readonly Expr[], into: readonly Cells[]): Stmt[] => {
    const all = index(counters);
    const { stmts: before, elements } = keep?.(all) ?? { stmts: [], elements: elementsAt() };
    const combining = reductions.flatMap((reduction, k) => {
      const { eqn, rule, partAt } = reduction;
      const parts =
        partAt?.(all) ??
        rule.element(elements.context(eqn), indexFor(eqn.inputs[0].aval.shape, all), eqn.params);
      const { stmts: naming, values } = named(parts);
      return [...naming, ...combineInto(reduction, into[k], values, elements)];
    });
    const stmts = [...before, ...combining];
    return exists === undefined ? stmts : [when(exists(counters), stmts)];
  };

  /** Runs `inner` with accumulators of its own for the sums, and adds them to `into` afterwards. */
  const level = (into: readonly Cells[], inner: (own: readonly Cells[]) => readonly Stmt[]): Stmt[] => {
    const elements = elementsAt();
    const before: Stmt[] = [];
    const own = reductions.map((reduction, k) => {
      if (!reduction.rule.sum) return into[k];
      const { cells: fresh, stmts } = declareCells(reduction, elements);
      before.push(...stmts);
      return fresh;
    });
    const after = reductions.flatMap((reduction, k) =>
      reduction.rule.sum ? combineInto(reduction, into[k], own[k].map(get), elements) : [],
    );
    return [...before, ...inner(own), ...after];
  };

  const counting = (n: number, body: (counter: Expr) => Stmt[]): Stmt => {
    const local = new Local("r", "i32", 1, false, n);
    return { kind: "for", local, from: i32(0), to: i32(n), step: 1, body: body(get(local)) };
  };

  const nest = (axis: number, counters: readonly Expr[], into: readonly Cells[]): Stmt[] => {
    if (axis === dims.length) return atElement(counters, into);
    const n = dims[axis];
    const inside = (counter: Expr, cellsInside: readonly Cells[]): Stmt[] => {
      const next = [...counters, counter];
      return blocked && axis + 1 < dims.length
        ? level(cellsInside, (own) => nest(axis + 1, next, own))
        : nest(axis + 1, next, cellsInside);
    };
    const length = axis + 1 < dims.length ? fewRows : block;
    if (!blocked || n <= length) return [counting(n, (r) => inside(r, into))];
    const blocks = Math.floor(n / length);
    const rest = n - blocks * length;
    const main = inGroups(blocks, into, level, (b, own) => [
      counting(length, (r) => inside(indexAdd(indexMul(b, length), r), own)),
    ]);
    const tail = (own: readonly Cells[]): Stmt[] => [
      counting(rest, (r) => inside(indexAdd(r, blocks * length), own)),
    ];
    return rest === 0 ? [main] : [main, ...level(into, tail)];
  };

  return nest(0, [], cells);
}
