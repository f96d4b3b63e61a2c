/**
 * Index arithmetic. An index is kept as a sum of multiples of atoms (loop counters, and whatever is not a sum) plus a
 * constant, and divisions by constants are simplified with the ranges of the counters. This is how a chain of reshapes,
 * transpositions and slices becomes one load with a plain address, and how a loop learns that it walks memory in order.
 */
import { notes } from "./notes.js";
import { add, binary, compare, constant, div, get, i32, isConst, mul, rem } from "./ops.js";
import type { Expr, Local } from "./types.js";

/** Σ coefficient · atom + constant. Atoms are told apart by `keyOf`. */
export interface Affine {
  readonly terms: ReadonlyMap<number, Term>;
  readonly constant: number;
}

export interface Term {
  readonly atom: Expr;
  readonly coefficient: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Equality of expressions
// ---------------------------------------------------------------------------------------------------------------------

const ids = notes<object, number>();
let known = new Map<string, number>();
let nextId = 0;

/** Numbers of expressions; the same for two of the same structure (as long as the table remembers the first). */
export function keyOf(e: Expr): number {
  let id = ids.get(e);
  if (id !== undefined) return id;
  // Forgetting only loses sharing between kernels that are far apart in time.
  if (known.size > 200_000) known = new Map();
  const text = spell(e);
  id = known.get(text);
  if (id === undefined) {
    id = nextId++;
    known.set(text, id);
  }
  ids.set(e, id);
  return id;
}

function objectId(x: object): number {
  let id = ids.get(x);
  if (id === undefined) {
    id = nextId++;
    ids.set(x, id);
  }
  return id;
}

function spell(e: Expr): string {
  const head = `${e.op}${e.type}${e.lanes}`;
  switch (e.op) {
    case "const":
      return `${head}:${Object.is(e.value, -0) ? "-0" : e.value}`;
    case "get":
      return `${head}:${objectId(e.local)}`;
    case "load":
      return `${head}:${objectId(e.buffer)},${keyOf(e.index)},${e.guard ? keyOf(e.guard) : ""}`;
    case "unary":
      return `${head}${e.fn}:${keyOf(e.x)}`;
    case "binary":
    case "compare":
      return `${head}${e.fn}:${keyOf(e.x)},${keyOf(e.y)}`;
    case "select":
      return `${head}:${keyOf(e.cond)},${keyOf(e.onTrue)},${keyOf(e.onFalse)}`;
    case "cast":
    case "bitcast":
    case "splat":
      return `${head}:${keyOf(e.x)}`;
    case "extract":
      return `${head}:${keyOf(e.x)},${e.lane}`;
    case "vector":
      return `${head}:${e.parts.map(keyOf).join(",")}`;
    case "host":
      return `${head}:${objectId(e.fn)},${e.args.map(keyOf).join(",")}`;
  }
}

export const sameExpr = (x: Expr, y: Expr): boolean => x === y || keyOf(x) === keyOf(y);

// ---------------------------------------------------------------------------------------------------------------------
// Sums
// ---------------------------------------------------------------------------------------------------------------------

const forms = notes<Expr, Affine>();

/** The expression (i32, one lane) as a sum. */
export function affine(e: Expr): Affine {
  let form = forms.get(e);
  if (form === undefined) {
    form = computeAffine(e);
    forms.set(e, form);
  }
  return form;
}

function computeAffine(e: Expr): Affine {
  const sum = sumOf(e);
  // Beyond 32 bits numbers wrap, and far beyond they would be rounded here: hashes are no sums.
  if (sum !== undefined && isSmall(sum.constant) && hasSmallFactors(sum)) return sum;
  return { terms: new Map([[keyOf(e), { atom: e, coefficient: 1 }]]), constant: 0 };
}

function hasSmallFactors({ terms }: Affine): boolean {
  for (const { coefficient } of terms.values()) if (!isSmall(coefficient)) return false;
  return true;
}

const isSmall = (x: number): boolean => Math.abs(x) <= 2 ** 31;

function sumOf(e: Expr): Affine | undefined {
  if (e.op === "const") return { terms: none, constant: e.value };
  if (e.op !== "binary") return undefined;
  if (e.fn === "add") return combine(affine(e.x), affine(e.y), 1);
  if (e.fn === "sub") return combine(affine(e.x), affine(e.y), -1);
  if (e.fn === "mul" && isConst(e.y)) return scale(affine(e.x), e.y.value);
  if (e.fn === "mul" && isConst(e.x)) return scale(affine(e.y), e.x.value);
  return undefined;
}

const none: Affine["terms"] = new Map();

function combine(x: Affine, y: Affine, sign: number): Affine {
  const constant = x.constant + sign * y.constant;
  if (y.terms.size === 0) return y.constant === 0 ? x : { terms: x.terms, constant };
  if (x.terms.size === 0 && sign === 1) return { terms: y.terms, constant };
  const terms = new Map(x.terms);
  for (const [key, { atom, coefficient }] of y.terms) {
    const total = (terms.get(key)?.coefficient ?? 0) + sign * coefficient;
    if (total === 0) terms.delete(key);
    else terms.set(key, { atom, coefficient: total });
  }
  return rejoin({ terms, constant });
}

function scale(x: Affine, by: number): Affine {
  if (by === 0) return { terms: none, constant: 0 };
  if (by === 1) return x;
  const terms = new Map<number, Term>();
  for (const [key, { atom, coefficient }] of x.terms) terms.set(key, { atom, coefficient: coefficient * by });
  return { terms, constant: x.constant * by };
}

/** c·n·⌊a/n⌋ + c·(a mod n) is c·a: what splitting an index into axes and putting it together again leaves. */
function rejoin(sum: Affine): Affine {
  for (const [key, { atom, coefficient }] of sum.terms) {
    if (atom.op !== "binary" || atom.fn !== "rem" || !isConst(atom.y)) continue;
    const n = atom.y.value;
    const quotient = keyOf(quotientOf(atom.x, n));
    if (sum.terms.get(quotient)?.coefficient !== coefficient * n) continue;
    const terms = new Map(sum.terms);
    terms.delete(key);
    terms.delete(quotient);
    return combine({ terms, constant: sum.constant }, scale(affine(atom.x), coefficient), 1);
  }
  return sum;
}

function fromAffine({ terms, constant: c }: Affine): Expr {
  let sum: Expr | undefined;
  for (const { atom, coefficient } of terms.values()) {
    const part = coefficient === 1 ? atom : mul(atom, coefficient);
    sum = sum === undefined ? part : add(sum, part);
  }
  return sum === undefined ? i32(c) : c === 0 ? sum : add(sum, c);
}

/** Simplified sum. */
function normal(form: Affine): Expr {
  let e = sums.get(form);
  if (e === undefined) {
    e = fromAffine(form);
    sums.set(form, e);
    forms.set(e, form);
  }
  return e;
}

/** What `normal` made. */
const sums = notes<Affine, Expr>();

// ---------------------------------------------------------------------------------------------------------------------
// Ranges
// ---------------------------------------------------------------------------------------------------------------------

/** All values lie between the two, inclusive. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

const anything: Interval = { low: -Infinity, high: Infinity };

/** The ends of i32. */
const lowest = -(2 ** 31);
const highest = 2 ** 31 - 1;

// Remembered, because expressions share parts: as trees they may be exponentially large.
const intervals = notes<Expr, Interval>();

/** What is known of the values of an i32 expression. */
export function intervalOf(e: Expr): Interval {
  let interval = intervals.get(e);
  if (interval === undefined) {
    interval = computeInterval(e);
    intervals.set(e, interval);
  }
  return interval;
}

function computeInterval(e: Expr): Interval {
  const { terms, constant: c } = affine(e);
  let low = c;
  let high = c;
  for (const { atom, coefficient } of terms.values()) {
    const interval = atomInterval(atom);
    if (c === 0 && coefficient === 1 && terms.size === 1) return interval;
    const [l, h] = [Math.max(interval.low, lowest), Math.min(interval.high, highest)];
    low += coefficient > 0 ? coefficient * l : coefficient * h;
    high += coefficient > 0 ? coefficient * h : coefficient * l;
  }
  // What may wrap may be anything.
  return low < lowest || high > highest ? anything : { low, high };
}

function atomInterval(e: Expr): Interval {
  switch (e.op) {
    case "const":
      return { low: e.value, high: e.value };
    case "get":
      return e.local.bound === undefined ? anything : { low: 0, high: Math.max(0, e.local.bound - 1) };
    case "select": {
      const [x, y] = [intervalOf(e.onTrue), intervalOf(e.onFalse)];
      return { low: Math.min(x.low, y.low), high: Math.max(x.high, y.high) };
    }
    case "binary": {
      const [x, y] = [intervalOf(e.x), intervalOf(e.y)];
      if (e.fn === "min") return { low: Math.min(x.low, y.low), high: Math.min(x.high, y.high) };
      if (e.fn === "max") return { low: Math.max(x.low, y.low), high: Math.max(x.high, y.high) };
      if (y.low !== y.high || y.low <= 0 || x.low < 0) return anything;
      if (e.fn === "div") return { low: Math.floor(x.low / y.low), high: Math.floor(x.high / y.low) };
      if (e.fn === "rem") return { low: 0, high: Math.min(y.low - 1, x.high) };
      return anything;
    }
    case "cast":
      return castInterval(e.x);
    default:
      return anything;
  }
}

/** What is known of a value that is cast to i32. */
function castInterval(x: Expr): Interval {
  if (x.type === "bool") return { low: 0, high: 1 };
  if (x.type !== "u32") return anything;
  if (x.op === "load" && x.buffer.dtype === "uint8") return { low: 0, high: 255 };
  // An unsigned number that is bounded above is bounded on both sides.
  const isBounded = x.op === "binary" && x.fn === "min" && isConst(x.y) && x.y.value < 2 ** 31;
  return isBounded ? { low: 0, high: x.y.value } : anything;
}

// ---------------------------------------------------------------------------------------------------------------------
// Simplified operations
// ---------------------------------------------------------------------------------------------------------------------

const toExpr = (e: Expr | number): Expr => (typeof e === "number" ? i32(e) : e);

export const indexAdd = (x: Expr | number, y: Expr | number): Expr =>
  normal(combine(affine(toExpr(x)), affine(toExpr(y)), 1));

export const indexSub = (x: Expr | number, y: Expr | number): Expr =>
  normal(combine(affine(toExpr(x)), affine(toExpr(y)), -1));

export const indexMul = (x: Expr | number, by: number): Expr => normal(scale(affine(toExpr(x)), by));

/** Splits a sum into n · quotient and a rest. */
function divide(x: Affine, n: number): { quotient: Affine; rest: Affine } {
  const quotient = new Map<number, Term>();
  const rest = new Map<number, Term>();
  for (const [key, { atom, coefficient }] of x.terms)
    if (coefficient % n === 0) quotient.set(key, { atom, coefficient: coefficient / n });
    else rest.set(key, { atom, coefficient });
  const c = Math.floor(x.constant / n);
  return {
    quotient: { terms: quotient, constant: c },
    rest: { terms: rest, constant: x.constant - c * n },
  };
}

/** ⌊x / n⌋ for an index that is not negative and a positive n. */
export function indexDiv(x: Expr, n: number): Expr {
  if (n === 1) return normal(affine(x));
  const { quotient, rest } = divide(affine(x), n);
  const restExpr = normal(rest);
  const { low, high } = intervalOf(restExpr);
  // Only a rest that is never negative may be divided on its own: division truncates.
  if (low < 0) return div(normal(affine(x)), n);
  if (high < n) return normal(quotient);
  return normal(combine(quotient, affine(quotientOf(restExpr, n)), 1));
}

/** Divisions in a row are one. */
function quotientOf(e: Expr, n: number): Expr {
  if (e.op === "binary" && e.fn === "div" && isConst(e.y)) return div(e.x, e.y.value * n);
  return div(e, n);
}

/** x mod n for an index that is not negative and a positive n. */
export function indexMod(x: Expr, n: number): Expr {
  if (n === 1) return i32(0);
  const { rest } = divide(affine(x), n);
  const restExpr = normal(rest);
  const { low, high } = intervalOf(restExpr);
  if (low < 0) return rem(normal(affine(x)), n);
  return high < n ? restExpr : rem(restExpr, n);
}

/** 0 <= x < n, folded as far as the range of x allows. */
export function inBounds(x: Expr, n: number): Expr {
  const { low, high } = intervalOf(x);
  if (low >= n || high < 0) return constant("bool", 0);
  const above = low >= 0 ? constant("bool", 1) : compare("ge", x, 0);
  const below = high < n ? constant("bool", 1) : compare("lt", x, n);
  return binary("and", above, below);
}

// ---------------------------------------------------------------------------------------------------------------------
// Several axes
// ---------------------------------------------------------------------------------------------------------------------

/** The position in row-major order. */
export function ravel(index: readonly Expr[], shape: readonly number[]): Expr {
  let flat: Expr = i32(0);
  for (let k = 0; k < shape.length; k++)
    flat = indexAdd(indexMul(flat, shape[k]), shape[k] === 1 ? 0 : index[k]);
  return flat;
}

/** The index along each axis, from the position in row-major order. */
export function unravel(flat: Expr, shape: readonly number[]): Expr[] {
  const index = new Array<Expr>(shape.length);
  let rest = flat;
  for (let k = shape.length - 1; k >= 0; k--) {
    index[k] = k === 0 ? normal(affine(rest)) : indexMod(rest, shape[k]);
    rest = indexDiv(rest, shape[k]);
  }
  if (shape.length > 0 && shape[0] === 1) index[0] = i32(0);
  return index;
}

/** How much the expression grows when `local` grows by one: 0 if it does not depend on it; undefined if not a constant. */
export function strideIn(e: Expr, local: Local): number | undefined {
  const key = keyOf(get(local));
  let stride = 0;
  for (const [id, { atom, coefficient }] of affine(e).terms)
    if (id === key) stride = coefficient;
    else if (dependsOn(atom, local)) return undefined;
  return stride;
}

const dependencies = new WeakMap<Local, WeakMap<Expr, boolean>>();

/** Whether the value of an expression can change with a local. What is shared is looked at once. */
export function dependsOn(e: Expr, local: Local): boolean {
  let known = dependencies.get(local);
  if (known === undefined) {
    known = new WeakMap();
    dependencies.set(local, known);
  }
  return depends(e, local, known);
}

function depends(e: Expr, local: Local, known: WeakMap<Expr, boolean>): boolean {
  let answer = known.get(e);
  if (answer === undefined) {
    answer = computeDepends(e, local, (x) => depends(x, local, known));
    known.set(e, answer);
  }
  return answer;
}

function computeDepends(e: Expr, local: Local, on: (x: Expr) => boolean): boolean {
  switch (e.op) {
    case "const":
      return false;
    case "get":
      return e.local === local;
    case "load":
      return on(e.index) || (e.guard !== undefined && on(e.guard));
    case "unary":
    case "cast":
    case "bitcast":
    case "splat":
    case "extract":
      return on(e.x);
    case "binary":
    case "compare":
      return on(e.x) || on(e.y);
    case "select":
      return on(e.cond) || on(e.onTrue) || on(e.onFalse);
    case "vector":
      return e.parts.some(on);
    case "host":
      return e.args.some(on);
  }
}
