/** Cells that a loop only adds to (or multiplies, or takes the maximum with): several accumulators do as well as one. */
import { assign, binary, constant, extract, get, letIn, lt, select, vector } from "../core/ir/ops.js";
import { type BinaryOp, type Expr, type For, Local, type ScalarType, type Stmt } from "../core/ir/types.js";
import { eachStmt, exprsOf, nodesOf } from "./walk.js";

/** A cell outside of a loop that iterations combine something with, and do not look at otherwise. */
export interface Reduction {
  readonly local: Local;
  readonly fn: Combining;
}

/**
 * `larger` is `select(cell < term, term, cell)`, and `smaller` the same with `term < cell`: what is one instruction of
 * processors, since it need not look for NaN (which is passed over), nor tell zeros apart (any of them may win).
 */
export type Combining = BinaryOp | "larger" | "smaller";

/** Associative and commutative (floats: up to rounding). */
const combining: readonly BinaryOp[] = ["add", "mul", "min", "max", "and", "or", "xor"];

/** The reductions of a loop; undefined if it changes a cell outside in another way. */
export function reductionsOf(loop: For): readonly Reduction[] | undefined {
  const inside = new Set<Local>();
  const fns = new Map<Local, Combining>();
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
  readonly fn: Combining;
  readonly term: Expr;
}

/** What the cell is combined with, in the new value of a cell. */
export function termOf(local: Local, value: Expr): Term | undefined {
  if (value.op === "select") return extremeTermOf(local, value);
  if (value.op !== "binary" || !combining.includes(value.fn)) return undefined;
  const { fn, x, y } = value;
  if (x.op === "get" && x.local === local) return { fn, term: y };
  if (y.op === "get" && y.local === local) return { fn, term: x };
  return undefined;
}

function extremeTermOf(
  local: Local,
  { cond, onTrue: term, onFalse }: Extract<Expr, { op: "select" }>,
): Term | undefined {
  const isCell = (e: Expr): boolean => e.op === "get" && e.local === local;
  if (!isCell(onFalse) || cond.op !== "compare" || cond.fn !== "lt") return undefined;
  if (isCell(cond.x) && cond.y === term) return { fn: "larger", term };
  if (isCell(cond.y) && cond.x === term) return { fn: "smaller", term };
  return undefined;
}

/** What `termOf` finds `fn` and `y` in, for a cell `x`. */
export function combined(fn: Combining, x: Expr, y: Expr): Expr {
  if (fn === "larger") return select(lt(x, y), y, x);
  return fn === "smaller" ? select(lt(y, x), y, x) : binary(fn, x, y);
}

/** Leaves every value as it is: also -0 in a sum. */
export function neutralOf(fn: Combining, type: ScalarType): number {
  const isFloat = type === "f32" || type === "f64";
  switch (fn) {
    case "add":
      return isFloat ? -0 : 0;
    case "mul":
      return 1;
    case "min":
    case "smaller":
      return isFloat ? Infinity : type === "i32" ? 0x7fffffff : 0xffffffff;
    case "max":
    case "larger":
      return isFloat ? -Infinity : type === "i32" ? -0x80000000 : 0;
    case "and":
      return type === "bool" ? 1 : type === "i32" ? -1 : 0xffffffff;
    default:
      return 0;
  }
}

/** Adds the lanes of accumulators to the cell. */
export function combineInto({ local, fn }: Reduction, cells: readonly Local[]): Stmt[] {
  const total = tree(fn, cells.map(get));
  if (fn === "larger" || fn === "smaller") return foldLanes(local, fn, total);
  const lanes = Array.from({ length: total.lanes }, (_, lane) => extract(total, lane));
  return [assign(local, combined(fn, get(local), tree(fn, lanes)))];
}

/** Combines the halves of a vector, and their halves: choices between single numbers would be branches. */
function foldLanes(local: Local, fn: Combining, total: Expr): Stmt[] {
  const stmts: Stmt[] = [];
  let rest = total;
  for (let width = total.lanes / 2; width >= 1; width /= 2) {
    const named = new Local("lanes", rest.type, rest.lanes);
    stmts.push(letIn(named, rest));
    const order = Array.from({ length: rest.lanes }, (_, lane) => (lane + width) % rest.lanes);
    rest = combined(fn, get(named), vector(order.map((lane) => extract(get(named), lane))));
  }
  const result = new Local("lanes", rest.type, rest.lanes);
  const last = extract(get(result), 0);
  return [...stmts, letIn(result, rest), assign(local, combined(fn, get(local), last))];
}

const tree = (fn: Combining, terms: readonly Expr[]): Expr => {
  if (terms.length === 1) return terms[0];
  const half = terms.length / 2;
  return combined(fn, tree(fn, terms.slice(0, half)), tree(fn, terms.slice(half)));
};

export const neutral = ({ local, fn }: Reduction, lanes: Local["lanes"]): Expr =>
  constant(local.type, neutralOf(fn, local.type), lanes);
