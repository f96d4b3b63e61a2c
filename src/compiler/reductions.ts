/** Cells that a loop only adds to (or multiplies, or takes the maximum with): several accumulators do as well as one. */
import { assign, binary, constant, extract, get } from "../core/ir/ops.js";
import type { BinaryOp, Expr, For, Local, ScalarType, Stmt } from "../core/ir/types.js";
import { eachStmt, exprsOf, nodesOf } from "./walk.js";

/** A cell outside of a loop that iterations combine something with, and do not look at otherwise. */
export interface Reduction {
  readonly local: Local;
  readonly fn: BinaryOp;
}

/** Associative and commutative (floats: up to rounding). */
const combining: readonly BinaryOp[] = ["add", "mul", "min", "max", "and", "or", "xor"];

/** The reductions of a loop; undefined if it changes a cell outside in another way. */
export function reductionsOf(loop: For): readonly Reduction[] | undefined {
  const inside = new Set<Local>();
  const fns = new Map<Local, BinaryOp>();
  let fine = true;
  eachStmt(loop.body, (s) => {
    if (s.kind === "let") inside.add(s.local);
    if (s.kind !== "assign" || inside.has(s.local)) return;
    const fn = termOf(s.local, s.value)?.fn;
    if (fn === undefined || (fns.get(s.local) ?? fn) !== fn) fine = false;
    else fns.set(s.local, fn);
  });
  if (!fine) return undefined;
  if (fns.size === 0) return [];
  eachStmt(loop.body, (s) => {
    const isOne = s.kind === "assign" && fns.has(s.local);
    const exprs = isOne ? [(termOf(s.local, s.value) as Term).term] : exprsOf(s);
    if (nodesOf(...exprs).some((e) => e.op === "get" && fns.has(e.local))) fine = false;
  });
  return fine ? [...fns].map(([local, fn]) => ({ local, fn })) : undefined;
}

interface Term {
  readonly fn: BinaryOp;
  readonly term: Expr;
}

/** What the cell is combined with, in the new value of a cell. */
export function termOf(local: Local, value: Expr): Term | undefined {
  if (value.op !== "binary" || !combining.includes(value.fn)) return undefined;
  const { fn, x, y } = value;
  if (x.op === "get" && x.local === local) return { fn, term: y };
  if (y.op === "get" && y.local === local) return { fn, term: x };
  return undefined;
}

/** Leaves every value as it is: also -0 in a sum. */
export function neutralOf(fn: BinaryOp, type: ScalarType): number {
  const isFloat = type === "f32" || type === "f64";
  switch (fn) {
    case "add":
      return isFloat ? -0 : 0;
    case "mul":
      return 1;
    case "min":
      return isFloat ? Infinity : type === "i32" ? 0x7fffffff : 0xffffffff;
    case "max":
      return isFloat ? -Infinity : type === "i32" ? -0x80000000 : 0;
    case "and":
      return type === "bool" ? 1 : type === "i32" ? -1 : 0xffffffff;
    default:
      return 0;
  }
}

/** Adds the lanes of accumulators to the cell. */
export function combineInto({ local, fn }: Reduction, cells: readonly Local[]): Stmt {
  const sum = tree(fn, cells.map(get));
  const lanes = Array.from({ length: sum.lanes }, (_, lane) => extract(sum, lane));
  return assign(local, binary(fn, get(local), tree(fn, lanes)));
}

const tree = (fn: BinaryOp, terms: readonly Expr[]): Expr => {
  if (terms.length === 1) return terms[0];
  const half = terms.length / 2;
  return binary(fn, tree(fn, terms.slice(0, half)), tree(fn, terms.slice(half)));
};

export const neutral = ({ local, fn }: Reduction, lanes: Local["lanes"]): Expr =>
  constant(local.type, neutralOf(fn, local.type), lanes);
