/**
 * Kernels that compute in place: one buffer for an operand and a result, where every element of the operand is read before
 * that element of the result is written. Where elements are read and written at the same index that is so, and also where
 * a row is read as a whole before it is written.
 */
import { indexAdd, indexDiv, indexMod, intervalOf, keyOf } from "../core/ir/affine.js";
import { noted } from "../core/ir/notes.js";
import { get, i32, isConst } from "../core/ir/ops.js";
import { Buffer, type Expr, type Kernel, Local, type Stmt } from "../core/ir/types.js";
import { accessesOf } from "./accesses.js";
import { keepsApart } from "./dependence.js";
import { withBuffers } from "./emit.js";
import { inlineIndices } from "./inline.js";
import { blocksOf, exprsOf, mapStmt, nodesOf, rewriting, someNode } from "./walk.js";

/**
 * The kernel with `operand` replaced by `result`, whose memory is to hold the elements of the operand when it starts;
 * undefined where that might change what it computes. It must not have been vectorized yet.
 */
export function computeInPlace(kernel: Kernel, operand: Buffer, result: Buffer): Kernel | undefined {
  if (operand.dtype !== result.dtype || operand.size !== result.size) return undefined;
  if (!isReadOnly(kernel.body, operand) || !isMade(kernel.body, result)) return undefined;
  if (!mayKeepApart(kernel, operand, result)) return undefined;
  // What the kernel reads of the result it has written itself: that stays, and is told from what it reads of the operand.
  const made = new Buffer(result.name, result.dtype, result.size);
  const body = readFirst(renaming(operand, result)(renaming(result, made)(kernel.body)), result);
  const loops = launched({ ...kernel, body: inlineIndices(body) });
  if (loops === undefined || !isOrdered(loops, result)) return undefined;
  return withBuffers({ ...kernel, body: renaming(made, result)(body) });
}

/**
 * For a kernel that changes `result`, which first holds a copy of `operand`: the same with the memory of the operand as that
 * of the result, without a copy; undefined where that might change what it computes.
 */
export function updateInPlace(kernel: Kernel, operand: Buffer, result: Buffer): Kernel | undefined {
  if (!kernel.body.some((s) => loads(s, operand))) return kernel;
  // What is read of the result may have been changed by the kernel itself, so it cannot be named in front.
  if (isWriteOnly(kernel.body, result)) return computeInPlace(kernel, operand, result);
  if (hasAtomics(kernel.body, result) || !isReadOnly(kernel.body, operand)) return undefined;
  const body = renaming(operand, result)(kernel.body);
  const loops = launched({ ...kernel, body: inlineIndices(body) });
  return loops === undefined || !isOrdered(loops, result) ? undefined : withBuffers({ ...kernel, body });
}

/** Whether the items of a kernel touch elements of their own: told before anything is rewritten, since mostly they do not. */
function mayKeepApart({ launch, body }: Kernel, operand: Buffer, result: Buffer): boolean {
  if (launch.kind === "grid") return true;
  const loops = withoutNames(body);
  return loops.every((s) => s.kind !== "for" || !stores(s, result) || keepsApart(s, [operand, result]));
}

/** It is asked for again and again, for each two buffers. */
const withoutNames: (body: readonly Stmt[]) => readonly Stmt[] = noted(inlineIndices);

const isReadOnly = (body: readonly Stmt[], buffer: Buffer): boolean =>
  !body.some((s) => stores(s, buffer)) && body.some((s) => loads(s, buffer));

const hasAtomics = (body: readonly Stmt[], buffer: Buffer): boolean =>
  body.some((s) => accessesOf(s).atomic.has(buffer));

/** For a buffer that holds nothing when the kernel starts. */
const isMade = (body: readonly Stmt[], buffer: Buffer): boolean =>
  !hasAtomics(body, buffer) && body.some((s) => stores(s, buffer));

const isWriteOnly = (body: readonly Stmt[], buffer: Buffer): boolean =>
  isMade(body, buffer) && !body.some((s) => loads(s, buffer));

/** Whether elements are read in a statement or inside it. */
const loads = (s: Stmt, buffer: Buffer): boolean => accessesOf(s).read.has(buffer);

const stores = (s: Stmt, buffer: Buffer): boolean => accessesOf(s).written.has(buffer);

function renaming(from: Buffer, to: Buffer): (body: readonly Stmt[]) => readonly Stmt[] {
  const expr = rewriting((e) => (e.op === "load" && e.buffer === from ? { ...e, buffer: to } : e));
  const block = (body: readonly Stmt[]): readonly Stmt[] =>
    body.map((s) => (loads(s, from) ? mapStmt(s, expr, block) : s));
  return block;
}

/**
 * In the blocks that store to the buffer the elements that are read are named first. The names are values: what is computed
 * of them can be shared across the stores.
 */
function readFirst(body: readonly Stmt[], buffer: Buffer): readonly Stmt[] {
  const inside = body.map((s) =>
    stores(s, buffer)
      ? mapStmt(
          s,
          (e) => e,
          (block) => readFirst(block, buffer),
        )
      : s,
  );
  if (!inside.some((s) => s.kind === "store" && s.buffer === buffer)) return inside;
  const own = new Set(inside.flatMap((s) => (s.kind === "let" ? [s.local] : [])));
  const names = new Map<number, Local>();
  const lets: Stmt[] = [];
  for (const s of inside) {
    if (!loads(s, buffer)) continue;
    for (const e of nodesOf(...exprsOf(s))) {
      if (e.op !== "load" || e.buffer !== buffer || e.guard !== undefined || names.has(keyOf(e))) continue;
      if (!isKnownBefore(e.index, own)) continue;
      const local = new Local(`old_${buffer.name}`, e.type, e.lanes);
      names.set(keyOf(e), local);
      lets.push({ kind: "let", local, value: e });
    }
  }
  const expr = rewriting((e) => {
    const local = e.op === "load" && e.buffer === buffer ? names.get(keyOf(e)) : undefined;
    return local === undefined ? e : get(local);
  });
  const rest = inside.map((s) =>
    // A loop tests its condition again and again, and what it reads may have been written meanwhile.
    s.kind === "while" || !loads(s, buffer) ? s : mapStmt(s, expr, (block) => block),
  );
  return [...lets, ...rest];
}

/** Whether an index is the same at the beginning of a block that declares these locals. */
const isKnownBefore = (index: Expr, declared: ReadonlySet<Local>): boolean =>
  !someNode(index, (e) => e.op === "load" || (e.op === "get" && (e.local.mutable || declared.has(e.local))));

/** The body with its launch as loops around it; undefined if the parts of a range do more than run through their items. */
function launched({ launch, body }: Kernel): readonly Stmt[] | undefined {
  if (launch.kind === "range") {
    const [loop] = body;
    if (body.length !== 1 || loop.kind !== "for") return undefined;
    const { from, to } = loop;
    const whole =
      from.op === "get" && from.local === launch.begin && to.op === "get" && to.local === launch.end;
    return whole ? body : undefined;
  }
  // Most kernels number their items by group · threads + thread, which is then the counter of a loop.
  const { group, thread, groups, threads } = launch;
  const item = new Local("item", "i32", 1, false, groups * threads);
  const places = new Map([
    [group, indexDiv(get(item), threads)],
    [thread, indexMod(get(item), threads)],
  ]);
  const expr = rewriting((e) => (e.op === "get" ? (places.get(e.local) ?? e) : simplified(e)));
  const block = (stmts: readonly Stmt[]): readonly Stmt[] => stmts.map((s) => mapStmt(s, expr, block));
  return [{ kind: "for", local: item, from: i32(0), to: i32(groups * threads), step: 1, body: block(body) }];
}

/** Index arithmetic as sums, as far as it is. */
function simplified(e: Expr): Expr {
  if (e.op !== "binary" || e.type !== "i32" || e.lanes !== 1) return e;
  if (e.fn === "div" || e.fn === "rem") {
    if (!isConst(e.y) || e.y.value < 1 || intervalOf(e.x).low < 0) return e;
    return e.fn === "div" ? indexDiv(e.x, e.y.value) : indexMod(e.x, e.y.value);
  }
  return e.fn === "add" || e.fn === "sub" || e.fn === "mul" ? indexAdd(e, 0) : e;
}

/** Whether all elements are read before they are written: no iteration touches those of another. */
function isOrdered(body: readonly Stmt[], buffer: Buffer): boolean {
  let written = false;
  for (const s of body) {
    if (written && loads(s, buffer)) return false;
    if (!stores(s, buffer)) continue;
    written = true;
    if (s.kind === "store") continue;
    if (s.kind !== "for" && s.kind !== "if") return false;
    if (s.kind === "for" && !keepsApart(s, [buffer])) return false;
    if (!blocksOf(s).every((block) => isOrdered(block, buffer))) return false;
  }
  return true;
}
