/**
 * Whether the iterations of a loop may run in another order, or at once: they may if no two of them touch the same element
 * of a buffer that one of them writes.
 */
import { affine } from "../core/ir/affine.js";
import type { Buffer, Expr, For, Local, Stmt } from "../core/ir/types.js";
import { accessesIn, type Place } from "./accesses.js";
import { digitsIn } from "./digits.js";
import { eachStmt, someNode } from "./walk.js";

/** An index as a sum, seen from one loop: what it gains with each iteration, and what else happens inside. */
interface Access {
  readonly stride: number;
  /** Counters of loops inside, and their factors. */
  readonly inner: ReadonlyMap<Local, number>;
  /** What does not change while the loop runs, spelled. */
  readonly invariant: string;
  readonly constant: number;
  readonly lanes: number;
}

/** Whether no two iterations touch the same element of buffers, taken as one. Indices must not be named. */
export function keepsApart(loop: For, buffers: readonly Buffer[]): boolean {
  if (spreadOf(loop.local) <= 0) return true;
  const { places } = accessesIn(loop.body);
  const touched = buffers.flatMap((b) => places.get(b) ?? []);
  if (touched.length === 0) return true;
  const inside = localsIn(loop.body);
  const digits = digitsIn(touched.map(({ index }) => index));
  const all = touched.map(({ index, lanes }) => ({ index: digits.rewrite(index), lanes }));
  const changing = new Set([...inside].flatMap((local) => [...digits.of(local), local]));
  // Two counters of which the highest digits are the same differ in lower ones.
  const own = digits.of(loop.local);
  return own.every((digit, i) => areDisjoint(digit, all, new Set([...changing, ...own.slice(i + 1)])));
}

/** Whether no two iterations touch the same element of a buffer that one of them writes. Indices must not be named. */
export function isIndependent(loop: For): boolean {
  const changing = localsIn(loop.body);
  const { written, places } = accessesIn(loop.body);
  for (const b of written) if (!areDisjoint(loop.local, places.get(b) ?? [], changing)) return false;
  return true;
}

function areDisjoint(counter: Local, indices: readonly Place[], changing: ReadonlySet<Local>): boolean {
  const accesses: Access[] = [];
  for (const { index, lanes } of indices) {
    const access = accessOf(index, lanes, counter, changing);
    if (access === undefined) return false;
    accesses.push(access);
  }
  const [first] = accesses;
  if (first.stride === 0) return false;
  if (accesses.some((a) => a.stride !== first.stride || a.invariant !== first.invariant)) return false;
  // Two iterations are apart by a multiple of the stride. Everything else must be too little to make up for that, or
  // move in steps too large to.
  const stride = Math.abs(first.stride);
  let [low, high, step] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const { inner, constant, lanes: width } of accesses) {
    let [from, to] = [constant, constant + width - 1];
    for (const [local, factor] of inner) {
      if (Math.abs(factor) >= stride) step = gcd(step, Math.abs(factor));
      else if (factor > 0) to += factor * spreadOf(local);
      else from += factor * spreadOf(local);
    }
    low = Math.min(low, from);
    high = Math.max(high, to);
  }
  if (high - low >= stride) return false;
  return step === 0 || step > stride * spreadOf(counter) + high - low;
}

/** How far apart two values of a counter can be. */
const spreadOf = ({ bound }: Local): number => (bound === undefined ? Number.POSITIVE_INFINITY : bound - 1);

/** Locals that may have another value in each iteration. */
function localsIn(body: readonly Stmt[]): Set<Local> {
  const locals = new Set<Local>();
  eachStmt(body, (s) => {
    if (s.kind === "let" || s.kind === "for" || s.kind === "assign") locals.add(s.local);
  });
  return locals;
}

function accessOf(
  index: Expr,
  lanes: number,
  counter: Local,
  changing: ReadonlySet<Local>,
): Access | undefined {
  let stride = 0;
  const inner = new Map<Local, number>();
  const invariant: string[] = [];
  const { terms, constant } = affine(index);
  for (const [key, { atom, coefficient }] of terms) {
    if (atom.op === "get" && atom.local === counter) stride = coefficient;
    else if (atom.op === "get" && changing.has(atom.local)) {
      if (atom.local.mutable) return undefined;
      inner.set(atom.local, coefficient);
    } else if (isInvariant(atom, counter, changing)) invariant.push(`${key}*${coefficient}`);
    else return undefined;
  }
  return { stride, inner, invariant: invariant.sort().join("+"), constant, lanes };
}

/** Memory may change while the loop runs, so loads are not invariant. */
const isInvariant = (e: Expr, counter: Local, changing: ReadonlySet<Local>): boolean =>
  !someNode(e, (n) => n.op === "load" || (n.op === "get" && (n.local === counter || changing.has(n.local))));

function gcd(x: number, y: number): number {
  let [a, b] = [x, y];
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
