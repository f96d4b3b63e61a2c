/**
 * Elementwise kernels for the GPU in vectors: a thread computes four neighbouring elements, so that each load and each store
 * moves 16 bytes, and neighbouring threads move neighbouring ones. That pays only where all memory is walked so; a kernel
 * that would have to gather the elements of a vector one by one is better off with a thread for each.
 */
import { indexMul, unravel } from "../core/ir/affine.js";
import { add, get } from "../core/ir/ops.js";
import { type Expr, type For, Local, type Stmt } from "../core/ir/types.js";
import { Varying } from "./varying.js";
import { eachStmt, exprsOf, nodesOf } from "./walk.js";
import { NotWidened, Widening } from "./widen.js";

const lanes = 4;
/** Values of larger bodies would not all stay in registers. */
const largest = 400;

/** The body of a thread with number `quad`, of `elements / 4`; undefined if vectors do not suit it. */
export function bodyInVectors(
  dims: readonly number[],
  quad: Expr,
  stores: (counters: readonly Expr[]) => readonly Stmt[],
): readonly Stmt[] | undefined {
  const last = dims.at(-1) ?? 1;
  const count = dims.reduce((a, b) => a * b, 1);
  // Along the last axis, what is repeated for each row is walked in order, too.
  if (last % lanes === 0) {
    const positions = unravel(quad, [...dims.slice(0, -1), last / lanes]);
    const body = widened(last, indexMul(positions[dims.length - 1], lanes), (column) =>
      stores([...positions.slice(0, -1), column]),
    );
    if (body !== undefined) return body;
  }
  if (count % lanes !== 0) return undefined;
  return widened(count, indexMul(quad, lanes), (at) => stores(unravel(at, dims)));
}

function widened(
  bound: number,
  first: Expr,
  body: (counter: Expr) => readonly Stmt[],
): readonly Stmt[] | undefined {
  const local = new Local("element", "i32", 1, false, bound);
  const loop: For = {
    kind: "for",
    local,
    from: first,
    to: add(first, lanes),
    step: 1,
    body: body(get(local)),
  };
  const alone = accessesOf(loop.body).filter(({ mentions }) => mentions(local)).length;
  try {
    const wide = new Widening(new Varying(loop), lanes, first, new Map(), 1).block(loop.body);
    if (nodesIn(wide) > largest) return undefined;
    const accesses = accessesOf(wide);
    const whole = accesses.filter((a) => a.lanes === lanes).length;
    // Stores are of every element, so that a store of one lane is a part of a vector that was taken apart.
    const apart = accesses.some((a) => a.isStore && a.lanes !== lanes);
    return apart || whole < alone ? undefined : wide;
  } catch (error) {
    if (error instanceof NotWidened) return undefined;
    throw error;
  }
}

interface Access {
  readonly lanes: number;
  readonly isStore: boolean;
  mentions(local: Local): boolean;
}

/** Loads and stores, each place in memory once. */
function accessesOf(body: readonly Stmt[]): Access[] {
  const seen = new Set<Expr>();
  const accesses: Access[] = [];
  eachStmt(body, (s) => {
    if (s.kind === "store") accesses.push(accessAt(s.index, s.value.lanes, true));
    for (const e of nodesOf(...exprsOf(s)))
      if (e.op === "load" && !seen.has(e)) {
        seen.add(e);
        accesses.push(accessAt(e.index, e.lanes, false));
      }
  });
  return accesses;
}

const accessAt = (index: Expr, width: number, isStore: boolean): Access => ({
  lanes: width,
  isStore,
  mentions: (local) => [...nodesOf(index)].some((e) => e.op === "get" && e.local === local),
});

function nodesIn(body: readonly Stmt[]): number {
  let nodes = 0;
  eachStmt(body, (s) => {
    nodes += [...nodesOf(...exprsOf(s))].length;
  });
  return nodes;
}
